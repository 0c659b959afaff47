//! Steps 4 to 6: who publishes, the way through the tables, and the end in the ledger.

use std::rc::Rc;

use super::batch::Batch;
use super::lake::{NAMES, RECEIPTS, Table, Version};
use super::ledger::Ledger;
use super::look::{Complete, Look, complete, look};
use super::moves::Moves;
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{HOSTS, Publish, State, Step, Worker};

/// Step 4. The lease and the look at `_receipts` are one step: whoever looks later sees more.
pub(super) fn takes_over(run: &Run, state: &State, worker: usize, moves: &mut Moves) {
    for host in 0..HOSTS {
        let Some(ledger) = state.open_ledger(host).filter(|ledger| !ledger.queue.is_empty()) else { continue };
        if !may_publish(run, state, ledger) {
            continue;
        }
        let holder = state.lease_holder(host, ledger.id).filter(|_| run.has(Safeguard::Lease));
        let faults = u8::from(holder.is_some());
        if faults > state.left.faults {
            continue;
        }
        let mut taken = state.clone();
        taken.left.faults -= faults;
        if let Some(holder) = holder {
            taken.workers[holder].lease = false;
        }
        let epoch = adopt(run, state, &mut taken, host);
        let heads = if run.has(Safeguard::HeadOnly) { 1 } else { ledger.queue.len() };
        let orders: &[bool] = if run.has(Safeguard::TableOrder) { &[false] } else { &[false, true] };
        for batch in &ledger.queue[..heads] {
            for reversed in orders {
                let Some(step) = begin(run, state, batch, epoch, *reversed) else { continue };
                let mut next = taken.clone();
                next.workers[worker] = Worker { host, ledger: ledger.id, lease: true, step };
                let how = if faults > 0 { "takes over the publish lease (lost)" } else { "takes the publish lease" };
                moves.add(faults == 0, next, || format!("w{worker} {how} (L{}, epoch {epoch}): {batch}", ledger.id));
            }
        }
    }
}

/// Whether the lake is this ledger's, and the ledger knows of every batch in it.
pub(super) fn may_publish(run: &Run, state: &State, ledger: &Ledger) -> bool {
    let named = state.lake.account().owner == ledger.id || !run.has(Safeguard::OtherLedger);
    let whole = state.lake.largest_seq() < ledger.next_seq || !run.has(Safeguard::OlderCopy);
    named && whole
}

fn adopt(run: &Run, state: &State, taken: &mut State, host: usize) -> u8 {
    let ledger = taken.ledger_mut(host).expect("the ledger whose lease is taken is open");
    if run.has(Safeguard::Adopt) {
        ledger.epoch = ledger.epoch.max(state.lake.receipts().epoch);
    }
    ledger.epoch
}

/// The first look at `_receipts` for a batch; `None`: the publisher is shut out.
pub(super) fn begin(run: &Run, state: &State, batch: &Rc<Batch>, epoch: u8, reversed: bool) -> Option<Step> {
    let account = state.lake.account();
    let known = account.vector;
    let table_is =
        |table: Table| known[table].is_some() || state.lake.newest(table).is_some() || !batch.brings(table).is_empty();
    let publish = Publish {
        batch: Rc::clone(batch),
        epoch,
        place: 0,
        again: false,
        seen: false,
        cleared: None,
        reversed,
        listed: [0, 1, 2].map(|table| run.has_table(table) && table_is(table)),
        known,
        vector: [None; 3],
    };
    if !run.has(Safeguard::LookFirst) {
        return Some(Step::Publish(skip_unlisted(run, publish)));
    }
    match complete(run, state, &publish) {
        Complete::Yes => Some(Step::Finish(publish)),
        Complete::No => Some(Step::Publish(skip_unlisted(run, publish))),
        Complete::Fenced(_) => None,
    }
}

/// An amendment that does not wait for the queue.
pub(super) fn alone(state: &State, batch: Rc<Batch>) -> Step {
    let epoch = state.lake.receipts().epoch;
    let known = state.lake.account().vector;
    let (listed, vector) = (known.map(|version| version.is_some()), [None; 3]);
    let (again, seen, reversed, cleared) = (false, false, false, None);
    Step::Publish(Publish { batch, epoch, place: 0, again, seen, cleared, reversed, listed, known, vector })
}

/// Step 5: the next table.
pub(super) fn goes_on(run: &Run, state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    let table = run.order(at.reversed)[at.place];
    let (name, batch) = (NAMES[table], &at.batch);
    let mut next = state.clone();
    match look(run, state, at, table) {
        Look::Fenced(why) => {
            next.workers[worker] = Worker::default();
            moves.step(next, || format!("w{worker} looks at {name} for {batch}: {why}, stops"));
        }
        Look::Complete => {
            next.workers[worker].step = Step::Finish(at.clone());
            moves.step(next, || format!("w{worker} looks at {name} for {batch}: it has its receipt"));
        }
        Look::Leave { version, ours } => {
            let mut left = at.clone();
            left.seen |= ours;
            if table != RECEIPTS {
                left.vector[table] = version;
            }
            next.workers[worker].step = onward(run, left);
            let why = if ours { "is there already" } else { "nothing to do" };
            moves.step(next, || format!("w{worker} looks at {name} for {batch}: {why}"));
        }
        Look::Clear => {
            next.workers[worker].step =
                Step::Publish(Publish { cleared: state.lake.logs[table].number(), ..at.clone() });
            moves.step(next, || {
                format!("w{worker} sees {name}, which no receipt knows; R has neither a newer epoch nor {batch}")
            });
        }
        Look::Commit(version) => puts(run, state, worker, at, *version, moves),
    }
}

fn puts(run: &Run, state: &State, worker: usize, at: &Publish, version: Version, moves: &mut Moves) {
    let table = run.order(at.reversed)[at.place];
    let number = state.lake.logs[table].number().map_or(0, |number| number + 1);
    let what = if version.of_batch { at.batch.to_string() } else { "the new table".to_owned() };
    let text = |outcome: &str| format!("w{worker} commits {what} to {} v{number}{outcome}", NAMES[table]);
    let mut done = state.clone();
    done.workers[worker].step = match version.of_batch {
        false => Step::Publish(Publish { again: false, ..at.clone() }),
        true => {
            let mut past = Publish { seen: true, ..at.clone() };
            if table != RECEIPTS {
                past.vector[table] = Some(number);
            }
            onward(run, past)
        }
    };
    done.lake.put(table, version.clone());
    moves.step(done, || text(""));
    if state.left.faults > 0 {
        let mut unknown = state.clone();
        unknown.left.faults -= 1;
        unknown.workers[worker].step = Step::Publish(Publish { again: true, ..at.clone() });
        let mut late = unknown.clone();
        unknown.lake.put(table, version.clone());
        moves.chance(unknown, || text(", outcome unknown (it took effect)"));
        late.lake.send(table, version);
        moves.chance(late, || text(", outcome unknown (may land late)"));
    }
}

/// To the next table, or to the end.
fn onward(run: &Run, at: Publish) -> Step {
    let order = run.order(at.reversed);
    let next = Publish { place: at.place + 1, again: false, cleared: None, ..at };
    let next = skip_unlisted(run, next);
    if next.place < order.len() { Step::Publish(next) } else { Step::Finish(next) }
}

fn skip_unlisted(run: &Run, mut at: Publish) -> Publish {
    let order = run.order(at.reversed);
    while order.get(at.place).is_some_and(|table| *table != RECEIPTS && !at.listed[*table]) {
        at.place += 1;
    }
    at
}

/// Step 6, and on to the new head.
pub(super) fn finishes(run: &Run, state: &State, worker: usize, at: &Publish, moves: &mut Moves) {
    let mut next = state.clone();
    let Worker { host, ledger: id, lease, .. } = state.workers[worker];
    let holds = lease || !run.has(Safeguard::FinishToken) || !run.has(Safeguard::Lease);
    let reached = state.ledger_of(&state.workers[worker]).is_some() && holds && !at.batch.alone;
    if reached && let Some(ledger) = next.ledger_mut(host) {
        ledger.finish(at.batch.id, run);
        if !run.has(Safeguard::VectorInR) {
            ledger.vector = Some((state.lake.versions(), state.lake.logs[RECEIPTS].number().unwrap_or(0)));
        }
    }
    continue_queue(run, &mut next, worker, at.epoch, at.reversed, reached && lease);
    let answer = if reached { "ok" } else { "refused" };
    moves.step(next, || format!("w{worker} finishes {}: {answer} (L{id})", at.batch));
}

/// With the lease on to the next head; without one, or without a next, the end.
pub(super) fn continue_queue(run: &Run, next: &mut State, worker: usize, epoch: u8, reversed: bool, holds: bool) {
    let head = next.ledger_of(&next.workers[worker]).filter(|_| holds).and_then(|ledger| ledger.queue.first().cloned());
    let step = head.and_then(|head| begin(run, next, &head, epoch, reversed));
    match step {
        Some(step) => next.workers[worker].step = step,
        None => next.workers[worker] = Worker::default(),
    }
}
