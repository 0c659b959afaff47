//! Whole numbers, moments and days of a page: numbers of a dictionary, or differences.

use arrow::array::{Array as _, PrimitiveArray};
use arrow::datatypes::ArrowPrimitiveType;
use parquet::basic::Encoding;

use super::bits::{hybrid, width_of};
use super::choice::NUMBERS_MAX;
use super::delta::{Width, delta, delta_of_one};
use super::dictionary::{Growing, NumberDictionary};
use super::runs::repeat;
use crate::stats::Bounds;

/// Numbers that wait for the end of their page, without nulls.
#[derive(Debug)]
pub(super) struct Numbers {
    width: Width,
    dictionary: Growing<NumberDictionary>,
    ids: Vec<u32>,
    /// Those that came first are all this one, …
    one: Option<(i64, usize)>,
    /// … and behind them come these.
    values: Vec<i64>,
}

impl Numbers {
    /// None yet. Only numbers of 64 bits have dictionaries.
    pub(super) fn new(width: Width, has_dictionary: bool) -> Self {
        debug_assert!(!has_dictionary || width == Width::Bits64);
        let dictionary = Growing::new(has_dictionary.then(NumberDictionary::default));
        Self { width, dictionary, ids: Vec::new(), one: None, values: Vec::new() }
    }

    /// Adds what is not null, and widens the bounds; `lengths`: how often each number stands there, if there are no nulls.
    pub(super) fn push<T: ArrowPrimitiveType>(
        &mut self,
        array: &PrimitiveArray<T>,
        lengths: Option<&[usize]>,
        value: impl Fn(T::Native) -> i64,
        bounds: &mut Bounds,
    ) {
        if let Some(dictionary) = self.dictionary.open_mut() {
            let from = self.ids.len();
            self.ids.extend(array.iter().flatten().map(|number| dictionary.id(value(number), bounds)));
            if let Some(lengths) = lengths {
                repeat(&mut self.ids, from, lengths);
            }
            return;
        }
        if array.null_count() > 0 {
            bounds.update(array);
            self.own();
            return self.values.extend(array.iter().flatten().map(value));
        }
        let numbers = array.values();
        if let Some(one) = one_number(numbers).map(&value)
            && self.values.is_empty()
            && self.one.is_none_or(|(known, _)| known == one)
        {
            bounds.update(&array.slice(0, 1));
            let more = lengths.map_or(numbers.len(), |lengths| lengths.iter().sum());
            self.one = Some((one, self.one.map_or(0, |(_, count)| count) + more));
            return;
        }
        bounds.update(array);
        self.own();
        let from = self.values.len();
        self.values.extend(numbers.iter().map(|number| value(*number)));
        if let Some(lengths) = lengths {
            repeat(&mut self.values, from, lengths);
        }
    }

    /// Writes out what is only counted.
    fn own(&mut self) {
        if let Some((one, count)) = self.one.take() {
            self.values.resize(count, one);
        }
    }

    pub(super) fn memory(&self) -> usize {
        let dictionary = self.dictionary.any().map_or(0, NumberDictionary::memory);
        8 * self.values.capacity() + 4 * self.ids.capacity() + dictionary
    }

    /// Appends the page's values, and forgets them.
    pub(super) fn flush(&mut self, into: &mut Vec<u8>) -> Encoding {
        if let Some(dictionary) = self.dictionary.open() {
            let width = width_of(dictionary.len().saturating_sub(1) as u64);
            into.push(width);
            hybrid(&self.ids, width, into);
            self.ids.clear();
            self.dictionary.end_if(|dictionary| dictionary.len() > NUMBERS_MAX);
            return Encoding::RLE_DICTIONARY;
        }
        match self.one.take() {
            Some((one, count)) => delta_of_one(one, count, self.width, into),
            None => delta(self.values.iter().copied(), self.width, into),
        }
        self.values.clear();
        Encoding::DELTA_BINARY_PACKED
    }

    /// Bytes and number of values of the dictionary's page.
    pub(super) fn into_dictionary(self) -> Option<(Vec<u8>, usize)> {
        let dictionary = self.dictionary.into_any()?;
        let count = dictionary.len();
        Some((dictionary.into_page(), count))
    }
}

/// The number that all of them are.
fn one_number<T: Copy + PartialEq>(numbers: &[T]) -> Option<T> {
    let (first, last) = (numbers.first()?, numbers.last()?);
    // Whether the ends differ tells nearly always.
    (first == last && numbers.iter().all(|number| number == first)).then_some(*first)
}
