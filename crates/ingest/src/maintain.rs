//! `maintain`: merge small files, write checkpoints, clear away what nothing needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use stillhouse_lake::CompactionSettings;

use crate::compact::{Merged, compact, is_data_table};
use crate::context::Ingest;
use crate::error::Error;
use crate::publish::{drain, open};

/// What to do.
#[derive(Debug, Clone)]
pub struct MaintainRequest {
    /// Merged files are about this large.
    pub file_bytes: u64,
    /// What readers of versions younger than this may need stays.
    pub keep: Duration,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Maintained {
    /// By table.
    pub merged: BTreeMap<String, Merged>,
    /// The versions of which checkpoints were written, by table.
    pub checkpoints: BTreeMap<String, i64>,
}

/// Fewer files than this are not worth a merge.
const FILES_MIN: usize = 4;

/// Does all of it, table by table. May be stopped anywhere; what was done stays done.
pub async fn maintain(ingest: &Ingest, request: &MaintainRequest) -> Result<Maintained, Error> {
    open(ingest).await?;
    let mut done = Maintained::default();
    if !request.dry_run {
        drain(ingest, &mut BTreeSet::new()).await?;
    }
    let settings = CompactionSettings {
        target_bytes: request.file_bytes,
        small_bytes: request.file_bytes / 2,
        files_min: FILES_MIN,
        rows_max: None,
    };
    let tables: Vec<String> = ingest.lake.snapshot().await?.tables.into_keys().collect();
    for table in tables {
        ingest.check_stop()?;
        if is_data_table(&table) {
            let merged = if request.dry_run {
                would(ingest, &table, &settings).await?
            } else {
                compact(ingest, &table, &settings).await?
            };
            done.merged.insert(table.clone(), merged);
        }
        if !request.dry_run {
            ingest.lake.checkpoint(&table).await?;
        }
    }
    done.merged.retain(|_, merged| merged.files > 0);
    Ok(done)
}

/// The first merge; what follows depends on it.
async fn would(ingest: &Ingest, table: &str, settings: &CompactionSettings) -> Result<Merged, Error> {
    let plan = ingest.lake.plan_compaction(table, settings).await?;
    Ok(plan.map_or_else(Merged::default, |plan| Merged {
        files: plan.sources.len() as u64,
        into: 1,
        bytes: plan.bytes,
    }))
}
