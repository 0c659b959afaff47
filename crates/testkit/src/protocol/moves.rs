//! The moves that are possible in a state.

use super::run::Run;
use super::state::{State, Step, Worker};
use super::{load, maintain, publish, rebuild, vacuum, withdraw, world};

/// A possible move.
pub(super) struct Move {
    /// What happens, for a person; empty unless asked for.
    pub text: String,
    /// A step of the protocol, which will be taken sooner or later. What is not may happen or not: faults, events from
    /// outside.
    pub step: bool,
    pub state: State,
}

/// Collects moves.
pub(super) struct Moves {
    pub list: Vec<Move>,
    worded: bool,
}

impl Moves {
    /// A step of the protocol.
    pub fn step(&mut self, state: State, text: impl FnOnce() -> String) {
        self.add(true, state, text);
    }

    /// Something that may happen or not.
    pub fn chance(&mut self, state: State, text: impl FnOnce() -> String) {
        self.add(false, state, text);
    }

    pub fn add(&mut self, step: bool, mut state: State, text: impl FnOnce() -> String) {
        // Workers are interchangeable.
        state.workers.sort_unstable();
        let text = if self.worded { text() } else { String::new() };
        self.list.push(Move { text, step, state });
    }
}

/// All moves. They come in the same order each time, so that a trace can be told by their places.
pub(super) fn moves(run: &Run, state: &State, worded: bool) -> Vec<Move> {
    let mut moves = Moves { list: Vec::new(), worded };
    world::moves(run, state, &mut moves);
    for worker in 0..state.workers.len() {
        of_worker(run, state, worker, &mut moves);
    }
    rebuild::moves(run, state, &mut moves);
    vacuum::moves(run, state, &mut moves);
    moves.list
}

fn of_worker(run: &Run, state: &State, worker: usize, moves: &mut Moves) {
    match &state.workers[worker].step {
        Step::Idle => {
            // Idle workers are alike: the first one moves.
            if state.workers[..worker].iter().any(|other| other.step == Step::Idle) {
                return;
            }
            load::claims(run, state, worker, moves);
            maintain::plans(run, state, worker, moves);
            publish::takes_over(run, state, worker, moves);
            return;
        }
        Step::Written(batch) => load::stages(run, state, worker, batch, moves),
        Step::Publish(at) => {
            publish::goes_on(run, state, worker, at, moves);
            withdraw::begins(state, worker, at, moves);
        }
        Step::Withdraw(at, withdrawal) => withdraw::goes_on(run, state, worker, at, *withdrawal, moves),
        Step::Finish(at) => publish::finishes(run, state, worker, at, moves),
    }
    if state.left.faults > 0 {
        let mut next = state.clone();
        next.left.faults -= 1;
        next.workers[worker] = Worker::default();
        moves.chance(next, || format!("w{worker} crashes"));
    }
}
