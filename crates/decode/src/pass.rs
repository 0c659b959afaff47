//! One pass over the records of an object.

use std::collections::BTreeMap;

use stillhouse_spec::{Counts, RejectPlace};

use crate::api::{Outcome, Reject, Request, Sink};
use crate::children::Child;
use crate::days::Days;
use crate::detect::{Head, empty};
use crate::error::Error;
use crate::parent::{Blame, Parent, Verdict};
use crate::plan::Filled;
use crate::reading::reading;
use crate::reason;
use crate::records::{Item, Limits, Place, Records};
use crate::scan::Fault;
use crate::schema::schemas;
use crate::values::Reader;
use crate::window::Window;

/// How many refused records a message names.
const SHOWN_REJECTS: usize = 3;
/// Beyond this no batch grows, whatever the request says: positions in Arrow's texts have 32 bits.
const BATCH_BYTES_CEILING: usize = 256 << 20;

/// After this many records it is asked whether a format does hopelessly badly.
const ASK_EVERY: u64 = 4096;

/// What a pass came to.
pub(crate) enum Ended<'a> {
    Done(Outcome),
    /// A format or a year was contradicted; the columns hold the better choice.
    Again(Vec<Filled<'a>>),
}

/// Why a record is refused.
struct Why<'w> {
    reason: &'static str,
    column: Option<&'w str>,
    expected: String,
    found: String,
    pii: bool,
}

/// The state of a pass.
pub(crate) struct Pass<'a, 's> {
    request: &'a Request<'a>,
    head: &'a Head,
    sink: &'s mut dyn Sink,
    parent: Parent<'a>,
    children: Vec<Child>,
    /// The column of the parent that periods look at.
    time: Option<usize>,
    counts: Counts,
    days: Days,
    reasons: BTreeMap<String, u64>,
    first_rejects: Vec<String>,
    header_seen: bool,
    /// Whether a format that does badly may end the pass early.
    impatient: bool,
    any_pii: bool,
}

impl<'a, 's> Pass<'a, 's> {
    pub(crate) fn new(
        request: &'a Request<'a>,
        head: &'a Head,
        filled: Vec<Filled<'a>>,
        sink: &'s mut dyn Sink,
        impatient: bool,
    ) -> Self {
        let contract = request.contract;
        let mut schemas = schemas(contract).into_iter().map(|(_, schema)| schema);
        let parent = Parent::new(schemas.next().expect("the parent comes first"), filled);
        let children = contract.children.iter().zip(schemas).map(|(table, schema)| Child::new(contract, table, schema));
        let children = children.collect();
        let named = |name: &str| contract.parent.columns.iter().position(|column| column.name.as_str() == name);
        let time = contract.parent.time.as_ref().and_then(|time| named(time.as_str()));
        let any_pii = contract.parent.columns.iter().any(|column| column.pii);
        Self {
            request,
            head,
            sink,
            parent,
            children,
            time,
            counts: Counts::default(),
            days: Days::default(),
            reasons: BTreeMap::new(),
            first_rejects: Vec::new(),
            header_seen: false,
            impatient,
            any_pii,
        }
    }

    /// Reads all records.
    pub(crate) fn run(mut self, window: &mut Window<'_>, record_bytes_max: usize) -> Result<Ended<'a>, Error> {
        let head = self.head;
        let limits = Limits { comment: self.request.csv.comment, record_bytes_max, fields_max: head.mapping.width + 1 };
        let length = window.length();
        let mut records = Records::new(window, head.start, head.syntax, limits);
        loop {
            let item = records.next()?;
            let place = match item {
                Item::End => break,
                Item::Record(place) => {
                    if Some(place.offset) == head.mapping.header_offset {
                        self.header_seen = true;
                        continue;
                    }
                    if let Some(column) = self.record(&records, &place)? {
                        self.parent.filled[column].assume_leap_year();
                        return Ok(Ended::Again(self.parent.filled));
                    }
                    if self.is_full() {
                        self.flush_parent()?;
                    }
                    let asks = self.impatient && self.counts.read.is_multiple_of(ASK_EVERY);
                    if asks && self.choose_better(|filled| filled.is_hopeless()) {
                        return Ok(Ended::Again(self.parent.filled));
                    }
                    continue;
                }
                Item::Blank(_) => {
                    self.counts.read += 1;
                    self.counts.blank += 1;
                    continue;
                }
                Item::Fault { place, .. } | Item::TooLong(place) => place,
            };
            let why = self.why(&item, record_bytes_max);
            self.refuse(&records, &place, why)?;
        }
        self.end(length)
    }

    fn is_full(&self) -> bool {
        let bytes_max = self.request.batch_bytes.min(BATCH_BYTES_CEILING);
        self.parent.rows() >= self.request.batch_rows.max(1) || self.parent.bytes() >= bytes_max
    }

    /// Takes one record; gives the column for which a leap year has to be assumed, if any.
    #[inline]
    fn record(&mut self, records: &Records<'_, '_>, place: &Place) -> Result<Option<usize>, Error> {
        let bytes = records.bytes(place).expect("a record that was cut into fields is held");
        let Ok(text) = simdutf8::basic::from_utf8(bytes) else {
            let why = self.whole(reason::INVALID_UTF8, "UTF-8".to_owned(), invalid_byte(bytes, place.offset));
            return self.refuse(records, place, why).map(|()| None);
        };
        let (width, count) = (self.head.mapping.width, records.field_count());
        if count != width {
            let why = self.whole(reason::FIELD_COUNT, fields_text(width), fields_text(count));
            return self.refuse(records, place, why).map(|()| None);
        }
        let number = self.counts.read;
        match self.parent.append(text, records.fields(), self.head.syntax, place.line, number) {
            Verdict::Row => {
                self.counts.read += 1;
                self.counts.loaded += 1;
                self.row_added(number)?;
            }
            Verdict::Refused(blame) => self.refuse_for(records, place, blame)?,
            Verdict::LeapDay(column) => return Ok(Some(column)),
        }
        Ok(None)
    }

    /// Counts the day of the new row and gives the children their items.
    #[inline]
    fn row_added(&mut self, record: u64) -> Result<(), Error> {
        let row = self.parent.rows() - 1;
        if let Some(time) = self.time {
            self.days.add(self.parent.columns[time].day(row));
        }
        if self.children.is_empty() {
            return Ok(());
        }
        let rows_max = self.request.batch_rows.max(1);
        let bytes_max = self.request.batch_bytes.clamp(1, BATCH_BYTES_CEILING);
        for (table, child) in self.children.iter_mut().enumerate() {
            let is_full = |child: &Child| child.rows() >= rows_max || child.bytes() >= bytes_max;
            let mut next = Some(0);
            while let Some(from) = next {
                next = child.append(&self.parent.columns, row, record, from, is_full);
                if is_full(child) {
                    self.sink.batch(table + 1, child.finish()).map_err(Error::sink)?;
                }
            }
        }
        Ok(())
    }

    fn flush_parent(&mut self) -> Result<(), Error> {
        if self.parent.rows() > 0 {
            self.sink.batch(0, self.parent.finish()).map_err(Error::sink)?;
        }
        Ok(())
    }

    /// Exchanges formats for better ones where `asks` says so; tells whether there was one.
    fn choose_better(&mut self, asks: impl Fn(&Filled<'_>) -> bool) -> bool {
        let mut better = false;
        for filled in self.parent.filled.iter_mut().filter(|filled| asks(filled)) {
            if let (Some(survey), Some(moments)) = (&filled.survey, filled.reader.moments()) {
                let best = survey.best(moments.chosen());
                if best != moments.chosen() {
                    better = true;
                    filled.choose(best);
                }
            }
        }
        better
    }

    fn why(&self, item: &Item, record_bytes_max: usize) -> Why<'static> {
        match item {
            Item::Fault { fault: Fault::Unterminated, .. } => {
                self.whole(reason::UNTERMINATED_QUOTE, "a closing quote".to_owned(), "the end of the object".to_owned())
            }
            Item::Fault { fault: Fault::BadQuote, at, .. } => self.whole(
                reason::BAD_QUOTE,
                "a delimiter or line end behind the closing quote".to_owned(),
                format!("something else at byte {at}"),
            ),
            Item::TooLong(place) => self.whole(
                reason::TOO_LONG,
                format!("at most {record_bytes_max} bytes"),
                format!("{} bytes", place.bytes),
            ),
            Item::Record(_) | Item::Blank(_) | Item::End => unreachable!("these are not refused as a whole"),
        }
    }

    fn whole(&self, reason: &'static str, expected: String, found: String) -> Why<'static> {
        Why { reason, column: None, expected, found, pii: self.any_pii }
    }

    fn refuse_for(&mut self, records: &Records<'_, '_>, place: &Place, blame: Blame) -> Result<(), Error> {
        let spec = self.parent.filled[blame.column].spec;
        let Blame { reason, expected, found, .. } = blame;
        let why = Why { reason, column: Some(spec.name.as_str()), expected, found, pii: spec.pii };
        self.refuse(records, place, why)
    }

    fn refuse(&mut self, records: &Records<'_, '_>, place: &Place, why: Why<'_>) -> Result<(), Error> {
        let place = RejectPlace {
            record: self.counts.read,
            line: place.line,
            offset: place.offset,
            bytes: place.bytes,
            column: why.column.map(str::to_owned),
            reason: why.reason.to_owned(),
            expected: why.expected,
            found: why.found,
        };
        if self.first_rejects.len() < SHOWN_REJECTS {
            self.first_rejects.push(describe(&place));
        }
        self.counts.read += 1;
        self.counts.quarantined += 1;
        *self.reasons.entry(place.reason.clone()).or_default() += 1;
        let held = Place { offset: place.offset, line: place.line, bytes: place.bytes };
        let raw = records.bytes(&held).map(<[u8]>::to_vec);
        self.sink.reject(Reject { place, raw, pii: why.pii }).map_err(Error::sink)
    }

    /// Everything was read: are the choices still right, and is the object fit to be loaded?
    fn end(mut self, length: u64) -> Result<Ended<'a>, Error> {
        if self.choose_better(|_| true) {
            return Ok(Ended::Again(self.parent.filled));
        }
        for filled in &self.parent.filled {
            if let (Some(survey), Reader::Moment(moments)) = (&filled.survey, &filled.reader) {
                survey.check(moments, filled.spec)?;
            }
        }
        self.check_whole(length)?;
        self.flush_parent()?;
        for (table, child) in self.children.iter_mut().enumerate() {
            if child.rows() > 0 {
                self.sink.batch(table + 1, child.finish()).map_err(Error::sink)?;
            }
        }
        assert!(self.counts.balanced(), "read = loaded + quarantined + filtered + blank: {:?}", self.counts);
        let mut decided: BTreeMap<_, _> = self.head.decided.iter().chain(&self.head.mapping.decided).cloned().collect();
        crate::plan::decided(&self.parent.filled, self.request, &mut decided);
        Ok(Ended::Done(Outcome {
            counts: self.counts,
            decided,
            days: self.days.finish(),
            reasons: self.reasons,
            warnings: self.head.mapping.warnings.clone(),
            reading: reading(self.head, self.request.contract),
        }))
    }

    fn check_whole(&self, length: u64) -> Result<(), Error> {
        if self.head.mapping.header_offset.is_some() && !self.header_seen {
            return Err(Error::data(
                "the header could not be found again: a quote before it is closed far behind it",
                "correct the quotes at the beginning of the file",
            ));
        }
        let records = self.counts.read - self.counts.blank;
        if records == 0 && !self.header_seen {
            return Err(empty(length));
        }
        let (refused, allowed) = (self.counts.quarantined, self.request.contract.max_rejected);
        if !allowed.exceeded(refused, records) {
            return Ok(());
        }
        let shown = self.first_rejects.join("; ");
        let more = if refused > self.first_rejects.len() as u64 { "; …" } else { "" };
        Err(Error::data(
            format!("{refused} of {records} records were refused, at most {allowed} may be ({shown}{more})"),
            "correct the file, or raise `max_rejected` in the source file",
        ))
    }
}

impl Filled<'_> {
    fn is_hopeless(&self) -> bool {
        match (&self.survey, self.reader.moments()) {
            (Some(survey), Some(moments)) => survey.is_hopeless(moments.chosen()),
            _ => false,
        }
    }
}

fn fields_text(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

fn invalid_byte(bytes: &[u8], offset: u64) -> String {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = bytes.get(valid).copied().unwrap_or_default();
    format!("byte 0x{byte:02x} at byte {}", offset + valid as u64)
}

/// `line 8: expected 3 fields, found 2 fields`
fn describe(place: &RejectPlace) -> String {
    let line = place.line;
    let column = place.column.as_ref().map(|column| format!(", column `{column}`")).unwrap_or_default();
    let found = match (&place.column, place.found.as_str()) {
        (_, "") => "something else".to_owned(),
        (Some(_), found) => format!("`{found}`"),
        (None, found) => found.to_owned(),
    };
    format!("line {line}{column}: expected {}, found {found}", place.expected)
}
