//! Run: a report over one snapshot, stored with what it was made from.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use stillhouse_query::Session;
use stillhouse_spec::{Completeness, Period, Report};

use crate::completeness::SourceState;
use crate::error::{Error, Kind};
use crate::view::RunView;

/// What runs need, whatever the report.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    /// The tables of one snapshot.
    pub session: &'a Session,
    /// The versions and files of the same snapshot, by table.
    pub tables: &'a BTreeMap<String, TableVersion>,
    /// Where the lake is.
    pub store: &'a Arc<dyn ObjectStore>,
    /// The lake's folder in the store.
    pub root: &'a Path,
    /// Who keeps `_runs`.
    pub runs: &'a dyn RunStore,
}

/// One report for one period.
#[derive(Debug, Clone)]
pub struct RunRequest<'a> {
    /// The report.
    pub report: &'a Report,
    /// The period; one that the report's kind takes.
    pub period: Period,
    /// The project's time zone.
    pub zone: &'a TimeZone,
    /// Every source of the project; those that do not feed the report are left out.
    pub sources: &'a [SourceState<'a>],
    /// A new random id.
    pub run_id: &'a str,
    /// Now, in microseconds since 1970.
    pub now: i64,
}

/// A table of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableVersion {
    /// Its Delta version.
    pub version: i64,
    /// Its files, relative to its folder, sorted.
    pub files: Vec<String>,
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
    /// Report, parameters, files and completeness in one digest: equal ones give equal results.
    pub fingerprint: String,
    /// How whole the inputs were.
    pub completeness: Completeness,
    /// When it was started; microseconds since 1970.
    pub started_at: i64,
    /// Its manifest, relative to the lake's folder.
    pub manifest: String,
    /// BLAKE3 of the manifest, hex.
    pub manifest_digest: String,
}

/// What keeps `_runs`.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Adds a run; a run id that is there already is left as it is.
    async fn append(&self, record: &RunRecord) -> Result<(), RunStoreError>;
    /// All runs, oldest first.
    async fn list(&self) -> Result<Vec<RunRecord>, RunStoreError>;
}

/// What a [`RunStore`] may answer instead.
pub type RunStoreError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the report, or loads the run that already did the same.
///
/// # Errors
/// When a query fails or a result cannot be stored; then there is no row in `_runs`.
pub async fn run(_context: RunContext<'_>, _request: &RunRequest<'_>) -> Result<RunView, Error> {
    Err(Error::new(Kind::Bug, "runs are not written yet"))
}

/// Loads a run with its results.
///
/// # Errors
/// When its files are gone or are not what the run wrote.
pub async fn load(_store: &Arc<dyn ObjectStore>, _root: &Path, _record: &RunRecord) -> Result<RunView, Error> {
    Err(Error::new(Kind::Bug, "runs are not written yet"))
}
