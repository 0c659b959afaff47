//! What is kept of a run in `_runs`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stillhouse_spec::Completeness;

use crate::view::Input;

/// A table of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableVersion {
    /// Its Delta version.
    pub version: i64,
    /// Its files, relative to its folder.
    pub files: BTreeSet<String>,
}

/// A version of a table that something else writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignVersion {
    /// Its folder, as the project's settings have it.
    pub folder: String,
    /// The id in its log.
    pub id: String,
    /// Its Delta version.
    pub version: u64,
    /// BLAKE3 of the names and sizes of its files, hex: a copy of the table may have gone another way since.
    pub files: String,
}

/// A row of `_runs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run.
    pub run_id: String,
    /// The report.
    pub report: String,
    /// The period.
    pub period: String,
    /// How whole the inputs were.
    pub completeness: Completeness,
    /// Why they were not COMPLETE.
    pub reasons: Vec<String>,
    /// Report, parameters, files, inputs, completeness and program in one digest: equal ones give equal results.
    pub fingerprint: String,
    /// The snapshot.
    pub snapshot_seq: i64,
    /// The tables that were read, with their versions.
    pub tables: BTreeMap<String, i64>,
    /// The foreign tables that were read. Nothing keeps their versions.
    pub foreign: BTreeMap<String, ForeignVersion>,
    /// What it was made from.
    pub inputs: Vec<Input>,
    /// Its manifest, relative to the lake's folder; the results lie beside it.
    pub manifest: String,
    /// BLAKE3 of the manifest, hex; the manifest holds the digests of the results.
    pub manifest_digest: String,
    /// When it was started; microseconds since 1970.
    pub started_at: i64,
    /// When its results were stored; microseconds since 1970.
    pub finished_at: i64,
}

/// Which runs to read; every stated part has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this one.
    pub run_id: Option<String>,
    /// Only those of this report.
    pub report: Option<String>,
    /// Only those with this fingerprint.
    pub fingerprint: Option<String>,
}

/// What keeps `_runs`.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Adds a run; a run id that is there already is left as it is.
    async fn append(&self, record: &RunRecord) -> Result<(), RunStoreError>;
    /// The runs that fit, oldest first.
    async fn list(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, RunStoreError>;
}

/// What a [`RunStore`] may answer instead.
pub type RunStoreError = Box<dyn std::error::Error + Send + Sync>;
