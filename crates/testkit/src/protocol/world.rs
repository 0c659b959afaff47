//! What happens outside: objects change, ledgers are lost and copied, late commits land, readers pin what they read.

use std::rc::Rc;

use super::lake::NAMES;
use super::moves::Moves;
use super::rows::{CORRECTED, FIRST, REMOVED};
use super::run::Run;
use super::state::{HOSTS, State};

pub(super) fn moves(run: &Run, state: &State, moves: &mut Moves) {
    objects_change(run, state, moves);
    ledgers_go(state, moves);
    late_commits_land(state, moves);
    if state.left.pins > 0 {
        let mut next = state.clone();
        next.left.pins -= 1;
        next.pinned = Some(state.lake.account().vector);
        moves.chance(next, || "a reader pins the newest vector".to_owned());
    }
}

fn objects_change(run: &Run, state: &State, moves: &mut Moves) {
    for key in 0..run.bounds.keys {
        let content = state.bucket[key];
        if content == FIRST && run.bounds.corrected >> key & 1 == 1 {
            let mut next = state.clone();
            next.bucket[key] = CORRECTED;
            moves.chance(next, || format!("file k{key} is corrected"));
        }
        if content != REMOVED && run.bounds.removed >> key & 1 == 1 {
            let mut next = state.clone();
            next.bucket[key] = REMOVED;
            moves.chance(next, || format!("file k{key} is removed"));
        }
    }
}

fn ledgers_go(state: &State, moves: &mut Moves) {
    for host in 0..HOSTS {
        let Some(ledger) = &state.ledgers[host] else { continue };
        if state.left.losses > 0 {
            let mut next = state.clone();
            next.left.losses -= 1;
            next.ledgers[host] = None;
            moves.chance(next, || format!("ledger L{} is lost", ledger.id));
        }
    }
    let Some(ledger) = state.open_ledger(0) else { return };
    if state.left.moves > 0 && state.ledgers[1].is_none() {
        let mut next = state.clone();
        next.left.moves -= 1;
        next.ledgers.swap(0, 1);
        moves.chance(next, || format!("ledger L{} moves to another host", ledger.id));
    }
    match &state.copy {
        None if state.left.restores + state.left.copies > 0 => {
            let mut next = state.clone();
            next.copy = Some(Rc::clone(ledger));
            moves.chance(next, || format!("ledger L{} is copied", ledger.id));
        }
        Some(copy) if state.left.restores > 0 => {
            let mut next = state.clone();
            next.left.restores -= 1;
            next.ledgers[0] = Some(Rc::clone(copy));
            next.workers.iter_mut().filter(|worker| worker.host == 0).for_each(|worker| worker.lease = false);
            moves.chance(next, || format!("ledger L{} is lost, its older copy comes into its place", ledger.id));
        }
        Some(copy) if state.left.copies > 0 && state.ledgers[1].is_none() => {
            let mut next = state.clone();
            next.left.copies -= 1;
            next.ledgers[1] = Some(Rc::clone(copy));
            moves.chance(next, || format!("the copy of ledger L{} works on another host", copy.id));
        }
        _ => {}
    }
}

fn late_commits_land(state: &State, moves: &mut Moves) {
    for place in 0..state.lake.late.len() {
        let mut next = state.clone();
        let (table, number) = next.lake.land_late(place);
        moves.step(next, || format!("the late commit lands as {} v{}", NAMES[table], number.unwrap_or(0)));
    }
}
