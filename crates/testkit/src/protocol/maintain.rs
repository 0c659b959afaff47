//! Plans that no object asks for: replays and drops of refused records, compactions.

use std::rc::Rc;

use super::batch::{Batch, Kind, Member, Merge};
use super::lake::{PARENT, QUARANTINE, Receipt, Table};
use super::load::{only, planned};
use super::moves::Moves;
use super::publish;
use super::rows::{REFUSED, Rows};
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{HOSTS, State, Step, Worker};

/// What an amendment does with refused records.
#[derive(Clone, Copy)]
enum Amendment {
    /// All of them come in.
    ReplayAll,
    /// The first comes in, the others stay.
    ReplayFirst,
    /// They are given up.
    DropAll,
}

pub(super) fn plans(run: &Run, state: &State, worker: usize, moves: &mut Moves) {
    for host in 0..HOSTS {
        let Some(ledger) = state.open_ledger(host) else { continue };
        let of_host = Worker { host, ledger: ledger.id, ..Worker::default() };
        if state.left.amendments > 0 {
            plan_amendments(run, state, worker, &of_host, moves);
        }
        if state.left.compactions > 0 {
            plan_compactions(run, state, worker, &of_host, moves);
        }
    }
}

/// Planned from the newest receipts, as they stand in the lake.
fn plan_amendments(run: &Run, state: &State, worker: usize, of_host: &Worker, moves: &mut Moves) {
    let account = state.lake.account();
    for receipt in account.standing().filter(|receipt| !receipt.rows[QUARANTINE].is_empty()) {
        let revision = account.revision(usize::from(receipt.key));
        for amendment in [Amendment::ReplayAll, Amendment::ReplayFirst, Amendment::DropAll] {
            let mut next = state.clone();
            next.left.amendments -= 1;
            let member = amended(receipt, revision, amendment);
            let mut batch = Batch { members: only(member), ..planned(Kind::Amend, next.next_batch_id()) };
            batch.alone = !run.has(Safeguard::AmendQueued);
            let text = batch.to_string();
            let batch = Rc::new(batch);
            let step = if batch.alone { publish::alone(state, batch) } else { Step::Written(batch) };
            next.workers[worker] = Worker { step, ..of_host.clone() };
            moves.chance(next, || format!("w{worker} plans {text} (L{})", of_host.ledger));
        }
    }
}

fn amended(receipt: &Receipt, revision: u8, amendment: Amendment) -> Member {
    let (key, generation) = (usize::from(receipt.key), receipt.generation);
    let refused = receipt.rows[QUARANTINE];
    let first = Rows::record(key, generation, REFUSED[0]);
    let taken = match amendment {
        Amendment::ReplayFirst => refused & first,
        Amendment::ReplayAll | Amendment::DropAll => refused,
    };
    let mut brings = [Rows::NONE; 3];
    if !matches!(amendment, Amendment::DropAll) {
        brings[PARENT] = taken;
    }
    let mut leaves = receipt.rows;
    leaves[QUARANTINE] = refused.without(taken);
    leaves[PARENT] |= brings[PARENT];
    // Records are named by object and place in it, whichever attempt wrote them.
    let records = REFUSED.iter().map(|part| Rows::record(key, generation, *part));
    let takes = records.filter(|record| record.meets(taken)).collect();
    let (key, replaces_from, content) = (receipt.key, receipt.replaces_from, receipt.content);
    Member { key, generation, replaces_from, revision, content, brings, takes, leaves }
}

/// The first two files of a table, as the newest vector has it.
fn plan_compactions(run: &Run, state: &State, worker: usize, of_host: &Worker, moves: &mut Moves) {
    let vector = state.lake.account().vector;
    for table in run.data_tables() {
        let Some(sources) = vector[table].and_then(|version| two_files(state, table, version)) else { continue };
        let mut next = state.clone();
        next.left.compactions -= 1;
        let merge = Some(Merge { table, sources });
        let batch = Batch { merge, ..planned(Kind::Compact, next.next_batch_id()) };
        let text = batch.to_string();
        next.workers[worker] = Worker { step: Step::Written(Rc::new(batch)), ..of_host.clone() };
        moves.chance(next, || format!("w{worker} plans {text} (L{})", of_host.ledger));
    }
}

fn two_files(state: &State, table: Table, version: u8) -> Option<[super::lake::File; 2]> {
    let files = &state.lake.logs[table].at(version)?.files;
    files.first_chunk::<2>().copied()
}
