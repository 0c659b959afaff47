//! What a contract says about whole rows in SQL, applied to the rows of the parent.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use stillhouse_spec::ColumnFrom;

use crate::api::{Request, RowRules, SinkError};
use crate::columns::Column;
use crate::error::Error;

/// The rules of a request, as far as it has some.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    filter: Option<&'a dyn RowRules>,
    derive: Option<&'a dyn RowRules>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Self {
        let contract = request.contract;
        let derives = contract.parent.columns.iter().any(|column| matches!(column.from, ColumnFrom::Derived(_)));
        Self { filter: request.rules.filter(|_| contract.filter.is_some()), derive: request.rules.filter(|_| derives) }
    }

    /// Which of these rows are left out, ascending.
    pub(crate) fn left_out(
        &self,
        schema: &SchemaRef,
        columns: &[Column],
        records: &[i64],
        rows: Range<usize>,
    ) -> Result<Vec<usize>, Error> {
        if self.filter.is_none() || rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut arrays: Vec<ArrayRef> = columns.iter().map(|column| column.copied(rows.clone()).finish()).collect();
        arrays.push(Arc::new(Int64Array::from(records[rows.clone()].to_vec())));
        let batch =
            RecordBatch::try_new(Arc::clone(schema), arrays).expect("columns are as long as each other and typed");
        Ok(self.unwanted(&batch)?.into_iter().map(|row| rows.start + row).collect())
    }

    /// Rows may be left out.
    pub(crate) fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// Which rows of a batch are left out, ascending.
    pub(crate) fn unwanted(&self, batch: &RecordBatch) -> Result<Vec<usize>, Error> {
        let Some(rules) = self.filter else { return Ok(Vec::new()) };
        let Some(kept) = rules.kept(batch).map_err(|error| failed("where", &error))? else { return Ok(Vec::new()) };
        // A condition that cannot be answered is not met, as in SQL.
        let is_kept = |row: usize| kept.is_valid(row) && kept.value(row);
        Ok((0..batch.num_rows()).filter(|row| !is_kept(*row)).collect())
    }

    /// The rows with their derived columns.
    pub(crate) fn derived(&self, batch: RecordBatch) -> Result<RecordBatch, Error> {
        match self.derive {
            Some(rules) => rules.derived(batch).map_err(|error| failed("derive", &error)),
            None => Ok(batch),
        }
    }
}

fn failed(what: &str, error: &SinkError) -> Error {
    Error::settings(format!("`{what}` fails on this file: {error}"), format!("correct `{what}` in the source file"))
}
