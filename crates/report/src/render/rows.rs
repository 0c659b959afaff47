//! Rows on their way into a file or a pipe, as they come: never more than a row group is in memory.

use std::io::{self, Write};

use ::parquet::arrow::ArrowWriter;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::csv::{self, Formulas};
use super::json::line;
use crate::store::{ROW_GROUP_BYTES_MAX, writer_properties};

/// The form of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsForm {
    /// As [`csv`](super::csv()) writes it.
    Csv(Formulas),
    /// One JSON object a line, with the types of [`json`](super::json()).
    JsonLines,
    /// As [`parquet`](super::parquet()) writes it.
    Parquet,
}

/// Writes rows, exact and unrounded. What it writes is whole only after [`RowsWriter::finish`].
pub struct RowsWriter<W: Write + Send> {
    inner: Inner<W>,
    unrounded: Vec<Option<u8>>,
    rows: u64,
}

enum Inner<W: Write + Send> {
    Csv(W, Formulas),
    JsonLines(W),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> RowsWriter<W> {
    /// Begins with these columns.
    ///
    /// # Errors
    /// Those of `out`, or Parquet has no such type.
    pub fn new(form: RowsForm, schema: &SchemaRef, mut out: W) -> io::Result<Self> {
        let inner = match form {
            RowsForm::Csv(formulas) => {
                csv::header(schema, formulas, &mut out)?;
                Inner::Csv(out, formulas)
            }
            RowsForm::JsonLines => Inner::JsonLines(out),
            RowsForm::Parquet => {
                Inner::Parquet(Box::new(ArrowWriter::try_new(out, schema.clone(), Some(writer_properties()))?))
            }
        };
        Ok(Self { inner, unrounded: vec![None; schema.fields().len()], rows: 0 })
    }

    /// Adds rows of the same columns.
    ///
    /// # Errors
    /// Those of the place where they go.
    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        match &mut self.inner {
            Inner::Csv(out, formulas) => csv::rows(batch, &self.unrounded, *formulas, out),
            Inner::JsonLines(out) => (0..batch.num_rows()).try_for_each(|row| line(batch, row, out)),
            Inner::Parquet(writer) => {
                writer.write(batch)?;
                if writer.in_progress_size() > ROW_GROUP_BYTES_MAX {
                    writer.flush()?;
                }
                Ok(())
            }
        }
    }

    /// How many rows it has got.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what belongs behind the last row, and gives back where it all went.
    ///
    /// # Errors
    /// Those of the place where they go.
    pub fn finish(self) -> io::Result<W> {
        let mut out = match self.inner {
            Inner::Csv(out, _) | Inner::JsonLines(out) => out,
            Inner::Parquet(writer) => writer.into_inner()?,
        };
        out.flush()?;
        Ok(out)
    }
}
