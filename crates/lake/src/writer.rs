//! Rows to a Parquet file that is durable before anybody hears of it.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::Error;
use crate::manifest::DataFile;
use crate::stats::Stats;

/// A row group ends when its encoded columns and dictionaries take this much memory. When it ends they are copied
/// once, so a writer needs about twice that for a moment.
const ROW_GROUP_BYTES: usize = 16 << 20;
const ROW_GROUP_ROWS: usize = 1 << 20;
/// Uploads go in parts of this size; a file that is smaller goes in one put.
const PART_BYTES: usize = 5 << 20;
/// Parts under way at the same time.
const PARTS_MAX: usize = 2;
/// All dictionaries of a row group together.
const DICTIONARY_BYTES: usize = 8 << 20;
/// Rows of the first batch that are looked at to choose between dictionary and plain text.
const SAMPLE_ROWS: usize = 8192;

/// Writes one data file, with bounded memory. Encoding is CPU work: drive it from a blocking thread
/// (`Handle::block_on`) where batches are large.
#[derive(Debug)]
pub struct TableWriter {
    store: Arc<dyn ObjectStore>,
    /// In the table's folder.
    name: String,
    path: Path,
    schema: SchemaRef,
    encoder: Option<ArrowWriter<Pieces>>,
    upload: Option<WriteMultipart>,
    /// Bytes handed to `upload`.
    uploaded: u64,
    stats: Stats,
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
        let stats = Stats::new(&schema);
        Self { store, name, path, schema, encoder: None, upload: None, uploaded: 0, stats }
    }

    /// Adds rows; their columns are the writer's, in order.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.encode(batch)
            .map_err(|e| Error::bug(format!("`{}`: rows that cannot be encoded: {e}", self.path)).caused_by(e))?;
        self.send(PART_BYTES).await
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(), parquet::errors::ParquetError> {
        let given = batch.schema_ref().fields().iter().map(|field| field.data_type());
        if !given.eq(self.schema.fields().iter().map(|field| field.data_type())) {
            let message =
                format!("rows do not have the file's columns: {:?} and {:?}", batch.schema_ref(), self.schema);
            return Err(parquet::errors::ParquetError::General(message));
        }
        // Nullability is the table's matter, not the batch's.
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => {
                let options =
                    ArrowWriterOptions::new().with_properties(properties(&batch)).with_skip_arrow_metadata(true);
                let made = ArrowWriter::try_new_with_options(Pieces::default(), Arc::clone(&self.schema), options)?;
                self.encoder.insert(made)
            }
        };
        encoder.write(&batch)?;
        if encoder.memory_size() >= ROW_GROUP_BYTES {
            encoder.flush()?;
        }
        self.stats.update(&batch);
        Ok(())
    }

    /// Hands encoded bytes to the store once there are `enough` of them.
    async fn send(&mut self, enough: usize) -> Result<(), Error> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let pieces = encoder.inner_mut();
        if pieces.len() < enough {
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
        self.stats.rows()
    }

    /// Ends the file and makes it durable; `None` when there were no rows. `now` is in microseconds.
    pub async fn finish(mut self, now: i64) -> Result<Option<DataFile>, Error> {
        let Some(mut encoder) = self.encoder.take() else { return Ok(None) };
        if let Err(e) = encoder.finish() {
            self.abort().await;
            return Err(Error::bug("Parquet footer").caused_by(e));
        }
        let pieces = encoder.inner_mut().take();
        let rest: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let stored = match self.upload {
            Some(mut upload) => {
                pieces.into_iter().for_each(|piece| upload.put(piece));
                upload.finish().await.map(|_| ())
            }
            None => self.store.put(&self.path, PutPayload::from_iter(pieces)).await.map(|_| ()),
        };
        stored.map_err(|e| Error::store(&self.path, e))?;
        let (object_min, object_max) = self.stats.int_bounds("_object").unwrap_or((i64::MIN, i64::MAX));
        Ok(Some(DataFile {
            path: self.name,
            size: self.uploaded + rest,
            rows: self.stats.rows(),
            object_min,
            object_max,
            stats: self.stats.to_json(),
            modified_at_ms: now.div_euclid(1000),
        }))
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

/// Every column of a row group keeps a compressor and an encoder of its own until the row group ends; zstd's and those
/// for deltas take about a megabyte each, which a table of hundreds of columns cannot have within the memory that we
/// promise. Such a table is compressed with snappy and encoded plainly.
const COSTLY_COLUMNS_MAX: usize = 32;

fn compression(is_wide: bool) -> Compression {
    if is_wide {
        return Compression::SNAPPY;
    }
    Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd"))
}

/// The encoding of values that are not in a dictionary.
fn encoding(data_type: &DataType, is_wide: bool) -> Encoding {
    match data_type {
        _ if is_wide => Encoding::PLAIN,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary => {
            Encoding::DELTA_LENGTH_BYTE_ARRAY
        }
        DataType::Int64 | DataType::Date32 | DataType::Timestamp(_, _) => Encoding::DELTA_BINARY_PACKED,
        _ => Encoding::PLAIN,
    }
}

/// Values of all columns that wait for the end of their page, at most: a column of texts keeps about 20 bytes for each.
const PAGE_VALUES_MAX: usize = 640_000;

/// Rows of a page: the format's usual 20,000, fewer where many columns would wait for theirs at the same time.
fn page_rows(columns: usize) -> usize {
    (PAGE_VALUES_MAX / columns.max(1)).clamp(1_000, 20_000)
}

/// How columns are encoded, chosen by type and by the first rows. A dictionary for a text that hardly repeats is the
/// dearest mistake (twice the time), none for a text that does costs a third of the size.
fn properties(first: &RecordBatch) -> WriterProperties {
    let schema = first.schema_ref();
    let columns = schema.fields().len();
    let is_wide = columns > COSTLY_COLUMNS_MAX;
    let limit = dictionary_limit(schema);
    let mut builder = WriterProperties::builder()
        .set_compression(compression(is_wide))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(limit)
        .set_data_page_row_count_limit(page_rows(columns))
        .set_created_by(concat!("stillhouse ", env!("CARGO_PKG_VERSION")).to_owned())
        // Lists are named as the format's own rules say, and as Delta readers expect.
        .set_coerce_types(true);
    for (field, column) in schema.fields().iter().zip(first.columns()) {
        let data_type = field.data_type();
        if data_type.is_nested() {
            continue;
        }
        let path = ColumnPath::from(field.name().as_str());
        let is_text = matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        builder = builder
            .set_column_encoding(path.clone(), encoding(data_type, is_wide))
            .set_column_dictionary_enabled(path, is_text && repeats(column, limit));
    }
    builder.build()
}

fn dictionary_limit(schema: &Schema) -> usize {
    let texts = schema.fields().iter().filter(|field| {
        matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::List(_))
    });
    (DICTIONARY_BYTES / texts.count().clamp(1, 32)).max(1 << 18)
}

/// Whether the texts of a whole row group will fit a dictionary, guessed from how often they repeat in a sample: of
/// `n` texts drawn from `N` different ones, about `n² / 2N` repeat.
fn repeats(column: &dyn Array, limit: usize) -> bool {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let texts: Vec<&str> = match sample.data_type() {
        DataType::Utf8View => sample.as_string_view().iter().flatten().collect(),
        DataType::LargeUtf8 => sample.as_string::<i64>().iter().flatten().collect(),
        _ => sample.as_string::<i32>().iter().flatten().collect(),
    };
    if texts.len() < 256 {
        return true;
    }
    let bytes_mean = texts.iter().map(|text| text.len() + 4).sum::<usize>() / texts.len();
    let different = texts.iter().collect::<std::collections::HashSet<_>>().len();
    let repeated = texts.len() - different;
    let estimate = if repeated == 0 { usize::MAX } else { (texts.len() * texts.len() / (2 * repeated)).max(different) };
    estimate.saturating_mul(bytes_mean) <= limit
}
