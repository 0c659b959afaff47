//! The head of an object, read in every way that makes sense.

use stillhouse_spec::{Choice, CsvOptions, EscapeStyle, QuoteStyle};

use crate::csv::dialect::{self, Preface, Reading};
use crate::csv::sample::{Row, Sample};
use crate::csv::scan::Syntax;
use crate::error::Error;
use crate::source::ByteSource;
use crate::window::Window;

/// The head of an object: its first megabyte or so.
pub struct Glimpse {
    sample: Sample,
    /// `utf-8`, and whether a byte order mark said so.
    pub encoding: Choice<String>,
}

/// One way to cut the head into records and fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Delimiter, quote and escape, all of them stated; everything else as it was asked for.
    pub csv: CsvOptions,
    /// Records of the head.
    pub records: u64,
    /// Fields that most of them have.
    pub width: usize,
    /// Records with that many fields, in thousandths of all records and faults.
    pub share: u64,
    /// Fields in quotes.
    pub quoted: u64,
    /// Of those, fields with an escape in them.
    pub escaped: u64,
    /// Lines whose quotes are wrong.
    pub faults: u64,
}

/// A record of the head as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRow {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its fields; broken UTF-8 is replaced.
    pub texts: Vec<String>,
}

impl Glimpse {
    /// Reads the head.
    ///
    /// # Errors
    /// The source failed, or the object begins with the byte order mark of another encoding.
    pub fn take(source: &mut dyn ByteSource, csv: &CsvOptions, record_bytes_max: usize) -> Result<Self, Error> {
        let mut window = Window::new(source, record_bytes_max);
        let Preface { start, encoding } = dialect::preface(&mut window, csv, record_bytes_max)?;
        let sample = Sample::take(&mut window, start, csv.comment, record_bytes_max)?;
        Ok(Self { sample, encoding })
    }

    /// The bytes behind byte order mark and skipped lines.
    pub fn bytes(&self) -> &[u8] {
        self.sample.bytes()
    }

    /// Whether the object goes on behind the head.
    pub fn is_truncated(&self) -> bool {
        self.sample.truncated()
    }

    /// Every way that the head gives reason to try, the likelier ones first: [`decode`](crate::decode())'s own, and
    /// those without quotes where quotes are wrong otherwise. `rare` are delimiters that decode does not look for.
    pub fn ways(&self, csv: &CsvOptions, rare: &[u8]) -> Vec<Way> {
        let mut ways = Vec::new();
        let mut syntaxes = dialect::candidates_without_contract(&self.sample, csv);
        let rare = rare.iter().filter(|delimiter| csv.delimiter.is_none() && self.bytes().contains(delimiter));
        syntaxes.extend(rare.map(|delimiter| Syntax { delimiter: *delimiter, quote: Some(b'"'), backslash: false }));
        for syntax in syntaxes {
            let Some(reading) = dialect::read_plausibly(&self.sample, syntax, csv) else { continue };
            let faulty = reading.faults() > 0;
            ways.push(way(csv, syntax, &reading));
            let bare = Syntax { quote: None, backslash: false, ..syntax };
            if faulty && csv.quote.is_none() && ways.iter().all(|way| Syntax::of(&way.csv) != bare) {
                let reading = dialect::read_plausibly(&self.sample, bare, csv);
                ways.extend(reading.map(|reading| way(csv, bare, &reading)));
            }
        }
        ways
    }

    /// The first records, read in that way.
    pub fn rows(&self, csv: &CsvOptions) -> Vec<HeadRow> {
        let rows = self.sample.rows(Syntax::of(csv)).into_iter();
        rows.map(|Row { line, texts, .. }| HeadRow { line, texts }).collect()
    }
}

fn way(csv: &CsvOptions, syntax: Syntax, reading: &Reading) -> Way {
    let (records, width, share) = reading.shape();
    Way {
        csv: syntax.stated(csv),
        records,
        width,
        share,
        quoted: reading.quoted(),
        escaped: reading.escaped(),
        faults: reading.faults(),
    }
}

impl Syntax {
    /// What options say; what they leave open is as in most files.
    pub(crate) fn of(csv: &CsvOptions) -> Self {
        Self {
            delimiter: csv.delimiter.unwrap_or(b','),
            quote: match csv.quote {
                Some(QuoteStyle::Byte(byte)) => Some(byte),
                Some(QuoteStyle::None) => None,
                None => Some(b'"'),
            },
            backslash: csv.escape == Some(EscapeStyle::Backslash),
        }
    }

    /// Options that state all of it.
    fn stated(self, csv: &CsvOptions) -> CsvOptions {
        CsvOptions {
            delimiter: Some(self.delimiter),
            quote: Some(self.quote.map_or(QuoteStyle::None, QuoteStyle::Byte)),
            escape: Some(if self.backslash { EscapeStyle::Backslash } else { EscapeStyle::Doubled }),
            ..csv.clone()
        }
    }
}
