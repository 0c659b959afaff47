//! Rows to encoded row groups that belong to no file yet, so that several threads can make them for one file.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{SchemaDescriptor, TypePtr};

use super::choice::{ROW_GROUP_ROWS, dictionary_limit, page_rows, properties};
use super::chunk::{Chunk, Compressor};
use super::column::{OwnColumn, is_own};
use super::runs::{value_type, written_out};
use super::words::Words;
use crate::error::Error;
use crate::stats::Stats;

/// A row group ends when its encoded columns and dictionaries take this much memory.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Row groups of one table, in order.
#[derive(Debug)]
pub struct RowGroups {
    schema: SchemaRef,
    workshop: Workshop,
    open: Option<Open>,
    done: Vec<RowGroup>,
    done_bytes: usize,
    stats: Stats,
}

/// What the encoders of a table need and do not use up: row groups of the same columns take it over from those before.
#[derive(Debug, Default)]
pub struct Workshop {
    compressor: Option<Compressor>,
    /// Those of each column, as far as it has any.
    words: Vec<Option<Words>>,
}

/// A row group under construction.
#[derive(Debug)]
struct Open {
    columns: Vec<Encoder>,
    rows: usize,
}

/// Encodes a column.
#[derive(Debug)]
enum Encoder {
    Own(Box<OwnColumn>),
    /// One for each leaf of the column.
    Library(Vec<ArrowColumnWriter>),
}

/// A row group that is complete.
#[derive(Debug)]
pub(crate) struct RowGroup(Vec<EncodedColumn>);

#[derive(Debug)]
enum EncodedColumn {
    Own(Chunk),
    Library(ArrowColumnChunk),
}

impl RowGroups {
    /// None yet.
    pub fn new(schema: SchemaRef) -> Self {
        Self::with_workshop(schema, Workshop::default())
    }

    /// None yet; `workshop`: of others of the same table.
    pub fn with_workshop(schema: SchemaRef, mut workshop: Workshop) -> Self {
        let stats = Stats::new(&schema);
        workshop.words.resize_with(schema.fields().len(), || None);
        Self { schema, workshop, open: None, done: Vec::new(), done_bytes: 0, stats }
    }

    /// What others of the same table can go on with.
    pub fn take_workshop(&mut self) -> Workshop {
        let words = self.workshop.words.iter_mut().map(Option::take).collect();
        Workshop { compressor: self.workshop.compressor.take(), words }
    }

    /// Adds rows; their columns are the table's, in order. A column may come as runs (a `RunArray`) of the table's type.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.encode(batch).map_err(|e| Error::bug(format!("rows that cannot be encoded: {e}")).caused_by(e))
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let given = batch.schema_ref().fields().iter().map(|field| value_type(field.data_type()));
        if !given.eq(self.schema.fields().iter().map(|field| field.data_type())) {
            let message =
                format!("rows do not have the file's columns: {:?} and {:?}", batch.schema_ref(), self.schema);
            return Err(ParquetError::General(message));
        }
        self.stats.count(batch.num_rows());
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let open = match &mut self.open {
                Some(open) => open,
                None => self.open.insert(Open::new(&self.schema, &rest, &mut self.workshop.words)?),
            };
            let compressor = match &mut self.workshop.compressor {
                Some(compressor) => compressor,
                None => self.workshop.compressor.insert(Compressor::new()?),
            };
            let count = rest.num_rows().min(ROW_GROUP_ROWS - open.rows);
            open.write(&self.schema, &rest.slice(0, count), &mut self.stats, compressor)?;
            rest = rest.slice(count, rest.num_rows() - count);
            if open.rows == ROW_GROUP_ROWS || open.memory() >= ROW_GROUP_BYTES {
                self.close()?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), ParquetError> {
        let Workshop { compressor, words } = &mut self.workshop;
        let (Some(open), Some(compressor)) = (self.open.take(), compressor) else { return Ok(()) };
        let mut columns = Vec::new();
        for (index, encoder) in open.columns.into_iter().enumerate() {
            match encoder {
                Encoder::Own(column) => {
                    let (chunk, summary) = column.close(compressor)?;
                    self.stats.add_column(index, summary.nulls, &summary.bounds);
                    words[index] = summary.words;
                    columns.push(EncodedColumn::Own(chunk));
                }
                Encoder::Library(leaves) => {
                    for leaf in leaves {
                        let mut chunk = leaf.close()?;
                        // An index of pages is there for all columns of a file or for none, and ours have none.
                        (chunk.close_mut().offset_index, chunk.close_mut().column_index) = (None, None);
                        columns.push(EncodedColumn::Library(chunk));
                    }
                }
            }
        }
        self.done_bytes += columns.iter().map(EncodedColumn::bytes).sum::<usize>();
        self.done.push(RowGroup(columns));
        Ok(())
    }

    /// About how much memory they take.
    pub fn memory(&self) -> usize {
        self.done_bytes + self.open.as_ref().map_or(0, Open::memory)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.stats.rows()
    }

    /// Ends the one under construction. Rows may follow all the same.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.close().map_err(|e| Error::bug(format!("a row group that cannot be ended: {e}")).caused_by(e))
    }

    /// Adds the row groups of `others` behind its own.
    pub(crate) fn append(&mut self, mut others: Self) -> Result<(), Error> {
        self.finish()?;
        others.finish()?;
        self.done_bytes += others.done_bytes;
        self.done.append(&mut others.done);
        self.stats.add(&others.stats);
        Ok(())
    }

    /// Row groups that are complete; they are not held any more.
    pub(crate) fn take_done(&mut self) -> Vec<RowGroup> {
        self.done_bytes = 0;
        std::mem::take(&mut self.done)
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl RowGroup {
    /// Puts it into a file.
    pub(crate) fn append_to<W: Write + Send>(
        self,
        into: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        for column in self.0 {
            match column {
                EncodedColumn::Own(chunk) => chunk.append_to(into)?,
                EncodedColumn::Library(chunk) => chunk.append_to_row_group(into)?,
            }
        }
        Ok(())
    }
}

impl EncodedColumn {
    fn bytes(&self) -> usize {
        match self {
            EncodedColumn::Own(chunk) => chunk.bytes.len(),
            EncodedColumn::Library(chunk) => usize::try_from(chunk.close().bytes_written).unwrap_or(usize::MAX),
        }
    }
}

impl Open {
    /// Encodings are chosen anew for each row group; `words`: those of each column.
    fn new(schema: &SchemaRef, first: &RecordBatch, words: &mut [Option<Words>]) -> Result<Self, ParquetError> {
        let descriptor = SchemaDescriptor::new(parquet_schema(schema)?);
        let (limit, rows) = (dictionary_limit(schema), page_rows(schema.fields().len()));
        let mut library = library_columns(schema)?.into_iter();
        let mut columns = Vec::new();
        for (root, (field, array)) in schema.fields().iter().zip(first.columns()).enumerate() {
            let leaves = (0..descriptor.num_columns()).filter(|leaf| descriptor.get_column_root_idx(*leaf) == root);
            let leaves: Vec<usize> = leaves.collect();
            columns.push(match leaves[..] {
                [leaf] if is_own(field.data_type()) => {
                    let first = (array, words[root].take());
                    let column = OwnColumn::new(field, descriptor.column(leaf), first, limit, rows)?;
                    Encoder::Own(Box::new(column))
                }
                _ => Encoder::Library(library.by_ref().take(leaves.len()).collect()),
            });
        }
        Ok(Self { columns, rows: 0 })
    }

    fn write(
        &mut self,
        schema: &Schema,
        batch: &RecordBatch,
        stats: &mut Stats,
        compressor: &mut Compressor,
    ) -> Result<(), ParquetError> {
        for (index, (encoder, array)) in self.columns.iter_mut().zip(batch.columns()).enumerate() {
            match encoder {
                Encoder::Own(column) => column.write(array, compressor)?,
                Encoder::Library(leaves) => {
                    let array = written_out(array)?;
                    stats.update(index, &array);
                    for (leaf, values) in leaves.iter_mut().zip(compute_leaves(schema.field(index), &array)?) {
                        leaf.write(&values)?;
                    }
                }
            }
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    fn memory(&self) -> usize {
        let memory = |encoder: &Encoder| match encoder {
            Encoder::Own(column) => column.memory(),
            Encoder::Library(leaves) => leaves.iter().map(ArrowColumnWriter::memory_size).sum(),
        };
        self.columns.iter().map(memory).sum()
    }
}

/// Writers of all leaves that we do not encode ourselves, in order.
fn library_columns(schema: &Schema) -> Result<Vec<ArrowColumnWriter>, ParquetError> {
    let fields: Vec<FieldRef> = schema.fields().iter().filter(|field| !is_own(field.data_type())).cloned().collect();
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let properties = Arc::new(properties(schema));
    let schema = Arc::new(Schema::new(fields));
    // Column writers are made for a file; this one is never written.
    let file = SerializedFileWriter::new(Vec::new(), parquet_schema(&schema)?, properties)?;
    ArrowRowGroupWriterFactory::new(&file, schema).create_column_writers(0)
}

/// The schema as Parquet has it.
pub(crate) fn parquet_schema(schema: &Schema) -> Result<TypePtr, ParquetError> {
    // Lists are named as the format's own rules say, and as Delta readers expect.
    let converted = ArrowSchemaConverter::new().with_coerce_types(true).convert(schema)?;
    Ok(converted.root_schema_ptr())
}

/// Properties of a file; those of its columns belong to their row groups.
pub(crate) fn file_properties() -> WriterProperties {
    WriterProperties::builder().set_created_by(concat!("stillhouse ", env!("CARGO_PKG_VERSION")).to_owned()).build()
}
