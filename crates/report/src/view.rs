//! A run as people and programs see it.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use stillhouse_chart::Chart;
use stillhouse_spec::{ColumnFormat, Completeness, Receipt};

use crate::record::ForeignVersion;

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
    /// By what the run can be found and made again.
    pub provenance: Provenance,
}

/// By what a run can be found and made again; its inputs are beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// See [`crate::RunRecord::fingerprint`].
    pub fingerprint: String,
    /// The fingerprint of the report file and its queries.
    pub report_fingerprint: String,
    /// The program that ran it, with its version.
    pub program: String,
    /// The place of the snapshot in the queue of batches.
    pub snapshot_seq: i64,
    /// The versions of the tables that were read.
    pub tables: BTreeMap<String, i64>,
    /// The foreign tables that were read.
    pub foreign: BTreeMap<String, ForeignVersion>,
    /// When its results were stored; microseconds since 1970.
    pub finished_at: i64,
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
    /// Its chart, if the report asks for one.
    pub chart: Option<Chart>,
}

impl QueryView {
    /// For each column the digits behind the point to print, where they are stated.
    pub(crate) fn decimals(&self) -> Vec<Option<u8>> {
        let format = |name: &str| self.formats.get(name).and_then(|format| format.decimals);
        self.schema.fields().iter().map(|field| format(field.name())).collect()
    }
}
