//! The adversary: random histories of a project, in which everything fails that can fail, and an auditor that knows what
//! the files said.
//!
//! A history ([`history`]) follows from its seed. It has up to two processes at a time, each with its own handles and a
//! ledger of its own or a common one, on one lake in memory; only one of them runs at any moment. A process can be stopped
//! for good or hang at every operation of its store, every transaction of its ledger and every kill point of the commit
//! protocol; operations fail before or after they take effect, or take effect when nobody expects them any more. In
//! between, files are corrected, repeated, renamed and removed, ledgers are lost, copied and taken over, contracts change,
//! and the clock jumps. After each step the auditor reads the lake by itself, without the crates under test. At the end everything is
//! brought to rest, and then the tables must be what the files are.

mod actor;
mod audit;
mod command;
mod content;
mod driver;
mod files;
mod house;
mod kinds;
mod plans;
mod process;
mod recovery;
mod run;
mod scenes;
mod store;
mod truth;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::audit::Broken;
pub use self::command::{USAGE, command};
use self::house::House;
pub use self::kinds::{KINDS, Kind};
pub use self::run::{Run, run};

/// A history takes a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(100);

/// A history that was lived to its end, or to the first invariant that broke.
#[derive(Debug, Clone)]
pub struct History {
    /// From which it follows.
    pub seed: u64,
    /// Of everything that was written and decided; the same seed gives the same hash.
    pub hash: String,
    /// Steps before the final recovery.
    pub steps: u64,
    /// Faults.
    pub faults: u64,
    /// How often each kind of step, fault and kill point occurred.
    pub counts: BTreeMap<String, u64>,
    /// What does not hold, if anything.
    pub broken: Option<Broken>,
    /// The trace, if it was asked for.
    pub trace: Vec<String>,
}

/// Kills a process at every point of one task (`ingest`, `quarantine replay` or `maintain`) in turn, deletes the ledger, makes
/// it anew from the lake, audits and goes on. Answers how many points there were; an error says where the lake was not
/// enough. To be called on a runtime of one thread.
pub async fn lose_the_ledger_during(task: &str) -> Result<u64, Broken> {
    let Some(task) = scenes::tasks().into_iter().find(|known| known.name() == task) else {
        return audit::broken("driver", format!("no such task: {task}"));
    };
    for point in 1.. {
        let mut house = House::new(1, false);
        let lived = Box::pin(house.lose_the_ledger(task.clone(), point)).await;
        let place = |broken: Broken| {
            let message = format!("{}, point {point}: {}", task.name(), broken.message);
            Broken { invariant: broken.invariant, message }
        };
        if !lived.map_err(place)? {
            return Ok(point - 1);
        }
    }
    Ok(0)
}

/// Lives through the history of a seed. To be called on a runtime of one thread.
pub async fn history(seed: u64, keep_trace: bool) -> History {
    let mut house = House::new(seed, keep_trace);
    let lived = tokio::time::timeout(PATIENCE, Box::pin(house.live())).await;
    let broken = lived.unwrap_or_else(|_| audit::broken("driver", "the history does not go on")).err();
    let (hash, trace, counts, faults) = house.world.finish();
    History { seed, hash, steps: house.steps, faults, counts, broken, trace }
}
