//! JSON: objects on lines, in an array, or one behind the other.
//!
//! `layout` looks at the head, `records` cuts the object into records, `regions` cuts lines for several threads, and `pass`
//! goes over the records. `parser` takes a record apart; it keeps numbers as they are written, so that none loses digits, and
//! leaves what looks unusual to [`jiter`], a pull parser. `tree` knows which value belongs to which column, `walk` follows a
//! record through it, `quick` and `read` make values, and `rows` holds the tables under construction.

mod digits;
mod layout;
pub(crate) mod look;
mod marks;
mod parser;
mod pass;
mod quick;
mod read;
mod records;
mod regions;
mod rows;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use stillhouse_spec::{
    Choice, Contract, CsvOptions, JsonLayout, MissingColumns, NewField, ReadFormat, Reading, UnknownColumns,
};

use self::layout::Head;
use self::pass::Pass;
use self::regions::Lines;
use crate::api::{Request, RowSink};
use crate::byte_mark;
use crate::error::Error;
use crate::format::{Ended, Format, Told};
use crate::place::Entry;
use crate::plan::{Filled, Origin, plan, state_years};
use crate::shared::Threads;
use crate::shown::names;
use crate::tally::Tally;
use crate::window::Window;

pub(crate) use self::layout::stands_alone;

/// Arrays and objects may be inside each other up to this depth below the values that the contract names.
pub const JSON_DEPTH_MAX: usize = 200;

/// So many unknown names are kept.
const UNKNOWN_MAX: usize = 1000;

/// A JSON object whose head has been looked at.
pub(crate) struct Json<'a> {
    request: &'a Request<'a>,
    head: Head,
}

impl Json<'_> {
    /// Columns that a field should have been there for, and none was in any record.
    fn missing(&self, tally: &Tally) -> Result<(), Error> {
        let contract = self.request.contract;
        if contract.missing_columns == MissingColumns::Null || tally.records() == 0 {
            return Ok(());
        }
        let columns = contract.read_columns().enumerate();
        let missing = columns
            .filter(|(number, column)| column.needs_field() && !tally.seen.get(*number).copied().unwrap_or(false));
        let missing: Vec<String> = missing.map(|(number, _)| format!("`{}`", contract.read_label(number))).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::data(
            format!("no record has a value for column {}", missing.join(", ")),
            "add the name in the file to `from` of the column, or set `missing_columns = \"null\"` in the source file",
        ))
    }

    /// What becomes of fields that the contract does not know.
    fn unknown(&self, tally: &Tally, warnings: &mut Vec<String>) -> Result<(), Error> {
        if tally.unknown.is_empty() {
            return Ok(());
        }
        let shown = names(tally.unknown.iter().map(NewField::to_string));
        match self.request.contract.unknown_columns {
            UnknownColumns::Ignore => {
                warnings.push(format!("fields that the contract does not know are left out: {shown}"));
                Ok(())
            }
            UnknownColumns::Json => Ok(()),
            UnknownColumns::Add => Err(Error::more_columns(tally.unknown.iter().cloned().collect())),
            UnknownColumns::Hold => Err(Error::data(
                format!("no column for the fields {shown}"),
                "add the columns to the source file, or set `unknown_columns` to \"add\", \"json\" or \"ignore\"",
            )),
        }
    }
}

impl<'a> Format<'a> for Json<'a> {
    type Cut = Lines;

    fn new(window: &mut Window<'_>, request: &'a Request<'a>) -> Result<Self, Error> {
        let head = layout::detect(window, request.json().layout, request.record_bytes_max())?;
        Ok(Self { request, head })
    }

    /// Each part says by itself how its records follow each other.
    fn part(&self, window: &mut Window<'_>) -> Result<Self, Error> {
        Self::new(window, self.request)
    }

    fn is_blank(window: &mut Window<'_>) -> Result<bool, Error> {
        byte_mark::is_blank(window)
    }

    fn regions(&self, length: u64, threads: Threads) -> Option<Lines> {
        (self.head.layout.value == JsonLayout::Lines).then(|| Lines::new(self.head.start, length, threads)).flatten()
    }

    fn request(&self) -> &'a Request<'a> {
        self.request
    }

    fn plan(&self) -> Result<Vec<Filled<'a>>, Error> {
        let contract: &'a Contract = self.request.contract;
        let origins: Vec<Origin> =
            contract.read_columns().map(|column| Origin::other(&column.from).unwrap_or(Origin::Inside)).collect();
        let mut columns = plan(self.request, contract.read_columns().zip(&origins))?;
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
        Pass::new(self.request, filled, sink, impatient).run(window, self.head.layout.value, entry, begin_max)
    }

    fn told(&self, tally: &Tally) -> Result<Told, Error> {
        if tally.records() == 0 && !tally.begun {
            return Err(layout::empty(tally.bytes));
        }
        self.missing(tally)?;
        let mut warnings = Vec::new();
        self.unknown(tally, &mut warnings)?;
        let layout = match self.head.layout.value {
            JsonLayout::Lines => "lines",
            JsonLayout::Array => "array",
            JsonLayout::Values => "values",
        };
        let decided = BTreeMap::from([
            ("encoding".to_owned(), self.head.encoding.clone()),
            ("layout".to_owned(), Choice { value: layout.to_owned(), origin: self.head.layout.origin }),
        ]);
        let reading = Reading { csv: CsvOptions::default(), fields: Vec::new(), format: ReadFormat::Json };
        Ok(Told { decided, warnings, reading })
    }
}
