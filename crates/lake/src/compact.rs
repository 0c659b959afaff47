//! Compaction of data tables: which files to merge, and the merge. What comes of it is published as a batch like any
//! other, and is void if a source is gone when its turn comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Error;
use crate::lake::Lake;
use crate::manifest::{DataFile, TableChange};
use crate::merge::merge_files;
use crate::state::TableState;

/// When files are worth merging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionSettings {
    /// A merge reads, and a merged file has, about this many bytes at most.
    pub target_bytes: u64,
    /// Files from this size on are left alone.
    pub small_bytes: u64,
    /// Fewer files of about the same size are not worth it.
    pub files_min: usize,
    /// A merged file has at most this many rows.
    pub rows_max: Option<u64>,
}

/// Files of one table to merge into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionPlan {
    /// The table.
    pub table: String,
    /// Its version that was looked at.
    pub version: i64,
    /// The files, by their objects.
    pub sources: Vec<Arc<DataFile>>,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Rows of all of them.
    pub rows: u64,
}

impl Lake {
    /// The next merge that is worth it in a data table as of the newest receipt; `None` when there is nothing to do.
    /// Asked again after each merge was published, it comes to an end: files of about one size are merged into a
    /// larger size, so a row is rewritten a few times in all.
    pub async fn plan_compaction(
        &self,
        table: &str,
        settings: &CompactionSettings,
    ) -> Result<Option<CompactionPlan>, Error> {
        let Some(state) = self.shown(table).await? else { return Ok(None) };
        let Some(sources) = choose(&state, settings) else { return Ok(None) };
        Ok(Some(CompactionPlan {
            table: table.to_owned(),
            version: state.version,
            bytes: sources.iter().map(|file| file.size).sum(),
            rows: sources.iter().map(|file| file.rows).sum(),
            sources,
        }))
    }

    /// Carries a plan out: writes the file `<file_stem>.parquet`, which nobody sees before the change is published.
    /// Streamed. `file_stem` begins with the batch's id, so that vacuum knows whose file it is.
    pub async fn merge(&self, plan: &CompactionPlan, file_stem: &str, now: i64) -> Result<TableChange, Error> {
        let state = self.at(&plan.table, plan.version).await?;
        let merged = merge_files(&self.store, &plan.table, &state.schema, &plan.sources, file_stem, now).await?;
        Ok(TableChange {
            schema: state.metadata.schema_string.clone(),
            files: merged.into_iter().collect(),
            merged: plan.sources.iter().map(|file| file.path.clone()).collect(),
            ..TableChange::default()
        })
    }
}

/// Sizes from here on differ from tier to tier by [`TIER_FACTOR`]; all smaller files are of the lowest tier.
const TIER_BYTES: u64 = 64 << 10;
const TIER_FACTOR: u64 = 4;

fn tier(bytes: u64) -> u32 {
    let mut tier = 0;
    let mut limit = TIER_BYTES;
    while bytes >= limit {
        tier += 1;
        limit = limit.saturating_mul(TIER_FACTOR);
    }
    tier
}

/// The lowest tier with enough files, and all files of lower tiers: what comes of it is of a higher tier. Among these,
/// neighbours by object, so that statistics go on pruning.
fn choose(state: &TableState, settings: &CompactionSettings) -> Option<Vec<Arc<DataFile>>> {
    let files_min = settings.files_min.max(2);
    // Without a count of rows, nothing could be checked after the merge.
    let small = state.files.values().filter(|file| file.size < settings.small_bytes && file.rows > 0);
    let mut tiers: BTreeMap<u32, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in small {
        tiers.entry(tier(file.size)).or_default().push(file);
    }
    let mut lower: Vec<&Arc<DataFile>> = Vec::new();
    for files in tiers.into_values() {
        let is_full = files.len() >= files_min;
        lower.extend(files);
        if !is_full {
            continue;
        }
        lower.sort_by_key(|file| (file.object_min, file.object_max, &file.path));
        if let Some(group) = neighbours(&lower, settings, files_min) {
            return Some(group);
        }
    }
    None
}

/// The first group of neighbours within the limits that is worth a merge.
fn neighbours(files: &[&Arc<DataFile>], settings: &CompactionSettings, files_min: usize) -> Option<Vec<Arc<DataFile>>> {
    let rows_max = settings.rows_max.unwrap_or(u64::MAX);
    let mut group: Vec<Arc<DataFile>> = Vec::new();
    let (mut bytes, mut rows) = (0, 0);
    for file in files {
        let is_over = bytes + file.size > settings.target_bytes || rows + file.rows > rows_max;
        if is_over {
            // A group that fills a file is worth it, however few files it has.
            let is_filled = bytes >= settings.target_bytes / 2 || rows >= rows_max / 2;
            if group.len() >= files_min || (is_filled && group.len() > 1) {
                return Some(group);
            }
            group.clear();
            (bytes, rows) = (0, 0);
        }
        group.push(Arc::clone(file));
        bytes += file.size;
        rows += file.rows;
    }
    (group.len() >= files_min).then_some(group)
}
