//! Whole numbers, moments and days of a page: numbers of a dictionary, or differences.

use arrow::array::{Array as _, PrimitiveArray};
use arrow::datatypes::ArrowPrimitiveType;
use parquet::basic::Encoding;

use super::bits::{hybrid, width_of};
use super::choice::FEW;
use super::delta::{Width, delta};
use super::dictionary::NumberDictionary;

/// Numbers that wait for the end of their page, without nulls.
#[derive(Debug)]
pub(super) struct Numbers {
    width: Width,
    dictionary: Option<NumberDictionary>,
    is_plain: bool,
    ids: Vec<u32>,
    values: Vec<i64>,
}

impl Numbers {
    /// None yet.
    pub(super) fn new(width: Width, has_dictionary: bool) -> Self {
        let dictionary = has_dictionary.then(NumberDictionary::default);
        Self { width, is_plain: dictionary.is_none(), dictionary, ids: Vec::new(), values: Vec::new() }
    }

    /// Adds what is not null.
    pub(super) fn push<T: ArrowPrimitiveType>(&mut self, array: &PrimitiveArray<T>, value: impl Fn(T::Native) -> i64) {
        match &mut self.dictionary {
            Some(dictionary) if !self.is_plain => {
                self.ids.extend(array.iter().flatten().map(|number| dictionary.id(value(number))));
            }
            _ if array.null_count() == 0 => self.values.extend(array.values().iter().map(|number| value(*number))),
            _ => self.values.extend(array.iter().flatten().map(value)),
        }
    }

    pub(super) fn memory(&self) -> usize {
        8 * self.values.capacity() + 4 * self.ids.capacity()
    }

    /// Appends the page's values, and forgets them.
    pub(super) fn flush(&mut self, into: &mut Vec<u8>) -> Encoding {
        match &self.dictionary {
            Some(dictionary) if !self.is_plain => {
                let width = width_of(dictionary.values.len().saturating_sub(1) as u64);
                into.push(width);
                hybrid(&self.ids, width, into);
                self.ids.clear();
                self.is_plain = dictionary.values.len() > FEW;
                Encoding::RLE_DICTIONARY
            }
            _ => {
                delta(self.values.iter().copied(), self.width, into);
                self.values.clear();
                Encoding::DELTA_BINARY_PACKED
            }
        }
    }

    /// Bytes and number of values of the dictionary's page.
    pub(super) fn into_dictionary(self) -> Option<(Vec<u8>, usize)> {
        let dictionary = self.dictionary?;
        let bytes = dictionary.values.iter().flat_map(|value| match self.width {
            Width::Bits32 => value.to_le_bytes()[..4].to_vec(),
            Width::Bits64 => value.to_le_bytes().to_vec(),
        });
        Some((bytes.collect(), dictionary.values.len()))
    }
}
