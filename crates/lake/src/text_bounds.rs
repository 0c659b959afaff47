//! The smallest and the largest text of a column.

use std::cmp::Ordering;

use crate::text_at::TextAt;

/// Texts are cut to this many characters.
const CHARS_MAX: usize = 32;

/// Both are cut to [`CHARS_MAX`]; `longer`: some text begins with `max` and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextBounds {
    min: String,
    max: String,
    longer: bool,
    /// Their heads: nearly all texts lie between, and the first bytes tell.
    heads: (u128, u128),
}

/// The smallest and the largest of some texts.
#[derive(Default)]
pub(crate) struct Ends<'d>(Option<[(u128, TextAt<'d>); 2]>);

impl<'d> Ends<'d> {
    #[inline]
    pub(crate) fn add(&mut self, text: TextAt<'d>) {
        let head = text.head();
        let Some([low, high]) = &mut self.0 else {
            self.0 = Some([(head, text.clone()), (head, text)]);
            return;
        };
        // The heads tell, nearly always.
        if head < low.0 || (head == low.0 && text.bytes() < low.1.bytes()) {
            *low = (head, text);
        } else if head > high.0 || (head == high.0 && text.bytes() > high.1.bytes()) {
            *high = (head, text);
        }
    }

    /// Widens bounds to hold all of them.
    pub(crate) fn widen(self, bounds: &mut Option<TextBounds>) {
        for (_, text) in self.0.into_iter().flatten() {
            widen(bounds, &text);
        }
    }
}

/// Widens bounds by a text.
pub(crate) fn widen(bounds: &mut Option<TextBounds>, text: &TextAt<'_>) {
    let head = text.head();
    match bounds {
        Some(TextBounds { heads: (low, high), .. }) if *low < head && head < *high => {}
        Some(bounds) => bounds.widen(text.text(), head),
        None => {
            let (text, cut) = (text.text(), cut(text.text()));
            let longer = cut.len() < text.len();
            *bounds = Some(TextBounds { min: cut.to_owned(), max: cut.to_owned(), longer, heads: (head, head) });
        }
    }
}

impl TextBounds {
    fn widen(&mut self, text: &str, head: u128) {
        // Cutting keeps the order, so the cut of the smallest is the smallest cut.
        if text < self.min.as_str() {
            cut(text).clone_into(&mut self.min);
            self.heads.0 = head;
        }
        if text > self.max.as_str() {
            let cut = cut(text);
            let longer = cut.len() < text.len();
            if cut > self.max.as_str() {
                cut.clone_into(&mut self.max);
                (self.longer, self.heads.1) = (longer, head);
            } else {
                self.longer |= longer;
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if other.min < self.min {
            self.min.clone_from(&other.min);
            self.heads.0 = other.heads.0;
        }
        match other.max.cmp(&self.max) {
            Ordering::Greater => {
                (self.max, self.longer) = (other.max.clone(), other.longer);
                self.heads.1 = other.heads.1;
            }
            Ordering::Equal => self.longer |= other.longer,
            Ordering::Less => {}
        }
    }

    /// At most as large as every text.
    pub(crate) fn lower(&self) -> &str {
        &self.min
    }

    /// A text is as small as [`lower`](Self::lower); one that was cut may be larger than that.
    pub(crate) fn lower_is_exact(&self) -> bool {
        self.min.chars().count() < CHARS_MAX
    }

    /// A text is as large as [`upper`](Self::upper).
    pub(crate) fn upper_is_exact(&self) -> bool {
        !self.longer
    }

    /// At least as large as every text: the next text of that length where some were cut.
    pub(crate) fn upper(&self) -> Option<String> {
        if !self.longer {
            return Some(self.max.clone());
        }
        let mut upper = self.max.clone();
        while let Some(last) = upper.pop() {
            // Surrogates are no characters: the range skips them.
            if let Some(next) = (last..=char::MAX).nth(1) {
                upper.push(next);
                return Some(upper);
            }
        }
        None
    }
}

fn cut(text: &str) -> &str {
    if text.len() <= CHARS_MAX {
        return text;
    }
    text.char_indices().nth(CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}
