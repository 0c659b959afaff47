//! The rows of the parent table.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use stillhouse_spec::Scalar;

use crate::columns::{Column, remove};
use crate::csv::mapping::Mapping;
use crate::csv::piece::{Piece, Row};
use crate::csv::scan::{Field, Syntax, Wrapping, unescape};
use crate::error::Error;
use crate::plan::{Filled, From, Reading, expected};
use crate::refusal::FOUND_CHARS_MAX;
use crate::rules::Rules;
use crate::values::{Reader, list};

/// The parent table under construction.
pub(crate) struct Parent<'a> {
    schema: SchemaRef,
    pub(crate) filled: Vec<Filled<'a>>,
    pub(crate) columns: Vec<Column>,
    records: Vec<i64>,
    bytes: usize,
    /// Bytes of the constant columns on one row.
    constant_bytes: usize,
    /// Fields that no column takes, with the names of the header.
    rest: Vec<(String, usize)>,
    scratch: String,
}

/// What became of a record.
pub(crate) enum Verdict {
    /// It is the last row of the table.
    Row,
    Refused(Blame),
    /// The object has to start again with a leap year for this column.
    LeapDay(usize),
}

/// What became of several records.
pub(crate) enum Appended {
    /// They are the last rows of the table, but for these (by their place among them, ascending).
    Rows { refused: Vec<(usize, Blame)> },
    /// The object has to start again with a leap year for this column.
    LeapDay(usize),
}

/// The column to blame.
pub(crate) struct Blame {
    pub(crate) column: usize,
    pub(crate) reason: &'static str,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl<'a> Parent<'a> {
    pub(crate) fn new(schema: SchemaRef, filled: Vec<Filled<'a>>, mapping: &Mapping) -> Self {
        let columns: Vec<Column> = filled.iter().map(|filled| Column::new(&filled.spec.data_type)).collect();
        let constant = filled.iter().map(|filled| match &filled.from {
            From::Constant(value) => value.range_bytes(0..1),
            From::Field(_) | From::Inside | From::Rest | From::Null => 8,
        });
        let constant_bytes = constant.sum();
        let name = |field: &usize| mapping.names.get(*field).map_or("", |name| name.trim()).to_owned();
        let name = |field: &usize| Some(name(field)).filter(|name| !name.is_empty());
        let rest =
            mapping.rest.iter().map(|field| (name(field).unwrap_or_else(|| format!("field {}", field + 1)), *field));
        let rest = rest.collect();
        let (records, scratch) = (Vec::new(), String::new());
        Self { schema, filled, columns, records, bytes: 0, constant_bytes, rest, scratch }
    }

    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    /// The numbers of the rows' records.
    pub(crate) fn records(&self) -> &[i64] {
        &self.records
    }

    /// About how much memory the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// About how much memory a row takes whose record has so many bytes.
    pub(crate) fn row_bytes(&self, record_bytes: usize) -> usize {
        record_bytes + self.constant_bytes
    }

    /// Appends a record as a row, or nothing at all.
    #[inline]
    pub(crate) fn append(&mut self, record: &str, fields: &[Field], syntax: Syntax, line: u64, number: u64) -> Verdict {
        let mut refused: Option<(usize, &'static str)> = None;
        for (at, (filled, column)) in self.filled.iter_mut().zip(&mut self.columns).enumerate() {
            let field = match &filled.from {
                From::Field(field) => fields[*field],
                _ if refused.is_some() => continue,
                From::Constant(value) => {
                    column.push_range(value, 0..1);
                    continue;
                }
                From::Rest => {
                    push_rest(&self.rest, |field| fields[field], record, syntax, &mut self.scratch, column);
                    continue;
                }
                From::Null | From::Inside => {
                    column.push_null();
                    continue;
                }
            };
            if refused.is_some() && filled.survey.is_none() {
                continue;
            }
            let text = text_of(record, field, syntax, &mut self.scratch);
            let column = if refused.is_some() { None } else { Some(column) };
            match filled.read(text, line, column) {
                Reading::Value => {}
                Reading::Refused(reason) => refused = Some((at, reason)),
                Reading::LeapDay => return Verdict::LeapDay(at),
            }
        }
        match refused {
            None => {
                self.records.push(i64::try_from(number).expect("records are counted in 63 bits"));
                self.bytes += self.row_bytes(record.len());
                Verdict::Row
            }
            Some((at, reason)) => {
                self.columns.iter_mut().take(at + 1).for_each(|column| column.truncate(self.records.len()));
                Verdict::Refused(self.blame(at, reason, record, fields, syntax))
            }
        }
    }

    /// Appends records of a piece, column by column. Those that are refused leave nothing behind; a leap day stops it half
    /// way, and the columns are void.
    pub(crate) fn append_rows(&mut self, piece: &Piece<'_>, rows: &[(Row, u64)]) -> Appended {
        let before = self.records.len();
        let mut refused = BTreeMap::new();
        for (at, (filled, column)) in self.filled.iter_mut().zip(&mut self.columns).enumerate() {
            match &filled.from {
                From::Constant(value) => column.push_repeated(value, rows.len()),
                From::Null | From::Inside => rows.iter().for_each(|_| column.push_null()),
                From::Rest => {
                    for (row, _) in rows {
                        let field = |field| piece.field(row, field);
                        push_rest(&self.rest, field, piece.text, piece.syntax, &mut self.scratch, column);
                    }
                }
                From::Field(field) => {
                    let mut fill =
                        Fill { piece, rows, field: *field, at, scratch: &mut self.scratch, refused: &mut refused };
                    if !fill.column(filled, column) {
                        return Appended::LeapDay(at);
                    }
                }
            }
        }
        let gone: Vec<usize> = refused.keys().map(|row| before + row).collect();
        self.columns.iter_mut().for_each(|column| column.remove(&gone));
        for (row, (place, number)) in rows.iter().enumerate() {
            if refused.is_empty() || !refused.contains_key(&row) {
                self.records.push(i64::try_from(*number).expect("records are counted in 63 bits"));
                self.bytes += self.row_bytes(place.bytes());
            }
        }
        let blame = |(row, (at, reason)): (usize, (usize, &'static str))| {
            (row, self.blame(at, reason, piece.text, &piece.fields(&rows[row].0), piece.syntax))
        };
        Appended::Rows { refused: refused.into_iter().map(blame).collect() }
    }

    fn blame(&self, at: usize, reason: &'static str, record: &str, fields: &[Field], syntax: Syntax) -> Blame {
        let filled = &self.filled[at];
        let mut scratch = String::new();
        let found = match filled.from {
            From::Field(field) if !filled.spec.pii => {
                text_of(record, fields[field], syntax, &mut scratch).chars().take(FOUND_CHARS_MAX).collect()
            }
            _ => String::new(),
        };
        Blame { column: at, reason, expected: expected(filled, reason), found }
    }

    /// Which of the rows from `first` on the contract does not want.
    pub(crate) fn left_out(&self, rules: &Rules<'_>, first: usize) -> Result<Vec<usize>, Error> {
        rules.left_out(&self.schema, &self.columns, &self.records, first..self.rows())
    }

    /// Removes these rows, which ascend.
    pub(crate) fn remove(&mut self, gone: &[usize]) {
        if !gone.is_empty() {
            self.columns.iter_mut().for_each(|column| column.remove(gone));
            remove(&mut self.records, gone);
        }
    }

    /// The rows so far as a batch; there are none then.
    pub(crate) fn finish(&mut self) -> RecordBatch {
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect();
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.records))));
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).expect("columns are as long as each other and typed")
    }
}

/// One column of several records.
struct Fill<'f, 'd> {
    piece: &'f Piece<'d>,
    rows: &'f [(Row, u64)],
    field: usize,
    /// The number of the column.
    at: usize,
    scratch: &'f mut String,
    /// Refused records by their place in `rows`: which column is to blame, and why.
    refused: &'f mut BTreeMap<usize, (usize, &'static str)>,
}

impl Fill<'_, '_> {
    /// Appends a value for each record, refused or not; false at a leap day.
    fn column(&mut self, filled: &mut Filled<'_>, column: &mut Column) -> bool {
        let before = column.len();
        let is_done = self.values(filled, column);
        if let (true, Some(checker)) = (is_done, &filled.checker) {
            for row in 0..self.rows.len() {
                if let (false, Some(reason)) = (self.refused.contains_key(&row), checker.refusal(column, before + row))
                {
                    self.refused.insert(row, (self.at, reason));
                }
            }
        }
        is_done
    }

    fn values(&mut self, filled: &mut Filled<'_>, column: &mut Column) -> bool {
        // What these append for a record that was refused before is removed with it.
        if matches!(filled.reader, Reader::Text) {
            self.texts(filled, column);
            return true;
        }
        if list::may_be_plain(&filled.reader) {
            return self.lists(filled, column);
        }
        let before = column.len();
        (0..self.rows.len()).all(|row| self.value(filled, column, before, row))
    }

    /// The same for lists of texts.
    fn lists(&mut self, filled: &mut Filled<'_>, column: &mut Column) -> bool {
        let nulls = NullLengths::new(filled);
        let before = column.len();
        let mut rows = 0..self.rows.len();
        loop {
            // As many as are written plainly, …
            let mut lists = column.lists_mut();
            let odd = rows.find(|row| {
                let field = self.piece.field(&self.rows[*row].0, self.field);
                let (whole, part) = place_of(self.piece, field, self.scratch);
                nulls.may_hold(part.len()) || !list::append_plain(whole, part, &mut lists)
            });
            drop(lists);
            // … and one that is not.
            let Some(row) = odd else { return true };
            if !self.value(filled, column, before, row) {
                return false;
            }
        }
    }

    /// The same for texts, which are nearly all that there is.
    fn texts(&mut self, filled: &Filled<'_>, column: &mut Column) {
        let nulls = NullLengths::new(filled);
        let mut texts = column.texts_mut();
        for (row, (place, _)) in self.rows.iter().enumerate() {
            let field = self.piece.field(place, self.field);
            let (whole, part) = place_of(self.piece, field, self.scratch);
            if !(nulls.may_hold(part.len()) && filled.is_null(&whole[part.clone()])) {
                texts.push(whole, part);
            } else if let Some(Scalar::Text(default)) = &filled.spec.default {
                texts.push(default, 0..default.len());
            } else if filled.spec.required {
                texts.push_placeholder();
                self.refused.entry(row).or_insert((self.at, crate::reason::MISSING_VALUE));
            } else {
                texts.push_null();
            }
        }
    }

    /// Appends the value of one record; `before`: values before those of the first.
    fn value(&mut self, filled: &mut Filled<'_>, column: &mut Column, before: usize, row: usize) -> bool {
        let place = &self.rows[row].0;
        let was_refused = !self.refused.is_empty() && self.refused.contains_key(&row);
        let field = self.piece.field(place, self.field);
        let text = text_of(self.piece.text, field, self.piece.syntax, self.scratch);
        let line = self.piece.line + u64::from(place.line);
        match filled.read(text, line, if was_refused { None } else { Some(column) }) {
            Reading::Value if was_refused => column.push_placeholder(),
            Reading::Value => {}
            Reading::Refused(reason) => {
                column.truncate(before + row);
                column.push_placeholder();
                self.refused.insert(row, (self.at, reason));
            }
            Reading::LeapDay => return false,
        }
        true
    }
}

/// Lengths of the texts that mean "no value": a text of another length need not be compared.
struct NullLengths(u64);

impl NullLengths {
    /// Longer ones count as this.
    const LONGEST: usize = 63;

    fn new(filled: &Filled<'_>) -> Self {
        Self(filled.spec.null_values.iter().fold(0, |all, null| all | 1 << null.len().min(Self::LONGEST)))
    }

    #[inline]
    fn may_hold(&self, length: usize) -> bool {
        self.0 >> length.min(Self::LONGEST) & 1 == 1
    }
}

/// Appends the fields that no column takes as one JSON object; nothing where all of them are empty.
fn push_rest(
    rest: &[(String, usize)],
    field: impl Fn(usize) -> Field,
    record: &str,
    syntax: Syntax,
    scratch: &mut String,
    column: &mut Column,
) {
    let mut object = serde_json::Map::new();
    for (name, number) in rest {
        let text = text_of(record, field(*number), syntax, scratch);
        if !text.is_empty() {
            object.insert(name.clone(), text.into());
        }
    }
    match object.is_empty() {
        true => column.push_null(),
        false => column.push_text(&serde_json::Value::Object(object).to_string()),
    }
}

/// Where the text of a field stands: in the piece, or, without its escapes, in `scratch`.
#[inline]
fn place_of<'t>(piece: &Piece<'t>, field: Field, scratch: &'t mut String) -> (&'t str, Range<usize>) {
    match field.wrapping {
        Wrapping::Escaped => {
            let text = text_of(piece.text, field, piece.syntax, scratch);
            (text, 0..text.len())
        }
        _ => (piece.text, field.start..field.end),
    }
}

/// The text of a field.
#[inline]
fn text_of<'t>(record: &'t str, field: Field, syntax: Syntax, scratch: &'t mut String) -> &'t str {
    // Fields begin and end beside ASCII bytes, so these are boundaries of characters.
    let text = &record[field.start..field.end];
    if field.wrapping != Wrapping::Escaped {
        return text;
    }
    scratch.clear();
    unescape(text, syntax, scratch);
    scratch
}
