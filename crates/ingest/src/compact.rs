//! Compaction: small files of a table become larger ones, through the publish queue like everything else.

use std::collections::{BTreeMap, BTreeSet};

use stillhouse_lake::{CompactionPlan, CompactionSettings, MANIFEST_FORMAT, Manifest, ManifestKind};

use crate::context::Ingest;
use crate::error::Error;
use crate::publish::drain;

/// What ingest does by itself: keeps the number of files small, and leaves large ones alone.
pub(crate) const BY_ITSELF: CompactionSettings =
    CompactionSettings { target_bytes: 64 << 20, small_bytes: 8 << 20, files_min: 64, rows_max: Some(8_000_000) };

/// What was merged in one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// Files that are gone.
    pub files: u64,
    /// Files that took their place.
    pub into: u64,
    /// Bytes that were read.
    pub bytes: u64,
}

/// Merges in every data table what is worth it. To be called where nothing else is waiting.
pub(crate) async fn compact_where_due(ingest: &Ingest) -> Result<(), Error> {
    for table in ingest.lake.snapshot().await?.tables.keys().filter(|name| is_data_table(name)) {
        compact(ingest, table, &BY_ITSELF).await?;
    }
    Ok(())
}

/// Whether batches write to the table.
pub(crate) fn is_data_table(name: &str) -> bool {
    name != stillhouse_lake::RECEIPTS && name != stillhouse_lake::RUNS
}

/// Merges until nothing is worth it any more.
pub(crate) async fn compact(ingest: &Ingest, table: &str, settings: &CompactionSettings) -> Result<Merged, Error> {
    let mut merged = Merged::default();
    let mut version = -1;
    while let Some(plan) = ingest.lake.plan_compaction(table, settings).await? {
        ingest.check_stop()?;
        // Also a void merge moves the newest receipt, and with it the version; else this would go on for ever.
        if plan.version <= version && merged.files > 0 {
            break;
        }
        version = plan.version;
        let into = merge(ingest, &plan).await?;
        merged.files += plan.sources.len() as u64;
        merged.into += into;
        merged.bytes += plan.bytes;
    }
    Ok(merged)
}

/// Carries one plan out and brings it into the lake; how many files came of it.
async fn merge(ingest: &Ingest, plan: &CompactionPlan) -> Result<u64, Error> {
    let batch_id = ingest.new_id();
    ingest.ledger.announce(&batch_id, ingest.now()).await?;
    let change = ingest.lake.merge(plan, &format!("{batch_id}-0"), ingest.now()).await?;
    let into = change.files.len() as u64;
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        kind: ManifestKind::Compact,
        batch_id: batch_id.clone(),
        ledger_id: ingest.ledger.ledger_id().to_owned(),
        tables: BTreeMap::from([(plan.table.clone(), change)]),
        members: Vec::new(),
    };
    ingest.lake.check(&manifest).await??;
    ingest.observer.at("compact-planned")?;
    ingest.ledger.stage_compact(&batch_id, &manifest.to_json()?, ingest.now()).await?;
    ingest.observer.at("staged")?;
    drain(ingest, &mut BTreeSet::new()).await?;
    Ok(into)
}
