//! An object with all of its parts.
//!
//! The first part that is not blank tells how all of them are to be read. Each part is cut into records by itself: no
//! quote, no bracket and no line that is not ended reaches from one into the next. What is counted, the choice of formats
//! included, is counted over all of them, as it is over the regions of one file.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::{Outcome, Reject, Request, RowSink, Sink, SinkError};
use crate::decode::drive;
use crate::error::Error;
use crate::format::{Ended, Format};
use crate::part_files::PartFiles;
use crate::parts::Parts;
use crate::place::Entry;
use crate::plan::Filled;
use crate::shared::{SharedSink, SharedSource, SinkPart, Threads};
use crate::tally::Tally;
use crate::together::{Together, pass_together};
use crate::window::Window;

/// See the module.
pub(crate) struct Whole<'p, F> {
    files: &'p dyn PartFiles,
    record_bytes_max: usize,
    /// The part that tells how all of them are to be read.
    lead: usize,
    format: F,
}

/// A part whose turn it is.
struct Turn<'t, 'w, 'a, F> {
    number: usize,
    name: &'t str,
    source: &'t dyn SharedSource,
    window: &'t mut Window<'w>,
    format: &'t F,
    filled: Vec<Filled<'a>>,
    /// How many records are in the parts before it.
    before: u64,
}

impl<F> Turn<'_, '_, '_, F> {
    fn entry<'a>(&self) -> Entry
    where
        F: Format<'a>,
    {
        let first = self.format.first();
        Entry { number: self.before + first.number, ..first }
    }
}

impl<'p, 'a, F: Format<'a>> Whole<'p, F> {
    pub(crate) fn new(files: &'p dyn PartFiles, request: &'a Request<'a>) -> Result<Self, Error> {
        let record_bytes_max = request.record_bytes_max();
        let mut lead = 0;
        loop {
            let source = open(files, lead)?;
            let mut reader = source.reader();
            let mut window = Window::new(&mut *reader, record_bytes_max);
            let is_last = lead + 1 >= files.count();
            if is_last || !F::is_blank(&mut window).map_err(|error| error.in_part(files.name(lead)))? {
                let format = F::new(&mut window, request).map_err(|error| error.in_part(files.name(lead)))?;
                return Ok(Self { files, record_bytes_max, lead, format });
            }
            lead += 1;
        }
    }

    pub(crate) fn decode(&self, sink: &mut dyn Sink) -> Result<Outcome, Error> {
        drive(&self.format, |filled, try_of| {
            if try_of.again {
                sink.restart().map_err(Error::sink)?;
            }
            let ended = self.pass(&filled, |turn| {
                let entry = turn.entry();
                let mut sink = InPart { sink: &mut *sink, name: turn.name };
                turn.format.pass(turn.filled, &mut sink, try_of.impatient, turn.window, entry, u64::MAX).map(Some)
            })?;
            Ok(ended.expect("one thread is never entangled"))
        })
    }

    pub(crate) fn decode_shared<S: SharedSink>(&self, sink: &S, threads: Threads) -> Result<Outcome, Error> {
        // Parts that are to be read in one go.
        let mut tangled = BTreeSet::new();
        drive(&self.format, |filled, try_of| {
            let mut again = try_of.again;
            loop {
                if again {
                    sink.restart().map_err(Error::sink)?;
                }
                let mut parts = Parts::new(sink);
                let ended = self.pass(&filled, |turn| {
                    let length = turn.window.length();
                    let regions = Some(&turn).filter(|turn| !tangled.contains(&turn.number));
                    let Some(regions) = regions.and_then(|turn| turn.format.regions(length, threads)) else {
                        let entry = turn.entry();
                        let mut sink = InPart { sink: &mut parts, name: turn.name };
                        let Turn { format, filled, window, .. } = turn;
                        return format.pass(filled, &mut sink, try_of.impatient, window, entry, u64::MAX).map(Some);
                    };
                    parts.flush().map_err(Error::sink)?;
                    let Turn { number, name, source, format, ref filled, before, .. } = turn;
                    let (impatient, record_bytes_max) = (try_of.impatient, self.record_bytes_max);
                    let (regions, sink) = (&regions, SharedInPart { sink, name });
                    let together =
                        Together { source, format, regions, filled, impatient, threads, record_bytes_max, before };
                    let ended = pass_together(&together, &sink)?;
                    if ended.is_none() {
                        tangled.insert(number);
                    }
                    Ok(ended)
                })?;
                if let Some(ended) = ended {
                    parts.flush().map_err(Error::sink)?;
                    return Ok(ended);
                }
                again = true;
            }
        })
    }

    /// Goes over all parts. `None`: `read` could not read one of them as it tried to.
    fn pass(
        &self,
        filled: &[Filled<'a>],
        mut read: impl FnMut(Turn<'_, '_, 'a, F>) -> Result<Option<Ended<'a>>, Error>,
    ) -> Result<Option<Ended<'a>>, Error> {
        let (mut tally, mut all) = (Tally::default(), filled.to_vec());
        let mut known: BTreeSet<String> = self.format.warnings().iter().cloned().collect();
        for number in 0..self.files.count() {
            let name = self.files.name(number);
            let before = tally.counts.read;
            let ended = self.part(number, filled, before, &mut known, &mut read);
            match ended.map_err(|error| error.in_part(name))? {
                None => return Ok(None),
                Some(Ended::Again(better)) => {
                    all.iter_mut().zip(&better).for_each(|(all, better)| all.read_as(better));
                    return Ok(Some(Ended::Again(all)));
                }
                Some(Ended::Done(own, mut behind)) => {
                    tally.add(own.in_part(name));
                    for (all, behind) in all.iter_mut().zip(&mut behind) {
                        behind.in_part(name);
                        all.add_survey(behind);
                    }
                }
            }
        }
        Ok(Some(Ended::Done(Box::new(tally), all)))
    }

    /// Gives a part its turn. `known`: warnings that have been told.
    fn part(
        &self,
        number: usize,
        filled: &[Filled<'a>],
        before: u64,
        known: &mut BTreeSet<String>,
        read: &mut impl FnMut(Turn<'_, '_, 'a, F>) -> Result<Option<Ended<'a>>, Error>,
    ) -> Result<Option<Ended<'a>>, Error> {
        let name = self.files.name(number);
        let source = open(self.files, number)?;
        let mut reader = source.reader();
        let mut window = Window::new(&mut *reader, self.record_bytes_max);
        let own = if number == self.lead { None } else { Some(self.format.part(&mut window)?) };
        let format = own.as_ref().unwrap_or(&self.format);
        let filled = format.fill(filled)?;
        let turn = Turn { number, name, source: &*source, window: &mut window, format, filled, before };
        let mut ended = read(turn)?;
        if let Some(Ended::Done(tally, _)) = &mut ended {
            format.check(tally)?;
            tally.bytes = window.length();
            let new = format.warnings().iter().filter(|warning| known.insert((*warning).clone()));
            tally.warnings.extend(new.map(|warning| format!("part `{name}`: {warning}")));
        }
        Ok(ended)
    }
}

fn open(files: &dyn PartFiles, part: usize) -> Result<Arc<dyn SharedSource + '_>, Error> {
    files.open(part).map_err(|error| Error::source(0, error))
}

/// Says of refused records in which part they stand.
struct InPart<'s> {
    sink: &'s mut dyn RowSink,
    name: &'s str,
}

impl RowSink for InPart<'_> {
    fn batch(&mut self, table: usize, batch: arrow::record_batch::RecordBatch) -> Result<(), SinkError> {
        self.sink.batch(table, batch)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        self.sink.reject(in_part(reject, self.name))
    }
}

fn in_part(mut reject: Reject, name: &str) -> Reject {
    name.clone_into(&mut reject.place.part);
    reject
}

/// The same where several threads read.
struct SharedInPart<'s, S> {
    sink: &'s S,
    name: &'s str,
}

impl<'s, S: SharedSink> SharedSink for SharedInPart<'s, S> {
    type Part = PartInPart<'s, S::Part>;

    fn part(&self) -> Self::Part {
        PartInPart { part: self.sink.part(), name: self.name }
    }

    fn append(&self, part: Self::Part) -> Result<(), SinkError> {
        self.sink.append(part.part)
    }

    fn restart(&self) -> Result<(), SinkError> {
        self.sink.restart()
    }
}

struct PartInPart<'s, P> {
    part: P,
    name: &'s str,
}

impl<P: SinkPart> RowSink for PartInPart<'_, P> {
    fn batch(&mut self, table: usize, batch: arrow::record_batch::RecordBatch) -> Result<(), SinkError> {
        self.part.batch(table, batch)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        self.part.reject(in_part(reject, self.name))
    }
}

impl<P: SinkPart> SinkPart for PartInPart<'_, P> {
    fn is_full(&self) -> bool {
        self.part.is_full()
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.part.finish()
    }
}
