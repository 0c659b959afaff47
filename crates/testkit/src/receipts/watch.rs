//! How long commits take, seen from the kill points that the product passes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use stillhouse_lake::{Error, Observer};

/// Times from `staged` (the batch is in the queue) to `finished` (it is in the lake, and the ledger knows).
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Seen>);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    began: Option<Instant>,
    merging: bool,
    /// Of batches that loaded something; checkpoints that fell due are part of them.
    pub commits: Vec<Duration>,
    /// Of batches that merged small files.
    pub merges: Vec<Duration>,
}

impl Watch {
    /// What was seen since the last time.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Watch {
    fn at(&self, point: &str) -> Result<(), Error> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match point {
            "compact-planned" => seen.merging = true,
            "staged" => seen.began = Some(now()),
            "finished" => {
                if let Some(took) = seen.began.take().map(|began| began.elapsed()) {
                    let merging = std::mem::take(&mut seen.merging);
                    if merging { seen.merges.push(took) } else { seen.commits.push(took) }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a commit takes is what is measured; no other result depends on it"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
