//! One pass over the records of an object.

mod pieces;

use stillhouse_spec::RejectPlace;

use self::pieces::Waiting;
use crate::api::{Reject, Request, RowSink};
use crate::children::Child;
use crate::detect::Head;
use crate::error::Error;
use crate::parent::{Blame, Parent, Verdict};
use crate::plan::Filled;
use crate::reason;
use crate::records::{Item, Limits, Place, Records};
use crate::regions::Entry;
use crate::scan::Fault;
use crate::schema::schemas;
use crate::tally::Tally;
use crate::window::Window;

/// Beyond this no batch grows, whatever the request says: positions in Arrow's texts have 32 bits.
const BATCH_BYTES_CEILING: usize = 256 << 20;

/// After this many records it is asked whether a format does hopelessly badly.
const ASK_EVERY: u64 = 4096;

/// What a pass came to.
pub(crate) enum Ended<'a> {
    /// Everything was read; whether the choices are right is to be asked of all regions together.
    Done(Box<Tally>, Vec<Filled<'a>>),
    /// A format or a year was contradicted; the columns hold the better choice.
    Again(Vec<Filled<'a>>),
}

/// Why a pass ends early.
enum Stop {
    /// This column needs a leap year.
    LeapDay(usize),
    /// Another format does better; the columns hold it.
    Better,
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
    sink: &'s mut dyn RowSink,
    parent: Parent<'a>,
    children: Vec<Child>,
    /// The column of the parent that periods look at.
    time: Option<usize>,
    tally: Tally,
    /// The number of the first record.
    first_number: u64,
    /// Whether a format that does badly may end the pass early.
    impatient: bool,
    any_pii: bool,
    /// How often it was asked whether a format does hopelessly badly.
    asked: u64,
    waiting: Waiting<'a>,
}

impl<'a, 's> Pass<'a, 's> {
    pub(crate) fn new(
        request: &'a Request<'a>,
        head: &'a Head,
        filled: Vec<Filled<'a>>,
        sink: &'s mut dyn RowSink,
        impatient: bool,
    ) -> Self {
        let contract = request.contract;
        let mut schemas = schemas(contract).into_iter().map(|(_, schema)| schema);
        let parent = Parent::new(schemas.next().expect("the parent comes first"), filled);
        let children =
            contract.children.iter().zip(schemas).map(|(table, schema)| Child::new(contract, table, &schema));
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
            tally: Tally::default(),
            first_number: 0,
            impatient,
            any_pii,
            asked: 0,
            waiting: Waiting::default(),
        }
    }

    /// Reads the records from `entry` on, those that begin up to `begin_max`.
    pub(crate) fn run(mut self, window: &mut Window<'_>, entry: Entry, begin_max: u64) -> Result<Ended<'a>, Error> {
        let head = self.head;
        self.first_number = entry.number;
        let limits = Limits {
            comment: self.request.csv.comment,
            record_bytes_max: self.request.record_bytes_max(),
            fields_max: head.mapping.width + 1,
            begin_max,
        };
        let mut records = Records::new(window, entry.start, head.syntax, limits);
        loop {
            let may_be_header = head.mapping.header_offset >= Some(entry.start.offset) && !self.tally.header_seen;
            if !may_be_header && let Some(piece) = records.next_piece()? {
                if let Some(stop) = self.piece(&piece)? {
                    return Ok(self.again(&stop));
                }
                continue;
            }
            let item = records.next()?;
            let place = match item {
                Item::End => break,
                Item::Record(place) => {
                    if Some(place.offset) == head.mapping.header_offset {
                        self.tally.header_seen = true;
                    } else if let Some(stop) = self.record(&records, &place)? {
                        return Ok(self.again(&stop));
                    }
                    continue;
                }
                Item::Blank(_) => {
                    self.tally.counts.read += 1;
                    self.tally.counts.blank += 1;
                    continue;
                }
                Item::Fault { place, .. } | Item::TooLong(place) => place,
            };
            let why = self.why(&item);
            self.refuse(records.bytes(&place), &place, self.number(), why)?;
        }
        self.end()
    }

    /// The number of the next record.
    fn number(&self) -> u64 {
        self.first_number + self.tally.counts.read
    }

    fn again(mut self, stop: &Stop) -> Ended<'a> {
        if let Stop::LeapDay(column) = stop {
            self.parent.filled[*column].assume_leap_year();
        }
        Ended::Again(self.parent.filled)
    }

    /// Whether a batch is to be handed over once so many rows more are in it.
    fn is_full_with(&self, rows: usize, bytes: usize) -> bool {
        let bytes_max = self.request.batch_bytes.min(BATCH_BYTES_CEILING);
        self.parent.rows() + rows >= self.request.batch_rows.max(1) || self.parent.bytes() + bytes >= bytes_max
    }

    /// Takes one record.
    #[inline]
    fn record(&mut self, records: &Records<'_, '_>, place: &Place) -> Result<Option<Stop>, Error> {
        let bytes = records.bytes(place).expect("a record that was cut into fields is held");
        let number = self.number();
        let (width, count) = (self.head.mapping.width, records.field_count());
        let why = match simdutf8::basic::from_utf8(bytes) {
            Err(_) => self.whole(reason::INVALID_UTF8, "UTF-8".to_owned(), invalid_byte(bytes, place.offset)),
            Ok(_) if count != width => self.whole(reason::FIELD_COUNT, fields_text(width), fields_text(count)),
            Ok(text) => match self.parent.append(text, records.fields(), self.head.syntax, place.line, number) {
                Verdict::Row => {
                    self.tally.counts.read += 1;
                    self.tally.counts.loaded += 1;
                    return self.rows_added(self.parent.rows() - 1);
                }
                Verdict::Refused(blame) => self.blamed(blame),
                Verdict::LeapDay(column) => return Ok(Some(Stop::LeapDay(column))),
            },
        };
        self.refuse(Some(bytes), place, number, why)?;
        self.rows_added(self.parent.rows())
    }

    /// Counts the days of the rows from `first` on, and gives the children their items.
    fn rows_added(&mut self, first: usize) -> Result<Option<Stop>, Error> {
        if let Some(time) = self.time {
            let column = &self.parent.columns[time];
            (first..self.parent.rows()).for_each(|row| self.tally.days.add(column.day(row)));
        }
        for table in 0..self.children.len() {
            self.items_added(table, first)?;
        }
        if self.is_full_with(0, 0) {
            self.flush_parent()?;
        }
        let asked = self.tally.counts.read / ASK_EVERY;
        let asks = self.impatient && asked != std::mem::replace(&mut self.asked, asked);
        Ok((asks && choose_better(&mut self.parent.filled, |filled| filled.is_hopeless())).then_some(Stop::Better))
    }

    /// Gives a child the items of the rows from `first` on.
    fn items_added(&mut self, table: usize, first: usize) -> Result<(), Error> {
        let rows_max = self.request.batch_rows.max(1);
        let bytes_max = self.request.batch_bytes.clamp(1, BATCH_BYTES_CEILING);
        let is_full = |child: &Child| child.rows() >= rows_max || child.bytes() >= bytes_max;
        let Self { parent, children, sink, .. } = self;
        let child = &mut children[table];
        let mut row = first;
        while row < parent.rows() {
            // As many rows as fit go together, …
            let items_left = rows_max.saturating_sub(child.rows());
            let bytes_left = bytes_max.saturating_sub(child.bytes());
            let (end, bytes) = child.fitting(&parent.columns, row..parent.rows(), items_left, bytes_left);
            child.append_rows(&parent.columns, row..end, &parent.records()[row..end], bytes);
            row = end;
            if row == parent.rows() && !is_full(child) {
                break;
            }
            // … and the next one item by item.
            let mut next = (row < parent.rows()).then_some(0);
            while let Some(from) = next {
                next = child.append(&parent.columns, row, parent.records()[row], from, is_full);
                if is_full(child) {
                    sink.batch(table + 1, child.finish()).map_err(Error::sink)?;
                }
            }
            row += 1;
            if is_full(child) {
                sink.batch(table + 1, child.finish()).map_err(Error::sink)?;
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

    fn why(&self, item: &Item) -> Why<'static> {
        match item {
            Item::Fault { fault: Fault::Unterminated, .. } => {
                self.whole(reason::UNTERMINATED_QUOTE, "a closing quote".to_owned(), "the end of the object".to_owned())
            }
            Item::Fault { fault: Fault::BadQuote, at, .. } => self.whole(
                reason::BAD_QUOTE,
                "a delimiter or line end behind the closing quote".to_owned(),
                format!("something else at byte {at}"),
            ),
            Item::TooLong(place) => self.too_long(place.bytes),
            Item::Record(_) | Item::Blank(_) | Item::End => unreachable!("these are not refused as a whole"),
        }
    }

    fn whole(&self, reason: &'static str, expected: String, found: String) -> Why<'static> {
        Why { reason, column: None, expected, found, pii: self.any_pii }
    }

    fn too_long(&self, bytes: u64) -> Why<'static> {
        let bytes_max = self.request.record_bytes_max();
        self.whole(reason::TOO_LONG, format!("at most {bytes_max} bytes"), format!("{bytes} bytes"))
    }

    fn blamed(&self, blame: Blame) -> Why<'a> {
        let spec = self.parent.filled[blame.column].spec;
        let Blame { reason, expected, found, .. } = blame;
        Why { reason, column: Some(spec.name.as_str()), expected, found, pii: spec.pii }
    }

    /// Refuses the record of that number; `raw`: its bytes, if they are held.
    fn refuse(&mut self, raw: Option<&[u8]>, place: &Place, number: u64, why: Why<'_>) -> Result<(), Error> {
        let place = RejectPlace {
            record: number,
            line: place.line,
            offset: place.offset,
            bytes: place.bytes,
            column: why.column.map(str::to_owned),
            reason: why.reason.to_owned(),
            expected: why.expected,
            found: why.found,
        };
        self.tally.refused(&place);
        let raw = raw.map(<[u8]>::to_vec);
        self.sink.reject(Reject { place, raw, pii: why.pii }).map_err(Error::sink)
    }

    /// Hands over the last rows.
    fn end(mut self) -> Result<Ended<'a>, Error> {
        self.flush_parent()?;
        for (table, child) in self.children.iter_mut().enumerate() {
            if child.rows() > 0 {
                self.sink.batch(table + 1, child.finish()).map_err(Error::sink)?;
            }
        }
        Ok(Ended::Done(Box::new(self.tally), self.parent.filled))
    }
}

/// Exchanges formats for better ones where `asks` says so; tells whether there was one.
pub(crate) fn choose_better(filled: &mut [Filled<'_>], asks: impl Fn(&Filled<'_>) -> bool) -> bool {
    let mut better = false;
    for filled in filled.iter_mut().filter(|filled| asks(filled)) {
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
