//! Breadth first through all states, so that the first violation found is one of the shortest.

use std::collections::{HashMap, VecDeque};

use super::hash::{BuildAsIs, fingerprint};
use super::invariants::{Invariant, broken, is_settled};
use super::moves::moves;
use super::run::{Expected, Run};
use super::state::State;

/// A broken invariant, and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// One line for each step from the start.
    pub trace: Vec<String>,
}

/// What came out of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub states: usize,
    /// Every reachable state was looked at.
    pub exhausted: bool,
    pub violation: Option<Violation>,
}

/// A state's number, in the order of discovery.
type Number = u32;

/// What is kept of the states that were seen.
struct Explorer<'a> {
    run: &'a Run,
    numbers: HashMap<u64, Number, BuildAsIs>,
    /// From which state and by which of its moves each state was reached first.
    origins: Vec<(Number, u16)>,
    /// Steps of the protocol, from and to: for I4.
    steps: Vec<(Number, Number)>,
    settled: Vec<Number>,
}

/// Explores a run, up to so many states.
pub(super) fn explore(run: &Run, states_max: usize) -> Outcome {
    let start = State::start(run);
    let mut explorer = Explorer {
        run,
        numbers: HashMap::from_iter([(fingerprint(&start), 0)]),
        origins: vec![(0, 0)],
        steps: Vec::new(),
        settled: if is_settled(run, &start) { vec![0] } else { Vec::new() },
    };
    let mut queue = VecDeque::from([(0, start)]);
    while let Some((number, state)) = queue.pop_front() {
        if let Some((at, invariant)) = explorer.visit(number, &state, &mut queue) {
            return explorer.outcome(false, Some((at, invariant)));
        }
        if explorer.origins.len() > states_max {
            return explorer.outcome(false, None);
        }
    }
    let stuck = (run.expected != Expected::HoldsOrStops).then(|| explorer.stuck()).flatten();
    let stuck = stuck.map(|at| (at, Invariant::Settles));
    explorer.outcome(true, stuck)
}

impl Explorer<'_> {
    /// Queues the states after this one that are new; the first of them that breaks an invariant.
    fn visit(
        &mut self,
        number: Number,
        state: &State,
        queue: &mut VecDeque<(Number, State)>,
    ) -> Option<(Number, Invariant)> {
        for (place, made) in moves(self.run, state, false).into_iter().enumerate() {
            let fresh = Number::try_from(self.origins.len()).expect("fewer states than a number can count");
            let to = *self.numbers.entry(fingerprint(&made.state)).or_insert(fresh);
            if made.step {
                self.steps.push((number, to));
            }
            if to != fresh {
                continue;
            }
            self.origins.push((number, u16::try_from(place).expect("a few moves")));
            if let Some(invariant) = broken(self.run, state, &made.state) {
                return Some((to, invariant));
            }
            if is_settled(self.run, &made.state) {
                self.settled.push(to);
            }
            queue.push_back((to, made.state));
        }
        None
    }

    fn outcome(&self, exhausted: bool, found: Option<(Number, Invariant)>) -> Outcome {
        let violation = found.map(|(at, invariant)| Violation { invariant, trace: self.trace(at) });
        Outcome { states: self.origins.len(), exhausted, violation }
    }

    /// The first state from which steps of the protocol do not lead to a settled one.
    fn stuck(&mut self) -> Option<Number> {
        let count = self.origins.len();
        // Where the origins of each state's incoming steps begin, then the origins themselves.
        let mut begins = vec![0_u32; count + 1];
        self.steps.iter().for_each(|(_, to)| begins[index(*to) + 1] += 1);
        for place in 0..count {
            begins[place + 1] += begins[place];
        }
        let (mut free, mut sources) = (begins.clone(), vec![0; self.steps.len()]);
        for (from, to) in &self.steps {
            let place = &mut free[index(*to)];
            sources[index(*place)] = *from;
            *place += 1;
        }
        let mut settles = vec![false; count];
        let mut reached = std::mem::take(&mut self.settled);
        while let Some(number) = reached.pop() {
            if !std::mem::replace(&mut settles[index(number)], true) {
                let of = index(begins[index(number)])..index(begins[index(number) + 1]);
                reached.extend_from_slice(&sources[of]);
            }
        }
        let stuck = settles.iter().position(|settles| !settles)?;
        Some(Number::try_from(stuck).expect("a state's number"))
    }

    /// Walks from the start once more, in words.
    fn trace(&self, mut at: Number) -> Vec<String> {
        let mut places = Vec::new();
        while at != 0 {
            let (from, place) = self.origins[index(at)];
            places.push(usize::from(place));
            at = from;
        }
        let (mut state, mut lines) = (State::start(self.run), Vec::new());
        for place in places.into_iter().rev() {
            let made = moves(self.run, &state, true).swap_remove(place);
            lines.push(made.text);
            state = made.state;
        }
        lines
    }
}

fn index(number: Number) -> usize {
    usize::try_from(number).expect("32 bits fit into an index")
}
