//! The driver: detection, then as many passes as it takes until no choice is contradicted.

use stillhouse_spec::InputFormat;

use crate::api::{Outcome, Request, Sink};
use crate::csv::Csv;
use crate::error::Error;
use crate::format::{Ended, Format};
use crate::json::Json;
use crate::parquet::Parquet;
use crate::part_files::{OneFile, PartFiles};
use crate::plan::{Filled, choose_better, state_years};
use crate::shared::{SharedSink, SharedSource, Threads};
use crate::source::ByteSource;
use crate::whole::Whole;
use crate::window::Window;

/// Reads one object and hands over its rows and rejects.
///
/// An error that [is held](Error::is_held) concerns the object as a whole (no usable columns, two formats that both fit,
/// more rejects than allowed); after any error the sink's content is void.
pub fn decode(source: &mut dyn ByteSource, request: &Request<'_>, sink: &mut dyn Sink) -> Result<Outcome, Error> {
    let mut window = Window::new(source, request.record_bytes_max());
    match request.format {
        InputFormat::Csv(_) => decode_format(&Csv::new(&mut window, request)?, &mut window, sink),
        InputFormat::Json(_) => decode_format(&Json::new(&mut window, request)?, &mut window, sink),
        InputFormat::Parquet => decode_format(&Parquet::new(&mut window, request)?, &mut window, sink),
    }
}

fn decode_format<'a, F: Format<'a>>(
    format: &F,
    window: &mut Window<'_>,
    sink: &mut dyn Sink,
) -> Result<Outcome, Error> {
    drive(format, |filled, try_of| {
        if try_of.again {
            sink.restart().map_err(Error::sink)?;
        }
        let mut ended = format.pass(filled, sink, try_of.impatient, window, format.first(), u64::MAX)?;
        if let Ended::Done(tally, _) = &mut ended {
            format.check(tally)?;
            tally.bytes = window.length();
        }
        Ok(ended)
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
    decode_parts_shared(&OneFile(source), request, sink, threads)
}

/// [`decode()`] of an object that is made of several files. Records are numbered on from one part to the next; a place names
/// the part, and counts lines and bytes in it.
pub fn decode_parts(files: &dyn PartFiles, request: &Request<'_>, sink: &mut dyn Sink) -> Result<Outcome, Error> {
    match request.format {
        InputFormat::Csv(_) => Whole::<Csv<'_>>::new(files, request)?.decode(sink),
        InputFormat::Json(_) => Whole::<Json<'_>>::new(files, request)?.decode(sink),
        InputFormat::Parquet => Whole::<Parquet<'_>>::new(files, request)?.decode(sink),
    }
}

/// [`decode_parts`] by several threads: a large part is cut into regions for them.
pub fn decode_parts_shared<S: SharedSink>(
    files: &dyn PartFiles,
    request: &Request<'_>,
    sink: &S,
    threads: Threads,
) -> Result<Outcome, Error> {
    match request.format {
        InputFormat::Csv(_) => Whole::<Csv<'_>>::new(files, request)?.decode_shared(sink, threads),
        InputFormat::Json(_) => Whole::<Json<'_>>::new(files, request)?.decode_shared(sink, threads),
        InputFormat::Parquet => Whole::<Parquet<'_>>::new(files, request)?.decode_shared(sink, threads),
    }
}

/// One try to read an object.
pub(crate) struct Try {
    /// What was handed over before is void.
    pub(crate) again: bool,
    /// A format that does badly may end it early.
    pub(crate) impatient: bool,
}

/// Goes over an object until no choice is contradicted. `format`: what tells how all of it is to be read.
pub(crate) fn drive<'a, F: Format<'a>>(
    format: &F,
    mut pass: impl FnMut(Vec<Filled<'a>>, &Try) -> Result<Ended<'a>, Error>,
) -> Result<Outcome, Error> {
    let mut filled = format.plan()?;
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
                    let told = format.told(&tally)?;
                    return tally.conclude(&filled, told, format.request());
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
