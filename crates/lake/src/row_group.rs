//! Rows to encoded row groups that belong to no file yet, so that several threads can make them for one file.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;

use crate::encoding::{ROW_GROUP_ROWS, properties};
use crate::error::Error;
use crate::stats::Stats;

/// A row group ends when its encoded columns and dictionaries take this much memory.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Row groups of one table, in order.
#[derive(Debug)]
pub struct RowGroups {
    schema: SchemaRef,
    open: Option<Open>,
    done: Vec<Vec<ArrowColumnChunk>>,
    done_bytes: usize,
    stats: Stats,
}

/// A row group under construction.
#[derive(Debug)]
struct Open {
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

impl RowGroups {
    /// None yet.
    pub fn new(schema: SchemaRef) -> Self {
        let stats = Stats::new(&schema);
        Self { schema, open: None, done: Vec::new(), done_bytes: 0, stats }
    }

    /// Adds rows; their columns are the table's, in order.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.encode(batch).map_err(|e| Error::bug(format!("rows that cannot be encoded: {e}")).caused_by(e))
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let given = batch.schema_ref().fields().iter().map(|field| field.data_type());
        if !given.eq(self.schema.fields().iter().map(|field| field.data_type())) {
            let message =
                format!("rows do not have the file's columns: {:?} and {:?}", batch.schema_ref(), self.schema);
            return Err(ParquetError::General(message));
        }
        self.stats.update(batch);
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let open = match &mut self.open {
                Some(open) => open,
                None => self.open.insert(Open::new(&self.schema, &rest)?),
            };
            let count = rest.num_rows().min(ROW_GROUP_ROWS - open.rows);
            open.write(&self.schema, &rest.slice(0, count))?;
            rest = rest.slice(count, rest.num_rows() - count);
            if open.rows == ROW_GROUP_ROWS || open.memory() >= ROW_GROUP_BYTES {
                self.close()?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), ParquetError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let chunks = open.columns.into_iter().map(ArrowColumnWriter::close).collect::<Result<Vec<_>, _>>()?;
        let bytes: u64 = chunks.iter().map(|chunk| chunk.close().bytes_written).sum();
        self.done_bytes += usize::try_from(bytes).unwrap_or(usize::MAX);
        self.done.push(chunks);
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
    pub(crate) fn take_done(&mut self) -> Vec<Vec<ArrowColumnChunk>> {
        self.done_bytes = 0;
        std::mem::take(&mut self.done)
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Open {
    /// Encodings are chosen anew for each row group.
    fn new(schema: &SchemaRef, first: &RecordBatch) -> Result<Self, ParquetError> {
        // Column writers are made for a file; this one is never written.
        let file = SerializedFileWriter::new(Vec::new(), parquet_schema(schema)?, Arc::new(properties(schema, first)))?;
        let columns = ArrowRowGroupWriterFactory::new(&file, Arc::clone(schema)).create_column_writers(0)?;
        Ok(Self { columns, rows: 0 })
    }

    fn write(&mut self, schema: &Schema, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut writers = self.columns.iter_mut();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column)? {
                writers.next().expect("a writer for each leaf of the schema").write(&leaf)?;
            }
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    fn memory(&self) -> usize {
        self.columns.iter().map(ArrowColumnWriter::memory_size).sum()
    }
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
