//! The driver: detection, then as many passes as it takes until no choice is contradicted.

use stillhouse_spec::InputFormat;

use crate::api::{Outcome, Request, Sink};
use crate::csv::Csv;
use crate::error::Error;
use crate::format::{Cut, Ended, Format};
use crate::json::Json;
use crate::parquet::Parquet;
use crate::parts::Parts;
use crate::plan::{Filled, choose_better, state_years};
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
    match request.format {
        InputFormat::Csv(_) => decode_format(&Csv::new(&mut window, request)?, &mut window, sink),
        InputFormat::Json(_) => decode_format(&Json::new(&mut window, request)?, &mut window, sink),
        InputFormat::Parquet => decode_format(&Parquet::new(&mut window, request)?, &mut window, sink),
    }
}

fn decode_format<'a, F: Format<'a>>(
    format: &'a F,
    window: &mut Window<'_>,
    sink: &mut dyn Sink,
) -> Result<Outcome, Error> {
    drive(format, window.length(), |filled, try_of| {
        if try_of.again {
            sink.restart().map_err(Error::sink)?;
        }
        format.pass(filled, sink, try_of.impatient, window, format.first(), u64::MAX)
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
    let length = window.length();
    match request.format {
        InputFormat::Csv(_) => {
            let csv = Csv::new(&mut window, request)?;
            let regions = csv.regions(length, threads);
            decode_regions(&csv, regions, source, &mut window, sink, threads)
        }
        InputFormat::Parquet => {
            let parquet = Parquet::new(&mut window, request)?;
            let regions = parquet.regions(length, threads);
            decode_regions(&parquet, regions, source, &mut window, sink, threads)
        }
        InputFormat::Json(_) => {
            let json = Json::new(&mut window, request)?;
            let regions = json.regions(length, threads);
            decode_regions(&json, regions, source, &mut window, sink, threads)
        }
    }
}

fn decode_regions<'a, F: Format<'a>, C: Cut, S: SharedSink>(
    format: &'a F,
    mut regions: Option<C>,
    source: &dyn SharedSource,
    window: &mut Window<'_>,
    sink: &S,
    threads: Threads,
) -> Result<Outcome, Error> {
    let record_bytes_max = window.record_bytes_max();
    drive(format, window.length(), |filled, try_of| {
        if try_of.again {
            sink.restart().map_err(Error::sink)?;
        }
        if let Some(cut) = &regions {
            let impatient = try_of.impatient;
            let together =
                Together { source, format, regions: cut, filled: &filled, impatient, threads, record_bytes_max };
            if let Some(ended) = pass_together(&together, sink)? {
                return Ok(ended);
            }
            regions = None;
            sink.restart().map_err(Error::sink)?;
        }
        let mut parts = Parts::new(sink);
        let ended = format.pass(filled, &mut parts, try_of.impatient, window, format.first(), u64::MAX)?;
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

fn drive<'a, F: Format<'a>>(
    format: &F,
    length: u64,
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
                    let told = format.told(&tally, length)?;
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
