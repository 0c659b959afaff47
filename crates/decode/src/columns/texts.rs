//! Many texts, or lists of texts, appended to a column in a row.

use std::ops::Range;

use super::ranges::{end, position};

/// Bytes that are copied at once, whether the text has so many or fewer: a copy of a length that is known costs a
/// fraction of one whose length is not, and most texts are short.
const SHORT: usize = 32;

/// Room for texts that is made at a time, at most, …
const ROOM_MAX: usize = 16 << 10;
/// … and at least; in between as much as is taken, so that few texts take little.
const ROOM_MIN: usize = 256;

/// Appends texts to a column. What it has of a text beyond its end is overwritten by the next, and goes with it.
pub(crate) struct Texts<'c> {
    pub(super) offsets: &'c mut Vec<i32>,
    pub(super) bytes: &'c mut Vec<u8>,
    pub(super) valid: &'c mut Option<Vec<bool>>,
    /// Bytes that are texts.
    pub(super) at: usize,
}

impl Texts<'_> {
    /// Appends a part of `whole`, which is a text.
    #[inline]
    pub(crate) fn push(&mut self, whole: &str, part: Range<usize>) {
        self.push_bytes(whole.as_bytes(), part);
    }

    /// The same; the bytes are those of a text.
    #[inline]
    pub(super) fn push_bytes(&mut self, whole: &[u8], part: Range<usize>) {
        let length = part.len();
        let from = whole[part.start..].first_chunk::<SHORT>();
        let into = self.bytes[self.at..].first_chunk_mut::<SHORT>();
        match (from, into) {
            (Some(from), Some(into)) if length <= SHORT => *into = *from,
            _ => self.copy(&whole[part]),
        }
        self.at += length;
        self.offsets.push(position(self.at));
        if let Some(valid) = self.valid {
            valid.push(true);
        }
    }

    /// A function of its own: in one with the short copy, the compiler makes a single one of a length that is not known.
    #[inline(never)]
    fn copy(&mut self, text: &[u8]) {
        let end = self.at + text.len();
        if self.bytes.len() < end {
            self.bytes.resize(end + end.clamp(ROOM_MIN, ROOM_MAX), 0);
        }
        self.bytes[self.at..end].copy_from_slice(text);
    }

    pub(crate) fn push_null(&mut self) {
        let before = self.offsets.len() - 1;
        self.offsets.push(position(self.at));
        self.valid.get_or_insert_with(|| vec![true; before]).push(false);
    }

    /// A text that stands for none, to be removed again.
    pub(crate) fn push_placeholder(&mut self) {
        self.push("", 0..0);
    }
}

impl Drop for Texts<'_> {
    fn drop(&mut self) {
        self.bytes.truncate(self.at);
    }
}

/// Appends lists of texts to a column.
pub(crate) struct Lists<'c> {
    pub(super) offsets: &'c mut Vec<i32>,
    pub(super) valid: &'c mut Option<Vec<bool>>,
    pub(super) items: Texts<'c>,
}

impl Lists<'_> {
    /// Appends an item to the list that has not ended.
    #[inline]
    pub(crate) fn item(&mut self, whole: &str, part: Range<usize>) {
        self.items.push(whole, part);
    }

    /// Ends a list.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.offsets.push(position(self.items.offsets.len() - 1));
        if let Some(valid) = self.valid {
            valid.push(true);
        }
    }

    /// Forgets the items of the list that has not ended.
    pub(crate) fn forget(&mut self) {
        let count = end(self.offsets);
        self.items.offsets.truncate(count + 1);
        if let Some(valid) = self.items.valid {
            valid.truncate(count);
        }
        self.items.at = end(self.items.offsets);
    }
}

/// Appends a part of `whole`.
#[inline]
pub(super) fn append_part(bytes: &mut Vec<u8>, whole: &[u8], part: Range<usize>) {
    match whole[part.start..].first_chunk::<SHORT>() {
        Some(short) if part.len() <= SHORT => {
            let end = bytes.len() + part.len();
            bytes.extend_from_slice(short);
            bytes.truncate(end);
        }
        _ => append_long(bytes, &whole[part]),
    }
}

/// A function of its own, as [`Texts::copy`] is.
#[inline(never)]
fn append_long(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(text);
}
