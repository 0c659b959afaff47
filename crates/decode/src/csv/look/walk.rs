//! Every record of an object, without a contract.

use std::borrow::Cow;

use stillhouse_spec::CsvOptions;

use crate::csv::dialect::{self, Preface};
use crate::csv::records::{Item, Limits, Records};
use crate::csv::scan::{Fault, Field, Syntax, Wrapping, unescape};
use crate::error::Error;
use crate::place::Place;
use crate::reason;
use crate::source::ByteSource;
use crate::window::Window;

/// How many fields of a record can be looked at.
const FIELDS_MAX: usize = 1 << 16;

/// What stands at a place of the object.
pub enum Seen<'r> {
    /// A record.
    Record(Record<'r>),
    /// A line of nothing but blanks.
    Blank,
    /// A record that [`decode`](crate::decode()) would refuse whatever the contract says.
    Refused {
        /// The line on which it begins.
        line: u64,
        /// One of the words of [`reason`].
        reason: &'static str,
    },
}

/// A record that was cut into fields.
pub struct Record<'r> {
    /// The line on which it begins, from 1.
    pub line: u64,
    text: &'r str,
    fields: &'r [Field],
    count: usize,
    syntax: Syntax,
}

impl Record<'_> {
    /// How many fields it has.
    pub fn width(&self) -> usize {
        self.count
    }

    /// The text of a field; `None` where there is no such field.
    pub fn text(&self, field: usize) -> Option<Cow<'_, str>> {
        let field = self.fields.get(field)?;
        let text = &self.text[field.start..field.end];
        if field.wrapping != Wrapping::Escaped {
            return Some(Cow::Borrowed(text));
        }
        let mut into = String::with_capacity(text.len());
        unescape(text, self.syntax, &mut into);
        Some(Cow::Owned(into))
    }
}

/// How far a walk went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// Bytes up to the end of the last record that was shown.
    pub bytes: u64,
    /// The object ends there.
    pub whole: bool,
}

/// Shows every record of the object, up to the first that begins behind `bytes_max`. Memory does not grow with it.
///
/// # Errors
/// The source or the settings are wrong; a bad record is none.
pub fn walk(
    source: &mut dyn ByteSource,
    csv: &CsvOptions,
    record_bytes_max: usize,
    bytes_max: u64,
    visit: &mut dyn FnMut(&Seen<'_>),
) -> Result<Walked, Error> {
    let mut window = Window::new(source, record_bytes_max);
    let Preface { start, .. } = dialect::preface(&mut window, csv, record_bytes_max)?;
    let limits = Limits { comment: csv.comment, record_bytes_max, fields_max: FIELDS_MAX, begin_max: bytes_max };
    let syntax = Syntax::of(csv);
    let mut records = Records::new(&mut window, start, syntax, limits);
    let mut bytes = start.offset;
    loop {
        let item = records.next()?;
        let (place, seen) = match item {
            Item::End => break,
            Item::Record(place) => (place, record(&records, &place, syntax)),
            Item::Blank(place) => (place, Seen::Blank),
            Item::TooLong(place) => (place, Seen::Refused { line: place.line, reason: reason::TOO_LONG }),
            Item::Fault { place, fault, .. } => {
                let reason = match fault {
                    Fault::Unterminated => reason::UNTERMINATED_QUOTE,
                    Fault::BadQuote => reason::BAD_QUOTE,
                };
                (place, Seen::Refused { line: place.line, reason })
            }
        };
        visit(&seen);
        bytes = place.offset + place.bytes;
    }
    Ok(Walked { bytes, whole: records.is_at_end() })
}

fn record<'r>(records: &'r Records<'_, '_>, place: &Place, syntax: Syntax) -> Seen<'r> {
    let bytes = records.bytes(place).unwrap_or_default();
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Seen::Record(Record {
            line: place.line,
            text,
            fields: records.fields(),
            count: records.field_count(),
            syntax,
        }),
        Err(_) => Seen::Refused { line: place.line, reason: reason::INVALID_UTF8 },
    }
}
