//! Some hundred histories of the simulation; `make simulate` lives through ten thousand.

use stillhouse_testkit::simulation::{history, lose_the_ledger_during, run};

const HISTORIES: u64 = 300;

#[test]
fn nothing_breaks_in_some_hundred_histories() {
    let told =
        |history: &stillhouse_testkit::simulation::History| eprintln!("seed {}: {:?}", history.seed, history.broken);
    let run = run(1..HISTORIES + 1, 2, false, &told);
    let broken: Vec<_> = run.broken.iter().map(|history| (history.seed, &history.broken)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(run.histories, HISTORIES);
    assert!(run.steps >= 25 * HISTORIES, "{} steps", run.steps);
    assert!(run.faults >= 2 * HISTORIES, "{} faults", run.faults);
    let never: Vec<_> = run.never().iter().map(|kind| kind.name).collect();
    assert!(never.is_empty(), "did not happen: {never:?}");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for seed in [3, 7_000, 12_345] {
        let first = runtime.block_on(history(seed, true));
        let again = runtime.block_on(history(seed, true));
        let differs = first.trace.iter().zip(&again.trace).position(|(first, again)| first != again);
        assert_eq!(differs, None, "seed {seed}: {:?}", differs.map(|line| (&first.trace[line], &again.trace[line])));
        assert_eq!((first.hash, first.trace.len()), (again.hash, again.trace.len()), "seed {seed}");
        assert!(first.steps >= 25, "seed {seed}");
    }
    let other = runtime.block_on(history(4, false));
    assert_ne!(other.hash, runtime.block_on(history(3, false)).hash);
}

/// The lake is enough, whenever the ledger is lost.
fn lose_the_ledger(task: &str, points_min: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let points = runtime.block_on(lose_the_ledger_during(task));
    let points = points.unwrap_or_else(|broken| panic!("{broken}"));
    assert!(points >= points_min, "{points} points");
}

#[test]
fn the_ledger_may_be_lost_at_every_point_of_an_ingest() {
    lose_the_ledger("ingest", 50);
}

#[test]
fn the_ledger_may_be_lost_at_every_point_of_a_replay() {
    lose_the_ledger("quarantine replay", 30);
}

#[test]
fn the_ledger_may_be_lost_at_every_point_of_a_maintenance() {
    lose_the_ledger("maintain", 30);
}
