//! Tables as this process knows them: moved on by reading what is new in their logs.

use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::error::Error;
use crate::lake::{Lake, lock};
use crate::log::{Entry, read_entry};
use crate::state::{TableState, followed, is_newest};
use crate::{RECEIPTS, RUNS, checkpoint_write};

/// A table gets a checkpoint after this many versions.
const VERSIONS_PER_CHECKPOINT: i64 = 100;
/// `_receipts` and `_runs` keep about this many entries of their logs; nobody reads an older version of them.
const VERSIONS_KEPT: i64 = 300;
/// A commit deletes at most this many objects of an old log.
const DELETED_MAX: usize = 1000;

impl Lake {
    /// Writes a checkpoint of a table's newest version, so that opening it reads less. Never needed for correctness.
    pub async fn checkpoint(&self, table: &str) -> Result<(), Error> {
        let Some(state) = self.head(table).await? else { return Ok(()) };
        checkpoint_write::write(&self.store, &state).await?;
        let version = state.version;
        drop(state);
        if let Some(state) = lock(&self.heads).get_mut(table).filter(|state| state.version >= version) {
            Arc::make_mut(state).checkpoint = Some(version);
        }
        Ok(())
    }

    /// A checkpoint for each of these tables that has come far enough. A failure costs time later, nothing else.
    pub(crate) async fn checkpoint_where_due(&self, tables: impl Iterator<Item = &str>) {
        for table in tables {
            let known = lock(&self.heads).get(table).map(|state| (state.version, state.checkpoint.unwrap_or(0)));
            let Some((version, last)) = known.filter(|(version, last)| version - last >= VERSIONS_PER_CHECKPOINT)
            else {
                continue;
            };
            if let Err(error) = self.checkpoint(table).await {
                tracing::warn!(table, %error, "no checkpoint this time");
                continue;
            }
            if table == RECEIPTS || table == RUNS {
                let cleaned = self.clean_log_some(table, version - VERSIONS_KEPT, false, DELETED_MAX).await;
                if let Err(error) = cleaned {
                    tracing::warn!(table, last, %error, "the log was not cleaned up this time");
                }
            }
        }
    }

    /// A table at its newest version, `None` when there is none.
    pub(crate) async fn head(&self, table: &str) -> Result<Option<Arc<TableState>>, Error> {
        let known = lock(&self.heads).get(table).cloned();
        if let Some(state) = known {
            if let Some(state) = self.advance(state, None).await?
                && is_newest(&self.store, table, state.version).await?
            {
                self.keep(&state);
                return Ok(Some(state));
            }
            // What we knew was cleaned up, or is no more.
            lock(&self.heads).remove(table);
        }
        let Some(state) = TableState::load(&self.store, table, None).await? else { return Ok(None) };
        let state = Arc::new(state);
        self.keep(&state);
        Ok(Some(state))
    }

    /// Reads on from what was known; `None` if that was cleaned up meanwhile.
    async fn advance(&self, mut state: Arc<TableState>, until: Option<i64>) -> Result<Option<Arc<TableState>>, Error> {
        let from = state.version;
        while until.is_none_or(|until| state.version < until) {
            let next = state.version + 1;
            let Some(entry) = read_entry::<IgnoredAny>(&self.store, &state.table, next).await? else { break };
            self.apply(&mut state, next, entry)?;
        }
        Ok(followed(&self.store, &state.table, from, state.version).await?.then_some(state))
    }

    /// Takes over the next entry, without copying the table's files if only this state and `heads` know them.
    pub(crate) fn apply<M>(&self, state: &mut Arc<TableState>, version: i64, entry: Entry<M>) -> Result<(), Error> {
        let mut heads = lock(&self.heads);
        if heads.get(&state.table).is_some_and(|known| Arc::ptr_eq(known, state)) {
            heads.remove(&state.table);
        }
        drop(heads);
        Arc::make_mut(state).apply(version, entry)
    }

    /// Remembers a state, unless a newer one is known.
    pub(crate) fn keep(&self, state: &Arc<TableState>) {
        let mut heads = lock(&self.heads);
        if heads.get(&state.table).is_none_or(|known| known.version < state.version) {
            heads.insert(state.table.clone(), Arc::clone(state));
        }
    }

    /// A table at one version.
    pub(crate) async fn at(&self, table: &str, version: i64) -> Result<Arc<TableState>, Error> {
        let known = [lock(&self.heads).get(table).cloned(), lock(&self.shown).get(table).cloned()];
        let nearest = known.into_iter().flatten().filter(|state| state.version <= version).max_by_key(|s| s.version);
        let advanced = match nearest {
            Some(state) => self.advance(state, Some(version)).await?.filter(|state| state.version == version),
            None => None,
        };
        let state = match advanced {
            Some(state) => state,
            // Entries in between may be cleaned up.
            None => {
                let loaded = TableState::load(&self.store, table, Some(version)).await?;
                Arc::new(loaded.ok_or_else(|| missing_version(table, version))?)
            }
        };
        self.keep(&state);
        lock(&self.shown).insert(table.to_owned(), Arc::clone(&state));
        Ok(state)
    }
}

fn missing_version(table: &str, version: i64) -> Error {
    Error::fix_data(format!(
        "table `{table}`: expected version {version}, which the newest receipt names, found an older one"
    ))
    .hint("log entries are missing; restore the lake from a copy")
}
