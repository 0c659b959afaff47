//! Phase 1 of detection: encoding, delimiter, quote and escape.
//!
//! Every combination that the settings leave open reads the sample; the one that reads it best wins, the earlier one
//! if two are equal. What the user set is never tried otherwise.

use std::collections::BTreeMap;

use memchr::memmem;
use stillhouse_spec::{Choice, CsvOptions, EscapeStyle, QuoteStyle};

use crate::byte_mark;
use crate::csv::header::Names;
use crate::csv::sample::{Sample, text_lossy};
use crate::csv::scan::{Syntax, Wrapping};
use crate::error::Error;
use crate::lines::physical_line;
use crate::place::Start;
use crate::window::Window;

/// Delimiters that are looked for, the likelier ones first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What [`preface`] found.
pub(crate) struct Preface {
    pub(crate) start: Start,
    pub(crate) encoding: Choice<String>,
}

/// Passes over the byte order mark and the lines that are to be skipped.
pub(crate) fn preface(window: &mut Window<'_>, csv: &CsvOptions, line_bytes_max: usize) -> Result<Preface, Error> {
    check_settings(csv)?;
    let encoding = byte_mark::encoding(window, "convert it, for example with `iconv -f UTF-16 -t UTF-8`")?;
    let mut line = 1;
    for _ in 0..csv.skip_lines {
        if window.data().is_empty() && window.at_end() {
            break;
        }
        let skipped = physical_line(window, line_bytes_max)?;
        window.consume(skipped.next.unwrap_or(0));
        line += 1;
    }
    Ok(Preface { start: Start { offset: window.offset(), line }, encoding })
}

/// Structure is ASCII and each byte of it has one meaning: texts are cut at these bytes and stay UTF-8.
fn check_settings(csv: &CsvOptions) -> Result<(), Error> {
    let quote = match csv.quote {
        Some(QuoteStyle::Byte(byte)) => Some(byte),
        Some(QuoteStyle::None) | None => None,
    };
    for (name, byte) in [("delimiter", csv.delimiter), ("quote", quote), ("comment", csv.comment)] {
        let fits = |byte: u8| byte.is_ascii() && byte != b'\n' && byte != b'\r';
        if let Some(byte) = byte.filter(|byte| !fits(*byte)) {
            return Err(Error::settings(
                format!("`{name}`: expected an ASCII character that ends no line, found byte 0x{byte:02x}"),
                format!("set another `{name}` in the source file, or none, so that it is detected"),
            ));
        }
    }
    if csv.delimiter.is_some() && csv.delimiter == quote {
        return Err(Error::settings(
            "`delimiter` and `quote` are the same character",
            "set another `delimiter` or `quote` in the source file",
        ));
    }
    Ok(())
}

/// The syntax, and who decided each part of it.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) syntax: Syntax,
    /// The number of fields that most records of the sample have; `None` without any record.
    pub(crate) width: Option<usize>,
    pub(crate) decided: Vec<(&'static str, Choice<String>)>,
}

/// How well a syntax reads the sample; a greater one is better. The order of the fields is the order of their weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Score {
    /// Fields of the first record that name a column of the contract.
    names: usize,
    /// Most records have as many fields as the contract has.
    expected_width: bool,
    /// Most records have several fields, unless the contract asks for a single one.
    split: bool,
    /// Records with that number of fields, in thousandths of all records and faults.
    share: u64,
    /// That number.
    width: usize,
}

/// What else a reading of the sample tells.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    score: Score,
    records: u64,
    quoted: u64,
    escaped: u64,
    faults: u64,
}

impl Reading {
    /// Records, the fields that most of them have, and the share of those in thousandths.
    pub(crate) fn shape(&self) -> (u64, usize, u64) {
        (self.records, self.score.width, self.score.share)
    }

    /// Fields in quotes.
    pub(crate) fn quoted(&self) -> u64 {
        self.quoted
    }

    /// Fields in quotes with an escape in them.
    pub(crate) fn escaped(&self) -> u64 {
        self.escaped
    }

    /// Lines whose quotes are wrong.
    pub(crate) fn faults(&self) -> u64 {
        self.faults
    }
}

/// Chooses the syntax.
pub(crate) fn detect(sample: &Sample, csv: &CsvOptions, names: &Names) -> Dialect {
    let mut best: Option<(Syntax, Reading)> = None;
    for syntax in candidates(sample, csv, names) {
        let reading = read(sample, syntax, names);
        if !is_plausible(syntax, csv, &reading) {
            continue;
        }
        if best.is_none_or(|(_, former)| reading.score > former.score) {
            best = Some((syntax, reading));
        }
    }
    let (syntax, reading) = best.expect("the first quote is always tried with some delimiter");
    let decided = vec![
        ("delimiter", choice(csv.delimiter.is_some(), reading.score.width > 1, delimiter_name(syntax.delimiter))),
        ("quote", choice(csv.quote.is_some(), reading.quoted > 0, quote_name(syntax.quote))),
        ("escape", choice(csv.escape.is_some(), reading.escaped > 0, escape_name(syntax))),
    ];
    Dialect { syntax, width: (reading.records > 0).then_some(reading.score.width), decided }
}

/// An apostrophe is a letter far more often than a quote.
fn is_plausible(syntax: Syntax, csv: &CsvOptions, reading: &Reading) -> bool {
    let detected_apostrophe = syntax.quote == Some(b'\'') && csv.quote.is_none();
    !detected_apostrophe || (reading.faults == 0 && reading.quoted * 2 >= reading.records.max(1))
}

/// Every syntax to try where no contract says how many fields there are.
pub(crate) fn candidates_without_contract(sample: &Sample, csv: &CsvOptions) -> Vec<Syntax> {
    candidates(sample, csv, &Names::none())
}

/// Reads the sample with one syntax, where no contract says what to look for.
pub(crate) fn read_plausibly(sample: &Sample, syntax: Syntax, csv: &CsvOptions) -> Option<Reading> {
    let reading = read(sample, syntax, &Names::none());
    is_plausible(syntax, csv, &reading).then_some(reading)
}

fn choice(set: bool, detected: bool, value: String) -> Choice<String> {
    match (set, detected) {
        (true, _) => Choice::set(value),
        (false, true) => Choice::detected(value),
        (false, false) => Choice::default_value(value),
    }
}

fn delimiter_name(delimiter: u8) -> String {
    if delimiter == b'\t' { "tab".to_owned() } else { char::from(delimiter).to_string() }
}

fn quote_name(quote: Option<u8>) -> String {
    quote.map_or_else(|| "none".to_owned(), |quote| char::from(quote).to_string())
}

fn escape_name(syntax: Syntax) -> String {
    if syntax.backslash { "backslash".to_owned() } else { "doubled".to_owned() }
}

/// Delimiters that occur and are not the quote. For a contract of one column those that do not occur are better still.
fn delimiters(sample: &Sample, names: &Names, quote: Option<u8>) -> Vec<u8> {
    let possible = || DELIMITERS.into_iter().filter(|delimiter| Some(*delimiter) != quote);
    let occurs = |delimiter: &u8| names.count() == 1 || memchr::memchr(*delimiter, sample.bytes()).is_some();
    let found: Vec<u8> = possible().filter(occurs).collect();
    if found.is_empty() { possible().take(1).collect() } else { found }
}

/// Quotes that are not the delimiter; where it is the usual one, there are none.
fn quotes(sample: &Sample, csv: &CsvOptions) -> Vec<Option<u8>> {
    match csv.quote {
        Some(QuoteStyle::Byte(byte)) => vec![Some(byte)],
        Some(QuoteStyle::None) => vec![None],
        None if csv.delimiter == Some(b'"') => vec![None],
        None if csv.delimiter != Some(b'\'') && memchr::memchr(b'\'', sample.bytes()).is_some() => {
            vec![Some(b'"'), Some(b'\'')]
        }
        None => vec![Some(b'"')],
    }
}

/// Every syntax that the settings allow and the sample gives reason to try, the likelier ones first.
fn candidates(sample: &Sample, csv: &CsvOptions, names: &Names) -> Vec<Syntax> {
    let mut candidates = Vec::new();
    for quote in quotes(sample, csv) {
        let delimiters = csv.delimiter.map_or_else(|| delimiters(sample, names, quote), |delimiter| vec![delimiter]);
        let escapes: &[bool] = match (csv.escape, quote) {
            (_, None) | (Some(EscapeStyle::Doubled), _) => &[false],
            (Some(EscapeStyle::Backslash), _) => &[true],
            (None, Some(quote)) if memmem::find(sample.bytes(), &[b'\\', quote]).is_some() => &[false, true],
            (None, Some(_)) => &[false],
        };
        for &backslash in escapes {
            let of_delimiter = |&delimiter: &u8| Syntax { delimiter, quote, backslash };
            candidates.extend(delimiters.iter().map(of_delimiter));
        }
    }
    candidates
}

/// Reads the sample with one syntax.
fn read(sample: &Sample, syntax: Syntax, names: &Names) -> Reading {
    let mut reading = Reading::default();
    let mut widths: BTreeMap<usize, u64> = BTreeMap::new();
    let mut first_width = 0;
    let tally = sample.visit(syntax, |records, place| {
        let fields = records.fields();
        if reading.records == 0 {
            let bytes = records.bytes(place).unwrap_or_default();
            let texts: Vec<String> = fields.iter().map(|field| text_lossy(bytes, *field, syntax)).collect();
            reading.score.names = names.matched(&texts);
            first_width = records.field_count();
        }
        reading.records += 1;
        *widths.entry(records.field_count()).or_default() += 1;
        for field in fields {
            reading.quoted += u64::from(field.wrapping != Wrapping::Bare);
            reading.escaped += u64::from(field.wrapping == Wrapping::Escaped);
        }
        true
    });
    reading.faults = tally.faults;
    // Among equally frequent widths the first record's, then the greatest.
    let usual = widths.iter().max_by_key(|(width, count)| (**count, **width == first_width, **width));
    if let Some((&width, &count)) = usual {
        reading.score.width = width;
        reading.score.expected_width = width == names.count();
        reading.score.split = width > 1 || names.count() == 1;
        reading.score.share = count * 1000 / (reading.records + reading.faults);
    }
    reading
}
