//! One commit: built from the version that was looked at, put into the next slot.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::Error as StoreError;
use stillhouse_safeguard::Safeguard;

use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::log::{Metadata, Put, entry_path, parse_entry, put_entry};
use crate::state::{TableState, was_free};

/// Others may commit first this often. Each time one of them got on, so this only ends a livelock.
const CONFLICTS_MAX: u32 = 100;
/// The store may fail this often; the pauses between are 10 ms and double, 2.5 s in all.
const FAILURES_MAX: u32 = 8;

/// So often delta-rs tries by default.
const REBASES: i64 = 15;

/// Counts rounds of look and put.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    conflicts: u32,
    failures: u32,
}

impl Rounds {
    /// Whether a batch that is there already is to be noticed.
    pub fn looks(&self) -> bool {
        if self.conflicts + self.failures == 0 { Safeguard::LookFirst.holds() } else { Safeguard::LookAgain.holds() }
    }

    /// After a put that was not plainly done. A conflict is looked at again at once; a failing store gets some time.
    pub async fn again(&mut self, table: &str, error: StoreError) -> Result<(), Error> {
        if matches!(error, StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) {
            self.conflicts += 1;
            if self.conflicts >= CONFLICTS_MAX {
                let message = format!("table `{table}`: {CONFLICTS_MAX} commits in a row met another one");
                return Err(Error::new(Kind::Retry, message).caused_by(error));
            }
            return Ok(());
        }
        let error = Error::store(format_args!("{table}/_delta_log"), error);
        if self.failures >= FAILURES_MAX || error.kind != Kind::Retry {
            return Err(error);
        }
        tracing::warn!(table, %error, "a commit with unknown outcome; looking again");
        tokio::time::sleep(Duration::from_millis(10 << self.failures)).await;
        self.failures += 1;
        Ok(())
    }
}

/// What became of a commit.
#[derive(Debug)]
pub(crate) enum Committed {
    /// The table with it.
    Done(Arc<TableState>),
    /// Nobody knows: look at the table again.
    LookAgain(StoreError),
}

impl Lake {
    /// Puts one entry after `state` (`None`: as the table's first).
    pub(crate) async fn commit(
        &self,
        table: &str,
        state: Option<Arc<TableState>>,
        bytes: Bytes,
    ) -> Result<Committed, Error> {
        let version = next_version(state.as_deref());
        // Read back what is about to be written before it is: an entry that we could not read would block the table.
        let entry = parse_entry::<serde::de::IgnoredAny>(table, version, &bytes)
            .map_err(|e| Error::bug("a log entry of ours is not readable").caused_by(e))?;
        let mut state = match (state, &entry.metadata) {
            (Some(state), _) => state,
            (None, Some(metadata)) => Arc::new(TableState::empty(table, Metadata::clone(metadata))?),
            (None, None) => return Err(Error::bug(format!("table `{table}`: a first entry without columns"))),
        };
        match put_entry(&self.store, table, version, bytes.clone()).await {
            Put::Done if !was_free(&self.store, table, version).await? => {
                // The log went on long ago and was cleaned up: the entry lies where nobody looks.
                let path = entry_path(table, version).to_string();
                Ok(Committed::LookAgain(StoreError::AlreadyExists { path, source: "its place was cleaned up".into() }))
            }
            Put::Done => {
                self.apply(&mut state, version, entry)?;
                self.keep(&state);
                Ok(Committed::Done(state))
            }
            Put::LookAgain(error) if Safeguard::NoRebase.holds() => Ok(Committed::LookAgain(error)),
            Put::LookAgain(error) => self.rebase(table, version, bytes, error).await,
        }
    }

    /// What we never do: the same entry into one of the next slots.
    async fn rebase(&self, table: &str, version: i64, bytes: Bytes, mut error: StoreError) -> Result<Committed, Error> {
        for next in version + 1..=version + REBASES {
            match put_entry(&self.store, table, next, bytes.clone()).await {
                Put::Done => {
                    let state = self.head(table).await?;
                    return state.map(Committed::Done).ok_or_else(|| Error::bug(format!("table `{table}` is gone")));
                }
                Put::LookAgain(again) => error = again,
            }
        }
        Ok(Committed::LookAgain(error))
    }
}

/// The slot after a table's version; the first is 0.
pub(crate) fn next_version(state: Option<&TableState>) -> i64 {
    state.map_or(0, |state| state.version + 1)
}
