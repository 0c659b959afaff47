//! Rows to a Parquet file that is durable before anybody hears of it.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use crate::encode::{RowGroup, RowGroups, file_properties, parquet_schema};
use crate::error::Error;
use crate::manifest::DataFile;

/// Uploads go in parts of this size; a file that is smaller goes in one put.
const PART_BYTES: usize = 5 << 20;
/// Parts under way at the same time.
const PARTS_MAX: usize = 2;

/// Writes one data file, with bounded memory. Encoding is CPU work: drive it from a blocking thread
/// (`Handle::block_on`) where batches are large.
#[derive(Debug)]
pub struct TableWriter {
    store: Arc<dyn ObjectStore>,
    /// In the table's folder.
    name: String,
    path: Path,
    schema: SchemaRef,
    /// What is not in the file yet, and the statistics of all rows.
    rows: RowGroups,
    /// Made with the first row group.
    file: Option<SerializedFileWriter<Pieces>>,
    upload: Option<WriteMultipart>,
    /// Bytes handed to `upload`.
    uploaded: u64,
}

/// Encoded bytes in blocks that are handed on without copying.
#[derive(Debug, Default)]
struct Pieces {
    full: Vec<Bytes>,
    last: Vec<u8>,
}

impl Pieces {
    fn len(&self) -> usize {
        self.full.iter().map(Bytes::len).sum::<usize>() + self.last.len()
    }

    fn take(&mut self) -> Vec<Bytes> {
        let last = Bytes::from(std::mem::take(&mut self.last));
        let mut all = std::mem::take(&mut self.full);
        all.push(last);
        all
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.last.extend_from_slice(bytes);
        if self.last.len() >= PART_BYTES {
            self.full.push(Bytes::from(std::mem::take(&mut self.last)));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl TableWriter {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, table: &str, schema: SchemaRef, file_stem: &str) -> Self {
        let name = format!("{file_stem}.parquet");
        let path = Path::from(format!("{table}/{name}"));
        let rows = RowGroups::new(Arc::clone(&schema));
        Self { store, name, path, schema, rows, file: None, upload: None, uploaded: 0 }
    }

    /// Adds rows; their columns are the writer's, in order.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.rows.write(batch)?;
        self.take_over().await
    }

    /// Adds rows that were encoded elsewhere.
    pub async fn append(&mut self, rows: RowGroups) -> Result<(), Error> {
        self.rows.append(rows)?;
        self.take_over().await
    }

    /// Puts complete row groups into the file.
    async fn take_over(&mut self) -> Result<(), Error> {
        for group in self.rows.take_done() {
            self.append_group(group)
                .map_err(|e| Error::bug(format!("`{}`: a row group that does not fit: {e}", self.path)).caused_by(e))?;
            self.send().await?;
        }
        Ok(())
    }

    fn append_group(&mut self, group: RowGroup) -> Result<(), ParquetError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let (schema, properties) = (parquet_schema(&self.schema)?, Arc::new(file_properties()));
                self.file.insert(SerializedFileWriter::new(Pieces::default(), schema, properties)?)
            }
        };
        let mut into = file.next_row_group()?;
        group.append_to(&mut into)?;
        into.close()?;
        Ok(())
    }

    /// Hands encoded bytes to the store once there are enough of them.
    async fn send(&mut self) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let pieces = file.inner_mut();
        if pieces.len() < PART_BYTES {
            return Ok(());
        }
        let pieces = pieces.take();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => {
                let upload = self.store.put_multipart(&self.path).await.map_err(|e| Error::store(&self.path, e))?;
                self.upload.insert(WriteMultipart::new_with_chunk_size(upload, PART_BYTES))
            }
        };
        for piece in pieces {
            self.uploaded += piece.len() as u64;
            upload.put(piece);
            upload.wait_for_capacity(PARTS_MAX).await.map_err(|e| Error::store(&self.path, e))?;
        }
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows.rows()
    }

    /// Ends the file and makes it durable; `None` when there were no rows. `now` is in microseconds.
    pub async fn finish(mut self, now: i64) -> Result<Option<DataFile>, Error> {
        if let Err(error) = self.end().await {
            self.abort().await;
            return Err(error);
        }
        let Some(mut file) = self.file.take() else { return Ok(None) };
        let pieces = file.inner_mut().take();
        let rest: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let stored = match self.upload {
            Some(mut upload) => {
                pieces.into_iter().for_each(|piece| upload.put(piece));
                upload.finish().await.map(|_| ())
            }
            None => self.store.put(&self.path, PutPayload::from_iter(pieces)).await.map(|_| ()),
        };
        stored.map_err(|e| Error::store(&self.path, e))?;
        let stats = self.rows.stats();
        let (object_min, object_max) = stats.int_bounds("_object").unwrap_or((i64::MIN, i64::MAX));
        Ok(Some(DataFile {
            path: self.name,
            size: self.uploaded + rest,
            rows: stats.rows(),
            object_min,
            object_max,
            stats: stats.to_json(),
            modified_at_ms: now.div_euclid(1000),
        }))
    }

    /// Puts the last row group and the footer into the file.
    async fn end(&mut self) -> Result<(), Error> {
        self.rows.finish()?;
        self.take_over().await?;
        let Some(file) = &mut self.file else { return Ok(()) };
        file.finish().map(|_| ()).map_err(|e| Error::bug("Parquet footer").caused_by(e))
    }

    /// Gives the file up; nothing of it stays.
    pub async fn abort(self) {
        if let Some(upload) = self.upload
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(path = %self.path, %error, "parts of an upload that was given up may stay");
        }
    }
}
