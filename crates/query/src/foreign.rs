//! Foreign tables: what is different about files that something else has written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::parquet::file::metadata::ParquetMetaData;
use object_store::path::Path;

use crate::error::{Error, Kind};
use crate::mounts::folder_of;
use crate::table::FileInput;

/// A table that something else writes. Its files lie in the store that [`crate::mounted`] knows by its name.
#[derive(Debug, Clone)]
pub struct ForeignInput {
    /// Its name in SQL.
    pub name: String,
    /// Its files; or why it cannot be read, which is said to queries that name it.
    pub files: Result<ForeignFiles, Unreadable>,
}

/// The files of one version of a foreign table.
#[derive(Debug, Clone)]
pub struct ForeignFiles {
    /// Its columns, partition columns among them. A file that lacks one of them has nulls there.
    pub schema: SchemaRef,
    /// The files; a path is what [`Path::parse`] takes.
    pub files: Vec<FileInput>,
    /// The partition columns, which no file holds: a row for each file.
    pub partitions: RecordBatch,
}

/// Why a table cannot be read, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What to do about it.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl Unreadable {
    pub(crate) fn error(&self) -> Error {
        Error::new(self.kind, self.message.clone()).with_hint(self.hint.clone())
    }
}

/// How a foreign table is read.
#[derive(Debug)]
pub(crate) struct Layout {
    name: String,
    /// The columns of the files, then the partition columns.
    pub(crate) read: TableSchema,
    /// For each column of the table its place in `read`.
    places: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(name: &str, schema: &Schema, partitions: &Schema) -> Self {
        let (of_path, in_files): (Vec<_>, Vec<_>) =
            schema.fields().iter().cloned().partition(|field| partitions.index_of(field.name()).is_ok());
        let read = TableSchema::builder(Arc::new(Schema::new(in_files))).with_table_partition_cols(of_path).build();
        let all = read.table_schema().fields();
        let place = |name: &str| all.iter().position(|field| field.name() == name).unwrap_or(usize::MAX);
        let places = schema.fields().iter().map(|field| place(field.name())).collect();
        Self { name: name.to_owned(), read, places }
    }

    /// The places in `read` of the columns that are wanted; all of them without a projection.
    pub(crate) fn projection(&self, wanted: Option<&Vec<usize>>) -> Vec<usize> {
        wanted.map_or_else(|| self.places.clone(), |wanted| wanted.iter().map(|column| self.places[*column]).collect())
    }

    /// The values of the partition columns of one file, in their order in `read`.
    pub(crate) fn values(&self, partitions: &RecordBatch, file: usize) -> Result<Vec<ScalarValue>> {
        let columns = self.read.table_partition_cols().iter();
        let columns = columns.filter_map(|field| partitions.column_by_name(field.name()));
        columns.map(|values| ScalarValue::try_from_array(values, file)).collect()
    }

    pub(crate) fn path(&self, file: &FileInput) -> Path {
        let inside = Path::parse(&file.path).unwrap_or_else(|_| Path::from(file.path.as_str()));
        folder_of(&self.name).parts().chain(inside.parts()).collect()
    }

    /// Refuses a file that calls a column of the table by another case: to Delta they are the same, and to a reader of
    /// Parquet the column would be missing, so that its values would be read as nulls.
    pub(crate) fn check(&self, path: &Path, footer: &ParquetMetaData) -> Result<(), Error> {
        let root = footer.file_metadata().schema_descr().root_schema();
        let found: Vec<&str> = root.get_fields().iter().map(|field| field.name()).collect();
        for field in self.read.file_schema().fields() {
            let name = field.name().as_str();
            if found.contains(&name) {
                continue;
            }
            if let Some(other) = found.iter().find(|other| other.eq_ignore_ascii_case(name)) {
                let (table, file) = (&self.name, path.filename().unwrap_or_default());
                let message = format!("table `{table}`, file `{file}`: expected column `{name}`, found `{other}`");
                return Err(Error::new(Kind::FixData, message)
                    .with_hint("have its owner write the table anew, with the names that its log says"));
            }
        }
        Ok(())
    }

    /// That a file cannot be read which the log names.
    pub(crate) fn lost(&self, path: &Path, error: DataFusionError) -> Error {
        let (table, file) = (&self.name, path.filename().unwrap_or_default());
        let gone = matches!(error.find_root(), DataFusionError::ObjectStore(error)
            if matches!(**error, object_store::Error::NotFound { .. }));
        let what = if gone { ", which its log names, is not there" } else { " cannot be read as Parquet" };
        Error::new(Kind::FixData, format!("table `{table}`: file `{file}`{what}"))
            .with_hint("perhaps it was just vacuumed: try again; a pinned `version` must be one that is kept whole")
            .with_source(error)
    }
}
