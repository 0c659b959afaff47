//! Runs of reports, kept in the lake's `_runs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stillhouse_lake::{Lake, RunQuery, RunRow};
use stillhouse_report::{ForeignVersion, RunFilter, RunRecord, RunStore, RunStoreError};

/// `_runs` of a lake.
pub struct LakeRuns {
    lake: Arc<Lake>,
}

impl LakeRuns {
    /// The runs of this lake.
    pub fn new(lake: Arc<Lake>) -> Self {
        Self { lake }
    }
}

/// What `_runs` has no column for.
#[derive(Serialize, Deserialize)]
struct Detail {
    reasons: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    foreign: BTreeMap<String, ForeignVersion>,
}

#[async_trait]
impl RunStore for LakeRuns {
    async fn append(&self, record: &RunRecord) -> Result<(), RunStoreError> {
        Ok(self.lake.append_run(&row(record)?, record.finished_at).await?)
    }

    async fn list(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, RunStoreError> {
        let query = RunQuery {
            run_id: filter.run_id.clone(),
            report: filter.report.clone(),
            fingerprint: filter.fingerprint.clone(),
        };
        self.lake.runs(&query).await?.into_iter().map(record).collect()
    }
}

fn row(record: &RunRecord) -> Result<RunRow, RunStoreError> {
    Ok(RunRow {
        run_id: record.run_id.clone(),
        report: record.report.clone(),
        period: record.period.clone(),
        completeness: record.completeness.to_string(),
        fingerprint: record.fingerprint.clone(),
        snapshot_seq: record.snapshot_seq,
        tables: serde_json::to_string(&record.tables)?,
        inputs: serde_json::to_string(&record.inputs)?,
        result_path: record.manifest.clone(),
        result_digest: record.manifest_digest.clone(),
        started_at: record.started_at,
        finished_at: record.finished_at,
        detail: serde_json::to_string(&Detail { reasons: record.reasons.clone(), foreign: record.foreign.clone() })?,
    })
}

fn record(row: RunRow) -> Result<RunRecord, RunStoreError> {
    let detail: Detail = serde_json::from_str(&row.detail)?;
    Ok(RunRecord {
        run_id: row.run_id,
        report: row.report,
        period: row.period,
        completeness: serde_json::from_value(row.completeness.into())?,
        reasons: detail.reasons,
        fingerprint: row.fingerprint,
        snapshot_seq: row.snapshot_seq,
        tables: serde_json::from_str(&row.tables)?,
        foreign: detail.foreign,
        inputs: serde_json::from_str(&row.inputs)?,
        manifest: row.result_path,
        manifest_digest: row.result_digest,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}
