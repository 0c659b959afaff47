//! The manifest of a run: everything that it was made from. It is kept for good, so its form is versioned.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use stillhouse_query::{Params, Value};
use stillhouse_spec::{ChartSettings, ColumnFormat, Completeness, CurrentView};

use crate::record::{ForeignVersion, TableVersion};
use crate::view::Input;

/// The form that this version writes. Readers refuse a higher one.
pub(crate) const MANIFEST_FORMAT: u32 = 1;

/// Everything that a run was made from, and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) run_id: String,
    pub(crate) report: String,
    pub(crate) title: String,
    pub(crate) period: String,
    /// [`stillhouse_spec::Report::fingerprint`].
    pub(crate) report_fingerprint: String,
    /// See [`crate::RunRecord::fingerprint`].
    pub(crate) fingerprint: String,
    /// The version of the program that ran it.
    pub(crate) program: String,
    pub(crate) snapshot_seq: i64,
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) parameters: BTreeMap<String, Json>,
    /// The tables that the queries read, and no others.
    pub(crate) tables: BTreeMap<String, TableVersion>,
    /// The same of tables that something else writes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) foreign: BTreeMap<String, ForeignVersion>,
    /// The views that the queries name, and the rules by which they were made from the tables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) views: BTreeMap<String, CurrentView>,
    pub(crate) inputs: Vec<Input>,
    /// For each source the fingerprints of the source files by which its objects were read; the texts lie in the lake
    /// under these names, and that of the report under `report_fingerprint`.
    #[serde(default)]
    pub(crate) sources: BTreeMap<String, BTreeSet<String>>,
    pub(crate) completeness: Completeness,
    pub(crate) reasons: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) queries: Vec<QueryManifest>,
}

/// One query of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct QueryManifest {
    pub(crate) name: String,
    pub(crate) title: String,
    /// The SQL file, relative to the project folder.
    pub(crate) source: String,
    pub(crate) sql: String,
    pub(crate) formats: BTreeMap<String, ColumnFormat>,
    /// The chart that the report asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chart: Option<ChartSettings>,
    /// The result, relative to the folder of the run.
    pub(crate) file: String,
    pub(crate) rows: u64,
    /// BLAKE3 of the rows, hex: the same for the same rows in the same order.
    pub(crate) digest: String,
    /// BLAKE3 of the file, hex.
    pub(crate) file_digest: String,
}

/// Parameters in a form that tells their types apart.
pub(crate) fn parameters(params: &Params) -> BTreeMap<String, Json> {
    params.iter().map(|(name, value)| (name.clone(), parameter(value))).collect()
}

fn parameter(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Date(days) => json!({ "days": days }),
        Value::Timestamp(micros) => json!({ "micros": micros }),
    }
}
