//! Single values that a contract states: bounds, allowed values, defaults.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::types::DataType;

/// A value of a column's type.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// Of a `string`, `time` (`HH:MM:SS[.ffffff]`) or `json` column.
    Text(String),
    /// Of an `int64` column.
    Int(i64),
    /// Of a `float64` column; finite.
    Float(f64),
    /// Of a `decimal(p,s)` column: the value times 10^s.
    Decimal(i128),
    /// Of a `bool` column.
    Bool(bool),
    /// Of a `date` column: days since 1970-01-01.
    Date(i32),
    /// Of a `timestamp` column: microseconds since 1970-01-01 UTC.
    Timestamp(i64),
}

impl Scalar {
    /// Reads a value as settings write it: numbers plainly, dates as `2021-04-01`, timestamps as `2021-04-01T12:00:00Z`. The
    /// error says what was expected.
    pub fn parse(data_type: &DataType, text: &str) -> Result<Self, String> {
        let expected = |what: &str| format!("expected {what}, found `{text}`");
        let plain = text.trim();
        Ok(match data_type {
            DataType::String | DataType::Json => Scalar::Text(text.to_owned()),
            DataType::Time => {
                let time = plain.parse::<jiff::civil::Time>();
                Scalar::Text(time.map_err(|_| expected("a time such as `08:30:00`"))?.to_string())
            }
            DataType::Int64 => Scalar::Int(plain.parse().map_err(|_| expected("a whole number of 64 bits"))?),
            DataType::Float64 => {
                let value = plain.parse().ok().filter(|value: &f64| value.is_finite());
                Scalar::Float(value.ok_or_else(|| expected("a number"))?)
            }
            DataType::Decimal { precision, scale } => {
                let value = decimal(plain, *precision, *scale);
                Scalar::Decimal(value.ok_or_else(|| expected(&format!("a number that fits {data_type}")))?)
            }
            DataType::Bool => Scalar::Bool(plain.parse().map_err(|_| expected("true or false"))?),
            DataType::Date => Scalar::Date(days(plain).ok_or_else(|| expected("a date such as `2021-04-01`"))?),
            DataType::Timestamp => {
                let value = plain.parse::<jiff::Timestamp>().ok().map(|moment| moment.as_microsecond());
                let value = value.or_else(|| Some(i64::from(days(plain)?) * DAY_MICROS));
                Scalar::Timestamp(value.ok_or_else(|| expected("a time such as `2021-04-01T12:00:00Z`"))?)
            }
            DataType::List(_) => return Err("a list has no single value".to_owned()),
        })
    }

    /// The text that a person would write for it; decimals need the scale of their column.
    pub fn show(&self, scale: u8) -> String {
        match self {
            Scalar::Text(text) => format!("`{text}`"),
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => value.to_string(),
            Scalar::Decimal(value) => show_decimal(*value, scale),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Date(days) => show_day(*days),
            Scalar::Timestamp(micros) => jiff::Timestamp::from_microsecond(*micros)
                .map_or_else(|_| micros.to_string(), |moment| moment.to_string()),
        }
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

fn days(text: &str) -> Option<i32> {
    let date = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
    date.since(EPOCH).ok().map(|span| span.get_days())
}

const EPOCH: Date = Date::constant(1970, 1, 1);

fn show_day(days: i32) -> String {
    EPOCH.checked_add(jiff::Span::new().days(days)).map_or_else(|_| days.to_string(), |date| date.to_string())
}

/// Sign, digits, and perhaps a point and digits; no digit may be lost.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || fraction.len() > usize::from(scale) {
        return None;
    }
    let padding = "0".repeat(usize::from(scale) - fraction.len());
    let all = format!("{whole}{fraction}{padding}");
    let value = Some(all).filter(|all| all.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<i128>().ok()?;
    let fits = value < 10_i128.checked_pow(u32::from(precision))?;
    fits.then_some(if negative { -value } else { value })
}

fn show_decimal(value: i128, scale: u8) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show(0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_are_read_by_type() {
        let read = |data_type: &str, text: &str| Scalar::parse(&data_type.parse().unwrap(), text);
        assert_eq!(read("decimal(6,2)", "-1.5").unwrap(), Scalar::Decimal(-150));
        assert_eq!(read("decimal(6,2)", "9999.99").unwrap().show(2), "9999.99");
        assert_eq!(read("decimal(6,2)", "-0.05").unwrap().show(2), "-0.05");
        assert_eq!(read("date", "1970-01-02").unwrap(), Scalar::Date(1));
        assert_eq!(read("timestamp", "1970-01-01T00:00:01Z").unwrap(), Scalar::Timestamp(1_000_000));
        assert_eq!(read("timestamp", "1970-01-02").unwrap().show(0), "1970-01-02T00:00:00Z");
        assert_eq!(read("time", "08:30").unwrap(), Scalar::Text("08:30:00".to_owned()));
        let wrong = [
            ("decimal(6,2)", "1.005"),
            ("decimal(6,2)", "10000"),
            ("int64", "1.0"),
            ("date", "1/2/2021"),
            ("bool", "yes"),
        ];
        for (data_type, text) in wrong {
            assert!(read(data_type, text).is_err(), "{data_type} {text}");
        }
        assert_eq!(read("decimal(6,2)", "x").unwrap_err(), "expected a number that fits decimal(6,2), found `x`");
    }
}
