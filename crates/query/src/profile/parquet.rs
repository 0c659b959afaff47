//! A Parquet file outside the lake, batch by batch.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::{Error, Kind};

/// The rows of a Parquet file, in its order.
pub struct ParquetRows {
    schema: SchemaRef,
    inner: ParquetRecordBatchReader,
    shown: String,
}

impl std::fmt::Debug for ParquetRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetRows").field("file", &self.shown).finish_non_exhaustive()
    }
}

/// What every Parquet file begins with.
const MARK: &[u8; 4] = b"PAR1";
/// Rows of a batch.
const BATCH_ROWS: usize = 4096;

impl ParquetRows {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is no Parquet file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let file = File::open(path).map_err(|error| unreadable(&shown, Kind::FixSettings, error))?;
        let damaged = |error| unreadable(&shown, Kind::FixData, error);
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
        let schema = builder.schema().clone();
        let inner = builder.with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
        Ok(Self { schema, inner, shown })
    }

    /// Whether the file at `path` begins as Parquet files do.
    pub fn are_in(path: &Path) -> bool {
        let mut mark = [0; 4];
        File::open(path).is_ok_and(|mut file| file.read_exact(&mut mark).is_ok()) && mark == *MARK
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for ParquetRows {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.inner.next()?;
        Some(batch.map_err(|error| unreadable(&self.shown, Kind::FixData, error)))
    }
}

fn unreadable(shown: &str, kind: Kind, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(kind, format!("`{shown}` cannot be read as Parquet")).with_source(error)
}
