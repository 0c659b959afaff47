//! A run as people and programs see it.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use stillhouse_spec::{ColumnFormat, Completeness, Receipt};

/// A run with its results.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The report's name.
    pub report: String,
    /// The report's title.
    pub title: String,
    /// The period.
    pub period: String,
    /// How whole the inputs were.
    pub completeness: Completeness,
    /// Why it is not COMPLETE.
    pub reasons: Vec<String>,
    /// The run.
    pub run_id: String,
    /// Whether a former run was loaded instead of running again.
    pub reused: bool,
    /// Worth knowing: refused records, years that were assumed.
    pub notes: Vec<String>,
    /// What it was made from.
    pub inputs: Vec<Input>,
    /// The results, in the order of the report.
    pub queries: Vec<QueryView>,
}

/// An object that a run was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The source.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// Which version of the key.
    pub generation: i64,
    /// BLAKE3 of its bytes, hex.
    pub digest: String,
    /// The batch it was committed with.
    pub batch: String,
    /// Its rows on days of the period.
    pub rows: u64,
}

impl Input {
    /// The object of `receipt`, with `rows` of the period.
    pub(crate) fn new(receipt: &Receipt, rows: u64) -> Self {
        Self {
            source: receipt.object.source.clone(),
            key: receipt.object.key.clone(),
            member: receipt.object.member.clone(),
            generation: receipt.generation,
            digest: receipt.digest.clone(),
            batch: receipt.batch.clone(),
            rows,
        }
    }
}

/// The result of one query.
#[derive(Debug, Clone)]
pub struct QueryView {
    /// Its name.
    pub name: String,
    /// What a person reads above it.
    pub title: String,
    /// How columns are printed.
    pub formats: BTreeMap<String, ColumnFormat>,
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl QueryView {
    /// For each column the digits behind the point to print, where they are stated.
    pub(crate) fn decimals(&self) -> Vec<Option<u8>> {
        let format = |name: &str| self.formats.get(name).and_then(|format| format.decimals);
        self.schema.fields().iter().map(|field| format(field.name())).collect()
    }
}
