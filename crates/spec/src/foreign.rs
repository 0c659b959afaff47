//! Foreign tables: Delta tables that something else writes, and that queries read beside those of the lake.

use crate::name::TableName;
use crate::secret::Secret;

/// A Delta table that is only read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignTable {
    /// Its name in queries. No table or view of a contract has it, whatever its case.
    pub name: TableName,
    /// Its folder, relative to the project folder unless absolute.
    pub folder: Secret,
    /// The Delta version to read; `None`, the newest.
    pub version: Option<u64>,
    /// Its columns with personal data.
    pub pii: Vec<String>,
}
