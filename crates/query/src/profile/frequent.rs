//! Which values are frequent (Misra and Gries), with a bounded number of counters.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

use super::Frequent;

/// Counts values as long as there is room. Then every new one costs each counter one, so that what is counted is at most
/// `given_up` below the truth, and every value that is more frequent than that has a counter.
#[derive(Debug)]
pub(super) struct Counters {
    keys: Keys,
    counts: HashMap<Box<[u8]>, u64>,
    capacity: usize,
    given_up: u64,
}

/// How a value becomes the key of its counter, and comes back.
#[derive(Debug)]
enum Keys {
    /// The text itself, or its beginning and a hash.
    Text,
    /// Arrow's rows: bytes in the order of the values.
    Row(Box<RowConverter>),
}

/// Longer texts are told apart by a hash; only their beginning is kept.
const TEXT_BYTES_MAX: usize = 120;
/// What stands between the beginning and the hash: no text holds it.
const CUT: u8 = 0xFF;

/// The counters that are left.
pub(super) struct Counted {
    keys: Keys,
    /// The key, and how often at least.
    counts: Vec<(Box<[u8]>, u64)>,
    given_up: u64,
}

impl Counters {
    pub(super) fn new(data_type: &DataType, capacity: usize) -> Result<Self> {
        let keys = match data_type {
            DataType::Utf8 => Keys::Text,
            other => Keys::Row(Box::new(RowConverter::new(vec![SortField::new(other.clone())])?)),
        };
        Ok(Self { keys, counts: HashMap::new(), capacity, given_up: 0 })
    }

    /// Counts what is not null.
    pub(super) fn update(&mut self, array: &ArrayRef) -> Result<()> {
        if matches!(self.keys, Keys::Text) {
            let mut long = Vec::new();
            for text in array.as_string::<i32>().iter().flatten() {
                if text.len() <= TEXT_BYTES_MAX {
                    self.add(text.as_bytes());
                } else {
                    cut(text, &mut long);
                    self.add(&long);
                }
            }
            return Ok(());
        }
        let Keys::Row(converter) = &self.keys else { return Ok(()) };
        let rows = converter.convert_columns(std::slice::from_ref(array))?;
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            self.add(rows.row(row).as_ref());
        }
        Ok(())
    }

    #[inline]
    fn add(&mut self, key: &[u8]) {
        if let Some(count) = self.counts.get_mut(key) {
            *count += 1;
        } else if self.counts.len() < self.capacity {
            self.counts.insert(key.into(), 1);
        } else {
            self.given_up += 1;
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    pub(super) fn finish(self) -> Counted {
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_unstable();
        Counted { keys: self.keys, counts, given_up: self.given_up }
    }
}

impl Counted {
    /// How many values there are, if each of them has a counter.
    pub(super) fn distinct(&self) -> Option<u64> {
        (self.given_up == 0).then(|| u64::try_from(self.counts.len()).unwrap_or(u64::MAX))
    }

    /// The values at these shares of all, if each of them has a counter that has its place in the order: the smallest that
    /// have at least that share at or below them.
    pub(super) fn quantiles(&self, shares: &[f64]) -> Result<Option<ArrayRef>> {
        let values: u64 = self.counts.iter().map(|(_, count)| count).sum();
        if self.given_up > 0 || values == 0 || matches!(self.keys, Keys::Text) {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for share in shares {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a part of a count; a rank that is off by one among 2^53 is right enough"
            )]
            let rank = ((share * values as f64).ceil() as u64).clamp(1, values);
            let mut below = 0;
            let at = self.counts.iter().find(|(_, count)| {
                below += count;
                below >= rank
            });
            keys.extend(at.map(|(key, _)| &**key));
        }
        self.keys.values(&keys).map(|(values, _)| Some(values))
    }

    /// The `most` most frequent values, as far as it is sure that they are frequent.
    pub(super) fn frequent(&self, most: usize) -> Result<Frequent> {
        let sure = |(_, count): &&(Box<[u8]>, u64)| *count > self.given_up;
        let mut top: Vec<_> = self.counts.iter().filter(sure).collect();
        top.sort_by(|(key, count), (other_key, other)| other.cmp(count).then_with(|| key.cmp(other_key)));
        top.truncate(most);
        let keys: Vec<&[u8]> = top.iter().map(|(key, _)| &**key).collect();
        let (values, cut) = self.keys.values(&keys)?;
        let counts = top.iter().map(|(_, count)| *count).collect();
        Ok(Frequent { values, counts, exact: self.given_up == 0, cut })
    }
}

impl Keys {
    /// The values, and which of them are cut.
    fn values(&self, keys: &[&[u8]]) -> Result<(ArrayRef, Vec<bool>)> {
        match self {
            Keys::Text => {
                let texts = keys.iter().map(|key| {
                    let text = key.iter().position(|byte| *byte == CUT).map_or(*key, |end| &key[..end]);
                    String::from_utf8_lossy(text)
                });
                let texts: ArrayRef = std::sync::Arc::new(texts.map(Some).collect::<StringArray>());
                Ok((texts, keys.iter().map(|key| key.contains(&CUT)).collect()))
            }
            Keys::Row(converter) => {
                let parser = converter.parser();
                let mut columns = converter.convert_rows(keys.iter().map(|key| parser.parse(key)))?;
                Ok((columns.remove(0), vec![false; keys.len()]))
            }
        }
    }
}

/// The beginning of a long text, and what tells it apart from others that begin so.
fn cut(text: &str, out: &mut Vec<u8>) {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    out.clear();
    out.extend_from_slice(&text.as_bytes()[..text.floor_char_boundary(TEXT_BYTES_MAX)]);
    out.push(CUT);
    out.extend_from_slice(&hasher.finish().to_le_bytes());
}
