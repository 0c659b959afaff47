//! One commit: built from the version that was looked at, put into the next slot.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::Error as StoreError;

use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::log::{Metadata, Put, parse_entry, put_entry};
use crate::state::TableState;

/// How often one table is looked at again before a call gives up. Each round means that somebody else committed, or
/// that the store failed.
const ROUNDS_MAX: u32 = 16;

/// Counts rounds of look and put.
#[derive(Debug)]
pub(crate) struct Rounds {
    left: u32,
}

impl Rounds {
    pub fn new() -> Self {
        Self { left: ROUNDS_MAX }
    }

    /// After a put that was not plainly done. A conflict is looked at again at once; a failing store gets some time.
    pub async fn again(&mut self, table: &str, error: StoreError) -> Result<(), Error> {
        self.left -= 1;
        let mut reported = Error::store(format_args!("table {table}"), error);
        let conflict = reported.source.as_deref().is_some_and(is_conflict);
        if self.left == 0 || reported.kind == Kind::Full {
            if conflict {
                reported.message = format!("table `{table}`: {ROUNDS_MAX} commits in a row met another one");
            }
            return Err(reported);
        }
        if !conflict {
            tracing::warn!(table, error = %reported, "a commit with unknown outcome; looking again");
            tokio::time::sleep(Duration::from_millis(10 << (ROUNDS_MAX - self.left).min(7))).await;
        }
        Ok(())
    }
}

fn is_conflict(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }))
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
        match put_entry(&self.store, table, version, bytes).await {
            Put::Done => {
                Arc::make_mut(&mut state).apply(version, entry)?;
                self.keep(&state);
                Ok(Committed::Done(state))
            }
            Put::LookAgain(error) => Ok(Committed::LookAgain(error)),
        }
    }
}

/// The slot after a table's version; the first is 0.
pub(crate) fn next_version(state: Option<&TableState>) -> i64 {
    state.map_or(0, |state| state.version + 1)
}
