//! The way out for a head that cannot be committed: a new epoch, fences, and only then a look whether any table has it.

use super::lake::{NAMES, RECEIPTS, Version};
use super::moves::Moves;
use super::publish::continue_queue;
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{Publish, State, Step, Withdrawal, Worker};

/// A publisher finds that only a person could mend the batch.
pub(super) fn begins(state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    if state.left.withdrawals > 0 && !at.batch.alone {
        let mut next = state.clone();
        next.left.withdrawals -= 1;
        next.workers[worker].step = Step::Withdraw(at.clone(), Withdrawal::Raise);
        moves.chance(next, || format!("w{worker} cannot commit {}, begins to withdraw it", at.batch));
    }
}

pub(super) fn goes_on(run: &Run, state: &State, worker: usize, at: &Publish, now: Withdrawal, moves: &mut Moves) {
    match now {
        Withdrawal::Raise if !run.has(Safeguard::WithdrawFence) => decide(run, state, worker, at, moves),
        Withdrawal::Raise if !run.has(Safeguard::EpochInR) => raises_in_ledger(state, worker, at, moves),
        Withdrawal::Raise => raises(run, state, worker, at, moves),
        Withdrawal::Adopt => adopts(run, state, worker, at, moves),
        Withdrawal::Fence(table) => fences(run, state, worker, at, table, moves),
        Withdrawal::Decide => decide(run, state, worker, at, moves),
    }
}

fn stop(state: &State, worker: usize, at: &Publish, why: &str, moves: &mut Moves) {
    let mut next = state.clone();
    next.workers[worker] = Worker::default();
    moves.step(next, || format!("w{worker} withdraws {}: {why}, stops", at.batch));
}

fn raises(run: &Run, state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    let receipts = state.lake.receipts();
    let ledger = state.workers[worker].ledger;
    if run.has(Safeguard::WithdrawOwner) && receipts.account.owner != ledger {
        return stop(state, worker, at, "R has the epoch of another ledger", moves);
    }
    let epoch = receipts.epoch + 1;
    let mut version = Version { epoch, ..receipts.next() };
    version.account.owner = ledger;
    let raised = Publish { epoch, ..at.clone() };
    let mut next = state.clone();
    next.lake.put(RECEIPTS, version.clone());
    next.workers[worker].step = Step::Withdraw(raised, Withdrawal::Adopt);
    moves.step(next, || format!("w{worker} withdraws {}: fences R with epoch {epoch} for L{ledger}", at.batch));
    if state.left.faults > 0 {
        let mut next = state.clone();
        next.left.faults -= 1;
        next.lake.send(RECEIPTS, version);
        next.workers[worker] = Worker::default();
        moves.chance(next, || format!("w{worker} withdraws {}: crashes, its fence of R may land late", at.batch));
    }
}

/// The wrong way round: a number that R does not know of yet.
fn raises_in_ledger(state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    let mut next = state.clone();
    let Worker { host, ledger: id, .. } = state.workers[worker];
    let Some(ledger) = next.ledger_mut(host).filter(|ledger| ledger.id == id) else {
        return stop(state, worker, at, "the ledger is another one", moves);
    };
    ledger.epoch += 1;
    let epoch = ledger.epoch;
    next.workers[worker].step = Step::Withdraw(Publish { epoch, ..at.clone() }, Withdrawal::Fence(0));
    moves.step(next, || format!("w{worker} withdraws {}: writes epoch {epoch} to L{id}", at.batch));
}

fn adopts(run: &Run, state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    let mut next = state.clone();
    let of = &state.workers[worker];
    if state.ledger_of(of).is_none() || !holds_lease(run, of) {
        return stop(state, worker, at, "the publish lease is lost", moves);
    }
    let ledger = next.ledger_mut(of.host).expect("the worker's ledger is there");
    ledger.epoch = ledger.epoch.max(at.epoch);
    next.workers[worker].step = Step::Withdraw(at.clone(), Withdrawal::Fence(0));
    moves.step(next, || format!("w{worker} withdraws {}: L{} adopts epoch {}", at.batch, of.ledger, at.epoch));
}

fn holds_lease(run: &Run, worker: &Worker) -> bool {
    worker.lease || !run.has(Safeguard::Lease)
}

fn fences(run: &Run, state: &State, worker: usize, at: &Publish, table: usize, moves: &mut Moves) {
    let mut next = state.clone();
    let after = match table {
        RECEIPTS => Withdrawal::Decide,
        _ => Withdrawal::Fence(table + 1),
    };
    next.workers[worker].step = Step::Withdraw(at.clone(), after);
    if table == RECEIPTS && run.has(Safeguard::EpochInR) {
        return decide(run, state, worker, at, moves);
    }
    let fenced = |found: &&Version| found.epoch != at.epoch && (found.seq > 0 || run.has(Safeguard::FenceEmpty));
    let Some(found) = state.lake.newest(table).filter(fenced) else {
        return moves.step(next, || format!("w{worker} withdraws {}: no fence needed in {}", at.batch, NAMES[table]));
    };
    if found.epoch > at.epoch {
        return stop(state, worker, at, "a newer epoch", moves);
    }
    let mut version = Version { epoch: at.epoch, ..found.next() };
    if table == RECEIPTS {
        version.account.owner = state.workers[worker].ledger;
    }
    next.lake.put(table, version);
    moves.step(next, || format!("w{worker} withdraws {}: fences {} with epoch {}", at.batch, NAMES[table], at.epoch));
}

fn decide(run: &Run, state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    let of = &state.workers[worker];
    let (batch, lake) = (&at.batch, &state.lake);
    let present = lake.logs.iter().any(|log| log.has_batch(batch.id)) || lake.receipts().seq >= batch.seq;
    if present && run.has(Safeguard::WithdrawLook) {
        return stop(state, worker, at, "a table has it, it stays", moves);
    }
    let head = state.ledger_of(of).and_then(|ledger| ledger.queue.first());
    if !holds_lease(run, of) || head.is_none_or(|head| head.id != batch.id) {
        return stop(state, worker, at, "the publish lease is lost", moves);
    }
    let mut next = state.clone();
    next.ledger_mut(of.host).expect("the worker's ledger is there").withdraw(run);
    continue_queue(run, &mut next, worker, at.epoch, at.reversed, true);
    moves.step(next, || format!("w{worker} withdraws {batch}: taken out of the queue of L{}", of.ledger));
}
