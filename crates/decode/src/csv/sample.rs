//! The head of an object, from which dialect, header and formats are guessed before the first pass.

use crate::csv::records::{Item, Limits, Records};
use crate::csv::scan::{Fault, Field, Syntax, Wrapping, unescape};
use crate::error::Error;
use crate::place::{Place, Start};
use crate::window::Window;

/// How much of an object is looked at.
pub(crate) const SAMPLE_BYTES: usize = 1 << 20;
/// How many records are kept as texts.
const ROWS_MAX: usize = 2000;
/// How many fields of a sampled record are kept.
const FIELDS_MAX: usize = 1 << 16;

/// The head of an object.
pub(crate) struct Sample {
    bytes: Vec<u8>,
    /// The object goes on behind it.
    truncated: bool,
    start: Start,
    comment: Option<u8>,
    record_bytes_max: usize,
}

/// A sampled record as texts.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) offset: u64,
    pub(crate) line: u64,
    pub(crate) texts: Vec<String>,
}

/// What became of the sampled records beside those that a visitor saw.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Lines whose quotes are wrong.
    pub(crate) faults: u64,
    /// Those, and records that are too long.
    pub(crate) refused: u64,
}

impl Sample {
    pub(crate) fn take(
        window: &mut Window<'_>,
        start: Start,
        comment: Option<u8>,
        record_bytes_max: usize,
    ) -> Result<Self, Error> {
        window.seek(start.offset);
        window.ensure(SAMPLE_BYTES)?;
        let count = window.data().len().min(SAMPLE_BYTES);
        let truncated = window.offset() + (count as u64) < window.length();
        Ok(Self { bytes: window.data()[..count].to_vec(), truncated, start, comment, record_bytes_max })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn truncated(&self) -> bool {
        self.truncated
    }

    /// Shows every record of the sample that surely ends inside it, until `visit` says false.
    pub(crate) fn visit(&self, syntax: Syntax, mut visit: impl FnMut(&Records<'_, '_>, &Place) -> bool) -> Tally {
        let mut bytes = self.bytes.as_slice();
        let mut window = Window::new(&mut bytes, SAMPLE_BYTES);
        let (comment, record_bytes_max) = (self.comment, self.record_bytes_max);
        let limits = Limits { comment, record_bytes_max, fields_max: FIELDS_MAX, begin_max: u64::MAX };
        let start = Start { offset: 0, line: self.start.line };
        let mut records = Records::new(&mut window, start, syntax, limits);
        let mut tally = Tally::default();
        let mut good = 0u64;
        loop {
            let item = records.next().expect("a slice can always be read");
            match item {
                Item::End => break,
                Item::Record(place) if self.is_cut(&place) => break,
                Item::Record(place) => {
                    good += 1;
                    if !visit(&records, &place) {
                        break;
                    }
                }
                // The quote may well be closed behind the sample.
                Item::Fault { fault: Fault::Unterminated, .. } if self.truncated && good > 0 => break,
                Item::Fault { .. } => {
                    tally.faults += 1;
                    tally.refused += 1;
                }
                Item::TooLong(_) => tally.refused += 1,
                Item::Blank(_) => {}
            }
        }
        tally
    }

    /// The record reaches to the end of the sample, and perhaps beyond.
    fn is_cut(&self, place: &Place) -> bool {
        self.truncated && place.offset + place.bytes >= self.bytes.len() as u64
    }

    /// The first records as texts, at their place in the object.
    pub(crate) fn rows(&self, syntax: Syntax) -> Vec<Row> {
        self.rows_up_to(ROWS_MAX, syntax)
    }

    /// The first record.
    pub(crate) fn first(&self, syntax: Syntax) -> Option<Row> {
        self.rows_up_to(1, syntax).pop()
    }

    fn rows_up_to(&self, rows_max: usize, syntax: Syntax) -> Vec<Row> {
        let mut rows = Vec::new();
        self.visit(syntax, |records, place| {
            let bytes = records.bytes(place).unwrap_or_default();
            let texts = records.fields().iter().map(|field| text_lossy(bytes, *field, syntax)).collect();
            rows.push(Row { offset: self.start.offset + place.offset, line: place.line, texts });
            rows.len() < rows_max
        });
        rows
    }
}

/// The text of a field; for guesses and messages, where broken UTF-8 does no harm.
pub(crate) fn text_lossy(record: &[u8], field: Field, syntax: Syntax) -> String {
    let text = String::from_utf8_lossy(&record[field.start..field.end]);
    if field.wrapping != Wrapping::Escaped {
        return text.into_owned();
    }
    let mut into = String::with_capacity(text.len());
    unescape(&text, syntax, &mut into);
    into
}
