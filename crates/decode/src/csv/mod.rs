//! CSV: delimited text.
//!
//! `detect` looks at the head (dialect, header, mapping), `records` and `index` cut the object into records and fields,
//! `regions` cuts it for several threads, and `pass` goes over the records and fills the columns of `parent`.

pub(crate) mod detect;
mod dialect;
pub(crate) mod header;
pub(crate) mod index;
pub mod look;
pub(crate) mod mapping;
mod parent;
mod pass;
mod piece;
mod records;
pub(crate) mod regions;
mod sample;
pub(crate) mod scan;

use crate::api::{Request, RowSink};
use crate::byte_mark;
use crate::csv::detect::{Head, detect, empty};
use crate::csv::pass::Pass;
use crate::csv::regions::Regions;
use crate::error::Error;
use crate::format::{Ended, Format, Told};
use crate::place::Entry;
use crate::plan::{Filled, Origin, choose_by_sample, plan, state_years};
use crate::reading::reading;
use crate::shared::Threads;
use crate::tally::Tally;
use crate::window::Window;

/// A CSV object whose head has been looked at.
pub(crate) struct Csv<'a> {
    request: &'a Request<'a>,
    head: Head,
}

impl<'a> Format<'a> for Csv<'a> {
    type Cut = Regions;

    fn new(window: &mut Window<'_>, request: &'a Request<'a>) -> Result<Self, Error> {
        Ok(Self { request, head: detect(window, request)? })
    }

    fn part(&self, window: &mut Window<'_>) -> Result<Self, Error> {
        Ok(Self { request: self.request, head: self.head.part(window, self.request)? })
    }

    fn is_blank(window: &mut Window<'_>) -> Result<bool, Error> {
        byte_mark::is_blank(window)
    }

    fn regions(&self, length: u64, threads: Threads) -> Option<Regions> {
        Regions::new(&self.head, self.request, length, threads)
    }

    fn request(&self) -> &'a Request<'a> {
        self.request
    }

    fn plan(&self) -> Result<Vec<Filled<'a>>, Error> {
        let Head { mapping, rows, .. } = &self.head;
        let mut columns = plan(self.request, self.request.contract.parent.columns.iter().zip(&mapping.origins))?;
        for (filled, origin) in columns.iter_mut().zip(&mapping.origins) {
            let Origin::Field(field) = origin else { continue };
            let rows = rows.iter().filter(|row| row.texts.len() == mapping.width);
            choose_by_sample(filled, rows.filter_map(|row| Some((row.texts.get(*field)?.as_str(), row.line))));
        }
        state_years(&mut columns);
        Ok(columns)
    }

    fn first(&self) -> Entry {
        Entry { start: self.head.start, number: 0 }
    }

    fn pass(
        &self,
        filled: Vec<Filled<'a>>,
        sink: &mut dyn RowSink,
        impatient: bool,
        window: &mut Window<'_>,
        entry: Entry,
        begin_max: u64,
    ) -> Result<Ended<'a>, Error> {
        Pass::new(self.request, &self.head, filled, sink, impatient).run(window, entry, begin_max)
    }

    fn check(&self, tally: &Tally) -> Result<(), Error> {
        if self.head.mapping.header_offset.is_none() || tally.begun {
            return Ok(());
        }
        Err(Error::data(
            "the header could not be found again: a quote before it is closed far behind it",
            "correct the quotes at the beginning of the file",
        ))
    }

    fn told(&self, tally: &Tally) -> Result<Told, Error> {
        let mapping = &self.head.mapping;
        if tally.records() == 0 && !tally.begun {
            return Err(empty(tally.bytes));
        }
        let decided = self.head.decided.iter().chain(&mapping.decided).cloned().collect();
        let warnings = mapping.warnings.clone();
        Ok(Told { decided, warnings, reading: reading(&self.head, self.request.contract) })
    }
}
