//! The type of a column of Parquet files: the schema says it, but for texts, which may be dates.

use arrow::datatypes::DataType as ArrowType;
use stillhouse_spec::{DataType, TimeFormat};

use super::layout::Kind;
use super::leaf::Leaf;
use super::types;
use crate::api::{Notes, Place};
use crate::decide::{Context, Decided};
use crate::text::count;

/// A decimal has at most so many digits.
const DECIMAL_DIGITS_MAX: u8 = 38;

/// Decides the type; `declared`: the types of the values in the files.
pub(super) fn decide(
    leaf: &Leaf,
    kind: Kind,
    declared: &[ArrowType],
    rows: u64,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Decided {
    let (place, about) = (Place::Column(context.number), format!("type of {}", context.name));
    if leaf.not_utf8 > 0 {
        let text = format!(
            "left out: {} of the values are bytes that are no text, which no column can hold",
            count(leaf.not_utf8)
        );
        notes.doubt(place, about, text);
        return Decided::text();
    }
    let known: Option<Vec<DataType>> = declared.iter().map(|declared| of(declared, leaf)).collect();
    let known = known.and_then(|known| common(&known));
    let (Some(known), false) = (known, matches!(kind, Kind::Json(_))) else {
        return undeclared(leaf, kind, rows, context, notes);
    };
    let written: Vec<String> = declared.iter().map(ToString::to_string).collect();
    if kind == Kind::List {
        notes.found(place, about, format!("list<{known}>: a list of {}", written.join(" or ")));
        return Decided::of(DataType::List(Box::new(known)));
    }
    if known == DataType::Int64
        && let Some(moment) = types::moment(leaf, context, notes)
    {
        return moment;
    }
    notes.found(place.clone(), about, format!("{known}: {} in the file", written.join(" or ")));
    if declared.iter().any(|declared| matches!(declared, ArrowType::Timestamp(_, None))) {
        let text = "the values state no zone and are read as UTC; a local time needs zone = \"Europe/Berlin\"";
        notes.remark(place.clone(), format!("zone of {}", context.name), text);
    }
    if !leaf.not_finite.is_empty() {
        let text = format!("`{}` stands for no value", leaf.not_finite.join("`, `"));
        notes.remark(place, format!("null values of {}", context.name), text);
    }
    Decided::of(known)
}

/// Texts, and what is kept as JSON, as in JSON files.
fn undeclared(leaf: &Leaf, kind: Kind, rows: u64, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let mut heard = Notes::default();
    let decided = types::decide(leaf, kind, rows, context, &mut heard);
    let lacks = |format: &String| format.parse::<TimeFormat>().is_ok_and(|format| format.lacks_year());
    // Nothing says the year of dates in Parquet files.
    if decided.formats.iter().any(lacks) {
        let text = "text: its dates state no year";
        notes.remark(Place::Column(context.number), format!("type of {}", context.name), text);
        return Decided::text();
    }
    notes.0.extend(heard.0);
    decided
}

/// Our type for one of Arrow; `None`: a text, or what is written as one.
fn of(declared: &ArrowType, leaf: &Leaf) -> Option<DataType> {
    use ArrowType::{
        Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Float16, Float32, Float64, Int8, Int16,
        Int32, Int64, Time32, Time64, Timestamp, UInt8, UInt16, UInt32, UInt64,
    };
    Some(match declared {
        Boolean => DataType::Bool,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => DataType::Int64,
        UInt64 if leaf.numbers.int64s == leaf.numbers.values => DataType::Int64,
        UInt64 => DataType::Decimal { precision: 20, scale: 0 },
        Float16 | Float32 | Float64 => DataType::Float64,
        Decimal32(precision, scale)
        | Decimal64(precision, scale)
        | Decimal128(precision, scale)
        | Decimal256(precision, scale) => {
            let scale = u8::try_from(*scale).ok()?;
            (*precision <= DECIMAL_DIGITS_MAX && scale <= *precision)
                .then_some(DataType::Decimal { precision: *precision, scale })?
        }
        Date32 | Date64 => DataType::Date,
        Timestamp(..) => DataType::Timestamp,
        Time32(_) | Time64(_) => DataType::Time,
        _ => return None,
    })
}

/// A type that holds values of all of these.
fn common(types: &[DataType]) -> Option<DataType> {
    let first = types.first()?;
    let widest = |types: &[DataType]| {
        let numbers = types.iter().all(|one| matches!(one, DataType::Int64 | DataType::Float64));
        let moments = types.iter().all(|one| matches!(one, DataType::Date | DataType::Timestamp));
        match (numbers, moments) {
            (true, _) => Some(DataType::Float64),
            (_, true) => Some(DataType::Timestamp),
            _ => None,
        }
    };
    if types.iter().all(|one| one == first) { Some(first.clone()) } else { widest(types) }
}
