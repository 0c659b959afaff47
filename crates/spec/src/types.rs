//! Column types, as contracts state them, and what they become in Delta.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The type of a column.
///
/// | ours | Delta | note |
/// |---|---|---|
/// | `string` | string | UTF-8 |
/// | `int64` | long | |
/// | `float64` | double | never for money |
/// | `decimal(p,s)` | decimal(p,s) | p ≤ 38, s ≤ p |
/// | `bool` | boolean | |
/// | `date` | date | |
/// | `timestamp` | timestamp | microseconds, UTC |
/// | `time` | string | `HH:MM:SS[.ffffff]`, Delta has no time of day |
/// | `json` | string | compact JSON text |
/// | `list<T>` | array | T is one of the above |
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataType {
    /// UTF-8 text.
    String,
    /// Signed 64-bit integer.
    Int64,
    /// IEEE double.
    Float64,
    /// Exact decimal with `precision` digits in all, `scale` of them behind the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, at most `precision`.
        scale: u8,
    },
    /// True or false.
    Bool,
    /// A calendar date.
    Date,
    /// An instant with microseconds, stored in UTC.
    Timestamp,
    /// A time of day.
    Time,
    /// Any JSON value, kept as text.
    Json,
    /// A list of values of one type; lists of lists are not offered.
    List(Box<DataType>),
}

/// Why a text is not a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TypeError(String);

/// The names that a contract may write, for messages.
pub const TYPE_NAMES: &[&str] =
    &["string", "int64", "float64", "decimal(p,s)", "bool", "date", "timestamp", "time", "json", "list<T>"];

impl FromStr for DataType {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
            // Looked at before going deeper, so that no text can exhaust the stack.
            if inner.trim_start().starts_with("list<") {
                return Err(TypeError(format!("`{text}`: a list of lists is not offered")));
            }
            return Ok(DataType::List(Box::new(inner.parse()?)));
        }
        if let Some(inner) = text.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')) {
            return parse_decimal(text, inner);
        }
        Ok(match text {
            "string" => DataType::String,
            "int64" => DataType::Int64,
            "float64" => DataType::Float64,
            "bool" => DataType::Bool,
            "date" => DataType::Date,
            "timestamp" => DataType::Timestamp,
            "time" => DataType::Time,
            "json" => DataType::Json,
            _ => return Err(TypeError(format!("`{text}` is not a type; types are {}", TYPE_NAMES.join(", ")))),
        })
    }
}

fn parse_decimal(text: &str, inner: &str) -> Result<DataType, TypeError> {
    let parts: Option<(u8, u8)> = inner
        .split_once(',')
        .and_then(|(precision, scale)| Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?)));
    match parts {
        Some((precision @ 1..=38, scale)) if scale <= precision => Ok(DataType::Decimal { precision, scale }),
        _ => Err(TypeError(format!("`{text}`: a decimal is written `decimal(p,s)` with 1 ≤ p ≤ 38 and s ≤ p"))),
    }
}

impl TryFrom<String> for DataType {
    type Error = TypeError;
    fn try_from(text: String) -> Result<Self, TypeError> {
        text.parse()
    }
}

impl From<DataType> for String {
    fn from(data_type: DataType) -> String {
        data_type.to_string()
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::String => f.write_str("string"),
            DataType::Int64 => f.write_str("int64"),
            DataType::Float64 => f.write_str("float64"),
            DataType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            DataType::Bool => f.write_str("bool"),
            DataType::Date => f.write_str("date"),
            DataType::Timestamp => f.write_str("timestamp"),
            DataType::Time => f.write_str("time"),
            DataType::Json => f.write_str("json"),
            DataType::List(item) => write!(f, "list<{item}>"),
        }
    }
}
