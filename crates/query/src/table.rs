//! Tables: a schema and the files that a snapshot names.

use arrow::datatypes::SchemaRef;
use object_store::path::Path;

/// A table as a snapshot sees it.
#[derive(Debug, Clone)]
pub struct TableInput {
    /// Its name in SQL.
    pub name: String,
    /// Its columns. A file that lacks one of them has nulls there.
    pub schema: SchemaRef,
    /// The folder that the files' paths are relative to, in the engine's store.
    pub folder: Path,
    /// The files; a table without files is empty.
    pub files: Vec<FileInput>,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInput {
    /// Relative to the table's folder.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its rows.
    pub rows: u64,
}
