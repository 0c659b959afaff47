//! One record, followed through the tree: its values go to the columns, its arrays become rows of nested tables.

use jiter::{Jiter, JiterError, Peek};

use super::JSON_DEPTH_MAX;
use super::read::{raw, read};
use super::rows::Tables;
use super::tree::{Cursor, NodeId, Tree};
use crate::plan::{Filled, From, Reading};
use crate::reason;
use crate::refusal::FOUND_CHARS_MAX;
use crate::values::json;

/// Goes through one record.
pub(super) struct Walk<'w, 'a> {
    pub(super) tree: &'w mut Tree,
    pub(super) tables: &'w mut Tables,
    pub(super) filled: &'w mut [Filled<'a>],
    /// Which columns had a field.
    pub(super) seen: &'w mut [bool],
    pub(super) state: &'w mut State,
    pub(super) record: i64,
    pub(super) line: u64,
}

/// What is kept from one record to the next, so that its memory is.
#[derive(Default)]
pub(super) struct State {
    /// Why the record is refused: nothing is appended any more.
    refused: Option<Refused>,
    /// Arrays whose rows belong to a table of which a row is being made, to be read when that is complete.
    waiting: Vec<Waiting>,
    /// For each place the row whose array came last.
    last: Vec<Option<usize>>,
    /// Some format is to be chosen by what it reads, so even refused records are looked at.
    surveys: bool,
    depth: usize,
    /// The fields of the record that nobody wants, as JSON.
    rest: String,
    /// Where the part of the record that is being read begins in it.
    base: usize,
}

#[derive(Debug)]
struct Waiting {
    place: usize,
    outer: usize,
    begin: usize,
    end: usize,
}

/// Why a record is refused that is JSON.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    /// The column to blame.
    pub(super) column: Option<usize>,
    /// What was expected, where no column is to blame.
    pub(super) expected: String,
    pub(super) found: String,
    /// The byte of the record at which it was found.
    pub(super) at: usize,
}

/// Why a record cannot be gone through.
pub(super) enum Fault {
    /// It is not JSON, from this byte on.
    Json(String, usize),
    /// Deeper than the limit, at this byte.
    TooDeep(usize),
    /// The object has to start again with a leap year for this column.
    LeapDay(usize),
}

impl Walk<'_, '_> {
    /// Goes through a record, which is UTF-8. The rows of a record that is refused have to be taken back.
    pub(super) fn record(&mut self, bytes: &[u8]) -> Result<Option<Refused>, Fault> {
        let state = &mut *self.state;
        (state.refused, state.depth, state.base) = (None, 0, 0);
        state.waiting.clear();
        state.rest.clear();
        state.last.iter_mut().for_each(|last| *last = None);
        state.surveys = self.filled.iter().any(|filled| filled.survey.is_some());
        let mut values = Jiter::new(bytes);
        let peek = values.peek().map_err(|error| self.fault(&error))?;
        self.row(bytes, &mut values, peek, 0, None)?;
        values.finish().map_err(|error| self.fault(&error))?;
        Ok(self.state.refused.take())
    }

    fn fault(&self, error: &JiterError) -> Fault {
        let at = self.state.base + error.index;
        match &error.error_type {
            jiter::JiterErrorType::JsonError(jiter::JsonErrorType::RecursionLimitExceeded) => Fault::TooDeep(at),
            jiter::JiterErrorType::JsonError(what) => Fault::Json(what.to_string(), at),
            jiter::JiterErrorType::WrongType { expected, actual } => {
                Fault::Json(format!("expected {expected}, found {actual}"), at)
            }
        }
    }

    /// A row of a table; `inside`: the place where it stands and the row that it is inside.
    fn row(
        &mut self,
        bytes: &[u8],
        values: &mut Jiter<'_>,
        peek: Peek,
        table: usize,
        inside: Option<(usize, usize)>,
    ) -> Result<(), Fault> {
        let before = std::mem::take(&mut self.state.waiting);
        let was_open = std::mem::replace(&mut self.tables.all[table].open, true);
        self.value(bytes, values, peek, table, table)?;
        self.tables.all[table].open = was_open;
        if self.state.refused.is_none() {
            self.end_row(table, inside);
        }
        let waiting = std::mem::replace(&mut self.state.waiting, before);
        for array in waiting {
            if self.tables.all[self.tree.place(array.place).table].open {
                self.state.waiting.push(array);
            } else {
                self.waiting(bytes, &array)?;
            }
        }
        Ok(())
    }

    /// An array that was passed over.
    fn waiting(&mut self, bytes: &[u8], array: &Waiting) -> Result<(), Fault> {
        let base = std::mem::replace(&mut self.state.base, array.begin);
        let mut values = Jiter::new(&bytes[array.begin..array.end]);
        let peek = values.peek().map_err(|error| self.fault(&error))?;
        debug_assert_eq!(peek, Peek::Array);
        self.items(bytes, &mut values, array.place, array.outer)?;
        self.state.base = base;
        Ok(())
    }

    /// The row is complete: what had no field gets what stands for that.
    fn end_row(&mut self, table: usize, inside: Option<(usize, usize)>) {
        let rows = &mut self.tables.all[table];
        let (row, first) = (rows.records.len(), rows.first);
        for (index, column) in rows.columns.iter_mut().enumerate().filter(|(_, column)| column.len() == row) {
            let filled = &self.filled[first + index];
            match &filled.from {
                From::Constant(value) => column.push_range(value, 0..1),
                From::Rest if !self.state.rest.is_empty() => {
                    self.state.rest.push('}');
                    column.push_text(&self.state.rest);
                }
                From::Null | From::Rest => column.push_null(),
                From::Inside | From::Field(_) => {
                    if let Reading::Refused(reason) = filled.push_nothing(column) {
                        let (expected, found) = (String::new(), String::new());
                        let column = Some(first + index);
                        self.state.refused = Some(Refused { reason, column, expected, found, at: 0 });
                        return;
                    }
                }
            }
        }
        match inside {
            None => rows.records.push(self.record),
            Some((place, outer)) => rows.add_nested(self.record, self.tree.place(place).number, outer),
        }
    }

    /// Nothing that is still to come changes anything.
    fn is_idle(&self) -> bool {
        self.state.refused.is_some() && !self.state.surveys
    }

    /// The value at the end of some way, inside a row of `table`.
    fn value(
        &mut self,
        bytes: &[u8],
        values: &mut Jiter<'_>,
        peek: Peek,
        node: NodeId,
        table: usize,
    ) -> Result<(), Fault> {
        if self.state.depth >= JSON_DEPTH_MAX {
            return Err(Fault::TooDeep(self.state.base + values.current_index()));
        }
        let at = self.tree.at(node);
        let (columns, has_fields, places) = (at.columns.len(), at.has_fields(), at.places.len());
        if self.is_idle() {
            return values.known_skip(peek).map_err(|error| self.fault(&error));
        }
        if columns == 1 && !has_fields && places == 0 {
            return self.leaf(values, peek, self.tree.at(node).columns[0], table);
        }
        if columns > 0 {
            return self.several(bytes, values, peek, node, table);
        }
        self.state.depth += 1;
        self.inner(bytes, values, peek, node, table)?;
        self.state.depth -= 1;
        Ok(())
    }

    /// A value that is looked at more than once.
    fn several(
        &mut self,
        bytes: &[u8],
        values: &mut Jiter<'_>,
        peek: Peek,
        node: NodeId,
        table: usize,
    ) -> Result<(), Fault> {
        let begin = values.current_index();
        let raw = raw(values, peek).map_err(|error| self.fault(&error))?;
        let base = self.state.base;
        self.state.base += begin;
        let again = || {
            let mut values = Jiter::new(raw.as_bytes());
            let peek = values.peek();
            (values, peek)
        };
        for index in 0..self.tree.at(node).columns.len() {
            let (mut values, peek) = again();
            let peek = peek.map_err(|error| self.fault(&error))?;
            self.leaf(&mut values, peek, self.tree.at(node).columns[index], table)?;
        }
        let at = self.tree.at(node);
        if at.has_fields() || !at.places.is_empty() {
            let (mut values, peek) = again();
            let peek = peek.map_err(|error| self.fault(&error))?;
            self.state.depth += 1;
            // The value as a whole has its column already, whatever it is.
            let is_nested = matches!(peek, Peek::Object | Peek::Array | Peek::String);
            if is_nested {
                self.inner(bytes, &mut values, peek, node, table)?;
            }
            self.state.depth -= 1;
        }
        self.state.base = base;
        Ok(())
    }

    /// An object with fields that are wanted, or an array of rows.
    fn inner(
        &mut self,
        bytes: &[u8],
        values: &mut Jiter<'_>,
        peek: Peek,
        node: NodeId,
        table: usize,
    ) -> Result<(), Fault> {
        let at = self.tree.at(node);
        match peek {
            Peek::Null => values.known_null().map_err(|error| self.fault(&error)),
            Peek::Object if at.has_fields() => self.object(bytes, values, node, table),
            // A table of which nothing but the number of its rows is wanted.
            Peek::Object if node < self.tables.all.len() => values.known_skip(peek).map_err(|error| self.fault(&error)),
            Peek::Array if !at.places.is_empty() => self.arrays(bytes, values, node, table),
            Peek::String if node >= self.tables.all.len() => self.embedded(values, node, table),
            _ => self.other_shape(values, peek, node),
        }
    }

    /// A value that is neither of what is looked for in it.
    fn other_shape(&mut self, values: &mut Jiter<'_>, peek: Peek, node: NodeId) -> Result<(), Fault> {
        let begin = values.current_index();
        let found = raw(values, peek).map_err(|error| self.fault(&error))?;
        let at = self.tree.at(node);
        let (reason, kind) = if at.places.is_empty() {
            (reason::NOT_AN_OBJECT, "an object")
        } else {
            (reason::NOT_AN_ARRAY, "an array")
        };
        let expected = format!("{kind} as {}", at.path());
        self.refuse(reason, None, expected, found, begin);
        Ok(())
    }

    /// A text that is JSON itself, as the bodies of messages are.
    fn embedded(&mut self, values: &mut Jiter<'_>, node: NodeId, table: usize) -> Result<(), Fault> {
        let begin = values.current_index();
        let text = values.known_str().map_err(|error| self.fault(&error))?.to_owned();
        let base = std::mem::replace(&mut self.state.base, 0);
        let before = self.state.waiting.len();
        let mut inner = Jiter::new(text.as_bytes());
        let done = match inner.peek() {
            Ok(peek @ (Peek::Object | Peek::Array)) => self.inner(text.as_bytes(), &mut inner, peek, node, table),
            Ok(peek) => self.other_shape(&mut inner, peek, node),
            Err(error) => Err(self.fault(&error)),
        };
        let done = done.and_then(|()| inner.finish().map_err(|error| self.fault(&error)));
        self.state.base = base;
        let has_waiting = self.state.waiting.len() > before;
        self.state.waiting.truncate(before);
        match done {
            Err(Fault::Json(what, at)) => {
                let expected = format!("JSON in the text of {}", self.tree.at(node).path());
                self.refuse(reason::BAD_JSON, None, expected, &format!("{what} at byte {at} of it"), begin);
                Ok(())
            }
            Ok(()) if has_waiting => {
                let expected = format!("rows of a table that is not open in the text of {}", self.tree.at(node).path());
                self.refuse(reason::NOT_AN_ARRAY, None, expected, "rows inside of themselves", begin);
                Ok(())
            }
            done => done,
        }
    }

    fn refuse(&mut self, reason: &'static str, column: Option<usize>, expected: String, found: &str, begin: usize) {
        if self.state.refused.is_none() {
            let text = serde_json::from_str::<String>(found);
            let found = text.as_deref().unwrap_or(found).chars().take(FOUND_CHARS_MAX).collect();
            let at = self.state.base + begin;
            self.state.refused = Some(Refused { reason, column, expected, found, at });
        }
    }

    fn object(&mut self, bytes: &[u8], values: &mut Jiter<'_>, node: NodeId, table: usize) -> Result<(), Fault> {
        let keeps_rest = node == 0 && self.filled.iter().any(|filled| matches!(filled.from, From::Rest));
        let mut cursor = Cursor::START;
        let mut first = true;
        loop {
            let name = if std::mem::take(&mut first) { values.known_object() } else { values.next_key() };
            let (found, unwanted) = match name {
                Ok(Some(name)) => {
                    let found = self.tree.field(node, &mut cursor, name);
                    (found, (keeps_rest && found.is_none()).then(|| name.to_owned()))
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.fault(&error)),
            };
            let peek = values.peek().map_err(|error| self.fault(&error))?;
            match (found, unwanted) {
                (Some(field), _) => self.value(bytes, values, peek, field, table)?,
                (None, None) => values.known_skip(peek).map_err(|error| self.fault(&error))?,
                (None, Some(name)) => {
                    let raw = raw(values, peek).map_err(|error| self.fault(&error))?;
                    let rest = &mut self.state.rest;
                    rest.push(if rest.is_empty() { '{' } else { ',' });
                    rest.push_str(&serde_json::Value::from(name).to_string());
                    rest.push(':');
                    rest.push_str(&json::without_blanks(raw));
                }
            }
        }
    }

    /// An array that holds the rows of one or more tables.
    fn arrays(&mut self, bytes: &[u8], values: &mut Jiter<'_>, node: NodeId, table: usize) -> Result<(), Fault> {
        let outer = self.tables.all[table].len();
        let places = self.tree.at(node).places.len();
        let first = self.tree.at(node).places[0];
        let is_open = self.tables.all[self.tree.place(first).table].open;
        if places == 1 && !is_open {
            return self.items(bytes, values, first, outer);
        }
        let begin = self.state.base + values.current_index();
        values.known_skip(Peek::Array).map_err(|error| self.fault(&error))?;
        let end = self.state.base + values.current_index();
        for index in 0..places {
            let place = self.tree.at(node).places[index];
            self.state.waiting.push(Waiting { place, outer, begin, end });
        }
        Ok(())
    }

    /// The items of an array as rows that stand at `place`, inside row `outer`.
    fn items(&mut self, bytes: &[u8], values: &mut Jiter<'_>, place: usize, outer: usize) -> Result<(), Fault> {
        let table = self.tree.place(place).table;
        self.state.last.resize(self.state.last.len().max(place + 1), None);
        if self.state.last[place].replace(outer) == Some(outer) {
            let path = self.tree.at(table).path().to_owned();
            let begin = values.current_index();
            self.refuse(reason::NOT_AN_ARRAY, None, format!("one array, not two, of {path}"), "another one", begin);
        }
        let mut next = values.known_array().map_err(|error| self.fault(&error))?;
        while let Some(peek) = next {
            if self.state.refused.is_some() {
                // Only surveys look at it.
                self.value(bytes, values, peek, table, table)?;
            } else {
                self.row(bytes, values, peek, table, Some((place, outer)))?;
            }
            next = values.array_step().map_err(|error| self.fault(&error))?;
        }
        Ok(())
    }

    /// The value of a column.
    #[inline]
    fn leaf(&mut self, values: &mut Jiter<'_>, peek: Peek, number: usize, table: usize) -> Result<(), Fault> {
        self.seen[number] = true;
        let rows = &mut self.tables.all[table];
        let row = rows.records.len();
        let column = &mut rows.columns[number - rows.first];
        let filled = &mut self.filled[number];
        // Of a field that comes twice the last value counts.
        if column.len() > row {
            column.truncate(row);
        }
        let begin = values.current_index();
        let column = if self.state.refused.is_none() { Some(column) } else { None };
        match read(values, peek, filled, column, self.line) {
            Ok(Reading::Value) => Ok(()),
            Ok(Reading::LeapDay) => Err(Fault::LeapDay(number)),
            Ok(Reading::Refused(reason)) => {
                let found = String::from_utf8_lossy(values.slice_to_current(begin)).into_owned();
                self.refuse(reason, Some(number), String::new(), &found, begin);
                Ok(())
            }
            Err(error) => Err(self.fault(&error)),
        }
    }
}
