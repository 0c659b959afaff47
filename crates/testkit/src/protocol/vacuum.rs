//! Vacuum: which files may go. It lists the files, asks the ledger which attempts live, and reads the logs; in this order.

use super::lake::{DATA, Version};
use super::moves::Moves;
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{HOSTS, State, Vacuum, Worker};

pub(super) fn moves(run: &Run, state: &State, moves: &mut Moves) {
    match &state.vacuum {
        None if state.left.vacuums > 0 => begins(run, state, moves),
        None => {}
        Some(vacuum) => ends(run, state, vacuum, moves),
    }
}

fn begins(run: &Run, state: &State, moves: &mut Moves) {
    for host in 0..HOSTS {
        let Some(ledger) = state.open_ledger(host) else { continue };
        let mut next = state.clone();
        next.left.vacuums -= 1;
        let suspects = match (run.has(Safeguard::VacuumOrder), run.has(Safeguard::VacuumListsFirst)) {
            (false, _) => written(state) & !named(run, state),
            (true, true) => written(state) & !live(run, state, host),
            // What is written later is suspect as well.
            (true, false) => !live(run, state, host),
        };
        next.vacuum = Some(Vacuum { host, ledger: ledger.id, suspects });
        moves.chance(next, || format!("vacuum asks L{} and suspects {}", ledger.id, ids(suspects & written(state))));
    }
}

fn ends(run: &Run, state: &State, vacuum: &Vacuum, moves: &mut Moves) {
    let mut next = state.clone();
    next.vacuum = None;
    let ledger = state.open_ledger(vacuum.host).filter(|ledger| ledger.id == vacuum.ledger);
    let asks_now = !run.has(Safeguard::VacuumOrder);
    let owner = state.lake.account().owner == vacuum.ledger || !run.has(Safeguard::VacuumOwner);
    if !owner || (asks_now && ledger.is_none()) {
        return moves.chance(next, || format!("vacuum of L{} ends, the lake is not its own", vacuum.ledger));
    }
    let spared = if asks_now { live(run, state, vacuum.host) } else { named(run, state) };
    let deleted = vacuum.suspects & written(state) & !spared;
    next.gone |= deleted;
    if !run.has(Safeguard::VacuumPassed) {
        next.lake.lose_late();
    }
    moves.chance(next, || format!("vacuum of L{} reads the logs and deletes {}", vacuum.ledger, ids(deleted)));
}

/// Everything that has files.
fn written(state: &State) -> u32 {
    (1 << (state.batches + 1)) - 2
}

/// What may still be committed, as far as the ledger knows.
fn live(run: &Run, state: &State, host: usize) -> u32 {
    let Some(ledger) = state.open_ledger(host).filter(|_| run.has(Safeguard::VacuumAsks)) else { return 0 };
    let of_host = |worker: &&Worker| worker.host == host && worker.ledger == ledger.id;
    // A claim is in the ledger anyway; a plan is there only if it was written down before its first file.
    let plans = state.workers.iter().filter(of_host).filter(|_| run.has(Safeguard::PlansKnown));
    let plans = plans.filter_map(Worker::written).filter(|batch| batch.kind != super::batch::Kind::Load);
    plans.fold(ledger.live(), |live, batch| live | 1 << batch.id)
}

/// The batches whose files some kept version names.
fn named(run: &Run, state: &State) -> u32 {
    let vector = state.lake.account().vector;
    let mut named = 0;
    for table in DATA {
        let kept_from = if run.has(Safeguard::VacuumVector) { vector[table] } else { state.lake.logs[table].number() };
        let pinned = state.pinned.filter(|_| run.has(Safeguard::VacuumPinned)).and_then(|pinned| pinned[table]);
        let kept = state.lake.logs[table].entries().filter(|e| Some(e.number) >= kept_from || Some(e.number) == pinned);
        named |= kept.map(|entry| files_of(&entry.version)).fold(0, |named, of| named | of);
    }
    named
}

/// The batches that wrote a version's files.
pub(super) fn files_of(version: &Version) -> u32 {
    version.files.iter().fold(0, |of, file| of | 1 << file.by) & !1
}

fn ids(set: u32) -> String {
    let names: Vec<String> = (1..32).filter(|id| set >> id & 1 == 1).map(|id| format!("#{id}")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
