//! The rows of the parent table.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::columns::Column;
use crate::plan::{Filled, From, Reading, expected};
use crate::scan::{Field, Syntax, Wrapping, unescape};

/// The parent table under construction.
pub(crate) struct Parent<'a> {
    schema: SchemaRef,
    pub(crate) filled: Vec<Filled<'a>>,
    pub(crate) columns: Vec<Column>,
    records: Vec<i64>,
    bytes: usize,
    /// Bytes of the constant columns on one row.
    constant_bytes: usize,
    scratch: String,
}

/// What became of a record.
pub(crate) enum Verdict {
    /// It is the last row of the table.
    Row,
    Refused(Blame),
    /// The object has to start again with a leap year for this column.
    LeapDay(usize),
}

/// The column to blame.
pub(crate) struct Blame {
    pub(crate) column: usize,
    pub(crate) reason: &'static str,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl<'a> Parent<'a> {
    pub(crate) fn new(schema: SchemaRef, filled: Vec<Filled<'a>>) -> Self {
        let columns: Vec<Column> = filled.iter().map(|filled| Column::new(&filled.spec.data_type)).collect();
        let constant = filled.iter().map(|filled| match &filled.from {
            From::Constant(value) => value.value_bytes(0),
            From::Field(_) | From::Null => 8,
        });
        let constant_bytes = constant.sum();
        Self { schema, filled, columns, records: Vec::new(), bytes: 0, constant_bytes, scratch: String::new() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    /// About how much memory the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a record as a row, or nothing at all.
    #[inline]
    pub(crate) fn append(&mut self, record: &str, fields: &[Field], syntax: Syntax, line: u64, number: u64) -> Verdict {
        let mut refused: Option<(usize, &'static str)> = None;
        for (at, (filled, column)) in self.filled.iter_mut().zip(&mut self.columns).enumerate() {
            let field = match &filled.from {
                From::Field(field) => fields[*field],
                _ if refused.is_some() => continue,
                From::Constant(value) => {
                    column.push_copy(value, 0);
                    continue;
                }
                From::Null => {
                    column.push_null();
                    continue;
                }
            };
            if refused.is_some() && filled.survey.is_none() {
                continue;
            }
            let text = text_of(record, field, syntax, &mut self.scratch);
            let column = if refused.is_some() { None } else { Some(column) };
            match filled.read(text, line, column) {
                Reading::Value => {}
                Reading::Refused(reason) => refused = Some((at, reason)),
                Reading::LeapDay => return Verdict::LeapDay(at),
            }
        }
        match refused {
            None => {
                self.records.push(i64::try_from(number).expect("records are counted in 63 bits"));
                self.bytes += record.len() + self.constant_bytes;
                Verdict::Row
            }
            Some((at, reason)) => {
                self.columns.iter_mut().take(at + 1).for_each(|column| column.truncate(self.records.len()));
                Verdict::Refused(self.blame(at, reason, record, fields, syntax))
            }
        }
    }

    fn blame(&self, at: usize, reason: &'static str, record: &str, fields: &[Field], syntax: Syntax) -> Blame {
        const FOUND_CHARS_MAX: usize = 100;
        let filled = &self.filled[at];
        let mut scratch = String::new();
        let found = match filled.from {
            From::Field(field) if !filled.spec.pii => {
                text_of(record, fields[field], syntax, &mut scratch).chars().take(FOUND_CHARS_MAX).collect()
            }
            _ => String::new(),
        };
        let expected = if reason == crate::reason::MISSING_VALUE { "a value".to_owned() } else { expected(filled) };
        Blame { column: at, reason, expected, found }
    }

    /// The rows so far as a batch; there are none then.
    pub(crate) fn finish(&mut self) -> RecordBatch {
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect();
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.records))));
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).expect("columns are as long as each other and typed")
    }
}

/// The text of a field.
#[inline]
fn text_of<'t>(record: &'t str, field: Field, syntax: Syntax, scratch: &'t mut String) -> &'t str {
    // Fields begin and end beside ASCII bytes, so these are boundaries of characters.
    let text = &record[field.start..field.end];
    if field.wrapping != Wrapping::Escaped {
        return text;
    }
    scratch.clear();
    unescape(text, syntax, scratch);
    scratch
}
