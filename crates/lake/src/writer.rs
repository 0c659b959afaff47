//! Rows to a Parquet file that is durable before anybody hears of it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::ObjectStore;

use crate::error::Error;
use crate::manifest::DataFile;

/// Writes one data file. Encoding is CPU work: call it from a blocking thread (`Handle::block_on`) where batches are large.
#[derive(Debug)]
pub struct TableWriter {
    store: Arc<dyn ObjectStore>,
    path: String,
    schema: SchemaRef,
}

impl TableWriter {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, table: &str, schema: SchemaRef, file_stem: &str) -> Self {
        Self { store, path: format!("{table}/{file_stem}.parquet"), schema }
    }

    /// Adds rows; their columns are the writer's, in order.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let _ = (batch, &self.store, &self.path, &self.schema);
        Err(Error::bug("not written yet"))
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        0
    }

    /// Bytes of the file so far, about.
    pub fn bytes_estimate(&self) -> u64 {
        0
    }

    /// Ends the file and makes it durable; `None` when there were no rows. `now` is in microseconds.
    pub async fn finish(self, now: i64) -> Result<Option<DataFile>, Error> {
        let _ = now;
        Err(Error::bug("not written yet"))
    }

    /// Gives the file up; nothing of it stays.
    pub async fn abort(self) {}
}
