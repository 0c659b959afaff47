//! One record, followed through the tree: its values go to the columns, its arrays become rows of nested tables.

use jiter::{JiterError, Peek};

use super::JSON_DEPTH_MAX;
use super::parser::{Parser, Scratch};
use super::quick::Quick;
use super::read::{raw, read};
use super::rows::Tables;
use super::tree::{Cursor, Look, NodeId, Tree, Value};
use crate::plan::{Filled, From, Reading};
use crate::reason;
use crate::refusal::FOUND_CHARS_MAX;
use crate::values::json;

/// Goes through one record.
pub(super) struct Walk<'w, 'a> {
    pub(super) tree: &'w mut Tree,
    pub(super) tables: &'w mut Tables,
    pub(super) filled: &'w mut [Filled<'a>],
    /// How they read most values.
    pub(super) quick: &'w [Quick],
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
    /// Some column takes the fields that nobody else wants.
    keeps_rest: bool,
    /// They, as JSON.
    rest: String,
    scratch: Scratch,
}

/// What comes next in an object.
enum Next {
    /// The value of a field, if anybody wants it.
    Value(Option<Value>),
    /// A field was added to the rest.
    Kept,
    End,
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

impl State {
    pub(super) fn new(filled: &[Filled<'_>]) -> Self {
        Self {
            surveys: filled.iter().any(|filled| filled.survey.is_some()),
            keeps_rest: filled.iter().any(|filled| matches!(filled.from, From::Rest)),
            ..Self::default()
        }
    }
}

impl Walk<'_, '_> {
    /// Goes through a record, with which `whole` begins. The rows of a record that is refused have to be taken back.
    pub(super) fn record(&mut self, record: &str, whole: &[u8]) -> Result<Option<Refused>, Fault> {
        let state = &mut *self.state;
        (state.refused, state.depth) = (None, 0);
        state.waiting.clear();
        state.rest.clear();
        state.last.fill(None);
        let mut parser = Parser::new(record, whole, std::mem::take(&mut state.scratch));
        let peek = parser.peek().map_err(fault)?;
        self.row(&mut parser, peek, 0, None)?;
        parser.finish().map_err(fault)?;
        self.state.scratch = parser.into_scratch();
        Ok(self.state.refused.take())
    }

    /// A row of a table; `inside`: the place where it stands and the row that it is inside.
    fn row(
        &mut self,
        parser: &mut Parser<'_>,
        peek: Peek,
        table: usize,
        inside: Option<(usize, usize)>,
    ) -> Result<(), Fault> {
        let before = self.state.waiting.len();
        let was_open = std::mem::replace(&mut self.tables.all[table].open, true);
        self.value(parser, peek, self.tree.root(table), table)?;
        self.tables.all[table].open = was_open;
        if self.state.refused.is_none() {
            self.end_row(table, inside);
        }
        if self.state.waiting.len() > before { self.arrays_that_wait(parser, before) } else { Ok(()) }
    }

    /// Reads the arrays from number `from` on that were passed over, but for those of a row that is still being made.
    fn arrays_that_wait(&mut self, parser: &Parser<'_>, from: usize) -> Result<(), Fault> {
        for array in self.state.waiting.split_off(from) {
            if self.tables.all[self.tree.place(array.place).table].open {
                self.state.waiting.push(array);
            } else {
                self.items(&mut parser.part(array.begin, array.end), array.place, array.outer)?;
            }
        }
        Ok(())
    }

    /// The row is complete.
    #[inline]
    fn end_row(&mut self, table: usize, inside: Option<(usize, usize)>) {
        let rows = &mut self.tables.all[table];
        let given = std::mem::take(&mut rows.given);
        debug_assert!(given <= rows.columns.len());
        if given < rows.columns.len() && !self.fill_up(table) {
            return;
        }
        let rows = &mut self.tables.all[table];
        match inside {
            None => rows.records.push(self.record),
            Some((place, outer)) => rows.add_nested(self.record, self.tree.place(place).number, outer),
        }
    }

    /// What had no field gets what stands for that; false if nothing does.
    fn fill_up(&mut self, table: usize) -> bool {
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
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Nothing that is still to come changes anything.
    fn is_idle(&self) -> bool {
        self.state.refused.is_some() && !self.state.surveys
    }

    /// A value inside a row of `table`.
    fn value(&mut self, parser: &mut Parser<'_>, peek: Peek, value: Value, table: usize) -> Result<(), Fault> {
        match value.look {
            Look::Leaf(column) if self.quick(parser, column, table) => Ok(()),
            Look::Leaf(column) => self.leaf(parser, peek, column, table),
            _ if self.is_idle() => parser.skip(peek).map_err(fault),
            Look::Several => self.several(parser, peek, value.node, table),
            Look::Inside => self.inside(parser, peek, value.node, table),
        }
    }

    /// A value that is looked at more than once.
    #[inline(never)]
    fn several(&mut self, parser: &mut Parser<'_>, peek: Peek, node: NodeId, table: usize) -> Result<(), Fault> {
        let begin = parser.at();
        parser.skip(peek).map_err(fault)?;
        let end = parser.at();
        for index in 0..self.tree.at(node).columns.len() {
            self.leaf(&mut parser.part(begin, end), peek, self.tree.at(node).columns[index], table)?;
        }
        // The value as a whole has its column already, whatever it is.
        let is_nested = matches!(peek, Peek::Object | Peek::Array | Peek::String);
        let at = self.tree.at(node);
        if is_nested && (at.has_fields() || !at.places.is_empty()) {
            self.inside(&mut parser.part(begin, end), peek, node, table)?;
        }
        Ok(())
    }

    /// An object with fields that are wanted, or an array of rows.
    fn inside(&mut self, parser: &mut Parser<'_>, peek: Peek, node: NodeId, table: usize) -> Result<(), Fault> {
        if self.state.depth >= JSON_DEPTH_MAX {
            return Err(Fault::TooDeep(parser.at()));
        }
        self.state.depth += 1;
        let at = self.tree.at(node);
        match peek {
            Peek::Null => parser.null().map_err(fault)?,
            Peek::Object if at.has_fields() => self.object(parser, node, table)?,
            // A table of which nothing but the number of its rows is wanted.
            Peek::Object if node < self.tables.all.len() => parser.skip(peek).map_err(fault)?,
            Peek::Array if !at.places.is_empty() => self.arrays(parser, node, table)?,
            Peek::String if node >= self.tables.all.len() => self.embedded(parser, node, table)?,
            _ => self.other_shape(parser, peek, node)?,
        }
        self.state.depth -= 1;
        Ok(())
    }

    /// A value that is neither of what is looked for in it.
    #[cold]
    fn other_shape(&mut self, parser: &mut Parser<'_>, peek: Peek, node: NodeId) -> Result<(), Fault> {
        let begin = parser.at();
        let found = raw(parser, peek).map_err(fault)?;
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
    #[inline(never)]
    fn embedded(&mut self, parser: &mut Parser<'_>, node: NodeId, table: usize) -> Result<(), Fault> {
        let begin = parser.at();
        let text = parser.text().map_err(fault)?.to_owned();
        let (before, depth) = (self.state.waiting.len(), self.state.depth);
        let mut inner = Parser::new(&text, text.as_bytes(), Scratch::default());
        let done = match inner.peek() {
            Ok(peek @ (Peek::Object | Peek::Array)) => self.inside(&mut inner, peek, node, table),
            Ok(peek) => self.other_shape(&mut inner, peek, node),
            Err(error) => Err(fault(error)),
        };
        let done = done.and_then(|()| inner.finish().map_err(fault));
        self.state.depth = depth;
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

    fn refuse(&mut self, reason: &'static str, column: Option<usize>, expected: String, found: &str, at: usize) {
        if self.state.refused.is_none() {
            let text = serde_json::from_str::<String>(found);
            let found = text.as_deref().unwrap_or(found).chars().take(FOUND_CHARS_MAX).collect();
            self.state.refused = Some(Refused { reason, column, expected, found, at });
        }
    }

    fn object(&mut self, parser: &mut Parser<'_>, node: NodeId, table: usize) -> Result<(), Fault> {
        let keeps_rest = node == 0 && self.state.keeps_rest;
        let mut cursor = Cursor::START;
        parser.open();
        let begin = parser.at();
        loop {
            let next = match self.tree.follow(node, &mut cursor, parser, keeps_rest) {
                Some(found) => Next::Value(found),
                None => self.field(parser, node, &mut cursor, parser.at() == begin)?,
            };
            match next {
                Next::Value(Some(Value { look: Look::Leaf(column), .. })) => {
                    if !self.quick(parser, column, table) {
                        let peek = parser.peek().map_err(fault)?;
                        self.leaf(parser, peek, column, table)?;
                    }
                }
                Next::Value(Some(value)) => {
                    let peek = parser.peek().map_err(fault)?;
                    self.value(parser, peek, value, table)?;
                }
                Next::Value(None) => {
                    let peek = parser.peek().map_err(fault)?;
                    parser.skip(peek).map_err(fault)?;
                }
                Next::Kept => {}
                Next::End => return Ok(()),
            }
        }
    }

    /// Reads the name of a field, whatever it is, and what stands around it.
    #[inline(never)]
    fn field(
        &mut self,
        parser: &mut Parser<'_>,
        node: NodeId,
        cursor: &mut Cursor,
        is_first: bool,
    ) -> Result<Next, Fault> {
        let keeps_rest = node == 0 && self.state.keeps_rest;
        let (begin, before) = (parser.at(), *cursor);
        let name = if is_first { parser.first_name() } else { parser.next_name() };
        let Some(name) = name.map_err(fault)? else { return Ok(Next::End) };
        let field = self.tree.field(node, cursor, name);
        let wanted = field.flatten();
        let kept = (keeps_rest && wanted.is_none()).then(|| name.to_owned());
        let peek = parser.peek().map_err(fault)?;
        if field.is_some() {
            self.tree.learn(node, before, *cursor, parser.since(begin).as_bytes());
        }
        let Some(name) = kept else { return Ok(Next::Value(wanted)) };
        let raw = raw(parser, peek).map_err(fault)?;
        let rest = &mut self.state.rest;
        rest.push(if rest.is_empty() { '{' } else { ',' });
        rest.push_str(&serde_json::Value::from(name).to_string());
        rest.push(':');
        rest.push_str(&json::without_blanks(raw));
        Ok(Next::Kept)
    }

    /// An array that holds the rows of one or more tables.
    fn arrays(&mut self, parser: &mut Parser<'_>, node: NodeId, table: usize) -> Result<(), Fault> {
        let outer = self.tables.all[table].len();
        let places = self.tree.at(node).places.len();
        let first = self.tree.at(node).places[0];
        let is_open = self.tables.all[self.tree.place(first).table].open;
        if places == 1 && !is_open {
            return self.items(parser, first, outer);
        }
        let begin = parser.at();
        parser.skip(Peek::Array).map_err(fault)?;
        let end = parser.at();
        for index in 0..places {
            let place = self.tree.at(node).places[index];
            self.state.waiting.push(Waiting { place, outer, begin, end });
        }
        Ok(())
    }

    /// The items of an array as rows that stand at `place`, inside row `outer`.
    fn items(&mut self, parser: &mut Parser<'_>, place: usize, outer: usize) -> Result<(), Fault> {
        let table = self.tree.place(place).table;
        self.state.last.resize(self.state.last.len().max(place + 1), None);
        if self.state.last[place].replace(outer) == Some(outer) {
            let path = self.tree.at(table).path().to_owned();
            self.refuse(
                reason::NOT_AN_ARRAY,
                None,
                format!("one array, not two, of {path}"),
                "another one",
                parser.at(),
            );
        }
        let mut next = parser.first_item().map_err(fault)?;
        while let Some(peek) = next {
            if self.state.refused.is_some() {
                // Only surveys look at it.
                self.value(parser, peek, self.tree.root(table), table)?;
            } else {
                self.row(parser, peek, table, Some((place, outer)))?;
            }
            next = parser.next_item().map_err(fault)?;
        }
        Ok(())
    }

    /// The value of a column, if it looks as most do; false if nothing has happened.
    #[inline]
    fn quick(&mut self, parser: &mut Parser<'_>, number: usize, table: usize) -> bool {
        if self.state.refused.is_some() {
            return false;
        }
        let rows = &mut self.tables.all[table];
        let row = rows.records.len();
        let column = &mut rows.columns[number - rows.first];
        let (quick, filled) = (self.quick[number], &self.filled[number]);
        let begin = parser.at();
        // One that comes twice is looked at with care, …
        if column.len() > row || !quick.read(parser, filled, column) {
            return false;
        }
        // … and so is one that is to be refused, for the message.
        if quick.checks && !matches!(filled.checked(column), Reading::Value) {
            column.truncate(row);
            parser.go_to(begin);
            return false;
        }
        rows.given += 1;
        self.seen[number] = true;
        true
    }

    /// The value of a column.
    #[inline(never)]
    fn leaf(&mut self, parser: &mut Parser<'_>, peek: Peek, number: usize, table: usize) -> Result<(), Fault> {
        if self.is_idle() {
            return parser.skip(peek).map_err(fault);
        }
        self.seen[number] = true;
        let rows = &mut self.tables.all[table];
        let row = rows.records.len();
        let column = &mut rows.columns[number - rows.first];
        // Of a field that comes twice the last value counts.
        if column.len() > row {
            column.truncate(row);
        } else {
            rows.given += 1;
        }
        let begin = parser.at();
        let column = self.state.refused.is_none().then_some(column);
        match read(parser, peek, &mut self.filled[number], column, self.line).map_err(fault)? {
            Reading::Value => Ok(()),
            Reading::LeapDay => Err(Fault::LeapDay(number)),
            Reading::Refused(reason) => {
                self.refuse(reason, Some(number), String::new(), parser.since(begin), begin);
                Ok(())
            }
        }
    }
}

fn fault(error: JiterError) -> Fault {
    let at = error.index;
    match error.error_type {
        jiter::JiterErrorType::JsonError(jiter::JsonErrorType::RecursionLimitExceeded) => Fault::TooDeep(at),
        jiter::JiterErrorType::JsonError(what) => Fault::Json(what.to_string(), at),
        jiter::JiterErrorType::WrongType { expected, actual } => {
            Fault::Json(format!("expected {expected}, found {actual}"), at)
        }
    }
}
