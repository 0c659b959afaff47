//! The driver: detection, then as many passes as it takes until no choice is contradicted.

use crate::api::{Outcome, Request, Sink};
use crate::detect::{Head, detect};
use crate::error::Error;
use crate::parts::Parts;
use crate::pass::{Ended, Pass, choose_better};
use crate::plan::{Filled, plan, state_years};
use crate::regions::{Entry, Regions};
use crate::shared::{SharedSink, SharedSource, Threads};
use crate::source::ByteSource;
use crate::together::{Together, pass_together};
use crate::window::Window;

/// Reads one object and hands over its rows and rejects.
///
/// An error that [is held](Error::is_held) concerns the object as a whole (no usable columns, two formats that both fit,
/// more rejects than allowed); after any error the sink's content is void.
pub fn decode(source: &mut dyn ByteSource, request: &Request<'_>, sink: &mut dyn Sink) -> Result<Outcome, Error> {
    let mut window = Window::new(source, request.record_bytes_max());
    let head = detect(&mut window, request)?;
    drive(request, &head, window.length(), |filled, try_of| {
        if try_of.again {
            sink.restart().map_err(Error::sink)?;
        }
        Pass::new(request, &head, filled, sink, try_of.impatient).run(&mut window, Entry::first(&head), u64::MAX)
    })
}

/// The same by several threads; a large object is cut into regions for them. Comes to the same rows, rejects and counts;
/// where batches begin and end differs.
pub fn decode_shared<S: SharedSink>(
    source: &dyn SharedSource,
    request: &Request<'_>,
    sink: &S,
    threads: Threads,
) -> Result<Outcome, Error> {
    let mut reader = source.reader();
    let mut window = Window::new(&mut *reader, request.record_bytes_max());
    let head = detect(&mut window, request)?;
    let mut regions = Regions::new(&head, request, window.length(), threads);
    drive(request, &head, window.length(), |filled, try_of| {
        if try_of.again {
            sink.restart().map_err(Error::sink)?;
        }
        if let Some(cut) = regions {
            let impatient = try_of.impatient;
            let together = Together { source, request, head: &head, regions: cut, filled: &filled, impatient, threads };
            if let Some(ended) = pass_together(&together, sink)? {
                return Ok(ended);
            }
            regions = None;
            sink.restart().map_err(Error::sink)?;
        }
        let mut parts = Parts::new(sink);
        let pass = Pass::new(request, &head, filled, &mut parts, try_of.impatient);
        let ended = pass.run(&mut window, Entry::first(&head), u64::MAX)?;
        parts.finish().map_err(Error::sink)?;
        Ok(ended)
    })
}

/// One try to read an object.
struct Try {
    /// What was handed over before is void.
    again: bool,
    /// A format that does badly may end it early.
    impatient: bool,
}

fn drive<'a>(
    request: &Request<'a>,
    head: &Head,
    length: u64,
    mut pass: impl FnMut(Vec<Filled<'a>>, &Try) -> Result<Ended<'a>, Error>,
) -> Result<Outcome, Error> {
    let mut filled = plan(request, head)?;
    // A full pass counts every format over all records, so the one after it is right, but for leap days, of which
    // each column can ask for one more pass. Only passes that end early could go on for ever, so they are limited.
    let mut early =
        filled.iter().filter_map(|filled| filled.reader.moments()).map(|m| m.formats().len()).sum::<usize>();
    let mut again = false;
    loop {
        filled = match pass(filled, &Try { again, impatient: early > 0 })? {
            Ended::Again(better) => better,
            Ended::Done(tally, mut filled) => {
                if !choose_better(&mut filled, |_| true) {
                    return tally.conclude(&filled, head, request, length);
                }
                filled
            }
        };
        again = true;
        early = early.saturating_sub(1);
        filled.iter_mut().for_each(Filled::begin_survey);
        state_years(&mut filled);
    }
}
