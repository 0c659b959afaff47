//! Texts of a page: numbers of a dictionary, or lengths and bytes.

use arrow::array::{Array, StringArray};
use parquet::basic::Encoding;

use super::bits::{hybrid, width_of};
use super::choice::repeats;
use super::delta::{Width, delta};
use super::dictionary::TextDictionary;
use crate::stats::Bounds;

/// Texts that wait for the end of their page, without nulls.
#[derive(Debug)]
pub(super) struct Texts {
    dictionary: Option<TextDictionary>,
    /// Bytes that the dictionary may have; pages are plain once it has more.
    limit: usize,
    is_plain: bool,
    ids: Vec<u32>,
    hashes: Vec<u64>,
    lengths: Vec<i32>,
    bytes: Vec<u8>,
}

impl Texts {
    /// None yet; `first`: some of those to come.
    pub(super) fn new(first: &StringArray, limit: usize) -> Self {
        let dictionary = repeats(first, limit).then(TextDictionary::default);
        Self {
            is_plain: dictionary.is_none(),
            dictionary,
            limit,
            ids: Vec::new(),
            hashes: Vec::new(),
            lengths: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Adds what is not null, and widens the bounds.
    pub(super) fn push(&mut self, array: &StringArray, bounds: &mut Bounds) {
        match &mut self.dictionary {
            Some(dictionary) if !self.is_plain => {
                self.hashes.clear();
                self.hashes.extend(array.iter().flatten().map(|text| dictionary.hash(text.as_bytes())));
                for (text, hash) in array.iter().flatten().zip(&self.hashes) {
                    let (id, is_new) = dictionary.id(text.as_bytes(), *hash);
                    if is_new {
                        bounds.add_text(text);
                    }
                    self.ids.push(id);
                }
            }
            _ => {
                bounds.update(array);
                self.push_plain(array);
            }
        }
    }

    fn push_plain(&mut self, array: &StringArray) {
        if array.null_count() > 0 {
            for text in array.iter().flatten() {
                self.bytes.extend_from_slice(text.as_bytes());
                self.lengths.push(i32::try_from(text.len()).expect("an array holds less than 2 GB"));
            }
            return;
        }
        let offsets = array.value_offsets();
        let range = begin(offsets)..end(offsets);
        self.bytes.extend_from_slice(&array.value_data()[range]);
        self.lengths.extend(offsets.windows(2).map(|pair| pair[1] - pair[0]));
    }

    /// About how many bytes the page has.
    pub(super) fn page_bytes(&self) -> usize {
        self.bytes.len() + 4 * (self.ids.len() + self.lengths.len())
    }

    pub(super) fn memory(&self) -> usize {
        let waiting = self.bytes.capacity() + 4 * (self.ids.capacity() + self.lengths.capacity());
        waiting + 8 * self.hashes.capacity() + self.dictionary.as_ref().map_or(0, TextDictionary::memory)
    }

    /// Appends the page's values, and forgets them.
    pub(super) fn flush(&mut self, into: &mut Vec<u8>) -> Encoding {
        match &self.dictionary {
            Some(dictionary) if !self.is_plain => {
                let width = width_of(dictionary.len().saturating_sub(1) as u64);
                into.push(width);
                hybrid(&self.ids, width, into);
                self.ids.clear();
                self.is_plain = dictionary.bytes() > self.limit;
                Encoding::RLE_DICTIONARY
            }
            _ => {
                delta(self.lengths.iter().map(|length| i64::from(*length)), Width::Bits32, into);
                into.extend_from_slice(&self.bytes);
                self.lengths.clear();
                self.bytes.clear();
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
        }
    }

    /// Bytes and number of values of the dictionary's page.
    pub(super) fn into_dictionary(self) -> Option<(Vec<u8>, usize)> {
        self.dictionary.map(|dictionary| (dictionary.len(), dictionary)).map(|(count, all)| (all.into_page(), count))
    }
}

/// Bytes of the texts from number `from` on.
pub(super) fn text_bytes(array: &StringArray, from: usize, count: usize) -> usize {
    let offsets = &array.value_offsets()[from..=from + count];
    end(offsets) - begin(offsets)
}

pub(super) fn begin(offsets: &[i32]) -> usize {
    offsets.first().map_or(0, |first| first.cast_unsigned() as usize)
}

pub(super) fn end(offsets: &[i32]) -> usize {
    offsets.last().map_or(0, |last| last.cast_unsigned() as usize)
}
