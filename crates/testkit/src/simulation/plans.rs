//! What goes wrong in a task: how often, and where it is stopped.

use super::actor::Task;
use super::house::House;
use super::process::{At, Plan, What};

/// Points by name, where a batch is loaded, amended or merged; a trap springs at the first, second or third of them.
const OF_BATCHES: &[&str] = &[
    "claimed",
    "files-written",
    "transaction-before stage",
    "transaction-after stage",
    "staged",
    "taken",
    "looked",
    "rewritten",
    "put:",
    "put-unknown",
    "between",
    "before-receipt",
    "put-after lake/_receipts/_delta_log",
    "receipted",
    "transaction-before finish",
    "finished",
    "withdraw-decided",
];
const OF_REPLAYS: &[&str] =
    &["replay-planned", "replay-planned", "transaction-before stage_amend", "looked", "rewritten"];
const OF_REBUILDS: &[&str] = &[
    "transaction-after begin_rebuild",
    "looked",
    "epoch-in-R",
    "fenced:",
    "fenced-all",
    "undone:",
    "transaction-before import",
    "queue-restored",
    "transaction-before open_for_work",
];
const OF_MAINTENANCE: &[&str] = &[
    "compact-planned",
    "transaction-before stage_compact",
    "transaction-before live_attempts",
    "transaction-after live_attempts",
    "vacuum-listed",
    "delete-before",
    "delete-before",
    "delete-before",
    "delete-after",
    "delete-after",
    "delete-after",
    "delete-after",
];
const OF_REPORTS: &[&str] = &["put-before lake/_runs", "put-after lake/_runs"];

/// A task passes about so many points.
const POINTS_MAX: u64 = 90;

impl House {
    pub(super) fn choose_plan(&mut self, task: &Task) -> Plan {
        let permille = [0, 0, 0, 0, 5, 5, 15, 15, 40, 80][self.random.below(10)];
        let what = [None, None, None, Some(What::Kill), Some(What::Stall), Some(What::Stall)][self.random.below(6)];
        let trap = what.map(|what| (self.choose_point(task), what));
        Plan::new(permille, trap)
    }

    /// Any point, or one where it matters.
    pub(super) fn choose_point(&mut self, task: &Task) -> At {
        if self.random.below(2) == 0 {
            return At::Nth(1 + self.random.next_u64() % POINTS_MAX);
        }
        At::Named(self.choose_name(task), [1, 1, 1, 2, 3][self.random.below(5)])
    }

    pub(super) fn choose_name(&mut self, task: &Task) -> &'static str {
        let own = match task {
            Task::Ingest(_) => OF_BATCHES,
            Task::Replay(_) | Task::Drop(_) => OF_REPLAYS,
            Task::Rebuild => OF_REBUILDS,
            Task::Maintain => OF_MAINTENANCE,
            Task::Report | Task::Audit => OF_REPORTS,
        };
        let points = if self.random.below(4) == 0 { OF_BATCHES } else { own };
        points[self.random.below(points.len())]
    }
}
