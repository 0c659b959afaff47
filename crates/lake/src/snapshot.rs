//! What a reader sees: whole batches only.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::manifest::DataFile;

/// One state of the lake: every table at the version that the newest receipt names.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The last batch in it; 0 when nothing was published yet.
    pub seq: i64,
    /// Data tables at the vector's versions, `_receipts` and `_runs` at their newest. Tables without a commit are absent.
    pub tables: BTreeMap<String, TableSnapshot>,
}

/// One table at one version.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    /// The Delta version.
    pub version: i64,
    /// Its columns, all nullable.
    pub schema: SchemaRef,
    /// The files that are live in that version, by path.
    pub files: Vec<Arc<DataFile>>,
}

impl TableSnapshot {
    /// Rows in all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}
