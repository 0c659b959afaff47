//! Phase 2: delimiter, quote, escape, comments and lines before the records.
//!
//! decode cuts the head in every way that makes sense; here each way is judged by how regular its records are and by
//! whether its fields look like values.

use stillhouse_decode::look::{Glimpse, HeadRow, Way};
use stillhouse_spec::{CsvOptions, QuoteStyle};

use crate::cell::is_typed;

/// Delimiters that decode does not look for by itself.
const RARE_DELIMITERS: &[u8] = b"\x01\x1f^~";

/// Delimiters that stand for "one column" when they do not occur.
const UNUSED_DELIMITERS: &[u8] = b"\t;|\x1f";

/// At most so many records of the head are judged.
const JUDGED_ROWS: usize = 300;

/// A way in which fewer records (in thousandths) have the usual number of fields is none. Small files may have more
/// faults.
const SHARE_MIN: u64 = 800;
const SHARE_MIN_SMALL: u64 = 600;
const SMALL_RECORDS: u64 = 50;

/// At most so many lines before the records are passed over.
const PREAMBLE_ROWS_MAX: usize = 20;

/// How the file is cut.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) way: Way,
    /// The next best delimiter, if there is another.
    pub(crate) other: Option<u8>,
    pub(crate) rows: Vec<HeadRow>,
    /// Lines before the first record with the usual number of fields.
    pub(crate) preamble: Vec<HeadRow>,
}

/// Chooses the way.
pub(crate) fn cut(glimpse: &Glimpse) -> Cut {
    let mut csv = CsvOptions::default();
    let mut judged = judge(glimpse, &csv);
    if has_comments(&judged) {
        csv.comment = Some(b'#');
        judged = judge(glimpse, &csv);
    }
    let (way, rows, other) = judged;
    let mut rows = rows;
    let preamble = preamble(&rows, way.width);
    let preamble: Vec<HeadRow> = rows.drain(..preamble).collect();
    let mut way = way;
    if let (Some(_), Some(first)) = (preamble.first(), rows.first()) {
        way.csv.skip_lines = first.line - 1;
    }
    Cut { way, other, rows, preamble }
}

type Judged = (Way, Vec<HeadRow>, Option<u8>);

fn judge(glimpse: &Glimpse, csv: &CsvOptions) -> Judged {
    let mut best: Option<(f64, Way, Vec<HeadRow>)> = None;
    let mut others: Vec<(f64, u8)> = Vec::new();
    for way in glimpse.ways(csv, RARE_DELIMITERS) {
        let rows = glimpse.rows(&way.csv);
        let rows: Vec<HeadRow> = rows.into_iter().filter(|row| !is_comment(row, csv)).collect();
        let score = score(&way, &rows);
        others.push((score, way.csv.delimiter.unwrap_or(b',')));
        // Ways come in the order of likelihood; a later one has to be really better.
        if best.as_ref().is_none_or(|(former, ..)| score > former + 0.005) {
            best = Some((score, way, rows));
        }
    }
    let (score, way, rows) = best.expect("decode tries one way at least");
    let small = way.records < SMALL_RECORDS;
    let regular = share(&way, &rows) >= if small { SHARE_MIN_SMALL } else { SHARE_MIN };
    let lone = (!regular || way.width == 1).then(|| one_column(glimpse, csv)).flatten();
    if let Some((way, rows)) = lone {
        return (way, rows, None);
    }
    let delimiter = way.csv.delimiter.unwrap_or(b',');
    let close = |(other, mark): &(f64, u8)| *mark != delimiter && *other > score * 0.8;
    let other = others.into_iter().find(close).map(|(_, mark)| mark);
    (way, rows, other)
}

/// The way of a file with one column: with a delimiter that does not occur.
fn one_column(glimpse: &Glimpse, csv: &CsvOptions) -> Option<(Way, Vec<HeadRow>)> {
    let free = UNUSED_DELIMITERS.iter().find(|mark| !glimpse.bytes().contains(mark))?;
    let csv = CsvOptions { delimiter: Some(*free), ..csv.clone() };
    let way = glimpse.ways(&csv, &[]).into_iter().min_by_key(|way| way.faults)?;
    let rows = glimpse.rows(&way.csv);
    Some((way, rows))
}

/// Records with the usual number of fields, in thousandths of all from the first such record on: titles before the
/// records say nothing about them.
fn share(way: &Way, rows: &[HeadRow]) -> u64 {
    let is_usual = |row: &&HeadRow| row.texts.len() == way.width;
    let before = rows.iter().take(PREAMBLE_ROWS_MAX).take_while(|row| !is_usual(row)).count();
    let usual = rows.iter().filter(is_usual).count() as u64;
    let all = (rows.len() - before) as u64 + way.faults;
    usual * 1000 / all.max(1)
}

/// How well a way reads the head: regular records of several fields that look like values.
#[expect(clippy::cast_precision_loss, reason = "a score of a few hundred records")]
fn score(way: &Way, rows: &[HeadRow]) -> f64 {
    let width = way.width.max(1) as f64;
    let spread = if way.width > 1 { (width - 1.0) / width } else { 0.02 };
    let usual = rows.iter().filter(|row| row.texts.len() == way.width).take(JUDGED_ROWS);
    let (mut sum, mut count) = (0.0, 0.0);
    for text in usual.flat_map(|row| &row.texts) {
        sum += clean(text, way.csv.delimiter.unwrap_or(b','));
        count += 1.0;
    }
    let clean = if count > 0.0 { sum / count } else { 0.0 };
    // Irregular records count double: text with a comma here and there is no list of fields.
    let share = share(way, rows) as f64 / 1000.0;
    share * share * clean * spread
}

/// Whether a field looks like one, rather than like several or a part.
fn clean(text: &str, delimiter: u8) -> f64 {
    let trimmed = text.trim();
    if trimmed.is_empty() || is_typed(trimmed) {
        return 1.0;
    }
    let hides_values = [',', ';', '\t', '|']
        .into_iter()
        .filter(|mark| *mark != char::from(delimiter) && trimmed.contains(*mark))
        .any(|mark| trimmed.split(mark).any(is_typed));
    match (hides_values, trimmed.contains('"')) {
        (true, _) => 0.3,
        (false, true) => 0.5,
        (false, false) => 0.9,
    }
}

fn is_comment(row: &HeadRow, csv: &CsvOptions) -> bool {
    csv.comment.is_some() && row.texts.first().is_some_and(|text| text.starts_with('#'))
}

/// Lines that begin with `#` and have not the number of fields that records have.
fn has_comments((way, rows, _): &Judged) -> bool {
    let mut marked = rows.iter().filter(|row| row.texts.first().is_some_and(|text| text.starts_with('#'))).peekable();
    marked.peek().is_some() && way.width > 1 && marked.all(|row| row.texts.len() != way.width)
}

/// How many rows stand before the first with the usual number of fields, none of which holds a value: titles, notes.
fn preamble(rows: &[HeadRow], width: usize) -> usize {
    let before = rows.iter().take(PREAMBLE_ROWS_MAX + 1).position(|row| row.texts.len() == width).unwrap_or(0);
    let holds_values = |row: &HeadRow| row.texts.len() > 1 && row.texts.iter().any(|text| is_typed(text));
    if before > PREAMBLE_ROWS_MAX || rows[..before].iter().any(holds_values) { 0 } else { before }
}

/// A delimiter as people call it.
pub(crate) fn name(mark: u8) -> String {
    match mark {
        b'\t' => "tab".to_owned(),
        mark if mark.is_ascii_graphic() => format!("`{}`", char::from(mark)),
        mark => format!("the character U+{mark:04X}"),
    }
}

/// A quote as people call it.
pub(crate) fn quote_name(quote: Option<QuoteStyle>) -> String {
    match quote {
        Some(QuoteStyle::Byte(byte)) => name(byte),
        _ => "none".to_owned(),
    }
}
