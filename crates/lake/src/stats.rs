//! Statistics of a data file as Delta writes them, computed from the rows as they pass.
//!
//! **Invariant:** every value lies within the bounds, also for a reader that compares with less precision than we do.
//! Where that cannot be promised, the bound is left out, which only costs pruning.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType,
};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

use crate::text_at::{TextAt, each_text};
use crate::text_bounds::{self, Ends, TextBounds};

/// Delta's default: statistics of the first columns only. Lineage columns have them wherever they stand.
const COLUMNS_MAX: usize = 32;
/// Decimals with more digits are not exact in a reader that takes JSON numbers for doubles.
const DECIMAL_EXACT_MAX: u128 = 999_999_999_999_999;

/// Parquet has decimals of so many digits as numbers of 32 bits, …
pub(crate) const DIGITS_MAX_OF_32_BITS: u8 = 9;
/// … and of so many as numbers of 64.
pub(crate) const DIGITS_MAX_OF_64_BITS: u8 = 18;

/// Counts and bounds of all columns.
#[derive(Debug)]
pub(crate) struct Stats {
    rows: u64,
    columns: Vec<ColumnStats>,
}

#[derive(Debug)]
struct ColumnStats {
    name: String,
    /// Its place in the batch.
    index: usize,
    nulls: usize,
    bounds: Bounds,
}

/// The smallest and the largest value of a column, by type.
#[derive(Debug)]
pub(crate) enum Bounds {
    Int(Option<(i64, i64)>),
    Float { bounds: Option<(f64, f64)>, nan: bool },
    Decimal { bounds: Option<(i128, i128)>, precision: u8, scale: i8 },
    Date(Option<(i32, i32)>),
    Timestamp(Option<(i64, i64)>),
    Text(Option<TextBounds>),
    None,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

impl Stats {
    pub fn new(schema: &Schema) -> Self {
        let columns = schema.fields().iter().enumerate().filter_map(|(index, field)| {
            if let DataType::List(_) = field.data_type() {
                return None;
            }
            let bounds = Bounds::of(field.data_type());
            let wanted = index < COLUMNS_MAX || field.name().starts_with('_');
            wanted.then(|| ColumnStats { name: field.name().clone(), index, nulls: 0, bounds })
        });
        Self { rows: 0, columns: columns.collect() }
    }

    /// Counts rows, of which each column is then told by [`update`](Self::update) or [`add_column`](Self::add_column).
    pub fn count(&mut self, rows: usize) {
        self.rows += rows as u64;
    }

    fn column(&mut self, index: usize) -> Option<&mut ColumnStats> {
        self.columns.iter_mut().find(|column| column.index == index)
    }

    /// Adds values of a column, by its place in the batch.
    pub fn update(&mut self, index: usize, array: &ArrayRef) {
        if let Some(column) = self.column(index) {
            column.nulls += array.null_count();
            column.bounds.update(array);
        }
    }

    /// Adds what is known already of values of a column.
    pub fn add_column(&mut self, index: usize, nulls: usize, bounds: &Bounds) {
        if let Some(column) = self.column(index) {
            column.nulls += nulls;
            column.bounds.add(bounds);
        }
    }

    /// Adds what was found in other rows of the same columns.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        for (column, other) in self.columns.iter_mut().zip(&other.columns) {
            column.nulls += other.nulls;
            column.bounds.add(&other.bounds);
        }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The exact bounds of an integer column; `None` when it is not there or empty.
    pub fn int_bounds(&self, name: &str) -> Option<(i64, i64)> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        match column.bounds {
            Bounds::Int(bounds) if column.nulls == 0 => bounds,
            _ => None,
        }
    }

    /// Delta's JSON text.
    pub fn to_json(&self) -> String {
        let (mut mins, mut maxs, mut nulls) = (Object::new(), Object::new(), Object::new());
        for column in &self.columns {
            let (min, max) = column.bounds.texts();
            mins.field(&column.name, min);
            maxs.field(&column.name, max);
            nulls.field(&column.name, Some(column.nulls.to_string()));
        }
        let (mins, maxs, nulls) = (mins.end(), maxs.end(), nulls.end());
        format!(r#"{{"numRecords":{},"minValues":{mins},"maxValues":{maxs},"nullCount":{nulls}}}"#, self.rows)
    }
}

/// A JSON object in the making. Written by hand, because serde_json's numbers would put decimals through doubles.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self(String::from("{"))
    }

    fn field(&mut self, name: &str, value: Option<String>) {
        let Some(value) = value else { return };
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&json_text(name));
        self.0.push(':');
        self.0.push_str(&value);
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Bounds {
    /// Those of no values.
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int64 => Bounds::Int(None),
            DataType::Float64 => Bounds::Float { bounds: None, nan: false },
            DataType::Decimal128(precision, scale) => {
                Bounds::Decimal { bounds: None, precision: *precision, scale: *scale }
            }
            DataType::Date32 => Bounds::Date(None),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Bounds::Timestamp(None),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Bounds::Text(None),
            _ => Bounds::None,
        }
    }

    /// Widens the bounds of texts.
    pub(crate) fn add_text(&mut self, text: &TextAt<'_>) {
        if let Bounds::Text(bounds) = self {
            text_bounds::widen(bounds, text);
        }
    }

    /// Widens the bounds of texts by all of these.
    pub(crate) fn add_ends(&mut self, ends: Ends<'_>) {
        if let Bounds::Text(bounds) = self {
            ends.widen(bounds);
        }
    }

    /// Widens the bounds of whole numbers or moments, or of decimals in units of their last digit.
    pub(crate) fn add_number(&mut self, number: i64) {
        match self {
            Bounds::Int(bounds) | Bounds::Timestamp(bounds) => span(bounds, Some((number, number))),
            Bounds::Decimal { bounds, .. } => span(bounds, Some((number.into(), number.into()))),
            _ => {}
        }
    }

    /// Statistics of a column chunk.
    pub(crate) fn statistics(&self, nulls: usize) -> Option<Statistics> {
        let nulls = Some(nulls as u64);
        match self {
            Bounds::Int(Some((min, max))) | Bounds::Timestamp(Some((min, max))) => {
                Some(Statistics::new(Some(*min), Some(*max), None, nulls, false))
            }
            Bounds::Date(Some((min, max))) => Some(Statistics::new(Some(*min), Some(*max), None, nulls, false)),
            Bounds::Decimal { bounds: Some((min, max)), precision, .. } => {
                decimal_statistics([*min, *max], *precision, nulls)
            }
            Bounds::Text(Some(bounds)) => {
                let bytes = |text: String| ByteArray::from(text.into_bytes());
                let (min, max) = (Some(bytes(bounds.lower().to_owned())), bounds.upper().map(bytes));
                let values = ValueStatistics::new(min, max, None, nulls, false);
                let values = values.with_min_is_exact(bounds.lower_is_exact());
                Some(values.with_max_is_exact(bounds.upper_is_exact()).into())
            }
            _ => None,
        }
    }

    pub(crate) fn update(&mut self, array: &dyn Array) {
        match self {
            Bounds::Int(bounds) => widen::<Int64Type>(bounds, array),
            Bounds::Decimal { bounds, .. } if *array.data_type() == DataType::Int64 => {
                let mut units = None;
                widen::<Int64Type>(&mut units, array);
                span(bounds, units.map(|(low, high)| (low.into(), high.into())));
            }
            Bounds::Decimal { bounds, .. } => widen::<Decimal128Type>(bounds, array),
            Bounds::Date(bounds) => widen::<Date32Type>(bounds, array),
            Bounds::Timestamp(bounds) => widen::<TimestampMicrosecondType>(bounds, array),
            Bounds::Float { bounds, nan } => {
                for value in array.as_primitive::<Float64Type>().iter().flatten() {
                    if value.is_nan() {
                        *nan = true;
                        continue;
                    }
                    let (low, high) = bounds.unwrap_or((value, value));
                    *bounds = Some((low.min(value), high.max(value)));
                }
            }
            Bounds::Text(bounds) => {
                let mut ends = Ends::default();
                match array.data_type() {
                    DataType::Utf8View => {
                        array.as_string_view().iter().flatten().for_each(|text| ends.add(TextAt::whole(text)));
                    }
                    DataType::LargeUtf8 => {
                        array.as_string::<i64>().iter().flatten().for_each(|text| ends.add(TextAt::whole(text)));
                    }
                    _ => each_text(array.as_string(), |text| ends.add(text)),
                }
                ends.widen(bounds);
            }
            Bounds::None => {}
        }
    }

    fn add(&mut self, other: &Self) {
        match (self, other) {
            (Bounds::Int(bounds), Bounds::Int(other)) | (Bounds::Timestamp(bounds), Bounds::Timestamp(other)) => {
                span(bounds, *other);
            }
            (Bounds::Decimal { bounds, .. }, Bounds::Decimal { bounds: other, .. }) => span(bounds, *other),
            (Bounds::Date(bounds), Bounds::Date(other)) => span(bounds, *other),
            (Bounds::Float { bounds, nan }, Bounds::Float { bounds: other, nan: other_nan }) => {
                span(bounds, *other);
                *nan |= other_nan;
            }
            (Bounds::Text(bounds), Bounds::Text(Some(other))) => match bounds {
                None => *bounds = Some(other.clone()),
                Some(bounds) => bounds.add(other),
            },
            (Bounds::Text(_), Bounds::Text(None)) | (Bounds::None, Bounds::None) => {}
            (bounds, other) => unreachable!("{other:?} is no part of {bounds:?}"),
        }
    }

    fn texts(&self) -> (Option<String>, Option<String>) {
        match self {
            Bounds::Int(Some((min, max))) => (Some(min.to_string()), Some(max.to_string())),
            // NaN is the largest value to some readers, and the smallest or none to others.
            Bounds::Float { bounds: Some((min, max)), nan: false } => {
                (float_text(*min, Side::Lower), float_text(*max, Side::Upper))
            }
            Bounds::Decimal { bounds: Some((min, max)), scale, .. } => {
                (decimal_text(*min, *scale), decimal_text(*max, *scale))
            }
            Bounds::Date(Some((min, max))) => (date_text(*min), date_text(*max)),
            // Delta keeps milliseconds: the lower bound goes down, the upper one up.
            Bounds::Timestamp(Some((min, max))) => {
                let up = max.div_euclid(1000) + i64::from(max.rem_euclid(1000) > 0);
                (instant_text(min.div_euclid(1000)), instant_text(up))
            }
            Bounds::Text(Some(bounds)) => {
                (Some(json_text(bounds.lower())), bounds.upper().map(|text| json_text(&text)))
            }
            _ => (None, None),
        }
    }
}

/// Statistics of decimals in units of their last digit, of the numbers that Parquet has for them.
fn decimal_statistics(bounds: [i128; 2], precision: u8, nulls: Option<u64>) -> Option<Statistics> {
    let [min, max] = bounds.map(|bound| i64::try_from(bound).ok());
    if precision > DIGITS_MAX_OF_32_BITS {
        return Some(Statistics::new(Some(min?), Some(max?), None, nulls, false));
    }
    let [min, max] = [min?, max?].map(|bound| i32::try_from(bound).ok());
    Some(Statistics::new(Some(min?), Some(max?), None, nulls, false))
}

fn widen<T: ArrowPrimitiveType>(bounds: &mut Option<(T::Native, T::Native)>, array: &dyn Array)
where
    T::Native: PartialOrd,
{
    let array = array.as_primitive::<T>();
    if array.null_count() > 0 {
        array.iter().flatten().for_each(|value| span(bounds, Some((value, value))));
        return;
    }
    let Some(first) = array.values().first() else { return };
    // In one go, and without an option in each step.
    let both = array.values().iter().fold((*first, *first), |(low, high), value| {
        (if *value < low { *value } else { low }, if *value > high { *value } else { high })
    });
    span(bounds, Some(both));
}

/// Widens bounds to hold others as well.
fn span<T: PartialOrd + Copy>(bounds: &mut Option<(T, T)>, other: Option<(T, T)>) {
    let Some((low, high)) = other else { return };
    let (min, max) = bounds.unwrap_or((low, high));
    *bounds = Some((if low < min { low } else { min }, if high > max { high } else { max }));
}

/// JSON knows no infinity. Zero gets the sign that is right for readers which tell -0.0 from 0.0. Some readers are
/// off by a little when they read a long number, serde_json among them: the bound moves out until it holds for these too.
fn float_text(value: f64, side: Side) -> Option<String> {
    let (mut bound, out): (f64, fn(f64) -> f64) = match side {
        Side::Lower => (if value == 0.0 { -0.0 } else { value }, f64::next_down),
        Side::Upper => (if value == 0.0 { 0.0 } else { value }, f64::next_up),
    };
    while bound.is_finite() {
        let text = serde_json::Value::from(bound).to_string();
        let read: f64 = serde_json::from_str(&text).ok()?;
        let holds = match side {
            Side::Lower => read.total_cmp(&value).is_le(),
            Side::Upper => read.total_cmp(&value).is_ge(),
        };
        if holds {
            return Some(text);
        }
        bound = out(bound);
    }
    None
}

fn decimal_text(value: i128, scale: i8) -> Option<String> {
    let digits = value.unsigned_abs();
    let scale = usize::try_from(scale).ok()?;
    if digits > DECIMAL_EXACT_MAX {
        return None;
    }
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

fn date_text(days: i32) -> Option<String> {
    let days = Span::new().try_days(days).ok()?;
    let date = Date::constant(1970, 1, 1).checked_add(days).ok()?;
    (date.year() > 0).then(|| format!("\"{date}\""))
}

fn instant_text(millis: i64) -> Option<String> {
    let instant = Timestamp::from_millisecond(millis).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    if instant.year() < 1 {
        return None;
    }
    let (date, time) = (instant.date(), instant.time());
    let mut text = String::new();
    let (hour, minute, second, milli) = (time.hour(), time.minute(), time.second(), time.millisecond());
    write!(text, "\"{date}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z\"").ok()?;
    Some(text)
}
