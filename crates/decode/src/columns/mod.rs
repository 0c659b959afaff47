//! Columns under construction. Unlike Arrow's builders they can give back what was appended last, which a record that
//! is refused at its fifth field needs.

mod ranges;
mod texts;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    ListArray, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use stillhouse_spec::{DataType, Scalar};

use self::ranges::{end, finished, length, ranges, refill, remove_ranges, shifted};
pub(crate) use self::ranges::{position, remove};
use self::texts::append_part;
pub(crate) use self::texts::{Lists, Texts};
use crate::schema::item_field;
use crate::values::calendar::DAY_MICROS;

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
    Decimal {
        values: Vec<i128>,
        precision: u8,
        scale: i8,
    },
    Bool(Vec<bool>),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    /// Where each text begins, and where the last one ends.
    Text {
        offsets: Vec<i32>,
        bytes: Vec<u8>,
    },
    /// The same for lists.
    List {
        offsets: Vec<i32>,
        items: Box<Column>,
        item: DataType,
    },
}

/// One value of a column.
pub(crate) enum Value<'c> {
    Null,
    /// Also a truth value (0 or 1), the days of a date, the microseconds of a timestamp, the digits of a decimal.
    Number(i128),
    Float(f64),
    /// UTF-8.
    Text(&'c [u8]),
    /// The items, and which of them.
    List(&'c Column, Range<usize>),
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
            DataType::String | DataType::Time | DataType::Json => Values::Text { offsets: vec![0], bytes: Vec::new() },
            DataType::List(item) => {
                Values::List { offsets: vec![0], items: Box::new(Column::new(item)), item: (**item).clone() }
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
            Values::Text { offsets, .. } | Values::List { offsets, .. } => offsets.len() - 1,
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
            Values::Text { offsets, bytes } => {
                offsets.truncate(count + 1);
                bytes.truncate(end(offsets));
            }
            Values::List { offsets, items, .. } => {
                offsets.truncate(count + 1);
                // Items of a list that was refused half way have no end yet; they go as well.
                items.truncate(end(offsets));
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
            Values::Text { offsets, bytes } => {
                bytes.extend_from_slice(text.as_bytes());
                offsets.push(position(bytes.len()));
            }
            other => unreachable!("a reader of texts fills {other:?}"),
        }
        self.mark_valid();
    }

    /// Appends a part of `whole`, which is a text.
    #[inline]
    pub(crate) fn push_part(&mut self, whole: &[u8], part: Range<usize>) {
        match &mut self.values {
            Values::Text { offsets, bytes } => {
                append_part(bytes, whole, part);
                offsets.push(position(bytes.len()));
            }
            other => unreachable!("a reader of texts fills {other:?}"),
        }
        self.mark_valid();
    }

    /// For many texts in a row.
    pub(crate) fn texts_mut(&mut self) -> Texts<'_> {
        match &mut self.values {
            Values::Text { offsets, bytes } => Texts { at: bytes.len(), offsets, bytes, valid: &mut self.valid },
            other => unreachable!("a reader of texts fills {other:?}"),
        }
    }

    /// For many lists of texts in a row.
    pub(crate) fn lists_mut(&mut self) -> Lists<'_> {
        match &mut self.values {
            Values::List { offsets, items, .. } => Lists { offsets, valid: &mut self.valid, items: items.texts_mut() },
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
            Values::List { offsets, items, .. } => offsets.push(position(items.len())),
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
            Values::Text { offsets, .. } | Values::List { offsets, .. } => offsets.push(position(end(offsets))),
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
            Values::Text { offsets, bytes } => remove_ranges(offsets, gone, |gone| remove(bytes, gone)),
            Values::List { offsets, items, .. } => remove_ranges(offsets, gone, |gone| items.remove(gone)),
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
            Values::List { offsets, .. } => ranges(offsets, rows),
            other => unreachable!("child tables are made of lists, not of {other:?}"),
        }
    }

    /// How many items each of these lists has.
    pub(crate) fn counts(&self, rows: Range<usize>) -> impl Iterator<Item = usize> {
        let offsets = match &self.values {
            Values::List { offsets, .. } => &offsets[rows.start..=rows.end],
            other => unreachable!("child tables are made of lists, not of {other:?}"),
        };
        offsets.windows(2).map(|pair| ranges(pair, 0..1).len())
    }

    /// Up to which of these rows there are no more than so many items.
    pub(crate) fn rows_of_items(&self, rows: Range<usize>, items_max: usize) -> usize {
        match &self.values {
            Values::List { offsets, .. } => {
                let ends = &offsets[rows.start + 1..=rows.end];
                let begin = ranges(offsets, rows.start..rows.start).start;
                rows.start + ends.partition_point(|end| length(*end) - begin <= items_max)
            }
            other => unreachable!("child tables are made of lists, not of {other:?}"),
        }
    }

    pub(crate) fn items(&self) -> &Column {
        match &self.values {
            Values::List { items, .. } => items,
            other => unreachable!("child tables are made of lists, not of {other:?}"),
        }
    }

    /// Appends a value that the contract states.
    pub(crate) fn push_scalar(&mut self, value: &Scalar) {
        match value {
            Scalar::Text(text) => self.push_text(text),
            Scalar::Int(value) | Scalar::Timestamp(value) => self.push_int(*value),
            Scalar::Float(value) => self.push_float(*value),
            Scalar::Decimal(value) => self.push_decimal(*value),
            Scalar::Bool(value) => self.push_bool(*value),
            Scalar::Date(days) => self.push_date(*days),
        }
    }

    /// Appends a value of an array that has the type of the column.
    pub(crate) fn push_value(&mut self, from: &ArrayRef, row: usize) {
        match &mut self.values {
            Values::Int64(values) => values.push(from.as_primitive::<Int64Type>().value(row)),
            Values::Timestamp(values) => values.push(from.as_primitive::<TimestampMicrosecondType>().value(row)),
            Values::Float64(values) => values.push(from.as_primitive::<Float64Type>().value(row)),
            Values::Decimal { values, .. } => values.push(from.as_primitive::<Decimal128Type>().value(row)),
            Values::Bool(values) => values.push(from.as_boolean().value(row)),
            Values::Date(values) => values.push(from.as_primitive::<Date32Type>().value(row)),
            Values::Text { offsets, bytes } => {
                bytes.extend_from_slice(from.as_string::<i32>().value(row).as_bytes());
                offsets.push(position(bytes.len()));
            }
            Values::List { offsets, items, .. } => {
                let list = from.as_list::<i32>().value(row);
                for item in 0..list.len() {
                    if list.is_null(item) { items.push_null() } else { items.push_value(&list, item) }
                }
                offsets.push(position(items.len()));
            }
        }
        self.mark_valid();
    }

    /// One value, to be looked at.
    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        if self.is_null(row) {
            return Value::Null;
        }
        match &self.values {
            Values::Int64(values) | Values::Timestamp(values) => Value::Number(values[row].into()),
            Values::Float64(values) => Value::Float(values[row]),
            Values::Decimal { values, .. } => Value::Number(values[row]),
            Values::Bool(values) => Value::Number(values[row].into()),
            Values::Date(values) => Value::Number(values[row].into()),
            Values::Text { offsets, bytes } => Value::Text(&bytes[ranges(offsets, row..row + 1)]),
            Values::List { offsets, items, .. } => Value::List(items, ranges(offsets, row..row + 1)),
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
            Values::Timestamp(values) => i32::try_from(values[row].div_euclid(DAY_MICROS)).ok(),
            _ => None,
        }
    }

    /// Bytes that copies of these values would take.
    pub(crate) fn range_bytes(&self, rows: Range<usize>) -> usize {
        match &self.values {
            Values::Decimal { .. } => 16 * rows.len(),
            Values::Text { offsets, .. } => 4 * rows.len() + ranges(offsets, rows).len(),
            Values::List { offsets, items, .. } => 4 * rows.len() + items.range_bytes(ranges(offsets, rows)),
            _ => 8 * rows.len(),
        }
    }

    /// Bytes that copies of these values would take, each as often as `counts` says.
    pub(crate) fn repeated_bytes(&self, rows: Range<usize>, counts: impl Iterator<Item = usize>) -> usize {
        match &self.values {
            Values::Decimal { .. } => 16 * counts.sum::<usize>(),
            Values::Text { offsets, .. } => {
                let texts = offsets[rows.start..=rows.end].windows(2);
                texts.zip(counts).map(|(pair, count)| count * (4 + ranges(pair, 0..1).len())).sum()
            }
            Values::List { .. } => rows.zip(counts).map(|(row, count)| count * self.range_bytes(row..row + 1)).sum(),
            _ => 8 * counts.sum::<usize>(),
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
            (Values::Text { offsets, bytes }, Values::Text { offsets: from_offsets, bytes: from }) => {
                let range = ranges(from_offsets, rows.clone());
                shifted(offsets, bytes.len(), from_offsets, rows.clone());
                bytes.extend_from_slice(&from[range]);
            }
            (Values::List { offsets, items, .. }, Values::List { offsets: from_offsets, items: from, .. }) => {
                let range = ranges(from_offsets, rows.clone());
                shifted(offsets, items.len(), from_offsets, rows.clone());
                items.push_range(from, range);
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

    /// Copies of consecutive values.
    pub(crate) fn copied(&self, rows: Range<usize>) -> Column {
        let values = match &self.values {
            Values::Int64(_) => Values::Int64(Vec::new()),
            Values::Float64(_) => Values::Float64(Vec::new()),
            Values::Decimal { precision, scale, .. } => {
                Values::Decimal { values: Vec::new(), precision: *precision, scale: *scale }
            }
            Values::Bool(_) => Values::Bool(Vec::new()),
            Values::Date(_) => Values::Date(Vec::new()),
            Values::Timestamp(_) => Values::Timestamp(Vec::new()),
            Values::Text { .. } => Values::Text { offsets: vec![0], bytes: Vec::new() },
            Values::List { items, item, .. } => {
                Values::List { offsets: vec![0], items: Box::new(items.copied(0..0)), item: item.clone() }
            }
        };
        let mut copy = Self { values, valid: None };
        copy.push_range(self, rows);
        copy
    }

    /// Appends the first value of a column of the same type so many times.
    pub(crate) fn push_repeated(&mut self, from: &Column, count: usize) {
        if let Values::Text { offsets, bytes } = &from.values
            && from.valid.is_none()
        {
            let (mut texts, part) = (self.texts_mut(), ranges(offsets, 0..1));
            return (0..count).for_each(|_| texts.push_bytes(bytes, part.clone()));
        }
        (0..count).for_each(|_| self.push_range(from, 0..1));
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
            Values::Text { offsets, bytes } => {
                Arc::new(StringArray::new(finished(offsets), Buffer::from_vec(refill(bytes)), nulls))
            }
            Values::List { offsets, items, item } => {
                Arc::new(ListArray::new(Arc::new(item_field(item)), finished(offsets), items.finish(), nulls))
            }
        }
    }
}
