//! Columns: what a database has to hold.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

/// A column of a published table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name; always in quotes in SQL.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// True or false.
    Bool,
    /// Bytes that are no text.
    Bytes,
    /// A calendar date, as `2021-04-05`.
    Date,
    /// An exact decimal, as text with all its digits.
    Decimal,
    /// A 64-bit integer.
    Int,
    /// A list or a structure, as JSON text.
    Json,
    /// An IEEE double.
    Real,
    /// UTF-8 text.
    Text,
    /// An instant, as `2021-04-05T12:30:15.000000Z`: of one column all have as many digits, so that they sort as text.
    Timestamp,
}

/// The columns of rows of that schema.
///
/// # Errors
/// When two names differ only in case: databases take them for one.
pub fn columns(schema: &Schema) -> Result<Vec<Column>, Error> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = field.name();
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            return Err(Error::new(Kind::FixSettings, format!("columns `{other}` and `{name}` are one in a database"))
                .with_hint("give one of them another name with `as`; case does not count there"));
        }
        columns.push(Column { name: name.clone(), kind: kind(field.data_type()) });
    }
    Ok(columns)
}

pub(crate) fn kind(data_type: &DataType) -> ColumnKind {
    if data_type.is_integer() {
        return ColumnKind::Int;
    }
    if data_type.is_floating() {
        return ColumnKind::Real;
    }
    match data_type {
        DataType::Boolean => ColumnKind::Bool,
        DataType::Date32 | DataType::Date64 => ColumnKind::Date,
        DataType::Timestamp(..) => ColumnKind::Timestamp,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            ColumnKind::Decimal
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            ColumnKind::Bytes
        }
        DataType::Dictionary(_, values) => kind(values),
        DataType::Struct(_) | DataType::Map(..) => ColumnKind::Json,
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..) => ColumnKind::Json,
        // Times of day, intervals, and what consists of nothing but nulls.
        _ => ColumnKind::Text,
    }
}
