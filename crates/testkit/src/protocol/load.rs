//! Steps 1 to 3: an object version is found, claimed and decoded, and its batch is staged.

use std::rc::Rc;

use super::batch::{Batch, Kind, Member};
use super::ledger::{JobState, Ledger};
use super::moves::Moves;
use super::rows::{KEYS, REMOVED};
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{State, Step, Worker};

/// A key that can be claimed.
#[derive(Clone, Copy)]
struct Found {
    key: usize,
    /// A new version has to be offered first.
    offer: bool,
    /// Somebody alive holds the claim; taking it is a fault.
    stolen: bool,
}

/// Discovery, offer, claim and decoding are one step: what lies between them changes nothing that others can see.
pub(super) fn claims(run: &Run, state: &State, worker: usize, moves: &mut Moves) {
    for (host, _) in state.ledgers.iter().enumerate() {
        let Some(ledger) = state.open_ledger(host) else { continue };
        let found: Vec<Found> = (0..run.bounds.keys).filter_map(|key| find(state, ledger, key)).collect();
        let mut groups: Vec<&[Found]> = found.chunks(1).collect();
        if run.bounds.group && found.len() > 1 {
            groups.push(&found);
        }
        for group in groups {
            let faults = u8::from(group.iter().any(|found| found.stolen));
            if faults <= state.left.faults {
                let mut next = state.clone();
                next.left.faults -= faults;
                let batch = claim(run, &mut next, host, group);
                let text = batch.to_string();
                next.workers[worker] =
                    Worker { host, ledger: ledger.id, lease: false, step: Step::Written(Rc::new(batch)) };
                let how = if faults > 0 { "takes over (lease lost)" } else { "claims" };
                moves.add(faults == 0, next, || format!("w{worker} {how} and decodes {text} (L{})", ledger.id));
            }
        }
    }
}

fn find(state: &State, ledger: &Ledger, key: usize) -> Option<Found> {
    let (content, newest) = (state.bucket[key], ledger.keys[key].newest());
    let new = newest.state == JobState::Absent || newest.content != content;
    if new {
        let offer = content != REMOVED || ledger.can_remove(key);
        return offer.then_some(Found { key, offer: true, stolen: false });
    }
    let holder = || state.workers.iter().filter_map(Worker::written).any(|batch| batch.id == newest.by);
    match newest.state {
        JobState::Offered => Some(Found { key, offer: false, stolen: false }),
        JobState::Claimed => Some(Found { key, offer: false, stolen: holder() }),
        _ => None,
    }
}

fn claim(run: &Run, next: &mut State, host: usize, group: &[Found]) -> Batch {
    let id = next.next_batch_id();
    let mut batch = Batch { id, ..Batch::default() };
    if !run.has(Safeguard::RemoveFresh) {
        batch.base = next.lake.versions();
    }
    for found in group {
        let (key, content) = (found.key, next.bucket[found.key]);
        let ledger = next.ledger_mut(host).expect("the claim's ledger is open");
        if found.offer {
            // A removal takes everything away, an appended change adds to what is there.
            let append = run.bounds.append && content != REMOVED;
            ledger.keys[key].offer(content, (!append).then_some(0));
        }
        let generation = ledger.keys[key].generation;
        ledger.keys[key].claim(generation, id);
        let replaces_from = ledger.keys[key].newest().replaces_from;
        let attempt = if content == REMOVED { 0 } else { next.decode(key, generation, content) };
        let rows = Batch::decoded(key, generation, attempt, content);
        let rows =
            std::array::from_fn(|table| if run.has_table(table) { rows[table] } else { super::rows::Rows::NONE });
        batch.members[key] = Some(Member {
            key: u8::try_from(key).expect("a few keys"),
            generation,
            replaces_from,
            revision: 0,
            content,
            brings: rows,
            takes: super::rows::Rows::NONE,
            leaves: rows,
        });
    }
    batch
}

/// Step 3, for batches of all kinds.
pub(super) fn stages(run: &Run, state: &State, worker: usize, batch: &Rc<Batch>, moves: &mut Moves) {
    let mut next = state.clone();
    let (host, id) = (state.workers[worker].host, state.workers[worker].ledger);
    let staged = match next.ledger_mut(host) {
        Some(ledger) => {
            let same = ledger.id == id;
            ledger.stage(batch, same, run)
        }
        None => false,
    };
    next.workers[worker] = Worker::default();
    let answer = if staged { "ok" } else { "refused" };
    moves.step(next, || format!("w{worker} stages {batch}: {answer} (L{id})"));
}

/// The members of a batch that has one.
pub(super) fn only(member: Member) -> [Option<Member>; KEYS] {
    let mut members = [None; KEYS];
    members[member.key()] = Some(member);
    members
}

/// A batch that no claim stands behind: an amendment or a compaction.
pub(super) fn planned(kind: Kind, id: u8) -> Batch {
    Batch { id, kind, ..Batch::default() }
}
