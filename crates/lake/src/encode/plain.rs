//! Texts of a page without a dictionary.

use std::iter::repeat_n;

use arrow::array::{Array as _, StringArray};
use parquet::basic::Encoding;

use super::delta::{Width, delta};
use super::offsets::{begin, end};
use super::runs::repeat;
use crate::stats::Bounds;
use crate::text_at::{TextAt, common_prefix, each_text};
use crate::text_bounds::Ends;

/// Texts that wait for the end of their page, without nulls.
#[derive(Debug)]
pub(super) enum Plain {
    Lengths(Lengths),
    Prefixes(Prefixes),
}

/// The length of each, and then all bytes.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    lengths: Vec<i32>,
    bytes: Vec<u8>,
    /// Has the bytes, where they are all of one array.
    whole: Option<StringArray>,
}

/// How many bytes each has in common with the one before, and then the rest of each.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    last: Vec<u8>,
    common: Vec<i32>,
    rests: Vec<i32>,
    bytes: Vec<u8>,
}

impl Plain {
    /// Adds what is not null, and widens the bounds; `lengths`: how often each text stands there, if there are no nulls.
    pub(super) fn push(&mut self, array: &StringArray, lengths: Option<&[usize]>, bounds: &mut Bounds) {
        match self {
            Plain::Lengths(texts) => {
                bounds.update(array);
                match lengths {
                    None => texts.push(array),
                    Some(lengths) => texts.push_runs(array, lengths),
                }
            }
            Plain::Prefixes(texts) => texts.push(array, lengths, bounds),
        }
    }

    /// About how many bytes the page has.
    pub(super) fn page_bytes(&self) -> usize {
        match self {
            Plain::Lengths(texts) => {
                texts.whole.as_ref().map_or(texts.bytes.len(), |array| all_bytes(array).len()) + 4 * texts.lengths.len()
            }
            Plain::Prefixes(texts) => texts.bytes.len() + 8 * texts.rests.len(),
        }
    }

    pub(super) fn memory(&self) -> usize {
        match self {
            Plain::Lengths(texts) => {
                let whole = texts.whole.as_ref().map_or(0, |array| all_bytes(array).len());
                whole + texts.bytes.capacity() + 4 * texts.lengths.capacity()
            }
            Plain::Prefixes(texts) => texts.bytes.capacity() + 8 * texts.rests.capacity(),
        }
    }

    /// Appends the page's values, and forgets them.
    pub(super) fn flush(&mut self, into: &mut Vec<u8>) -> Encoding {
        match self {
            Plain::Lengths(texts) => {
                append_lengths(&texts.lengths, into);
                into.extend_from_slice(texts.whole.as_ref().map_or(&texts.bytes[..], all_bytes));
                texts.lengths.clear();
                texts.bytes.clear();
                texts.whole = None;
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
            Plain::Prefixes(texts) => {
                append_lengths(&texts.common, into);
                append_lengths(&texts.rests, into);
                into.extend_from_slice(&texts.bytes);
                texts.last.clear();
                texts.common.clear();
                texts.rests.clear();
                texts.bytes.clear();
                Encoding::DELTA_BYTE_ARRAY
            }
        }
    }
}

impl Lengths {
    fn push(&mut self, array: &StringArray) {
        let is_first = self.lengths.is_empty();
        if array.null_count() > 0 {
            self.own();
            each_text(array, |text| {
                self.bytes.extend_from_slice(text.bytes());
                self.lengths.push(length(text.bytes().len()));
            });
            return;
        }
        self.lengths.extend(array.value_offsets().windows(2).map(|pair| pair[1] - pair[0]));
        if is_first {
            self.whole = Some(array.clone());
        } else {
            self.own();
            self.bytes.extend_from_slice(all_bytes(array));
        }
    }

    fn push_runs(&mut self, array: &StringArray, lengths: &[usize]) {
        self.own();
        for (text, times) in array.iter().flatten().zip(lengths) {
            (0..*times).for_each(|_| self.bytes.extend_from_slice(text.as_bytes()));
            self.lengths.extend(repeat_n(length(text.len()), *times));
        }
    }

    /// Takes over the bytes that an array has.
    fn own(&mut self) {
        if let Some(whole) = self.whole.take() {
            self.bytes.extend_from_slice(all_bytes(&whole));
        }
    }
}

impl Prefixes {
    fn push(&mut self, array: &StringArray, lengths: Option<&[usize]>, bounds: &mut Bounds) {
        let from = self.common.len();
        self.push_each(array, bounds);
        if let Some(lengths) = lengths {
            self.repeat(from, lengths);
        }
    }

    fn push_each(&mut self, array: &StringArray, bounds: &mut Bounds) {
        let Self { last, common, rests, bytes } = self;
        common.reserve(array.len());
        rests.reserve(array.len());
        let mut ends = Ends::default();
        let (mut before, mut head_before) = (&last[..], TextAt::of_bytes(last).head());
        each_text(array, |text| {
            let (head, whole) = (text.head(), text.bytes());
            let shared = shared((head_before, before), (head, whole));
            common.push(length(shared));
            rests.push(length(whole.len() - shared));
            // A text that is the one before tells the bounds nothing.
            if shared < whole.len() || whole.len() < before.len() {
                bytes.extend_from_slice(&whole[shared..]);
                ends.add(text);
                (before, head_before) = (whole, head);
            }
        });
        bounds.add_ends(ends);
        *last = before.to_vec();
    }

    /// Writes out the texts from number `from` on, which are runs of these lengths. One that comes again has all of the one
    /// before, and no rest.
    fn repeat(&mut self, from: usize, lengths: &[usize]) {
        let Self { common, rests, .. } = self;
        let firsts: Vec<(i32, i32)> = common[from..].iter().copied().zip(rests.drain(from..)).collect();
        common.truncate(from);
        common.extend(firsts.iter().map(|(common, rest)| common + rest));
        repeat(common, from, lengths);
        rests.resize(common.len(), 0);
        let mut at = from;
        for (first, length) in firsts.into_iter().zip(lengths) {
            (common[at], rests[at]) = first;
            at += length;
        }
    }
}

/// How many bytes two texts begin with in common; their heads tell, for most.
#[inline]
fn shared((one_head, one): (u128, &[u8]), (other_head, other): (u128, &[u8])) -> usize {
    let shorter = one.len().min(other.len());
    let same_bytes = (one_head ^ other_head).leading_zeros() as usize / 8;
    if same_bytes < size_of::<u128>() || shorter <= size_of::<u128>() {
        return same_bytes.min(shorter);
    }
    common_prefix(one, other)
}

fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).expect("an array holds less than 2 GB")
}

fn append_lengths(lengths: &[i32], into: &mut Vec<u8>) {
    delta(lengths.iter().map(|length| i64::from(*length)), Width::Bits32, into);
}

/// The bytes of all texts.
fn all_bytes(array: &StringArray) -> &[u8] {
    let offsets = array.value_offsets();
    &array.value_data()[begin(offsets)..end(offsets)]
}
