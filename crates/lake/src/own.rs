//! `_receipts` and `_runs` keep themselves compact: a commit that adds rows also merges files that have become many.
//! Files are merged by size, small ones into larger ones, and left alone once they are large: a commit never has to
//! rewrite more than [`MERGED_BYTES_MAX`], and the number of files grows by one with about every [`LARGE_BYTES`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::RECEIPTS;
use crate::error::Error;
use crate::lake::Lake;
use crate::log::{Commit, Metadata};
use crate::manifest::DataFile;
use crate::merge::merge_files;
use crate::read;
use crate::schema::{receipts_schema, runs_schema};
use crate::state::TableState;

/// So many files of one size are merged.
const FILES_MAX: usize = 32;
/// Files below this are of the smallest size.
const SMALL_BYTES: u64 = 128 << 10;
/// Files from this on are never merged again.
const LARGE_BYTES: u64 = 4 << 20;
/// One merge reads at most this much.
const MERGED_BYTES_MAX: u64 = 16 << 20;

/// Files to take out of a table, and the one that has their rows now.
#[derive(Debug)]
pub(crate) struct Tidied {
    sources: Vec<Arc<DataFile>>,
    merged: Option<DataFile>,
    /// The table's settings, if it does not have them yet.
    metadata: Option<Metadata>,
}

impl Lake {
    /// Merges files of `_receipts` or `_runs` if it is time. A failure costs time later, nothing else: then nothing is
    /// merged.
    pub(crate) async fn tidy(&self, state: &TableState, now: i64) -> Option<Tidied> {
        let sources = due(state)?;
        let table = state.table.as_str();
        let schema = if table == RECEIPTS { receipts_schema() } else { runs_schema() };
        let stem = self.file_stem("compact", table, state.version + 1);
        match merge_files(&self.store, table, &schema, &sources, &stem, now).await {
            Ok(merged) => {
                let metadata = (!state.metadata.is_configured(table)).then(|| state.metadata.clone().configured(table));
                Some(Tidied { sources, merged, metadata })
            }
            Err(error) => {
                tracing::warn!(table, %error, "files were not merged this time");
                None
            }
        }
    }
}

impl Commit {
    /// Takes the merge into the commit. Rows stay what they are.
    pub fn tidy(&mut self, tidied: &Tidied) -> Result<(), Error> {
        if let Some(metadata) = &tidied.metadata {
            self.metadata(metadata)?;
        }
        self.moving(|commit| {
            tidied.sources.iter().try_for_each(|file| commit.remove(file))?;
            tidied.merged.iter().try_for_each(|file| commit.add(file))
        })
    }
}

/// The files to merge now, the oldest first; `None` when there are few of each size.
fn due(state: &TableState) -> Option<Vec<Arc<DataFile>>> {
    let mut sizes: BTreeMap<bool, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in state.files.values().filter(|file| file.size < LARGE_BYTES && file.rows > 0) {
        sizes.entry(file.size >= SMALL_BYTES).or_default().push(file);
    }
    sizes.into_values().filter(|files| files.len() >= FILES_MAX).find_map(|files| {
        // Rows that begin an epoch stay apart, where they are found.
        let (epochs, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| may_hold_epoch(file));
        [others, epochs].into_iter().find_map(oldest)
    })
}

fn oldest(mut files: Vec<&Arc<DataFile>>) -> Option<Vec<Arc<DataFile>>> {
    if files.len() < FILES_MAX {
        return None;
    }
    files.sort_by_cached_key(|file| (read::int_bounds(file, "seq"), file.modified_at_ms, file.path.clone()));
    let mut bytes = 0;
    let within = files.into_iter().take_while(|file| {
        bytes += file.size;
        bytes <= MERGED_BYTES_MAX
    });
    Some(within.cloned().collect())
}

/// Whether a file of `_receipts` may hold a row that begins an epoch: only these have no seq.
pub(crate) fn may_hold_epoch(file: &DataFile) -> bool {
    read::null_count(file, "seq") != Some(0) && file.rows > 0
}
