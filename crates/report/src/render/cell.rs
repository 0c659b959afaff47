//! Cells: one value of a result, free of Arrow's many types.

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, StructArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};

use super::round;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    /// A number as text that JSON takes as it is.
    Number(String),
    /// A decimal: exact text.
    Decimal(String),
    /// Text that came from the data.
    Text(String),
    /// Text that we wrote: dates, times, …
    Moment(String),
    List(Vec<Cell>),
    Struct(Vec<(String, Cell)>),
}

/// The value at `row`.
pub(crate) fn cell(array: &ArrayRef, row: usize, decimals: Option<u8>) -> Cell {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return Cell::Null;
    }
    let known = scalar(array, row, decimals).or_else(|| moment(array, row)).or_else(|| nested(array, row, decimals));
    known.or_else(|| bytes(array, row)).unwrap_or_else(|| {
        match arrow::compute::cast(&array.slice(row, 1), &DataType::Utf8) {
            Ok(text) if text.is_valid(0) => Cell::Text(text.as_string::<i32>().value(0).to_owned()),
            _ => Cell::Text(displayed(array, row)),
        }
    })
}

/// Bytes are text where they are UTF-8; else hex that says so of itself, and nothing is lost.
fn bytes(array: &ArrayRef, row: usize) -> Option<Cell> {
    let bytes = match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().value(row),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
        DataType::BinaryView => array.as_binary_view().value(row),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row),
        _ => return None,
    };
    let text = std::str::from_utf8(bytes).map_or_else(|_| format!("hex:{}", displayed(array, row)), str::to_owned);
    Some(Cell::Text(text))
}

fn displayed(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    ArrayFormatter::try_new(array.as_ref(), &options)
        .map_or_else(|_| "?".to_owned(), |shown| shown.value(row).to_string())
}

fn scalar(array: &ArrayRef, row: usize, decimals: Option<u8>) -> Option<Cell> {
    macro_rules! number {
        ($type:ty) => {
            Cell::Number(array.as_primitive::<$type>().value(row).to_string())
        };
    }
    macro_rules! decimal {
        ($type:ty, $scale:expr) => {
            Cell::Decimal(round::decimal(&array.as_primitive::<$type>().value(row).to_string(), $scale, decimals))
        };
    }
    let float = |value: f64| round::float(value, decimals).map_or(Cell::Null, Cell::Number);
    Some(match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => float(array.as_primitive::<Float16Type>().value(row).into()),
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal32(_, scale) => decimal!(Decimal32Type, *scale),
        DataType::Decimal64(_, scale) => decimal!(Decimal64Type, *scale),
        DataType::Decimal128(_, scale) => decimal!(Decimal128Type, *scale),
        DataType::Decimal256(_, scale) => decimal!(Decimal256Type, *scale),
        _ => return None,
    })
}

fn moment(array: &ArrayRef, row: usize) -> Option<Cell> {
    let text = match array.data_type() {
        DataType::Date32 => date(i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => date(array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000)),
        DataType::Timestamp(unit, zone) => {
            let (value, per_second) = match unit {
                TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1),
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
            };
            instant(value, per_second, zone.is_some())
        }
        _ => return None,
    };
    // Beyond the years that ISO 8601 writes with four digits, Arrow's own text is better than none.
    Some(Cell::Moment(text.unwrap_or_else(|| displayed(array, row))))
}

fn date(days: i64) -> Option<String> {
    let instant = Timestamp::from_second(days.checked_mul(86_400)?).ok()?;
    Some(instant.to_zoned(TimeZone::UTC).date().to_string())
}

/// ISO 8601 with `Z`; without it where the type has no zone.
fn instant(value: i64, per_second: i64, zoned: bool) -> Option<String> {
    let nanos = i32::try_from(value.rem_euclid(per_second) * (1_000_000_000 / per_second)).ok()?;
    let instant = Timestamp::from_second(value.div_euclid(per_second)).ok()?;
    let instant = instant.checked_add(SignedDuration::new(0, nanos)).ok()?;
    debug_assert!(instant.round(Unit::Nanosecond).is_ok());
    Some(if zoned { instant.to_string() } else { instant.to_zoned(TimeZone::UTC).datetime().to_string() })
}

fn nested(array: &ArrayRef, row: usize, decimals: Option<u8>) -> Option<Cell> {
    let items = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::ListView(_) => array.as_list_view::<i32>().value(row),
        DataType::LargeListView(_) => array.as_list_view::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_any().downcast_ref::<FixedSizeListArray>()?.value(row),
        DataType::Struct(_) => return Some(structure(array.as_any().downcast_ref()?, row, decimals)),
        DataType::Map(..) => {
            let entries: ArrayRef = std::sync::Arc::new(array.as_map().value(row));
            entries
        }
        _ => return None,
    };
    Some(Cell::List((0..items.len()).map(|item| cell(&items, item, decimals)).collect()))
}

fn structure(array: &StructArray, row: usize, decimals: Option<u8>) -> Cell {
    let named = array.fields().iter().zip(array.columns());
    Cell::Struct(named.map(|(field, column)| (field.name().clone(), cell(column, row, decimals))).collect())
}

/// The type in the words of contracts, for those that contracts have; else Arrow's.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "int64".to_owned(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => "int64".to_owned(),
        DataType::UInt64 => "uint64".to_owned(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "float64".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            format!("list<{}>", type_name(item.data_type()))
        }
        DataType::Null => "null".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
