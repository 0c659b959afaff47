//! Detection: a fixed chain of phases over the head of the object. What the user set is never overruled.
//!
//! 1. `dialect`: encoding, delimiter, quote, escape. 2. `header`: is the first record one. 3. `mapping`: which field is
//!    which column. 4. `plan`: which of its formats each column is likely written in.

use stillhouse_spec::{Choice, HeaderStyle};

use crate::api::Request;
use crate::csv::dialect::{self, Dialect, Preface};
use crate::csv::header::{self, Names};
use crate::csv::mapping::{self, Found, Mapping};
use crate::csv::sample::{Row, Sample};
use crate::csv::scan::Syntax;
use crate::error::Error;
use crate::place::Start;
use crate::window::Window;

/// What the head of the object told.
pub(crate) struct Head {
    pub(crate) start: Start,
    pub(crate) syntax: Syntax,
    pub(crate) mapping: Mapping,
    /// The sampled records behind the header.
    pub(crate) rows: Vec<Row>,
    pub(crate) decided: Vec<(String, Choice<String>)>,
}

/// Runs the phases.
pub(crate) fn detect(window: &mut Window<'_>, request: &Request<'_>) -> Result<Head, Error> {
    let record_bytes_max = request.record_bytes_max();
    let Preface { start, encoding } = dialect::preface(window, request.csv(), record_bytes_max)?;
    let sample = Sample::take(window, start, request.csv().comment, record_bytes_max)?;
    let names = Names::new(request.contract);
    let Dialect { syntax, width, decided } = dialect::detect(&sample, request.csv(), &names);
    let mut rows = sample.rows(syntax);
    if rows.is_empty() && !sample.truncated() && is_blank(&sample, syntax) {
        return Err(empty(window.length()));
    }
    let header = header::detect(&rows, request.csv(), request.contract, &names);
    let found = Found { contract: request.contract, names: &names, rows: &rows, header: &header, width };
    let mapping = mapping::map(&found)?;
    if mapping.header_offset.is_some() {
        rows.remove(0);
    }
    let mut all: Vec<_> = decided.into_iter().map(|(name, choice)| (name.to_owned(), choice)).collect();
    let header_word = if header.value == HeaderStyle::Present { "present" } else { "absent" };
    all.push(("header".to_owned(), Choice { value: header_word.to_owned(), origin: header.origin }));
    all.push(("encoding".to_owned(), encoding));
    Ok(Head { start, syntax, mapping, rows, decided: all })
}

impl Head {
    /// The head of another part of the same object: what was decided holds for it, and a header has to be the same.
    pub(crate) fn part(&self, window: &mut Window<'_>, request: &Request<'_>) -> Result<Self, Error> {
        let record_bytes_max = request.record_bytes_max();
        let Preface { start, .. } = dialect::preface(window, request.csv(), record_bytes_max)?;
        let mut mapping = Mapping { header_offset: None, ..self.mapping.clone() };
        if self.mapping.header_offset.is_some() {
            let sample = Sample::take(window, start, request.csv().comment, record_bytes_max)?;
            let first = sample.first(self.syntax);
            mapping.header_offset = first.map(|row| mapping::same_header(&self.mapping.names, &row)).transpose()?;
        }
        Ok(Self { start, syntax: self.syntax, mapping, rows: Vec::new(), decided: Vec::new() })
    }
}

/// Not even a record that is to be refused.
fn is_blank(sample: &Sample, syntax: Syntax) -> bool {
    let tally = sample.visit(syntax, |_, _| false);
    tally.refused == 0
}

/// An object without a header and without a record, which nobody sends on purpose.
pub(crate) fn empty(length: u64) -> Error {
    Error::data(
        format!("the object is empty: expected a header or records, found {length} bytes and no record"),
        "send the file again; a header alone would be a file of zero rows",
    )
}
