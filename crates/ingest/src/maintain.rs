//! `maintain`: merge small files, write checkpoints, shorten logs, clear away what nothing needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use stillhouse_lake::{CompactionSettings, RunQuery, Vacuum, Vacuumed};
use stillhouse_safeguard::Safeguard;

use crate::compact::{Merged, compact, is_data_table};
use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::publish::{drain, open};

/// What to do.
#[derive(Debug, Clone)]
pub struct MaintainRequest {
    /// Merged files are about this large.
    pub file_bytes: u64,
    /// What readers of versions younger than this may need stays.
    pub keep: Duration,
    /// Attempts that ended longer ago are forgotten, with their logs.
    pub keep_attempts: Duration,
    /// The lake's folder, if it is one: half-written files in it go too.
    pub folder: Option<PathBuf>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Maintained {
    /// Small files that were merged, by table.
    pub merged: BTreeMap<String, Merged>,
    /// Entries of logs that were deleted, by table.
    pub log_entries: BTreeMap<String, u64>,
    /// Files that nothing needs any more.
    pub deleted_files: u64,
    /// Their bytes.
    pub deleted_bytes: u64,
    /// Files in folders of tables that are not ours; they stay.
    pub unknown_files: Vec<String>,
    /// Attempts that were forgotten.
    pub attempts: u64,
    /// Why something was left.
    pub problems: Vec<String>,
}

/// Fewer files than this are not worth a merge.
const FILES_MIN: usize = 4;
/// An amendment or compaction that was announced so long ago and is not staged has died.
const ANNOUNCED_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Does all of it, table by table. May be stopped anywhere; what was done stays done.
pub async fn maintain(ingest: &Ingest, request: &MaintainRequest) -> Result<Maintained, Error> {
    open(ingest).await?;
    let mut done = Maintained::default();
    if !request.dry_run {
        drain(ingest, &mut BTreeSet::new()).await?;
    }
    let tables: Vec<String> = ingest.lake.snapshot().await?.tables.into_keys().collect();
    for table in tables.iter().filter(|table| is_data_table(table)) {
        ingest.check_stop()?;
        let merged = merge(ingest, table, request).await?;
        done.merged.insert(table.clone(), merged);
    }
    done.merged.retain(|_, merged| merged.files > 0);
    let pinned = pinned(ingest).await?;
    vacuum(ingest, request, &pinned, &mut done).await?;
    for table in &tables {
        ingest.check_stop()?;
        shorten_log(ingest, table, request, &pinned, &mut done).await?;
    }
    if !request.dry_run {
        let before = ingest.now().saturating_sub(micros(request.keep_attempts));
        done.attempts = ingest.ledger.trim(before, ingest.now()).await?.attempts;
    }
    Ok(done)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

async fn merge(ingest: &Ingest, table: &str, request: &MaintainRequest) -> Result<Merged, Error> {
    let settings = CompactionSettings {
        target_bytes: request.file_bytes,
        small_bytes: request.file_bytes / 2,
        files_min: FILES_MIN,
        rows_max: None,
    };
    if !request.dry_run {
        return compact(ingest, table, &settings).await;
    }
    // The first merge; what follows depends on it.
    let plan = ingest.lake.plan_compaction(table, &settings).await?;
    Ok(plan.map_or_else(Merged::default, |plan| Merged {
        files: plan.sources.len() as u64,
        into: 1,
        bytes: plan.bytes,
    }))
}

/// Versions of tables that recorded runs of reports were made from: they stay as long as the run is recorded. A run that was
/// recorded only after its versions had been cleared away keeps nothing.
pub async fn pinned(ingest: &Ingest) -> Result<BTreeMap<String, BTreeSet<i64>>, Error> {
    let mut pinned: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    if !Safeguard::VacuumPinned.holds() {
        return Ok(pinned);
    }
    for run in ingest.lake.runs(&RunQuery::default()).await? {
        let tables: BTreeMap<String, i64> = serde_json::from_str(&run.tables).map_err(|error| {
            Error::new(Kind::FixData, format!("run `{}`: its tables cannot be read", run.run_id)).with_source(error)
        })?;
        for (table, version) in tables {
            pinned.entry(table).or_default().insert(version);
        }
    }
    for (table, versions) in &mut pinned {
        let begins_with = ingest.lake.begins_with(table).await?;
        versions.retain(|version| *version >= begins_with);
    }
    Ok(pinned)
}

/// First the files, then who may still want them, then what the logs name: in any other order something that is being
/// committed could be taken for rubbish.
async fn vacuum(
    ingest: &Ingest,
    request: &MaintainRequest,
    pinned: &BTreeMap<String, BTreeSet<i64>>,
    done: &mut Maintained,
) -> Result<(), Error> {
    let now = ingest.now();
    let asked_too_early =
        if Safeguard::VacuumListsFirst.holds() { None } else { Some(ingest.ledger.live_attempts().await?) };
    let listing = ingest.lake.list_files().await?;
    if Safeguard::VacuumOwner.holds() {
        // Another ledger that has taken over since may have written files that this one knows nothing of.
        open(ingest).await?;
    }
    if !request.dry_run {
        ingest.ledger.give_up_announced(now.saturating_sub(ANNOUNCED_MICROS)).await?;
    }
    let live = match asked_too_early {
        Some(live) => live,
        None if Safeguard::VacuumAsks.holds() => ingest.ledger.live_attempts().await?,
        None => BTreeSet::new(),
    };
    let vacuum = Vacuum {
        listing,
        live,
        pinned: pinned.clone(),
        keep_after: now.saturating_sub(micros(request.keep)),
        folder: request.folder.clone(),
        dry_run: request.dry_run,
        now,
    };
    let Vacuumed { files, unknown, problems } = ingest.lake.vacuum(&vacuum, ingest.observer.as_ref()).await?;
    done.deleted_files = files.len() as u64;
    done.deleted_bytes = files.iter().map(|file| file.bytes).sum();
    done.unknown_files = unknown.into_iter().map(|(path, _)| path).collect();
    done.problems.extend(problems);
    Ok(())
}

/// Writes a checkpoint, and deletes the entries before the oldest version that anybody may ask for.
async fn shorten_log(
    ingest: &Ingest,
    table: &str,
    request: &MaintainRequest,
    pinned: &BTreeMap<String, BTreeSet<i64>>,
    done: &mut Maintained,
) -> Result<(), Error> {
    if !request.dry_run {
        ingest.lake.checkpoint(table).await?;
    }
    let keep_after = ingest.now().saturating_sub(micros(request.keep));
    let young = ingest.lake.version_at(table, keep_after).await?;
    let oldest = pinned.get(table).and_then(|versions| versions.first()).copied();
    let keep_from = oldest.map_or(young, |oldest| oldest.min(young));
    let cleaned = ingest.lake.clean_log(table, keep_from, request.dry_run).await?;
    if cleaned.entries > 0 {
        done.log_entries.insert(table.to_owned(), cleaned.entries);
    }
    Ok(())
}
