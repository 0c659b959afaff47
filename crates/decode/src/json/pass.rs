//! One pass over the records of a JSON object.

use stillhouse_spec::{Column as ColumnSpec, JsonLayout};

use super::quick::Quick;
use super::records::{Item, Records};
use super::rows::Tables;
use super::tree::Tree;
use super::walk::{Fault, Refused, State, Walk};
use crate::api::{Request, RowSink};
use crate::children::Children;
use crate::error::Error;
use crate::format::Ended;
use crate::place::{Entry, Place};
use crate::plan::{ASK_EVERY, Filled, choose_better, expected};
use crate::reason;
use crate::refusal::{Why, invalid_byte, refuse};
use crate::rules::Rules;
use crate::schema::schemas;
use crate::tally::Tally;
use crate::window::Window;

/// In a longer record a message says where.
const LONG_RECORD_BYTES: u64 = 500;

/// The state of a pass.
pub(super) struct Pass<'a, 's> {
    request: &'a Request<'a>,
    sink: &'s mut dyn RowSink,
    filled: Vec<Filled<'a>>,
    quick: Vec<Quick>,
    columns: Vec<&'a ColumnSpec>,
    tree: Tree,
    tables: Tables,
    children: Children,
    rules: Rules<'a>,
    /// The column of the parent that periods look at.
    time: Option<usize>,
    tally: Tally,
    state: State,
    first_number: u64,
    impatient: bool,
    any_pii: bool,
}

/// What became of a record.
enum Verdict {
    Rows,
    Refused(Why),
    /// The object has to start again with a leap year for this column.
    LeapDay(usize),
}

impl<'a, 's> Pass<'a, 's> {
    pub(super) fn new(
        request: &'a Request<'a>,
        filled: Vec<Filled<'a>>,
        sink: &'s mut dyn RowSink,
        impatient: bool,
    ) -> Self {
        let contract = request.contract;
        let all: Vec<_> = schemas(contract).into_iter().map(|(_, schema)| schema).collect();
        let nested = all[1 + contract.children.len()..].iter().cloned();
        let tables = Tables::new(contract, all[..1].iter().cloned().chain(nested));
        let children = Children::new(request, all[1..].iter().cloned());
        let columns: Vec<&ColumnSpec> = contract.read_columns().collect();
        let tally = Tally::of_columns(columns.len());
        Self {
            request,
            sink,
            quick: filled.iter().map(Quick::of).collect(),
            state: State::new(&filled),
            filled,
            any_pii: columns.iter().any(|column| column.pii),
            columns,
            tree: Tree::new(contract),
            tables,
            children,
            rules: Rules::new(request),
            time: contract.parent.time_column(),
            tally,
            first_number: 0,
            impatient,
        }
    }

    /// Reads the records from `entry` on, those that begin up to `begin_max`.
    pub(super) fn run(
        mut self,
        window: &mut Window<'_>,
        layout: JsonLayout,
        entry: Entry,
        begin_max: u64,
    ) -> Result<Ended<'a>, Error> {
        self.first_number = entry.number;
        let bytes_max = self.request.record_bytes_max();
        let mut records = Records::new(window, layout, entry, bytes_max, begin_max);
        loop {
            let number = self.first_number + self.tally.counts.read;
            let item = records.next()?;
            let (place, why) = match item {
                Item::End => break,
                Item::Blank => {
                    self.tally.counts.read += 1;
                    self.tally.counts.blank += 1;
                    continue;
                }
                Item::Fault(place, what) => (place, self.whole(reason::BAD_JSON, "JSON", what.to_owned())),
                Item::TooLong(place) => (place, self.too_long(bytes_max, place.bytes)),
                Item::Record(place) => match self.record(&mut records, &place, number)? {
                    Verdict::Rows => {
                        self.tally.counts.read += 1;
                        self.tally.counts.loaded += 1;
                        if self.request.is_full(self.tables.rows(), self.tables.bytes) {
                            self.flush()?;
                        }
                        if self.asks() {
                            return Ok(Ended::Again(self.filled));
                        }
                        continue;
                    }
                    Verdict::LeapDay(column) => {
                        self.filled[column].assume_leap_year();
                        return Ok(Ended::Again(self.filled));
                    }
                    Verdict::Refused(why) => (place, why),
                },
            };
            let raw = if matches!(item, Item::TooLong(_)) { None } else { records.bytes(&place) };
            refuse(&mut self.tally, self.sink, raw, &place, number, why)?;
        }
        self.tally.begun |= records.has_begun();
        self.end()
    }

    /// A format does badly, and another one better.
    fn asks(&mut self) -> bool {
        let now = self.impatient && self.tally.counts.read.is_multiple_of(ASK_EVERY);
        now && choose_better(&mut self.filled, |filled| filled.is_hopeless())
    }

    fn record(&mut self, records: &mut Records<'_, '_>, place: &Place, number: u64) -> Result<Verdict, Error> {
        let bytes = records.bytes(place).expect("a record that is no longer than the limit is held");
        let Ok(record) = simdutf8::basic::from_utf8(bytes) else {
            let found = invalid_byte(bytes, place.offset);
            return Ok(Verdict::Refused(self.whole(reason::INVALID_UTF8, "UTF-8", found)));
        };
        let is_object = bytes.first() == Some(&b'{');
        self.tables.begin();
        let mut walk = Walk {
            tree: &mut self.tree,
            tables: &mut self.tables,
            filled: &mut self.filled,
            quick: &self.quick,
            seen: &mut self.tally.seen,
            state: &mut self.state,
            record: i64::try_from(number).expect("records are counted in 63 bits"),
            line: place.line,
        };
        let refused = match walk.record(record, records.from(place)) {
            Ok(None) if is_object || records.stands_alone(place)? => {
                self.tables.bytes += usize::try_from(place.bytes).expect("a record that is held fits into memory");
                return Ok(Verdict::Rows);
            }
            Ok(None) => self.whole(reason::BAD_JSON, "an object, or a line of its own", "another value".to_owned()),
            Ok(Some(refused)) => self.blamed(refused, place),
            Err(Fault::LeapDay(column)) => return Ok(Verdict::LeapDay(column)),
            Err(Fault::Json(what, at)) => {
                self.whole(reason::BAD_JSON, "JSON", format!("{what} at byte {}", place.offset + at as u64))
            }
            Err(Fault::TooDeep(at)) => {
                let expected = format!("at most {} levels of arrays and objects", super::JSON_DEPTH_MAX);
                self.whole(reason::TOO_DEEP, &expected, format!("more at byte {}", place.offset + at as u64))
            }
        };
        self.tables.undo();
        Ok(Verdict::Refused(refused))
    }

    fn whole(&self, reason: &'static str, expected: &str, found: String) -> Why {
        Why { reason, column: None, expected: expected.to_owned(), found, pii: self.any_pii }
    }

    fn too_long(&self, bytes_max: usize, bytes: u64) -> Why {
        self.whole(reason::TOO_LONG, &format!("at most {bytes_max} bytes"), format!("{bytes} bytes"))
    }

    fn blamed(&self, refused: Refused, place: &Place) -> Why {
        let Refused { reason, column, expected: whole, found, at } = refused;
        let at = if place.bytes > LONG_RECORD_BYTES && at > 0 {
            format!(" at byte {}", place.offset + at as u64)
        } else {
            String::new()
        };
        let Some(number) = column else {
            let found = if self.any_pii { String::new() } else { format!("`{found}`") };
            return Why { reason, column: None, expected: format!("{whole}{at}"), found, pii: self.any_pii };
        };
        let spec = self.columns[number];
        let expected = format!("{}{at}", expected(&self.filled[number], reason));
        let found = if spec.pii { String::new() } else { found };
        Why { reason, column: Some(self.request.contract.read_label(number)), expected, found, pii: spec.pii }
    }

    /// Hands over what is in the tables.
    fn flush(&mut self) -> Result<(), Error> {
        let mut copies = self.tables.copy();
        let parent = &self.tables.all[0];
        let schema = self.tables.parent_schema();
        let gone = self.rules.left_out(&schema, &parent.columns, &parent.records, 0..parent.len())?;
        self.tables.remove(&gone, &mut copies);
        self.tally.leave_out(gone.len());
        let parent = &self.tables.all[0];
        if let Some(time) = self.time {
            (0..parent.len()).for_each(|row| self.tally.days.add(parent.columns[time].day(row)));
        }
        self.children.add(&parent.columns, &parent.records, 0..parent.len(), self.sink)?;
        if parent.len() > 0 {
            let batch = self.rules.derived(self.tables.finish_parent())?;
            self.sink.batch(0, batch).map_err(Error::sink)?;
        }
        let first = 1 + self.request.contract.children.len();
        for (nested, copies) in copies.into_iter().enumerate() {
            if let Some(batch) = self.tables.finish_nested(nested, copies) {
                self.sink.batch(first + nested, batch).map_err(Error::sink)?;
            }
        }
        self.tables.bytes = 0;
        Ok(())
    }

    /// Hands over the last rows.
    fn end(mut self) -> Result<Ended<'a>, Error> {
        self.flush()?;
        self.children.end(self.sink)?;
        self.tally.unknown = self.tree.into_unknown();
        Ok(Ended::Done(Box::new(self.tally), self.filled))
    }
}
