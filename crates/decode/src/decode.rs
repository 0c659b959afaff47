//! The driver: detection, then as many passes as it takes until no choice is contradicted.

use crate::api::{Outcome, Request, Sink};
use crate::detect::detect;
use crate::error::Error;
use crate::pass::{Ended, Pass};
use crate::plan::{Filled, plan, state_years};
use crate::source::ByteSource;
use crate::window::Window;

/// A longer record is never held, whatever the request says: positions in Arrow's texts have 32 bits.
const RECORD_BYTES_CEILING: u64 = 1 << 30;

/// Reads one object and hands over its rows and rejects.
///
/// An error that [is held](Error::is_held) concerns the object as a whole (no usable columns, two formats that both fit,
/// more rejects than allowed); after any error the sink's content is void.
pub fn decode(source: &mut dyn ByteSource, request: &Request<'_>, sink: &mut dyn Sink) -> Result<Outcome, Error> {
    let record_bytes_max =
        usize::try_from(request.max_record_bytes.min(RECORD_BYTES_CEILING)).expect("the ceiling fits into a pointer");
    let mut window = Window::new(source, record_bytes_max);
    let head = detect(&mut window, request, record_bytes_max)?;
    let mut filled = plan(request, &head)?;
    // A full pass counts every format over all records, so the one after it is right, but for leap days, of which
    // each column can ask for one more pass. Only passes that end early could go on for ever, so they are limited.
    let mut early =
        filled.iter().filter_map(|filled| filled.reader.moments()).map(|m| m.formats().len()).sum::<usize>();
    loop {
        let pass = Pass::new(request, &head, filled, sink, early > 0);
        match pass.run(&mut window, record_bytes_max)? {
            Ended::Done(outcome) => return Ok(outcome),
            Ended::Again(better) => filled = better,
        }
        sink.restart().map_err(Error::sink)?;
        early = early.saturating_sub(1);
        filled.iter_mut().for_each(Filled::begin_survey);
        state_years(&mut filled);
    }
}
