//! Columns under construction. Unlike Arrow's builders they can give back what was appended last, which a record that
//! is refused at its fifth field needs.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use stillhouse_spec::DataType;

use crate::schema::item_field;

/// One column under construction.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    values: Values,
    /// Which values are not null; absent as long as all are.
    valid: Option<Vec<bool>>,
}

#[derive(Debug, Clone)]
enum Values {
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: i8 },
    Bool(Vec<bool>),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Text { ends: Vec<i32>, bytes: Vec<u8> },
    List { ends: Vec<i32>, items: Box<Column>, item: DataType },
}

/// A batch is handed over long before its texts reach 2 GB, so that 32 bits hold every position.
fn position(length: usize) -> i32 {
    i32::try_from(length).expect("a batch and a record are bounded far below 2 GB")
}

fn length(position: i32) -> usize {
    usize::try_from(position).expect("positions are never negative")
}

impl Column {
    pub(crate) fn new(data_type: &DataType) -> Self {
        let values = match data_type {
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Decimal { precision, scale } => Values::Decimal {
                values: Vec::new(),
                precision: *precision,
                scale: i8::try_from(*scale).expect("a scale is at most 38"),
            },
            DataType::Bool => Values::Bool(Vec::new()),
            DataType::Date => Values::Date(Vec::new()),
            DataType::Timestamp => Values::Timestamp(Vec::new()),
            DataType::String | DataType::Time | DataType::Json => Values::Text { ends: Vec::new(), bytes: Vec::new() },
            DataType::List(item) => {
                Values::List { ends: Vec::new(), items: Box::new(Column::new(item)), item: (**item).clone() }
            }
        };
        Self { values, valid: None }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.values {
            Values::Int64(values) | Values::Timestamp(values) => values.len(),
            Values::Float64(values) => values.len(),
            Values::Decimal { values, .. } => values.len(),
            Values::Bool(values) => values.len(),
            Values::Date(values) => values.len(),
            Values::Text { ends, .. } | Values::List { ends, .. } => ends.len(),
        }
    }

    /// Forgets the values from number `count` on. There may be fewer.
    pub(crate) fn truncate(&mut self, count: usize) {
        match &mut self.values {
            Values::Int64(values) | Values::Timestamp(values) => values.truncate(count),
            Values::Float64(values) => values.truncate(count),
            Values::Decimal { values, .. } => values.truncate(count),
            Values::Bool(values) => values.truncate(count),
            Values::Date(values) => values.truncate(count),
            Values::Text { ends, bytes } => {
                ends.truncate(count);
                bytes.truncate(length(ends.last().copied().unwrap_or(0)));
            }
            Values::List { ends, items, .. } => {
                ends.truncate(count);
                // Items of a list that was refused half way have no end yet; they go as well.
                items.truncate(length(ends.last().copied().unwrap_or(0)));
            }
        }
        if let Some(valid) = &mut self.valid {
            valid.truncate(count);
        }
    }

    #[inline]
    fn mark_valid(&mut self) {
        if let Some(valid) = &mut self.valid {
            valid.push(true);
        }
    }

    /// An `int64`, or the microseconds of a `timestamp`.
    #[inline]
    pub(crate) fn push_int(&mut self, value: i64) {
        match &mut self.values {
            Values::Int64(values) | Values::Timestamp(values) => values.push(value),
            other => unreachable!("a reader of integers fills {other:?}"),
        }
        self.mark_valid();
    }

    pub(crate) fn push_float(&mut self, value: f64) {
        match &mut self.values {
            Values::Float64(values) => values.push(value),
            other => unreachable!("a reader of floats fills {other:?}"),
        }
        self.mark_valid();
    }

    #[inline]
    pub(crate) fn push_decimal(&mut self, value: i128) {
        match &mut self.values {
            Values::Decimal { values, .. } => values.push(value),
            other => unreachable!("a reader of decimals fills {other:?}"),
        }
        self.mark_valid();
    }

    pub(crate) fn push_bool(&mut self, value: bool) {
        match &mut self.values {
            Values::Bool(values) => values.push(value),
            other => unreachable!("a reader of truth values fills {other:?}"),
        }
        self.mark_valid();
    }

    #[inline]
    pub(crate) fn push_date(&mut self, days: i32) {
        match &mut self.values {
            Values::Date(values) => values.push(days),
            other => unreachable!("a reader of dates fills {other:?}"),
        }
        self.mark_valid();
    }

    #[inline]
    pub(crate) fn push_text(&mut self, text: &str) {
        match &mut self.values {
            Values::Text { ends, bytes } => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(position(bytes.len()));
            }
            other => unreachable!("a reader of texts fills {other:?}"),
        }
        self.mark_valid();
    }

    /// For many texts in a row.
    pub(crate) fn texts_mut(&mut self) -> Texts<'_> {
        match &mut self.values {
            Values::Text { ends, bytes } => Texts { at: bytes.len(), ends, bytes, valid: &mut self.valid },
            other => unreachable!("a reader of texts fills {other:?}"),
        }
    }

    /// For many lists of texts in a row.
    pub(crate) fn lists_mut(&mut self) -> Lists<'_> {
        match &mut self.values {
            Values::List { ends, items, .. } => Lists { ends, valid: &mut self.valid, items: items.texts_mut() },
            other => unreachable!("a reader of lists fills {other:?}"),
        }
    }

    /// The items of lists, to be appended to; [`end_list`](Self::end_list) then makes them one list.
    pub(crate) fn items_mut(&mut self) -> &mut Column {
        match &mut self.values {
            Values::List { items, .. } => items,
            other => unreachable!("a reader of lists fills {other:?}"),
        }
    }

    pub(crate) fn end_list(&mut self) {
        match &mut self.values {
            Values::List { ends, items, .. } => ends.push(position(items.len())),
            other => unreachable!("a reader of lists fills {other:?}"),
        }
        self.mark_valid();
    }

    /// The value where there is none; it has no bytes and no items.
    fn push_nothing(&mut self) {
        match &mut self.values {
            Values::Int64(values) | Values::Timestamp(values) => values.push(0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Bool(values) => values.push(false),
            Values::Date(values) => values.push(0),
            Values::Text { ends, .. } | Values::List { ends, .. } => ends.push(ends.last().copied().unwrap_or(0)),
        }
    }

    /// A value that stands for none, to be removed again.
    pub(crate) fn push_placeholder(&mut self) {
        self.push_nothing();
        self.mark_valid();
    }

    pub(crate) fn push_null(&mut self) {
        let before = self.len();
        self.push_nothing();
        self.valid.get_or_insert_with(|| vec![true; before]).push(false);
    }

    /// Removes the values with these numbers, which ascend.
    pub(crate) fn remove(&mut self, gone: &[usize]) {
        match &mut self.values {
            Values::Int64(values) | Values::Timestamp(values) => remove(values, gone),
            Values::Float64(values) => remove(values, gone),
            Values::Decimal { values, .. } => remove(values, gone),
            Values::Bool(values) => remove(values, gone),
            Values::Date(values) => remove(values, gone),
            Values::Text { ends, bytes } => remove_ranges(ends, gone, |gone| remove(bytes, gone)),
            Values::List { ends, items, .. } => remove_ranges(ends, gone, |gone| items.remove(gone)),
        }
        if let Some(valid) = &mut self.valid {
            remove(valid, gone);
        }
    }

    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.valid.as_ref().is_some_and(|valid| !valid[row])
    }

    /// The items of the lists in consecutive rows, as a range of [`items`](Self::items). A list that is null has none.
    pub(crate) fn item_range(&self, rows: Range<usize>) -> Range<usize> {
        match &self.values {
            Values::List { ends, .. } => ranges(ends, rows),
            other => unreachable!("child tables are made of lists, not of {other:?}"),
        }
    }

    pub(crate) fn items(&self) -> &Column {
        match &self.values {
            Values::List { items, .. } => items,
            other => unreachable!("child tables are made of lists, not of {other:?}"),
        }
    }

    /// The day of a `date` or (in UTC) a `timestamp`.
    #[inline]
    pub(crate) fn day(&self, row: usize) -> Option<i32> {
        if self.is_null(row) {
            return None;
        }
        match &self.values {
            Values::Date(values) => Some(values[row]),
            Values::Timestamp(values) => i32::try_from(values[row].div_euclid(86_400_000_000)).ok(),
            _ => None,
        }
    }

    /// Bytes that copies of these values would take.
    pub(crate) fn range_bytes(&self, rows: Range<usize>) -> usize {
        match &self.values {
            Values::Decimal { .. } => 16 * rows.len(),
            Values::Text { ends, .. } => 4 * rows.len() + ranges(ends, rows).len(),
            Values::List { ends, items, .. } => 4 * rows.len() + items.range_bytes(ranges(ends, rows)),
            _ => 8 * rows.len(),
        }
    }

    /// Appends copies of consecutive values of a column of the same type.
    pub(crate) fn push_range(&mut self, from: &Column, rows: Range<usize>) {
        let before = self.len();
        match (&mut self.values, &from.values) {
            (Values::Int64(into), Values::Int64(from)) | (Values::Timestamp(into), Values::Timestamp(from)) => {
                into.extend_from_slice(&from[rows.clone()]);
            }
            (Values::Float64(into), Values::Float64(from)) => into.extend_from_slice(&from[rows.clone()]),
            (Values::Decimal { values: into, .. }, Values::Decimal { values: from, .. }) => {
                into.extend_from_slice(&from[rows.clone()]);
            }
            (Values::Bool(into), Values::Bool(from)) => into.extend_from_slice(&from[rows.clone()]),
            (Values::Date(into), Values::Date(from)) => into.extend_from_slice(&from[rows.clone()]),
            (Values::Text { ends, bytes }, Values::Text { ends: from_ends, bytes: from }) => {
                let range = ranges(from_ends, rows.clone());
                let shift = position(bytes.len()) - position(range.start);
                bytes.extend_from_slice(&from[range]);
                ends.extend(from_ends[rows.clone()].iter().map(|end| end + shift));
            }
            (Values::List { ends, items, .. }, Values::List { ends: from_ends, items: from, .. }) => {
                let range = ranges(from_ends, rows.clone());
                let shift = position(items.len()) - position(range.start);
                items.push_range(from, range);
                ends.extend(from_ends[rows.clone()].iter().map(|end| end + shift));
            }
            (into, from) => unreachable!("a {from:?} is copied into a {into:?}"),
        }
        match (&mut self.valid, &from.valid) {
            (Some(valid), Some(from)) => valid.extend_from_slice(&from[rows]),
            (Some(valid), None) => valid.resize(before + rows.len(), true),
            (None, Some(from)) if from[rows.clone()].contains(&false) => {
                let mut valid = vec![true; before];
                valid.extend_from_slice(&from[rows]);
                self.valid = Some(valid);
            }
            (None, _) => {}
        }
    }

    /// Appends each of some consecutive values of a column of the same type as often as `counts` says.
    pub(crate) fn push_repeated(&mut self, from: &Column, rows: Range<usize>, counts: impl Iterator<Item = usize>) {
        let no_nulls = self.valid.is_none() && from.valid.is_none();
        match (&mut self.values, &from.values) {
            (Values::Int64(into), Values::Int64(from)) | (Values::Timestamp(into), Values::Timestamp(from))
                if no_nulls =>
            {
                for (value, count) in from[rows].iter().zip(counts) {
                    into.resize(into.len() + count, *value);
                }
            }
            (Values::Text { ends, bytes }, Values::Text { ends: from_ends, bytes: from }) if no_nulls => {
                for (row, count) in rows.zip(counts) {
                    let text = &from[range(from_ends, row)];
                    for _ in 0..count {
                        bytes.extend_from_slice(text);
                        ends.push(position(bytes.len()));
                    }
                }
            }
            _ => {
                for (row, count) in rows.zip(counts) {
                    (0..count).for_each(|_| self.push_range(from, row..row + 1));
                }
            }
        }
    }

    /// The values so far as an Arrow array; the column is empty then.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        let nulls = self.valid.take().map(NullBuffer::from);
        match &mut self.values {
            Values::Int64(values) => Arc::new(Int64Array::new(refill(values).into(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(refill(values).into(), nulls)),
            Values::Decimal { values, precision, scale } => Arc::new(
                Decimal128Array::new(refill(values).into(), nulls)
                    .with_precision_and_scale(*precision, *scale)
                    .expect("a contract states a valid precision and scale"),
            ),
            Values::Bool(values) => Arc::new(BooleanArray::new(refill(values).into(), nulls)),
            Values::Date(values) => Arc::new(Date32Array::new(refill(values).into(), nulls)),
            Values::Timestamp(values) => {
                Arc::new(TimestampMicrosecondArray::new(refill(values).into(), nulls).with_timezone("UTC"))
            }
            Values::Text { ends, bytes } => {
                Arc::new(StringArray::new(offsets(ends), Buffer::from_vec(refill(bytes)), nulls))
            }
            Values::List { ends, items, item } => {
                Arc::new(ListArray::new(Arc::new(item_field(item)), offsets(ends), items.finish(), nulls))
            }
        }
    }
}

/// Bytes that are copied at once, whether the text has so many or fewer: a copy of a length that is known costs a
/// fraction of one whose length is not, and most texts are short.
const WIDE: usize = 32;

/// Room for texts that is made at a time.
const ROOM: usize = 16 << 10;

/// Appends texts to a column. What it has of a text beyond its end is overwritten by the next, and goes with it.
pub(crate) struct Texts<'c> {
    ends: &'c mut Vec<i32>,
    bytes: &'c mut Vec<u8>,
    valid: &'c mut Option<Vec<bool>>,
    /// Bytes that are texts.
    at: usize,
}

impl Texts<'_> {
    /// Appends a part of `whole`, which is a text.
    #[inline]
    pub(crate) fn push(&mut self, whole: &str, part: Range<usize>) {
        let (whole, length) = (whole.as_bytes(), part.len());
        if self.bytes.len() < self.at + length.max(WIDE) {
            self.grow(length);
        }
        let into = &mut self.bytes[self.at..];
        match whole.get(part.start..part.start + WIDE) {
            Some(wide) if length <= WIDE => into[..WIDE].copy_from_slice(wide),
            _ => into[..length].copy_from_slice(&whole[part]),
        }
        self.at += length;
        self.ends.push(position(self.at));
        if let Some(valid) = self.valid {
            valid.push(true);
        }
    }

    pub(crate) fn push_null(&mut self) {
        let before = self.ends.len();
        self.ends.push(position(self.at));
        self.valid.get_or_insert_with(|| vec![true; before]).push(false);
    }

    /// A text that stands for none, to be removed again.
    pub(crate) fn push_placeholder(&mut self) {
        self.push("", 0..0);
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        self.bytes.resize(self.at + length.max(WIDE) + ROOM, 0);
    }
}

/// Appends lists of texts to a column.
pub(crate) struct Lists<'c> {
    ends: &'c mut Vec<i32>,
    valid: &'c mut Option<Vec<bool>>,
    items: Texts<'c>,
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
        self.ends.push(position(self.items.ends.len()));
        if let Some(valid) = self.valid {
            valid.push(true);
        }
    }

    /// Forgets the items of the list that has not ended.
    pub(crate) fn forget(&mut self) {
        let count = length(self.ends.last().copied().unwrap_or(0));
        self.items.ends.truncate(count);
        if let Some(valid) = self.items.valid {
            valid.truncate(count);
        }
        self.items.at = length(self.items.ends.last().copied().unwrap_or(0));
    }
}

impl Drop for Texts<'_> {
    fn drop(&mut self) {
        self.bytes.truncate(self.at);
    }
}

/// Removes the elements with these numbers, which ascend; the others close ranks.
fn remove<T: Copy>(values: &mut Vec<T>, gone: &[usize]) {
    let Some(&first) = gone.first() else { return };
    let mut into = first;
    for (at, &from) in gone.iter().enumerate() {
        let until = gone.get(at + 1).copied().unwrap_or(values.len());
        values.copy_within(from + 1..until, into);
        into += until - from - 1;
    }
    values.truncate(into);
}

/// The same for elements that are ranges of others, which `remove_others` removes.
fn remove_ranges(ends: &mut Vec<i32>, gone: &[usize], remove_others: impl FnOnce(&[usize])) {
    let Some(&first) = gone.first() else { return };
    let others: Vec<usize> = gone.iter().flat_map(|element| range(ends, *element)).collect();
    let mut rest = gone.iter().copied().peekable();
    let mut into = first;
    let mut before = position(range(ends, first).start);
    let mut shift = 0;
    for element in first..ends.len() {
        let end = ends[element];
        if rest.next_if_eq(&element).is_some() {
            shift += end - before;
        } else {
            ends[into] = end - shift;
            into += 1;
        }
        before = end;
    }
    ends.truncate(into);
    remove_others(&others);
}

#[inline]
fn range(ends: &[i32], row: usize) -> Range<usize> {
    let start = if row == 0 { 0 } else { length(ends[row - 1]) };
    start..length(ends[row])
}

/// Where the values of consecutive rows begin and end.
fn ranges(ends: &[i32], rows: Range<usize>) -> Range<usize> {
    if rows.is_empty() {
        return 0..0;
    }
    range(ends, rows.start).start..range(ends, rows.end - 1).end
}

/// Takes the values out and leaves room for about as many.
fn refill<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = values.len() + values.len() / 8;
    std::mem::replace(values, Vec::with_capacity(room))
}

fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let taken = refill(ends);
    let mut offsets = Vec::with_capacity(taken.len() + 1);
    offsets.push(0);
    offsets.extend_from_slice(&taken);
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}
