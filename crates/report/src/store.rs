//! Results on their way into the store and back, with digests.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use stillhouse_query::{QueryResult, RowStream};
use tokio::io::AsyncWriteExt;

use crate::error::{Error, Kind};
use crate::render::hash_rows;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) rows: u64,
    /// BLAKE3 of the rows, see [`hash_rows`], hex.
    pub(crate) digest: String,
    /// BLAKE3 of the file, hex.
    pub(crate) file_digest: String,
}

/// Writes a result as it is made; never more than a row group of it is in memory.
pub(crate) async fn write(store: &Arc<dyn ObjectStore>, path: &Path, mut rows: RowStream) -> Result<Stored, Error> {
    let failed = |error: ParquetError| unwritable(path, error);
    let (hasher, sink) = HashingSink::new(store.clone(), path.clone());
    let mut writer = AsyncArrowWriter::try_new(sink, rows.schema(), Some(writer_properties())).map_err(failed)?;
    let mut content = blake3::Hasher::new();
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(Error::from_query)?;
        count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        hash_rows(&batch, &mut content).map_err(|error| unwritable(path, error))?;
        writer.write(&batch).await.map_err(failed)?;
        if writer.in_progress_size() > ROW_GROUP_BYTES_MAX {
            writer.flush().await.map_err(failed)?;
        }
    }
    writer.close().await.map_err(failed)?;
    let file_digest = hasher.lock().map_or_else(|_| String::new(), |hasher| hasher.finalize().to_hex().to_string());
    Ok(Stored { rows: count, digest: content.finalize().to_hex().to_string(), file_digest })
}

/// Reads a result and checks that it is the file that was written.
pub(crate) async fn read(store: &Arc<dyn ObjectStore>, path: &Path, file_digest: &str) -> Result<QueryResult, Error> {
    let bytes = get(store, path, file_digest).await?;
    let unreadable = |error: ParquetError| damaged(path).with_source(error);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(unreadable)?;
    let schema = reader.schema().clone();
    let batches: Result<Vec<_>, _> = reader.build().map_err(unreadable)?.collect();
    let batches = batches.map_err(|error| damaged(path).with_source(error))?;
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    Ok(QueryResult { schema, batches, rows: u64::try_from(rows).unwrap_or(u64::MAX) })
}

/// Reads a small file and checks that it is the one that was written.
pub(crate) async fn get(store: &Arc<dyn ObjectStore>, path: &Path, digest: &str) -> Result<Bytes, Error> {
    let answer = match store.get(path).await {
        Ok(answer) => answer.bytes().await,
        Err(error) => Err(error),
    };
    let bytes = match answer {
        Ok(bytes) => bytes,
        Err(error @ object_store::Error::NotFound { .. }) => return Err(damaged(path).with_source(error)),
        Err(error) => {
            return Err(Error::new(Kind::Retry, format!("`{path}` cannot be read")).with_source(error));
        }
    };
    if blake3::hash(&bytes).to_hex().as_str() != digest {
        return Err(damaged(path));
    }
    Ok(bytes)
}

fn damaged(path: &Path) -> Error {
    Error::new(Kind::FixData, format!("`{path}` is not what the run wrote, or is gone"))
        .with_hint("run the report again: `stillhouse report run`")
}

pub(crate) fn unwritable(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Retry, format!("`{path}` cannot be written"))
        .with_hint("look at the space and the rights in the lake's folder, then run the report again")
        .with_source(error)
}

/// How results are written.
pub(crate) fn writer_properties() -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build()
}

/// A row group ends when it holds about this many encoded bytes.
pub(crate) const ROW_GROUP_BYTES_MAX: usize = 16 << 20;

/// Passes bytes on to the store and adds them to a digest.
struct HashingSink {
    hasher: Arc<std::sync::Mutex<blake3::Hasher>>,
    inner: BufWriter,
}

impl HashingSink {
    fn new(store: Arc<dyn ObjectStore>, path: Path) -> (Arc<std::sync::Mutex<blake3::Hasher>>, Self) {
        let hasher = Arc::new(std::sync::Mutex::new(blake3::Hasher::new()));
        (hasher.clone(), Self { hasher, inner: BufWriter::new(store, path) })
    }
}

impl AsyncFileWriter for HashingSink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ParquetError>> {
        Box::pin(async move {
            if let Ok(mut hasher) = self.hasher.lock() {
                hasher.update(&bytes);
            }
            self.inner.put(bytes).await.map_err(|error| ParquetError::External(Box::new(error)))
        })
    }

    fn complete(&mut self) -> BoxFuture<'_, Result<(), ParquetError>> {
        Box::pin(async move { Ok(self.inner.shutdown().await?) })
    }
}
