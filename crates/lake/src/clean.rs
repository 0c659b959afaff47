//! Clean-up of logs: entries that a checkpoint holds and that no kept version needs.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt as _};
use serde::de::IgnoredAny;

use crate::checkpoint::read_checkpoint;
use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::log::read_entry;
use crate::{RECEIPTS, RUNS};

/// What was deleted of a log, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanedLog {
    /// Entries.
    pub entries: u64,
    /// Files of checkpoints.
    pub checkpoints: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// The version that the log begins with now: that of a checkpoint. `None`: nothing could go.
    pub begins_with: Option<i64>,
}

impl Lake {
    /// The version of a table that was the newest at a time (microseconds since 1970), as far as its log says: the oldest
    /// one that it still has where the log begins later; 0 where there is no table.
    pub async fn version_at(&self, table: &str, at: i64) -> Result<i64, Error> {
        let Some(head) = self.head(table).await? else { return Ok(0) };
        for version in (0..=head.version).rev() {
            let Some(entry) = read_entry::<IgnoredAny>(&self.store, table, version).await? else {
                return Ok(version + 1);
            };
            if entry.at_ms.is_some_and(|written| written <= at.div_euclid(1000)) {
                return Ok(version);
            }
        }
        Ok(0)
    }

    /// The oldest version of a table that its log can still show.
    pub async fn begins_with(&self, table: &str) -> Result<i64, Error> {
        let shows = |part: &LogPart| part.is_whole_checkpoint || (part.is_entry && part.version == 0);
        Ok(self.list_log(table).await?.into_iter().find(shows).map_or(0, |part| part.version))
    }

    /// Deletes what versions of a table from `keep_from` on do not need of its log: everything before the newest
    /// checkpoint at or before it. Never more than the newest receipt leaves: what it names, and what a batch that is half
    /// published has put since, stay. Pinned versions are the caller's matter. With `dry_run` nothing is deleted.
    pub async fn clean_log(&self, table: &str, keep_from: i64, dry_run: bool) -> Result<CleanedLog, Error> {
        let keep_from = if table == RECEIPTS || table == RUNS {
            keep_from
        } else {
            let Some(shown) = self.shown(table).await? else { return Ok(CleanedLog::default()) };
            keep_from.min(shown.version)
        };
        self.clean_log_some(table, keep_from, dry_run, usize::MAX).await
    }

    /// [`Lake::clean_log`] with a limit of objects to delete; the rest goes another time.
    pub(crate) async fn clean_log_some(
        &self,
        table: &str,
        keep_from: i64,
        dry_run: bool,
        limit: usize,
    ) -> Result<CleanedLog, Error> {
        let Some(head) = self.head(table).await? else { return Ok(CleanedLog::default()) };
        let keep_from = keep_from.min(head.version);
        let log = self.list_log(table).await?;
        let Some(first) = self.readable_checkpoint(table, &log, keep_from).await? else {
            return Ok(CleanedLog::default());
        };
        let mut cleaned = CleanedLog { begins_with: Some(first), ..CleanedLog::default() };
        // The oldest first, one after the other: whoever finds an entry knows that none after it was deleted.
        for part in log.into_iter().filter(|part| part.version < first).take(limit) {
            let path = &part.object.location;
            if !dry_run {
                match self.store.delete(path).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(e) => return Err(Error::store(path, e)),
                }
            }
            cleaned.bytes += part.object.size;
            if part.is_entry {
                cleaned.entries += 1;
            } else {
                cleaned.checkpoints += 1;
            }
        }
        Ok(cleaned)
    }

    /// The version of the newest checkpoint at or before `keep_from` that can be read: without the entries before it, it
    /// is all that there is.
    async fn readable_checkpoint(&self, table: &str, log: &[LogPart], keep_from: i64) -> Result<Option<i64>, Error> {
        let whole = |part: &&LogPart| part.is_whole_checkpoint && part.version <= keep_from;
        let versions: BTreeSet<i64> = log.iter().filter(whole).map(|part| part.version).collect();
        for version in versions.into_iter().rev() {
            match read_checkpoint(&self.store, table, version).await {
                Ok(_) => return Ok(Some(version)),
                Err(error) if error.kind == Kind::Retry => return Err(error),
                Err(error) => tracing::warn!(table, version, %error, "checkpoint not readable; an older one is kept"),
            }
        }
        Ok(None)
    }

    /// Entries and checkpoints of a log, by version.
    pub(crate) async fn list_log(&self, table: &str) -> Result<Vec<LogPart>, Error> {
        let folder = Path::from(format!("{table}/_delta_log"));
        let found: Vec<ObjectMeta> =
            self.store.list(Some(&folder)).try_collect().await.map_err(|e| Error::store(&folder, e))?;
        let mut parts: Vec<LogPart> = found.into_iter().filter_map(LogPart::of).collect();
        parts.sort_by(|a, b| (a.version, &a.object.location).cmp(&(b.version, &b.object.location)));
        Ok(parts)
    }
}

/// An object of a log that belongs to a version.
#[derive(Debug)]
pub(crate) struct LogPart {
    pub version: i64,
    pub is_entry: bool,
    pub is_whole_checkpoint: bool,
    pub object: ObjectMeta,
}

impl LogPart {
    fn of(object: ObjectMeta) -> Option<Self> {
        let (version, rest) = object.location.filename()?.split_once('.')?;
        let version = version.parse().ok()?;
        let (is_entry, is_whole_checkpoint) = (rest == "json", rest == "checkpoint.parquet");
        let is_checkpoint = rest.starts_with("checkpoint.") && rest.ends_with(".parquet");
        (is_entry || is_checkpoint).then_some(Self { version, is_entry, is_whole_checkpoint, object })
    }
}
