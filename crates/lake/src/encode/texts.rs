//! Texts of a page: numbers of a dictionary, or the texts themselves.

use arrow::array::StringArray;
use parquet::basic::Encoding;

use super::bits::{hybrid, width_of};
use super::choice::{TextLook, look};
use super::dictionary::Growing;
use super::plain::{Lengths, Plain, Prefixes};
use super::runs::repeat;
use super::words::Words;
use crate::stats::Bounds;

/// Texts that wait for the end of their page, without nulls.
#[derive(Debug)]
pub(super) struct Texts {
    dictionary: Growing<Words>,
    /// Bytes that the dictionary may have; pages are plain once it has more.
    limit: usize,
    ids: Vec<u32>,
    plain: Plain,
}

impl Texts {
    /// None yet; `first`: some of those to come, `words`: what other row groups have left.
    pub(super) fn new(first: &StringArray, limit: usize, words: Option<Words>) -> Self {
        let look = look(first, limit);
        let plain = match look {
            TextLook::Alike => Plain::Prefixes(Prefixes::default()),
            TextLook::Few | TextLook::Any => Plain::Lengths(Lengths::default()),
        };
        let dictionary = (look == TextLook::Few).then(|| words.unwrap_or_default());
        Self { dictionary: Growing::new(dictionary), limit, ids: Vec::new(), plain }
    }

    /// Adds what is not null, and widens the bounds; `lengths`: how often each text stands there, if there are no nulls.
    pub(super) fn push(&mut self, array: &StringArray, lengths: Option<&[usize]>, bounds: &mut Bounds) {
        let Some(dictionary) = self.dictionary.open_mut() else { return self.plain.push(array, lengths, bounds) };
        let from = self.ids.len();
        dictionary.ids(array, &mut self.ids, bounds);
        if let Some(lengths) = lengths {
            repeat(&mut self.ids, from, lengths);
        }
    }

    /// About how many bytes the page has.
    pub(super) fn page_bytes(&self) -> usize {
        self.plain.page_bytes() + 4 * self.ids.len()
    }

    pub(super) fn memory(&self) -> usize {
        self.plain.memory() + 4 * self.ids.capacity() + self.dictionary.any().map_or(0, Words::memory)
    }

    /// Appends the page's values, and forgets them.
    pub(super) fn flush(&mut self, into: &mut Vec<u8>) -> Encoding {
        let Some(dictionary) = self.dictionary.open() else { return self.plain.flush(into) };
        let width = width_of(dictionary.len().saturating_sub(1) as u64);
        into.push(width);
        hybrid(&self.ids, width, into);
        self.ids.clear();
        self.dictionary.end_if(|dictionary| dictionary.bytes() > self.limit);
        Encoding::RLE_DICTIONARY
    }

    /// Bytes and number of values of the dictionary's page, and what the next row group can use.
    pub(super) fn into_dictionary(self) -> Option<((Vec<u8>, usize), Words)> {
        let mut words = self.dictionary.into_any()?;
        let dictionary = (words.page(), words.len());
        words.next_group(self.limit);
        Some((dictionary, words))
    }
}
