//! A ledger that is made anew from the lake, on the host of the old one or on another.

use std::rc::Rc;

use super::lake::{DATA, NAMES, RECEIPTS, Version};
use super::ledger::{Ledger, Phase};
use super::look::{Complete, complete};
use super::moves::Moves;
use super::publish::may_publish;
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{HOSTS, Publish, State, Step};

/// Ends rebuilds that could go on for ever.
const EPOCHS_MAX: u8 = 12;

pub(super) fn moves(run: &Run, state: &State, moves: &mut Moves) {
    begins(run, state, moves);
    for host in 0..HOSTS {
        let Some(ledger) = &state.ledgers[host] else { continue };
        match ledger.phase {
            Phase::Open | Phase::Failed => continue,
            Phase::New => looks(state, host, ledger, moves),
            Phase::Opening => takes_first(run, state, host, ledger, moves),
            Phase::Begun => raises(run, state, host, ledger, moves),
            Phase::Fencing(table) => fences(run, state, host, ledger, table, moves),
            Phase::Restored => opens(run, state, host, ledger, moves),
        }
        if state.left.faults > 0 && !matches!(ledger.phase, Phase::New | Phase::Opening) {
            let mut next = state.clone();
            next.left.faults -= 1;
            next.ledgers[host] = None;
            moves.chance(next, || format!("the rebuild of L{} crashes", ledger.id));
        }
    }
}

/// A new ledger looks whose the lake is. If it is another one's, it waits for a person.
fn looks(state: &State, host: usize, ledger: &Ledger, moves: &mut Moves) {
    let phase = match state.lake.account().owner {
        0 => Phase::Opening,
        owner if owner == ledger.id => Phase::Open,
        _ => return,
    };
    let mut next = state.clone();
    next.ledger_mut(host).expect("the new ledger").phase = phase;
    moves.step(next, || format!("the new L{} looks at R", ledger.id));
}

fn takes_first(run: &Run, state: &State, host: usize, ledger: &Ledger, moves: &mut Moves) {
    let mut next = state.clone();
    let receipts = state.lake.receipts();
    let opened = next.ledger_mut(host).expect("the new ledger");
    if receipts.account.owner != 0 && run.has(Safeguard::OpenOwner) {
        opened.phase = Phase::New;
        return moves.step(next, || format!("the new L{} finds an epoch in R", ledger.id));
    }
    let epoch = receipts.epoch + 1;
    (opened.epoch, opened.phase) = (epoch, Phase::Open);
    let mut version = Version { epoch, ..receipts.next() };
    version.account.owner = ledger.id;
    next.lake.put(RECEIPTS, version);
    moves.step(next, || format!("the new L{} takes epoch {epoch}, opens for work", ledger.id));
}

/// A rebuild is needed where nobody can publish any more, and may happen on another host at any time.
fn begins(run: &Run, state: &State, moves: &mut Moves) {
    let owner = state.lake.account().owner;
    if owner == 0 || state.lake.receipts().epoch >= EPOCHS_MAX {
        return;
    }
    let alive = |host: &usize| {
        let ledger = state.ledgers[*host].as_ref();
        ledger.is_some_and(|ledger| ledger.id == owner || !matches!(ledger.phase, Phase::Open | Phase::New))
    };
    if let Some(host) = (0..HOSTS).find(alive) {
        if blocked(run, state, host) {
            begin(state, host, true, moves);
        } else if state.left.takeovers > 0 {
            begin(state, HOSTS - 1 - host, false, moves);
        }
        return;
    }
    let free = (0..HOSTS).find(|host| state.ledgers[*host].is_none()).unwrap_or(HOSTS - 1);
    begin(state, free, true, moves);
}

/// Whether the ledger that speaks for the lake is refused for good: the message says to rebuild it. Counted in for older
/// copies only, where there is no other way.
fn blocked(run: &Run, state: &State, host: usize) -> bool {
    let Some(ledger) = state.open_ledger(host) else { return false };
    let Some(head) = ledger.queue.first() else { return false };
    if !run.bounds.obedient {
        return false;
    }
    if !may_publish(run, state, ledger) {
        return true;
    }
    let publish = Publish {
        batch: Rc::clone(head),
        epoch: state.lake.receipts().epoch,
        place: 0,
        again: false,
        seen: false,
        cleared: None,
        reversed: false,
        listed: [true; 3],
        known: state.lake.account().vector,
        vector: [None; 3],
    };
    let other = |table: usize| {
        let known = publish.known[table].is_some();
        known && state.lake.newest(table).is_some_and(|found| found.seq == head.seq && found.batch != head.id)
    };
    matches!(complete(run, state, &publish), Complete::Fenced(_)) || DATA.into_iter().any(other)
}

fn begin(state: &State, host: usize, step: bool, moves: &mut Moves) {
    let mut next = state.clone();
    next.left.takeovers -= u8::from(!step);
    next.ledger_ids += 1;
    let id = next.ledger_ids;
    next.ledgers[host] = Some(Rc::new(Ledger { id, phase: Phase::Begun, ..Ledger::default() }));
    moves.add(step, next, || format!("a rebuild begins on host {host}: ledger L{id}"));
}

/// An epoch exists once `_receipts` has it.
fn raises(run: &Run, state: &State, host: usize, ledger: &Ledger, moves: &mut Moves) {
    let receipts = state.lake.receipts();
    let epoch = if run.has(Safeguard::Fence) { receipts.epoch + 1 } else { receipts.epoch };
    let mut version = Version { epoch, ..receipts.next() };
    version.account.owner = ledger.id;
    let mut next = state.clone();
    next.lake.put(RECEIPTS, version.clone());
    let fenced = if run.has(Safeguard::Fence) && run.has(Safeguard::FenceAll) { 0 } else { RECEIPTS };
    let raised = next.ledger_mut(host).expect("the ledger that is rebuilt");
    (raised.epoch, raised.phase) = (epoch, Phase::Fencing(fenced));
    moves.step(next, || format!("the rebuild of L{} fences R with epoch {epoch}", ledger.id));
    if state.left.faults > 0 {
        let mut next = state.clone();
        next.left.faults -= 1;
        next.lake.send(RECEIPTS, version);
        next.ledgers[host] = None;
        moves.chance(next, || format!("the rebuild of L{} crashes, its fence of R may land late", ledger.id));
    }
}

fn fences(run: &Run, state: &State, host: usize, ledger: &Ledger, table: usize, moves: &mut Moves) {
    if table == RECEIPTS {
        return reads(state, host, ledger, run, moves);
    }
    let mut next = state.clone();
    let fenced = |found: &&Version| found.seq > 0 || run.has(Safeguard::FenceEmpty);
    let Some(found) = state.lake.newest(table).filter(fenced) else {
        next.ledger_mut(host).expect("the ledger that is rebuilt").phase = Phase::Fencing(table + 1);
        return moves.step(next, || format!("the rebuild of L{} finds no table {}", ledger.id, NAMES[table]));
    };
    if found.epoch > ledger.epoch {
        next.ledgers[host] = None;
        return moves.step(next, || format!("the rebuild of L{} is overtaken by another one", ledger.id));
    }
    let version = Version { epoch: ledger.epoch, ..found.next() };
    next.lake.put(table, version);
    next.ledger_mut(host).expect("the ledger that is rebuilt").phase = Phase::Fencing(table + 1);
    moves.step(next, || format!("the rebuild of L{} fences {}", ledger.id, NAMES[table]));
}

/// Receipts, and half published batches: those with an entry newer than the newest vector and without a receipt.
fn reads(state: &State, host: usize, ledger: &Ledger, run: &Run, moves: &mut Moves) {
    let mut next = state.clone();
    let made = next.ledger_mut(host).expect("the ledger that is rebuilt");
    let (account, complete) = (state.lake.account(), state.lake.receipts().seq);
    made.import(account);
    let (mut begun, mut pending) = (Vec::new(), Vec::new());
    for table in DATA {
        let vector = account.vector[table];
        let tail = state.lake.logs[table].entries().take_while(|entry| Some(entry.number) > vector);
        for version in tail.map(|entry| &entry.version).filter(|version| version.of_batch && version.seq > complete) {
            begun.push(version.batch);
            pending.extend(version.manifest.clone());
        }
    }
    pending.sort_by_key(|batch| (batch.seq, batch.id));
    pending.dedup();
    let whole = begun.iter().all(|id| pending.iter().any(|batch| batch.id == *id)) || !run.has(Safeguard::Manifest);
    let pending = if run.has(Safeguard::Pending) { pending } else { Vec::new() };
    let fits = whole && pending.iter().all(|batch| made.restore(batch));
    made.phase = if fits { Phase::Restored } else { Phase::Failed };
    let words = if fits { "reads receipts and half published batches" } else { "cannot make a queue of what it finds" };
    let names: Vec<String> = pending.iter().map(ToString::to_string).collect();
    moves.step(next, || format!("the rebuild of L{} {words}: [{}]", ledger.id, names.join(", ")));
}

fn opens(run: &Run, state: &State, host: usize, ledger: &Ledger, moves: &mut Moves) {
    let mut next = state.clone();
    let made = next.ledger_mut(host).expect("the ledger that is rebuilt");
    made.phase = Phase::Open;
    made.next_seq = if run.has(Safeguard::SeqKept) { state.lake.largest_seq() + 1 } else { 1 };
    if !run.has(Safeguard::VectorInR) {
        made.vector = Some((state.lake.versions(), state.lake.logs[RECEIPTS].number().unwrap_or(0)));
    }
    // Whoever worked with the ledger that was here before has lost it.
    for worker in next.workers.iter_mut().filter(|worker| worker.host == host && worker.step == Step::Idle) {
        worker.lease = false;
    }
    moves.step(next, || format!("the rebuild of L{} opens it for work", ledger.id));
}
