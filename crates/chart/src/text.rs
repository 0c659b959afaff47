//! Texts in a picture: how wide they are, and how they are made to fit. Widths are those of the embedded font.

use std::collections::HashMap;
use std::sync::OnceLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Inter Regular; see fonts/LICENSE.txt.
pub(crate) const REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
/// Inter SemiBold; see fonts/LICENSE.txt.
pub(crate) const SEMI_BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.otf");

/// How heavy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

/// Advances by character, in parts of the font's size.
type Advances = HashMap<char, f64>;

fn advances(weight: Weight) -> &'static Advances {
    static TABLES: [OnceLock<Advances>; 2] = [const { OnceLock::new() }; 2];
    let (table, font) = match weight {
        Weight::Regular => (&TABLES[0], REGULAR),
        Weight::SemiBold => (&TABLES[1], SEMI_BOLD),
    };
    table.get_or_init(|| {
        let font = FontRef::new(font).expect("the embedded fonts are fonts");
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let em = f64::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        let characters = font.charmap().mappings().filter_map(|(code, glyph)| Some((char::from_u32(code)?, glyph)));
        let advance = |(character, glyph)| Some((character, f64::from(metrics.advance_width(glyph)?) / em));
        characters.filter_map(advance).collect()
    })
}

/// The width of a text. A character that the font lacks counts as a whole em, which is as wide as those in other fonts get.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let table = advances(weight);
    text.chars().map(|c| if joins(c) { 0.0 } else { table.get(&c).copied().unwrap_or(1.0) }).sum::<f64>() * size
}

/// Whether the font has the character; `None` for those that only join others, which it lacks.
pub(crate) fn is_drawn(c: char) -> Option<bool> {
    match advances(Weight::Regular).contains_key(&c) {
        true => Some(true),
        false if joins(c) => None,
        false => Some(false),
    }
}

/// Characters that take no room of their own.
fn joins(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// The text, cut to that width with an ellipsis if it is wider.
pub(crate) fn fit(text: &str, room: f64, size: f64, weight: Weight) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let room = room - width("…", size, weight);
    let mut used = 0.0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        used += width(c.encode_utf8(&mut [0; 4]), size, weight);
        if used > room {
            break;
        }
        end = at + c.len_utf8();
    }
    let kept = text[..end].trim_end().trim_end_matches('\u{200d}');
    format!("{kept}…")
}

/// The text in at most `lines_max` lines of that width; what is left is cut.
pub(crate) fn wrap(text: &str, room: f64, size: f64, weight: Weight, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let mut line = word.to_owned();
        if lines.len() + 1 == lines_max {
            for word in words.by_ref() {
                line = format!("{line} {word}");
            }
        }
        while let Some(word) = words.peek() {
            let longer = format!("{line} {word}");
            if width(&longer, size, weight) > room {
                break;
            }
            line = longer;
            words.next();
        }
        lines.push(fit(&line, room, size, weight));
    }
    lines
}

/// One line of text that XML can hold and that cannot turn the direction of what stands around it.
pub(crate) fn clean(text: &str) -> String {
    let steers = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}');
    let blank = |c: char| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c };
    text.chars().filter(|c| !steers(c)).map(blank).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit() {
        let w = |text: &str| width(text, 12.0, Weight::Regular);
        assert!((w("0") - 1760.0 / 2816.0 * 12.0).abs() < 1e-3);
        assert!(w("WWW") > w("iii") && w("🎉") == 12.0 && w("e\u{301}") == w("e"));
        let long = "x".repeat(300);
        let cut = fit(&long, 100.0, 12.0, Weight::Regular);
        assert!(cut.ends_with('…') && w(&cut) <= 100.0 && w(&cut) > 85.0, "{cut}");
        let lines = wrap("one two three four five six", 60.0, 12.0, Weight::Regular, 2);
        assert_eq!(lines, ["one two", "three fo…"]);
        assert_eq!(clean("a\u{202e}b\n\u{0}c "), "ab  c");
    }
}
