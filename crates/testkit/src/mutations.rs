//! The simulation's own test: each rule of the protocol is taken away, and the simulation has to notice.

use stillhouse_safeguard::Safeguard;

use crate::simulation::{History, run};

/// What became of the histories without one rule.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// The rule.
    pub safeguard: Safeguard,
    /// The first history that broke; `None`: nobody noticed.
    pub caught: Option<History>,
}

/// Lives through the histories of `seeds` without `safeguard`, until one breaks. The rule is missing in the whole process.
pub fn without(safeguard: Safeguard, seeds: std::ops::Range<u64>, threads: usize) -> Mutation {
    safeguard.take_away();
    let run = run(seeds, threads, true, &|_| ());
    Mutation { safeguard, caught: run.broken.into_iter().next() }
}
