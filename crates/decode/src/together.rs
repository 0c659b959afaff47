//! One pass over an object by several threads.
//!
//! A thread takes the next region, reads it, and counts what is in it. Then it waits for its turn to link it, which is
//! short, because the others have counted theirs before; decodes it into a part of its own; and hands that over in order.

use std::collections::BTreeMap;
use std::panic;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::Error;
use crate::format::{Cut, Ended, Format, Linked};
use crate::place::Entry;
use crate::plan::Filled;
use crate::shared::{SharedSink, SharedSource, SinkPart as _, Threads};
use crate::source::ByteSource;
use crate::tally::Tally;
use crate::window::Window;

/// What all threads know.
pub(crate) struct Together<'t, 'a, F, C> {
    pub(crate) source: &'t dyn SharedSource,
    pub(crate) format: &'t F,
    pub(crate) regions: &'t C,
    pub(crate) filled: &'t [Filled<'a>],
    pub(crate) impatient: bool,
    pub(crate) threads: Threads,
    pub(crate) record_bytes_max: usize,
    /// How many records are in the parts of the object before.
    pub(crate) before: u64,
}

/// A region that was decoded.
struct Done<'a, P> {
    part: P,
    tally: Tally,
    filled: Vec<Filled<'a>>,
}

/// How far the threads are.
struct State<'a, P, K> {
    /// The next region to be taken, …
    taken: usize,
    /// … linked, …
    linked: usize,
    /// … and handed over.
    appended: usize,
    /// Somebody hands over what is next, without keeping the others from their work.
    is_appending: bool,
    known: K,
    /// Decoded, and not handed over; `None`: no record begins there.
    done: BTreeMap<usize, Option<(Entry, Done<'a, P>)>>,
    tally: Tally,
    filled: Vec<Filled<'a>>,
    /// Why nothing goes on.
    end: Option<End<'a>>,
}

enum End<'a> {
    Error(Error),
    Again(Vec<Filled<'a>>),
    Tangled,
    Panic,
}

struct Shared<'t, 'a, F, C: Cut, S: SharedSink> {
    together: &'t Together<'t, 'a, F, C>,
    sink: &'t S,
    state: Mutex<State<'a, S::Part, C::Known>>,
    moved: Condvar,
}

/// Reads all records. `None`: it is to be done by one thread.
pub(crate) fn pass_together<'a, F: Format<'a>, C: Cut, S: SharedSink>(
    together: &Together<'_, 'a, F, C>,
    sink: &S,
) -> Result<Option<Ended<'a>>, Error> {
    let state = State {
        taken: 0,
        linked: 0,
        appended: 0,
        is_appending: false,
        known: together.regions.known(),
        done: BTreeMap::new(),
        tally: Tally::default(),
        filled: together.filled.to_vec(),
        end: None,
    };
    let shared = Shared { together, sink, state: Mutex::new(state), moved: Condvar::new() };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..together.threads.count).map(|_| scope.spawn(|| shared.work())).collect();
        for thread in threads {
            if let Err(panicked) = thread.join() {
                panic::resume_unwind(panicked);
            }
        }
    });
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.end {
        None => Ok(Some(Ended::Done(Box::new(state.tally), state.filled))),
        Some(End::Error(error)) => Err(error),
        Some(End::Again(filled)) => Ok(Some(Ended::Again(filled))),
        Some(End::Tangled) => Ok(None),
        Some(End::Panic) => unreachable!("a thread that panics is joined above"),
    }
}

impl<'a, F: Format<'a>, C: Cut, S: SharedSink> Shared<'_, 'a, F, C, S> {
    fn lock(&self) -> MutexGuard<'_, State<'a, S::Part, C::Known>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready` answers something, or nothing goes on.
    fn wait<T>(&self, mut ready: impl FnMut(&mut State<'a, S::Part, C::Known>) -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.end.is_some() {
                return None;
            }
            if let Some(answer) = ready(&mut state) {
                return Some(answer);
            }
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&self, end: End<'a>) {
        self.lock().end.get_or_insert(end);
        self.moved.notify_all();
    }

    /// One thread.
    fn work(&self) {
        let guard = StopOnPanic(self);
        let mut bytes = Vec::new();
        let count = self.together.regions.count();
        // Parts wait in memory for those before them, so nobody may run far ahead.
        let ahead = 2 * self.together.threads.count;
        let take = |state: &mut State<'a, S::Part, C::Known>| {
            if state.taken == count {
                return Some(None);
            }
            (state.taken < state.appended + ahead).then(|| {
                state.taken += 1;
                Some(state.taken - 1)
            })
        };
        while let Some(Some(region)) = self.wait(take) {
            if let Err(error) = self.region(region, &mut bytes) {
                self.stop(End::Error(error));
            }
        }
        drop(guard);
    }

    fn region(&self, region: usize, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let Together { source, regions, .. } = self.together;
        let mut reader = source.reader();
        let begin = regions.boundary(region);
        read(&mut *reader, begin, regions.boundary(region + 1), bytes)?;
        let census = regions.census(bytes);
        let Some(known) = self.wait(|state| (state.linked == region).then_some(state.known)) else { return Ok(()) };
        let entry = match regions.link(region, bytes, &census, known, &mut *reader)? {
            Linked::Tangled => {
                self.stop(End::Tangled);
                return Ok(());
            }
            Linked::Region(entry, known) => {
                let mut state = self.lock();
                (state.linked, state.known) = (region + 1, known);
                entry
            }
        };
        self.moved.notify_all();
        let done = match entry {
            None => None,
            Some(entry) => {
                let mut window =
                    Window::over(&mut *reader, self.together.record_bytes_max, std::mem::take(bytes), begin);
                let done = self.decode(region, entry, &mut window)?;
                *bytes = window.into_buffer();
                match done {
                    Some(done) => Some((entry, done)),
                    None => return Ok(()),
                }
            }
        };
        self.append(region, done)
    }

    fn decode(&self, region: usize, entry: Entry, window: &mut Window<'_>) -> Result<Option<Done<'a, S::Part>>, Error> {
        let Together { format, regions, filled, impatient, before, .. } = self.together;
        let mut part = self.sink.part();
        let begin_max = regions.boundary(region + 1);
        let entry = Entry { number: before + entry.number, ..entry };
        match format.pass(filled.to_vec(), &mut part, *impatient, window, entry, begin_max)? {
            Ended::Done(tally, filled) => {
                part.finish().map_err(Error::sink)?;
                Ok(Some(Done { part, tally: *tally, filled }))
            }
            Ended::Again(filled) => {
                self.stop(End::Again(filled));
                Ok(None)
            }
        }
    }

    /// Hands over what has become complete, unless another thread is about to.
    fn append(&self, region: usize, done: Option<(Entry, Done<'a, S::Part>)>) -> Result<(), Error> {
        let mut state = self.lock();
        state.done.insert(region, done);
        while state.end.is_none() && !state.is_appending {
            let next = state.appended;
            let Some(done) = state.done.remove(&next) else { break };
            if let Some((entry, done)) = done {
                let before = state.tally.counts.read;
                assert_eq!(entry.number, before, "region {next} begins with the record behind the last one");
                state.tally.add(done.tally);
                for (filled, behind) in state.filled.iter_mut().zip(&done.filled) {
                    filled.add_survey(behind);
                }
                state.is_appending = true;
                drop(state);
                let appended = self.sink.append(done.part).map_err(Error::sink);
                state = self.lock();
                state.is_appending = false;
                appended?;
            }
            state.appended += 1;
            self.moved.notify_all();
        }
        Ok(())
    }
}

/// The others must not wait for a thread that panicked.
struct StopOnPanic<'s, 't, 'a, F: Format<'a>, C: Cut, S: SharedSink>(&'s Shared<'t, 'a, F, C, S>);

impl<'a, F: Format<'a>, C: Cut, S: SharedSink> Drop for StopOnPanic<'_, '_, 'a, F, C, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(End::Panic);
        }
    }
}

/// Reads the bytes from `begin` up to `end`.
fn read(source: &mut dyn ByteSource, begin: u64, end: u64, into: &mut Vec<u8>) -> Result<(), Error> {
    let count = usize::try_from(end - begin).expect("a region is far smaller than the address space");
    into.resize(count, 0);
    let mut filled = 0;
    while filled < count {
        let offset = begin + filled as u64;
        let read = source.read_at(offset, &mut into[filled..]).map_err(|error| Error::source(offset, error))?;
        if read == 0 {
            return Err(Error::ended_early(offset, end));
        }
        filled += read;
    }
    Ok(())
}
