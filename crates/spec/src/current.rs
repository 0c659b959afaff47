//! The current state of a table whose rows are changes: a view beside the full history.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{ColumnName, TableName};

/// The column with the time of loading, the one column of Stillhouse's own that may tell which row is the latest.
pub const INGESTED_AT: &str = "_ingested_at";

/// A view of a table: of each key the row that is the latest, unless it says that the thing is gone.
///
/// Its columns are those of the table. Rows that are equal in all columns of `latest_by` are told apart by `_object`,
/// then `_record`: the file that was discovered later wins, and in a file the later record. No value in a column of
/// `latest_by` is older than any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentView {
    /// Its name in SQL.
    pub name: TableName,
    /// The columns that tell one thing from another; never empty. A row that lacks one of them, because it was loaded
    /// before there was such a column, belongs to nothing.
    pub key: Vec<ColumnName>,
    /// The columns that tell which row is the latest, the most important one first; never empty. [`INGESTED_AT`] may be
    /// among them.
    pub latest_by: Vec<ColumnName>,
    /// Which rows say that the thing is gone.
    pub deleted: Option<DeleteMarker>,
}

/// How a row says that the thing is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteMarker {
    /// The column that says it.
    pub column: ColumnName,
    /// What it says then.
    pub values: DeleteValues,
}

/// What a column says in a row that means a delete. No value never means one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteValues {
    /// A `string` column: one of these texts, letter by letter.
    Texts(Vec<String>),
    /// An `int64` column: one of these numbers.
    Numbers(Vec<i64>),
    /// A `bool` column: true.
    True,
    /// A `date` or `timestamp` column: any value.
    Any,
}

/// The rule for people: ``of each id the latest by updated_at, unless op is "D"``.
impl fmt::Display for CurrentView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &[ColumnName]| names.iter().map(ColumnName::as_str).collect::<Vec<_>>().join(", ");
        write!(f, "of each {} the latest by {}", names(&self.key), names(&self.latest_by))?;
        self.deleted.as_ref().map_or(Ok(()), |marker| write!(f, ", unless {marker}"))
    }
}

impl fmt::Display for DeleteMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |values: Vec<String>| values.join(" or ");
        let column = &self.column;
        match &self.values {
            DeleteValues::Texts(texts) => {
                write!(f, "{column} is {}", or(texts.iter().map(|text| format!("{text:?}")).collect()))
            }
            DeleteValues::Numbers(numbers) => {
                write!(f, "{column} is {}", or(numbers.iter().map(i64::to_string).collect()))
            }
            DeleteValues::True => write!(f, "{column} is true"),
            DeleteValues::Any => write!(f, "{column} has a value"),
        }
    }
}
