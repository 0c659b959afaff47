//! The time of each commit.

use std::time::Duration;

use serde_json::{Value, json};

use super::site::{Plan, Site};
use super::watch::now;

/// Times of one or several rounds, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// From the moment at which a batch is in the queue to that at which it is in the lake: commits to the tables and to
    /// `_receipts`, the merges of `_receipts` within them, checkpoints that fell due.
    pub commits: Vec<u64>,
    /// Whole calls of `ingest()` that brought one batch each, with the merges of data tables that came along.
    pub calls: Vec<u64>,
    /// Merges of data tables alone.
    pub merges: Vec<u64>,
}

/// Goes on with the lake for so many commits, one for each call of `ingest()`. `first` is the number of the first file.
pub async fn measure(plan: &Plan, first: u64, commits: u64) -> Measured {
    let site = Site::open(plan).await;
    let each = u64::from(plan.per_commit);
    let mut measured = Measured::default();
    for commit in 0..commits {
        let first = first + commit * each;
        site.put(first, each).await;
        let began = now();
        site.ingest(each).await;
        measured.calls.push(micros(began.elapsed()));
        site.remove(first, each).await;
        let seen = site.watch.take();
        assert_eq!(seen.commits.len(), 1, "batches of one call");
        measured.commits.extend(seen.commits.into_iter().map(micros));
        measured.merges.extend(seen.merges.into_iter().map(micros));
    }
    site.close().await;
    measured
}

impl Measured {
    pub(super) fn to_json(&self) -> Value {
        json!({ "commits": self.commits, "calls": self.calls, "merges": self.merges })
    }

    pub(super) fn from_json(value: &Value) -> Self {
        let list = |name: &str| value[name].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        Self { commits: list("commits"), calls: list("calls"), merges: list("merges") }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.commits.extend(other.commits);
        self.calls.extend(other.calls);
        self.merges.extend(other.merges);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).expect("a commit takes less than an age")
}

/// The smallest of these times that so many per cent of them do not exceed; 0 of none.
pub(super) fn percentile(times: &[u64], percent: usize) -> u64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let place = (times.len() * percent).div_ceil(100);
    times.get(place.saturating_sub(1)).copied().unwrap_or(0)
}
