//! Values of Parquet to values of our types.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, Float64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions};
use stillhouse_spec::{Column as ColumnSpec, DataType};

use super::rejects::as_json;
use crate::columns::Column;
use crate::plan::{Filled, Reading};
use crate::reason;
use crate::refusal::FOUND_CHARS_MAX;
use crate::schema::{arrow_type, item_field};
use crate::values::Reader;

/// A value that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    pub(super) found: String,
}

/// What a column became; refused rows have some value or none.
pub(super) enum Converted {
    Array(ArrayRef, BTreeMap<usize, Refused>),
    /// The object has to start again with a leap year for this column.
    LeapDay,
}

/// Converts the values of a column; `lines`: how messages call the rows.
pub(super) fn convert(
    values: &ArrayRef,
    filled: &mut Filled<'_>,
    line: impl Fn(usize) -> u64,
) -> Result<Converted, ArrowError> {
    let target = arrow_type(&filled.spec.data_type);
    let spec = filled.spec;
    let mut refused = BTreeMap::new();
    // Texts that mean "no value" are looked for one by one.
    let array = match spec.null_values.is_empty() {
        true => direct(values, spec, &spec.data_type, &target, &mut refused)?,
        false => None,
    };
    let Some(array) = array else { return one_by_one(values, filled, line) };
    if filled.checker.is_some() || filled.default.is_some() {
        return Ok(checked(&array, filled, refused));
    }
    if filled.spec.required && values.null_count() > 0 {
        for row in (0..values.len()).filter(|row| values.is_null(*row)) {
            refused.insert(row, Refused { reason: reason::MISSING_VALUE, found: String::new() });
        }
    }
    Ok(Converted::Array(array, refused))
}

/// All values at once, where Arrow has the same meaning as we have; `None` where it has not.
fn direct(
    values: &ArrayRef,
    spec: &ColumnSpec,
    to: &DataType,
    target: &ArrowType,
    refused: &mut BTreeMap<usize, Refused>,
) -> Result<Option<ArrayRef>, ArrowError> {
    use ArrowType::{
        Boolean, Date32, Date64, FixedSizeList, Float16, Float32, Float64, Int8, Int16, Int32, Int64, LargeList,
        LargeUtf8, List, Null, Timestamp, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    Ok(match (values.data_type(), to) {
        (Null, _) => Some(new_null_array(target, values.len())),
        (Utf8, DataType::String) | (Int64, DataType::Int64) | (Boolean, DataType::Bool) | (Date32, DataType::Date) => {
            Some(Arc::clone(values))
        }
        (Utf8View | LargeUtf8, DataType::String) => Some(cast(values, target)?),
        (Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32, DataType::Int64) => Some(cast(values, target)?),
        (UInt64, DataType::Int64) => {
            let cast = cast(values, target)?;
            lost(values, &cast, reason::OUT_OF_RANGE, refused);
            Some(cast)
        }
        (Float16 | Float32 | Float64, DataType::Float64) => {
            let cast = cast(values, target)?;
            let floats = cast.as_primitive::<Float64Type>();
            for row in (0..floats.len()).filter(|row| floats.is_valid(*row) && !floats.value(*row).is_finite()) {
                let found = floats.value(row).to_string();
                refused.insert(row, Refused { reason: reason::UNREADABLE_FLOAT64, found });
            }
            Some(cast)
        }
        (Date64, DataType::Date) => Some(cast(values, target)?),
        (ArrowType::Decimal128(_, from), DataType::Decimal { scale, .. })
            if *from <= i8::try_from(*scale).unwrap_or(0) =>
        {
            let cast = cast(values, target)?;
            lost(values, &cast, reason::OUT_OF_RANGE, refused);
            Some(cast)
        }
        (Timestamp(_, Some(_)), DataType::Timestamp) => {
            let cast = cast(values, target)?;
            lost(values, &cast, reason::UNREADABLE_TIMESTAMP, refused);
            Some(cast)
        }
        (Timestamp(_, None) | Date32 | Date64, DataType::Timestamp) if spec.zone.is_none() => {
            let cast = cast(values, &LOCAL)?;
            lost(values, &cast, reason::UNREADABLE_TIMESTAMP, refused);
            Some(as_utc(&cast))
        }
        (Timestamp(_, _), DataType::Date) => {
            let cast = cast(&cast(values, &LOCAL)?, target)?;
            lost(values, &cast, reason::UNREADABLE_DATE, refused);
            Some(cast)
        }
        (List(_) | LargeList(_) | FixedSizeList(..), DataType::List(item)) => list(values, spec, item, refused)?,
        _ => None,
    })
}

/// Microseconds that state no zone.
const LOCAL: ArrowType = ArrowType::Timestamp(TimeUnit::Microsecond, None);

/// Moments that state no zone, as those of UTC.
fn as_utc(local: &ArrayRef) -> ArrayRef {
    Arc::new(local.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC"))
}

fn cast(values: &ArrayRef, target: &ArrowType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(values, target, &CastOptions { safe: true, ..CastOptions::default() })
}

/// Values that are there and have become none.
fn lost(values: &ArrayRef, cast: &ArrayRef, reason: &'static str, refused: &mut BTreeMap<usize, Refused>) {
    if cast.null_count() == values.null_count() {
        return;
    }
    for row in (0..values.len()).filter(|row| values.is_valid(*row) && cast.is_null(*row)) {
        refused.insert(row, Refused { reason, found: shown(values, row) });
    }
}

/// A list whose items can be converted at once.
fn list(
    values: &ArrayRef,
    spec: &ColumnSpec,
    item: &DataType,
    refused: &mut BTreeMap<usize, Refused>,
) -> Result<Option<ArrayRef>, ArrowError> {
    let target = ArrowType::List(Arc::new(item_field(item)));
    let plain = ArrowType::List(Arc::new(arrow::datatypes::Field::new("element", item_type(values.data_type()), true)));
    let lists = cast(values, &plain)?;
    let lists = lists.as_list::<i32>();
    let mut inner = BTreeMap::new();
    let Some(items) = direct(lists.values(), spec, item, &arrow_type(item), &mut inner)? else { return Ok(None) };
    if !inner.is_empty() {
        let offsets = lists.offsets();
        for row in 0..lists.len() {
            let range = usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0);
            if inner.range(range).next().is_some() {
                refused.insert(row, Refused { reason: reason::UNREADABLE_LIST, found: shown(values, row) });
            }
        }
    }
    let ArrowType::List(field) = &target else { return Ok(None) };
    let lists = ListArray::new(Arc::clone(field), lists.offsets().clone(), items, lists.nulls().cloned());
    Ok(Some(Arc::new(lists)))
}

fn item_type(list: &ArrowType) -> ArrowType {
    match list {
        ArrowType::List(item) | ArrowType::LargeList(item) | ArrowType::FixedSizeList(item, _) => {
            item.data_type().clone()
        }
        other => other.clone(),
    }
}

/// Looks at each value of our types, and puts the default in the place of those that are not there.
fn checked(values: &ArrayRef, filled: &Filled<'_>, mut refused: BTreeMap<usize, Refused>) -> Converted {
    let mut column = Column::new(&filled.spec.data_type);
    for row in 0..values.len() {
        if refused.contains_key(&row) {
            column.push_placeholder();
            continue;
        }
        let reading = if values.is_null(row) {
            filled.push_nothing(&mut column)
        } else {
            column.push_value(values, row);
            filled.checked(&column)
        };
        if let Reading::Refused(reason) = reading {
            column.truncate(row);
            column.push_placeholder();
            let found = if values.is_valid(row) { shown(values, row) } else { String::new() };
            refused.insert(row, Refused { reason, found });
        }
    }
    Converted::Array(column.finish(), refused)
}

/// The values as texts, read as those of other formats are.
fn one_by_one(
    values: &ArrayRef,
    filled: &mut Filled<'_>,
    line: impl Fn(usize) -> u64,
) -> Result<Converted, ArrowError> {
    let texts = texts(values, &filled.reader)?;
    let mut column = Column::new(&filled.spec.data_type);
    let mut refused = BTreeMap::new();
    for row in 0..values.len() {
        let reading = match &texts {
            Some(texts) if values.is_valid(row) && texts.is_valid(row) => {
                filled.read(texts.value(row), line(row), Some(&mut column))
            }
            Some(_) if values.is_valid(row) => Reading::Refused(reason::INVALID_UTF8),
            Some(_) => filled.push_nothing(&mut column),
            None => Reading::Refused(reason::UNREADABLE_STRING),
        };
        match reading {
            Reading::Value => {}
            Reading::LeapDay => return Ok(Converted::LeapDay),
            Reading::Refused(reason) => {
                column.truncate(row);
                column.push_placeholder();
                let found = if values.is_valid(row) { shown(values, row) } else { String::new() };
                refused.insert(row, Refused { reason, found });
            }
        }
    }
    Ok(Converted::Array(column.finish(), refused))
}

/// The values as they would be written: texts as they are, moments by ISO 8601, lists and structs as JSON. Bytes that are
/// no text are null.
fn texts(values: &ArrayRef, reader: &Reader) -> Result<Option<StringArray>, ArrowError> {
    use ArrowType::{
        Binary, BinaryView, FixedSizeBinary, FixedSizeList, LargeBinary, LargeList, LargeUtf8, List, Map, Struct, Utf8,
        Utf8View,
    };
    let is_json = matches!(reader, Reader::Json);
    Ok(Some(match values.data_type() {
        Utf8 if !is_json => values.as_string::<i32>().clone(),
        Utf8View | LargeUtf8 if !is_json => cast(values, &Utf8)?.as_string::<i32>().clone(),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => {
            let bytes = cast(values, &Binary)?;
            let bytes = bytes.as_binary::<i32>();
            bytes.iter().map(|bytes| std::str::from_utf8(bytes?).ok()).collect()
        }
        List(_) | LargeList(_) | FixedSizeList(..) if matches!(reader, Reader::List { .. }) => as_json(values)?,
        Struct(_) | Map(..) | List(_) | LargeList(_) | FixedSizeList(..) => as_json(values)?,
        _ if is_json => as_json(values)?,
        _ => {
            let options = FormatOptions::default().with_duration_format(DurationFormat::ISO8601);
            let formatter = ArrayFormatter::try_new(values.as_ref(), &options)?;
            (0..values.len()).map(|row| values.is_valid(row).then(|| formatter.value(row).to_string())).collect()
        }
    }))
}

/// A value for a message.
pub(super) fn shown(values: &ArrayRef, row: usize) -> String {
    let text =
        ArrayFormatter::try_new(values.as_ref(), &FormatOptions::default()).map(|text| text.value(row).to_string());
    text.unwrap_or_default().chars().take(FOUND_CHARS_MAX).collect()
}
