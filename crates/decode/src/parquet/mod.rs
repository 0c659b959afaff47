//! Apache Parquet.
//!
//! `file` reads the footer, `mapping` finds the columns of the contract in the schema of the file, `pass` reads row groups
//! batch by batch, only the columns that are wanted; `convert` makes values of our types of them, and `rows` tables. A row
//! that is refused is kept as one JSON object with all of its columns.

mod children;
mod convert;
mod file;
pub(crate) mod look;
mod mapping;
mod pass;
mod rejects;
mod rows;

use std::collections::BTreeMap;

use stillhouse_spec::{Choice, Contract, CsvOptions, ReadFormat, Reading};

use self::file::File;
pub use self::file::is_guarded;
use self::mapping::Mapping;
use self::pass::Pass;
use crate::api::{Request, RowSink};
use crate::error::Error;
use crate::format::{Cut, Ended, Format, Linked, Told};
use crate::place::{Entry, Start};
use crate::plan::{Filled, plan, state_years};
use crate::shared::Threads;
use crate::source::ByteSource;
use crate::tally::Tally;
use crate::window::Window;

/// A row group whose wanted columns are longer holds the object: what is read of a row group is held in memory.
pub const ROW_GROUP_BYTES_MAX: u64 = 1 << 30;

/// Row groups are read side by side as long as they are no longer than this together.
const TOGETHER_BYTES_MAX: u64 = 192 << 20;

/// A Parquet object whose footer has been read.
pub(crate) struct Parquet<'a> {
    request: &'a Request<'a>,
    file: File,
    mapping: Mapping,
}

impl<'a> Format<'a> for Parquet<'a> {
    type Cut = Groups;

    fn new(window: &mut Window<'_>, request: &'a Request<'a>) -> Result<Self, Error> {
        let file = File::open(window)?;
        let mapping = Mapping::new(&file, request.contract)?;
        Ok(Self { request, file, mapping })
    }

    /// Each part has columns of its own, which the contract finds by their names.
    fn part(&self, window: &mut Window<'_>) -> Result<Self, Error> {
        Self::new(window, self.request)
    }

    fn is_blank(_: &mut Window<'_>) -> Result<bool, Error> {
        Ok(false)
    }

    fn regions(&self, _: u64, threads: Threads) -> Option<Groups> {
        let count = self.file.groups();
        let largest = (0..count).map(|group| self.file.bytes(group, &self.mapping.mask)).max().unwrap_or(0);
        let fits = largest.saturating_mul(threads.count as u64) <= TOGETHER_BYTES_MAX;
        let rows = (0..count).scan(0, |before, group| {
            let first = *before;
            *before += self.file.rows(group);
            Some(first)
        });
        (count > 1 && threads.count > 1 && fits).then(|| Groups(rows.collect()))
    }

    fn request(&self) -> &'a Request<'a> {
        self.request
    }

    fn plan(&self) -> Result<Vec<Filled<'a>>, Error> {
        let contract: &'a Contract = self.request.contract;
        let mut columns = plan(self.request, contract.read_columns().zip(&self.mapping.origins))?;
        state_years(&mut columns);
        Ok(columns)
    }

    fn fill(&self, filled: &[Filled<'a>]) -> Result<Vec<Filled<'a>>, Error> {
        let mut own = self.plan()?;
        own.iter_mut().zip(filled).for_each(|(own, filled)| own.read_as(filled));
        state_years(&mut own);
        Ok(own)
    }

    fn warnings(&self) -> &[String] {
        &self.mapping.warnings
    }

    fn first(&self) -> Entry {
        Entry { start: Start { offset: 0, line: 1 }, number: 0 }
    }

    /// Places are numbers of row groups here, and lines those of rows, from 1.
    fn pass(
        &self,
        filled: Vec<Filled<'a>>,
        sink: &mut dyn RowSink,
        impatient: bool,
        window: &mut Window<'_>,
        entry: Entry,
        begin_max: u64,
    ) -> Result<Ended<'a>, Error> {
        let first = usize::try_from(entry.start.offset).unwrap_or(usize::MAX);
        let end = usize::try_from(begin_max).unwrap_or(usize::MAX).min(self.file.groups());
        let pass = Pass::new(self.request, &self.file, &self.mapping, filled, sink, impatient);
        pass.run(window, first..end.max(first), entry)
    }

    fn told(&self, _: &Tally) -> Result<Told, Error> {
        let mut decided = BTreeMap::new();
        if let Some(writer) = self.file.writer() {
            decided.insert("written by".to_owned(), Choice::detected(writer));
        }
        let reading = Reading { csv: CsvOptions::default(), fields: Vec::new(), format: ReadFormat::Json };
        Ok(Told { decided, warnings: self.mapping.warnings.clone(), reading })
    }
}

/// Row groups as regions: the number of the first row of each is known. Boundaries are their numbers, which are far below
/// the length of the file, so that the byte which is read there does no harm.
pub(crate) struct Groups(Vec<u64>);

impl Cut for Groups {
    type Known = ();
    type Census = ();

    fn count(&self) -> usize {
        self.0.len()
    }

    fn boundary(&self, region: usize) -> u64 {
        region as u64
    }

    fn known(&self) {}

    fn census(&self, _: &[u8]) {}

    fn link(&self, region: usize, _: &[u8], (): &(), (): (), _: &mut dyn ByteSource) -> Result<Linked<()>, Error> {
        let number = self.0[region];
        let start = Start { offset: region as u64, line: number + 1 };
        Ok(Linked::Region(Some(Entry { start, number }), ()))
    }
}
