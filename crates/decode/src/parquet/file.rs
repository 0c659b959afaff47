//! The file: its footer, and the bytes of the columns of a row group.

use std::cell::Cell;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::SchemaDescriptor;

use super::ROW_GROUP_BYTES_MAX;
use crate::error::Error;
use crate::window::Window;

/// The magic number at both ends of a file (Apache Parquet file format).
const MAGIC: &[u8] = b"PAR1";
/// That of files with an encrypted footer.
const ENCRYPTED: &[u8] = b"PARE";
/// A longer footer is refused: it is read into memory before anything is known.
const FOOTER_BYTES_MAX: u64 = 256 << 20;
/// Length of the footer, and the magic number.
const TAIL_BYTES: u64 = 8;

/// A file whose footer has been read.
pub(super) struct File {
    metadata: ArrowReaderMetadata,
}

impl File {
    pub(super) fn open(window: &mut Window<'_>) -> Result<Self, Error> {
        let length = window.length();
        let footer = footer(window, length)?;
        guarded("the footer", || {
            let metadata = ParquetMetaDataReader::decode_metadata(&footer)?;
            let metadata = Arc::new(metadata);
            // Types as they are in the file, whatever a writer notes about its own.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let plain = ArrowReaderMetadata::try_new(Arc::clone(&metadata), options.clone())?;
            let schema = without_nanoseconds(plain.schema(), plain.parquet_schema());
            let metadata = match schema {
                Some(schema) => ArrowReaderMetadata::try_new(metadata, options.with_schema(schema))?,
                None => plain,
            };
            Ok(Self { metadata })
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    pub(super) fn descriptor(&self) -> &SchemaDescriptor {
        self.metadata.parquet_schema()
    }

    /// Who wrote it, if it says so.
    pub(super) fn writer(&self) -> Option<String> {
        const CHARS_MAX: usize = 100;
        let writer = self.metadata.metadata().file_metadata().created_by()?;
        Some(writer.chars().filter(|char| !char.is_control()).take(CHARS_MAX).collect())
    }

    /// How many row groups there are.
    pub(super) fn groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of a row group.
    pub(super) fn rows(&self, group: usize) -> u64 {
        u64::try_from(self.metadata.metadata().row_group(group).num_rows()).unwrap_or(0)
    }

    /// Where the wanted columns of a row group stand: offsets and lengths; `None` where they make no sense.
    fn chunks(&self, group: usize, mask: &ProjectionMask) -> Option<Vec<(u64, u64)>> {
        let columns = self.metadata.metadata().row_group(group).columns().iter().enumerate();
        let range = |column: &ColumnChunkMetaData| {
            let begin = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
            Some((u64::try_from(begin).ok()?, u64::try_from(column.compressed_size()).ok()?))
        };
        columns.filter(|(leaf, _)| mask.leaf_included(*leaf)).map(|(_, column)| range(column)).collect()
    }

    /// Bytes of the wanted columns of a row group.
    pub(super) fn bytes(&self, group: usize, mask: &ProjectionMask) -> u64 {
        let chunks = self.chunks(group, mask).unwrap_or_default();
        chunks.into_iter().fold(0, |all, (_, bytes)| all.saturating_add(bytes))
    }

    /// Reads the wanted columns of a row group, and gives its rows, or a selection of them.
    pub(super) fn read(
        &self,
        window: &mut Window<'_>,
        group: usize,
        mask: &ProjectionMask,
        batch_rows: usize,
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader, Error> {
        let bytes = self.bytes(group, mask);
        if bytes > ROW_GROUP_BYTES_MAX {
            return Err(Error::data(
                format!(
                    "row group {group}: expected at most {ROW_GROUP_BYTES_MAX} bytes of wanted columns, found {bytes}"
                ),
                "write the file again with smaller row groups",
            ));
        }
        let mut held = Held { length: window.length(), parts: Vec::new() };
        let Some(chunks) = self.chunks(group, mask) else {
            return Err(damaged(&format!("row group {group}"), "its columns are at no place of a file"));
        };
        for (offset, bytes) in chunks {
            if offset.checked_add(bytes).is_none_or(|end| end > held.length) {
                return Err(damaged(&format!("row group {group}"), "its columns reach beyond the end of the file"));
            }
            held.parts.push((offset, window.read_range(offset, bytes)?.into()));
        }
        held.parts.sort_by_key(|(offset, _)| *offset);
        guarded(&format!("row group {group}"), || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(held, self.metadata.clone());
            let builder =
                builder.with_row_groups(vec![group]).with_projection(mask.clone()).with_batch_size(batch_rows);
            match selection {
                Some(selection) => builder.with_row_selection(selection).build(),
                None => builder.build(),
            }
        })
    }
}

/// The bytes of the footer.
fn footer(window: &mut Window<'_>, length: u64) -> Result<Vec<u8>, Error> {
    let head = window.read_range(0, length.min(4))?;
    if head != MAGIC && head != ENCRYPTED {
        return Err(Error::data(
            format!("expected a Parquet file, which begins with `PAR1`, found `{}`", shown(window, length)?),
            "set the `type` of the source to what the files are, or send a Parquet file",
        ));
    }
    let tail = window.read_range(length.saturating_sub(TAIL_BYTES), length.min(TAIL_BYTES))?;
    if head == ENCRYPTED || tail.ends_with(ENCRYPTED) {
        return Err(Error::data("the file is encrypted, and encrypted Parquet is not offered", "decrypt it before"));
    }
    let broken = |found: &str| {
        Err(Error::data(
            format!("expected `PAR1` at the end of the Parquet file, found {found}: its end is missing"),
            "the file seems to be cut off; send it again",
        ))
    };
    let Some((size, MAGIC)) = tail.split_first_chunk::<4>() else {
        return broken(&format!("{} bytes of something else", tail.len().min(4)));
    };
    let size = u64::from(u32::from_le_bytes(*size));
    if size > FOOTER_BYTES_MAX {
        return Err(damaged(
            "the footer",
            &format!("it says that it is {size} bytes long, at most {FOOTER_BYTES_MAX} are read"),
        ));
    }
    match (length - TAIL_BYTES).checked_sub(size) {
        Some(begin) => window.read_range(begin, size),
        None => broken(&format!("a footer of {size} bytes in a file of {length}")),
    }
}

/// The beginning of the file as a person can read it.
fn shown(window: &mut Window<'_>, length: u64) -> Result<String, Error> {
    let head = window.read_range(0, length.min(24))?;
    let text: String =
        String::from_utf8_lossy(&head).chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    Ok(text.trim_end().to_owned())
}

/// The schema with microseconds in the place of the nanoseconds of INT96, which hold the years 1677 to 2262 only; `None` if
/// there is no INT96.
fn without_nanoseconds(schema: &SchemaRef, descriptor: &SchemaDescriptor) -> Option<SchemaRef> {
    let is_int96 =
        |leaf: usize| descriptor.num_columns() > leaf && descriptor.column(leaf).physical_type() == PhysicalType::INT96;
    if !(0..descriptor.num_columns()).any(is_int96) {
        return None;
    }
    let mut leaf = 0;
    let fields: Fields = schema.fields().iter().map(|field| in_micros(field, &is_int96, &mut leaf)).collect();
    Some(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

fn in_micros(field: &FieldRef, is_int96: &impl Fn(usize) -> bool, leaf: &mut usize) -> FieldRef {
    let mut inner = |field: &FieldRef| in_micros(field, is_int96, leaf);
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => {
            let is_int96 = is_int96(*leaf);
            *leaf += 1;
            if is_int96 { DataType::Timestamp(TimeUnit::Microsecond, None) } else { other.clone() }
        }
    };
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()).with_metadata(field.metadata().clone()))
}

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is reading a Parquet file with a library that may panic on one that is damaged. Such a panic is caught,
/// so nobody needs to hear of it.
pub fn is_guarded() -> bool {
    IS_GUARDED.get()
}

/// The library checks what it reads, but no input whatever may stop the program.
pub(super) fn guarded<T>(what: &str, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    let before = IS_GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(before);
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(damaged(what, &error.to_string())),
        Err(_) => Err(damaged(what, "it cannot be read")),
    }
}

pub(super) fn damaged(what: &str, why: &str) -> Error {
    let why = why.lines().next().unwrap_or_default();
    Error::data(format!("{what} of the Parquet file is damaged: {why}"), "send the file again, or write it anew")
}

/// Parts of a file in memory.
struct Held {
    length: u64,
    /// Where each begins; ascending.
    parts: Vec<(u64, Bytes)>,
}

impl Held {
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let part = self.parts.partition_point(|(offset, _)| *offset <= start).checked_sub(1);
        let found = part.and_then(|part| {
            let (offset, bytes) = &self.parts[part];
            let from = usize::try_from(start - offset).ok()?;
            (from <= bytes.len()).then(|| bytes.slice(from..))
        });
        found.ok_or_else(|| ParquetError::EOF(format!("byte {start} belongs to no column that is read")))
    }
}

impl Length for Held {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Held {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Cursor<Bytes>, ParquetError> {
        Ok(Cursor::new(self.from(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("expected {length} bytes at byte {start}, found {}", bytes.len())));
        }
        Ok(bytes.slice(..length))
    }
}
