//! Values: rows of Arrow as the few types that databases share.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::columns::{Column, ColumnKind, kind};
use crate::error::{Error, Kind};

/// Rows with a value for each column of a table.
#[derive(Debug)]
pub struct Rows {
    columns: Vec<Values>,
    length: usize,
}

/// The values of one column.
#[derive(Debug)]
pub enum Values {
    /// True or false.
    Bool(BooleanArray),
    /// Bytes.
    Bytes(BinaryArray),
    /// Integers.
    Int(Int64Array),
    /// Doubles.
    Real(Float64Array),
    /// Text, and everything that is written as text.
    Text(StringArray),
    /// No value in any row.
    Nulls,
}

/// Values that a database may hold in another way than we do, by column.
#[derive(Debug)]
pub struct Oddities {
    columns: Vec<ColumnOddities>,
}

/// What was odd in one column.
#[derive(Debug)]
pub struct ColumnOddities {
    /// The column.
    pub column: String,
    /// Texts that hold the character NUL.
    pub nul_texts: u64,
    /// Floating-point values that are no number.
    pub nans: u64,
    /// Values that were left out because they are of another type than the column.
    pub other_types: u64,
}

impl Oddities {
    /// None yet.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let none =
            |column: &Column| ColumnOddities { column: column.name.clone(), nul_texts: 0, nans: 0, other_types: 0 };
        Self { columns: columns.iter().map(none).collect() }
    }

    /// Column by column.
    pub fn iter(&self) -> std::slice::Iter<'_, ColumnOddities> {
        self.columns.iter()
    }
}

impl Rows {
    /// The rows of `batch`, whose columns are found by name: one that it does not have has no value.
    pub(crate) fn new(columns: &[Column], batch: &RecordBatch, oddities: &mut Oddities) -> Result<Self, Error> {
        let mut values = Vec::with_capacity(columns.len());
        for (column, odd) in columns.iter().zip(&mut oddities.columns) {
            values.push(match batch.column_by_name(&column.name) {
                None => Values::Nulls,
                Some(array) if array.data_type() == &DataType::Null => Values::Nulls,
                Some(array) if kind(array.data_type()) != column.kind => {
                    odd.other_types += (array.len() - array.null_count()) as u64;
                    Values::Nulls
                }
                Some(array) => read(column, array)?,
            });
            if let Some(values) = values.last() {
                odd.look(column.kind, values);
            }
        }
        Ok(Self { columns: values, length: batch.num_rows() })
    }

    /// The same rows, with columns in front.
    pub(crate) fn behind(self, mut front: Vec<Values>) -> Self {
        front.extend(self.columns);
        Self { columns: front, length: self.length }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The values, column by column.
    pub fn columns(&self) -> &[Values] {
        &self.columns
    }
}

impl Values {
    /// The same text in every row.
    pub(crate) fn same_text(text: &str, length: usize) -> Self {
        Self::Text(StringArray::from_iter_values(std::iter::repeat_n(text, length)))
    }

    /// `from`, `from + 1`, …
    pub(crate) fn counting(from: usize, length: usize) -> Self {
        let numbers = (from..from + length).map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        Self::Int(Int64Array::from_iter_values(numbers))
    }
}

impl ColumnOddities {
    fn look(&mut self, kind: ColumnKind, values: &Values) {
        match values {
            Values::Text(texts) if matches!(kind, ColumnKind::Text) => {
                self.nul_texts += texts.iter().flatten().filter(|text| text.contains('\0')).count() as u64;
            }
            Values::Real(numbers) => {
                self.nans += numbers.iter().flatten().filter(|number| number.is_nan()).count() as u64
            }
            _ => {}
        }
    }
}

fn read(column: &Column, array: &ArrayRef) -> Result<Values, Error> {
    let array = match array.data_type() {
        DataType::Dictionary(_, values) => &cast(column, array, values)?,
        _ => array,
    };
    Ok(match column.kind {
        ColumnKind::Bool => Values::Bool(array.as_boolean().clone()),
        ColumnKind::Bytes => Values::Bytes(cast(column, array, &DataType::Binary)?.as_binary().clone()),
        ColumnKind::Int => Values::Int(cast(column, array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
        ColumnKind::Real => {
            Values::Real(cast(column, array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
        }
        ColumnKind::Json => {
            let text =
                |row: usize| array.is_valid(row).then(|| json(array, row).map(|json| json.to_string())).transpose();
            Values::Text((0..array.len()).map(text).collect::<Result<StringArray, Error>>()?)
        }
        ColumnKind::Timestamp => Values::Text(instants(array)),
        ColumnKind::Date | ColumnKind::Decimal | ColumnKind::Text => {
            Values::Text(cast(column, array, &DataType::Utf8)?.as_string().clone())
        }
    })
}

/// Exact, or an error: nothing becomes null that was a value.
fn cast(column: &Column, array: &ArrayRef, to: &DataType) -> Result<ArrayRef, Error> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() }).map_err(|error| {
        let message = format!("column `{}`: a value cannot be held by the database", column.name);
        Error::new(Kind::FixData, message)
            .with_hint("turn it into text in the query: `cast(… as varchar)`")
            .with_source(error)
    })
}

/// RFC 3339 in UTC, with as many digits as the type has; without `Z` where the type has no zone.
fn instants(array: &ArrayRef) -> StringArray {
    let DataType::Timestamp(unit, zone) = array.data_type() else { return StringArray::new_null(array.len()) };
    let (per_second, format) = match unit {
        TimeUnit::Second => (1, "%Y-%m-%dT%H:%M:%S"),
        TimeUnit::Millisecond => (1_000, "%Y-%m-%dT%H:%M:%S%.3f"),
        TimeUnit::Microsecond => (1_000_000, "%Y-%m-%dT%H:%M:%S%.6f"),
        TimeUnit::Nanosecond => (1_000_000_000, "%Y-%m-%dT%H:%M:%S%.9f"),
    };
    let value = |row: usize| match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
    };
    let ending = if zone.is_some() { "Z" } else { "" };
    let text = |row: usize| array.is_valid(row).then(|| format!("{}{ending}", instant(value(row), per_second, format)));
    (0..array.len()).map(text).collect()
}

/// Beyond the years that the calendar knows, the number is better than nothing.
fn instant(value: i64, per_second: i64, format: &str) -> String {
    let nanos = i32::try_from(value.rem_euclid(per_second) * (1_000_000_000 / per_second)).unwrap_or(0);
    Timestamp::new(value.div_euclid(per_second), nanos)
        .map_or_else(|_| value.to_string(), |instant| instant.strftime(format).to_string())
}

/// A nested value. Decimals are texts, so that no reader makes floating-point numbers of them.
fn json(array: &ArrayRef, row: usize) -> Result<Json, Error> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return Ok(Json::Null);
    }
    if let DataType::Struct(fields) = array.data_type() {
        let columns = array.as_struct().columns();
        let named = fields.iter().zip(columns).map(|(field, column)| Ok((field.name().clone(), json(column, row)?)));
        return named.collect::<Result<serde_json::Map<_, _>, Error>>().map(Json::Object);
    }
    if let Some(items) = items(array, row) {
        return (0..items.len()).map(|item| json(&items, item)).collect::<Result<Vec<_>, Error>>().map(Json::Array);
    }
    let column = Column { name: "item".to_owned(), kind: kind(array.data_type()) };
    Ok(match read(&column, &array.slice(row, 1))? {
        Values::Bool(values) => Json::Bool(values.value(0)),
        Values::Int(values) => values.value(0).into(),
        Values::Real(values) => serde_json::Number::from_f64(values.value(0)).map_or(Json::Null, Json::Number),
        Values::Text(values) => values.value(0).into(),
        Values::Bytes(values) => values.value(0).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Values::Nulls => Json::Null,
    })
}

/// The items of a list, or the entries of a map.
fn items(array: &ArrayRef, row: usize) -> Option<ArrayRef> {
    Some(match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::ListView(_) => array.as_list_view::<i32>().value(row),
        DataType::LargeListView(_) => array.as_list_view::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        DataType::Map(..) => Arc::new(array.as_map().value(row)),
        _ => return None,
    })
}
