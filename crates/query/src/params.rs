//! Parameters: typed values that are bound to `$name`, never pasted into the text.

use std::collections::BTreeMap;

use datafusion::common::ParamValues;
use datafusion::scalar::ScalarValue;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value, of no particular type.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A day, in days since 1970-01-01.
    Date(i32),
    /// An instant, in microseconds since 1970, UTC.
    Timestamp(i64),
}

/// Parameters by name, without the `$`.
pub type Params = BTreeMap<String, Value>;

impl Value {
    fn scalar(&self) -> ScalarValue {
        match self {
            Value::Null => ScalarValue::Null,
            Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
            Value::Int(value) => ScalarValue::Int64(Some(*value)),
            Value::Text(value) => ScalarValue::Utf8(Some(value.clone())),
            Value::Date(days) => ScalarValue::Date32(Some(*days)),
            Value::Timestamp(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), Some("UTC".into())),
        }
    }
}

/// DataFusion's form of `params`.
pub(crate) fn bind(params: &Params) -> ParamValues {
    let scalars = params.iter().map(|(name, value)| (name.clone(), value.scalar().into()));
    ParamValues::Map(scalars.collect())
}
