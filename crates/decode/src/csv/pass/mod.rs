//! One pass over the records of an object.

mod pieces;

use self::pieces::Waiting;
use crate::api::{Request, RowSink};
use crate::children::Children;
use crate::csv::detect::Head;
use crate::csv::parent::{Blame, Parent, Verdict};
use crate::csv::records::{Item, Limits, Records};
use crate::csv::scan::Fault;
use crate::error::Error;
use crate::format::Ended;
use crate::place::{Entry, Place};
use crate::plan::{ASK_EVERY, Filled, choose_better};
use crate::reason;
use crate::refusal::{Why, invalid_byte, refuse};
use crate::rules::Rules;
use crate::schema::schemas;
use crate::tally::Tally;
use crate::window::Window;

/// Why a pass ends early.
enum Stop {
    /// This column needs a leap year.
    LeapDay(usize),
    /// Another format does better; the columns hold it.
    Better,
}

/// The state of a pass.
pub(super) struct Pass<'a, 's> {
    request: &'a Request<'a>,
    head: &'s Head,
    sink: &'s mut dyn RowSink,
    parent: Parent<'a>,
    children: Children,
    rules: Rules<'a>,
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
    waiting: Waiting,
}

impl<'a, 's> Pass<'a, 's> {
    pub(super) fn new(
        request: &'a Request<'a>,
        head: &'s Head,
        filled: Vec<Filled<'a>>,
        sink: &'s mut dyn RowSink,
        impatient: bool,
    ) -> Self {
        let contract = request.contract;
        let mut schemas = schemas(contract).into_iter().map(|(_, schema)| schema);
        let parent = Parent::new(schemas.next().expect("the parent comes first"), filled, &head.mapping);
        let children = Children::new(request, schemas);
        let any_pii = contract.parent.columns.iter().any(|column| column.pii);
        Self {
            request,
            head,
            sink,
            parent,
            children,
            rules: Rules::new(request),
            time: contract.parent.time_column(),
            tally: Tally::default(),
            first_number: 0,
            impatient,
            any_pii,
            asked: 0,
            waiting: Waiting::default(),
        }
    }

    /// Reads the records from `entry` on, those that begin up to `begin_max`.
    pub(super) fn run(mut self, window: &mut Window<'_>, entry: Entry, begin_max: u64) -> Result<Ended<'a>, Error> {
        let head = self.head;
        self.first_number = entry.number;
        let limits = Limits {
            comment: self.request.csv().comment,
            record_bytes_max: self.request.record_bytes_max(),
            fields_max: head.mapping.width + 1,
            begin_max,
        };
        let mut records = Records::new(window, entry.start, head.syntax, limits);
        loop {
            let may_be_header = head.mapping.header_offset >= Some(entry.start.offset) && !self.tally.begun;
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
                        self.tally.begun = true;
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
        self.request.is_full(self.parent.rows() + rows, self.parent.bytes() + bytes)
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

    /// Leaves out what the contract does not want of the rows from `first` on, counts the days of the others, and gives the
    /// children their items.
    fn rows_added(&mut self, first: usize) -> Result<Option<Stop>, Error> {
        let gone = self.parent.left_out(&self.rules, first)?;
        self.parent.remove(&gone);
        self.tally.leave_out(gone.len());
        if let Some(time) = self.time {
            let column = &self.parent.columns[time];
            (first..self.parent.rows()).for_each(|row| self.tally.days.add(column.day(row)));
        }
        let Self { parent, children, sink, .. } = self;
        children.add(&parent.columns, parent.records(), first..parent.rows(), *sink)?;
        if self.is_full_with(0, 0) {
            self.flush_parent()?;
        }
        let asked = self.tally.counts.read / ASK_EVERY;
        let asks = self.impatient && asked != std::mem::replace(&mut self.asked, asked);
        Ok((asks && choose_better(&mut self.parent.filled, |filled| filled.is_hopeless())).then_some(Stop::Better))
    }

    fn flush_parent(&mut self) -> Result<(), Error> {
        if self.parent.rows() > 0 {
            let batch = self.rules.derived(self.parent.finish())?;
            self.sink.batch(0, batch).map_err(Error::sink)?;
        }
        Ok(())
    }

    fn why(&self, item: &Item) -> Why {
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

    fn whole(&self, reason: &'static str, expected: String, found: String) -> Why {
        Why { reason, column: None, expected, found, pii: self.any_pii }
    }

    fn too_long(&self, bytes: u64) -> Why {
        let bytes_max = self.request.record_bytes_max();
        self.whole(reason::TOO_LONG, format!("at most {bytes_max} bytes"), format!("{bytes} bytes"))
    }

    fn blamed(&self, blame: Blame) -> Why {
        let spec = self.parent.filled[blame.column].spec;
        let Blame { reason, expected, found, .. } = blame;
        Why { reason, column: Some(spec.name.to_string()), expected, found, pii: spec.pii }
    }

    /// Refuses the record of that number; `raw`: its bytes, if they are held.
    fn refuse(&mut self, raw: Option<&[u8]>, place: &Place, number: u64, why: Why) -> Result<(), Error> {
        refuse(&mut self.tally, self.sink, raw, place, number, why)
    }

    /// Hands over the last rows.
    fn end(mut self) -> Result<Ended<'a>, Error> {
        self.flush_parent()?;
        self.children.end(self.sink)?;
        Ok(Ended::Done(Box::new(self.tally), self.parent.filled))
    }
}

fn fields_text(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}
