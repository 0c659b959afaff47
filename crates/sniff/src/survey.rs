//! Phases 2 to 5, the reading: each file is cut into records, and every value of every record is shown to its column.

use std::collections::BTreeMap;

use stillhouse_decode::ByteSource;
use stillhouse_decode::look::{Glimpse, Seen, Walked, Way, comparable, walk};
use stillhouse_decode::reason;
use stillhouse_spec::{CsvOptions, EscapeStyle, HeaderStyle, MAX_RECORD_BYTES_DEFAULT, QuoteStyle, TextEncoding};

use crate::api::{Input, Opened, Options};
use crate::column::{At, Column};
use crate::dialect::{Cut, cut};
use crate::error::Error;
use crate::header::{self, Header};
use crate::moments::Days;
use crate::names::{identifier, is_id};
use crate::recognise;
use crate::trial::Extent;

/// At most so many columns: a wider file is hardly meant.
const COLUMNS_MAX: usize = 4096;
/// Repeats are looked for in at most so many columns, because it takes memory.
const WATCHED_MAX: usize = 4;
/// One record in so many may be other than UTF-8; above that the file has to be converted.
const NOT_UTF8_SHARE: u64 = 100;

/// What became of the records of one file.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) cut: Cut,
    /// Everything stated, header and skipped lines included.
    pub(crate) csv: CsvOptions,
    pub(crate) header: Header,
    /// The header's names; also where it has another number of fields than the records and has to be skipped.
    pub(crate) names: Option<Vec<String>>,
    /// The header is passed over as a line, because its number of fields is another.
    pub(crate) odd_header: bool,
    pub(crate) width: usize,
    pub(crate) records: u64,
    pub(crate) refused: BTreeMap<&'static str, (u64, u64)>,
    /// Another way reads more records of the whole file than the one that read its head best.
    pub(crate) rethought: bool,
    pub(crate) length: u64,
    pub(crate) walked: Walked,
}

impl Looked {
    /// How much of it is tried.
    pub(crate) fn extent(&self) -> Extent {
        Extent { length: self.length, walked: self.walked, records: self.records, closing: b"" }
    }
}

/// All files.
pub(crate) struct Survey {
    pub(crate) files: Vec<Looked>,
    pub(crate) columns: Vec<Column>,
}

/// A record is held up to this length.
pub(crate) fn record_bytes_max() -> usize {
    usize::try_from(MAX_RECORD_BYTES_DEFAULT).expect("64 MB fit")
}

/// Reads all files.
pub(crate) fn survey(inputs: &[Input<'_>], options: &Options, periods: &[Option<Days>]) -> Result<Survey, Error> {
    let mut survey = Survey { files: Vec::new(), columns: Vec::new() };
    for (number, input) in inputs.iter().enumerate() {
        let looked = look(input, options)?;
        let fields = fields_of(&mut survey, input, &looked)?;
        let period = periods.get(number).copied().flatten();
        for column in &fields {
            survey.columns[*column].begin_file(number, period);
        }
        let looked = read(input, options, looked, number, &fields, &mut survey.columns)?;
        survey.files.push(looked);
    }
    Ok(survey)
}

/// Opens a file, as it says itself that it is.
pub(crate) fn opened<'i>(input: &'i Input<'_>) -> Result<Opened<'i>, Error> {
    (input.open)(TextEncoding::Auto).map_err(|why| Error::unopened(&input.shown, why))
}

/// The bytes of a file.
pub(crate) fn open<'i>(input: &'i Input<'_>) -> Result<Box<dyn ByteSource + 'i>, Error> {
    Ok(opened(input)?.bytes)
}

/// Dialect and header.
fn look(input: &Input<'_>, options: &Options) -> Result<Looked, Error> {
    let (glimpse, length) = glimpse(input)?;
    let mut cut = cut(&glimpse);
    let rethought = rethink(input, options, &glimpse, &mut cut)?;
    let Titles { header, names, odd_header, width } = titles(&cut);
    let mut csv = cut.way.csv.clone();
    csv.header = Some(if header.present { HeaderStyle::Present } else { HeaderStyle::Absent });
    Ok(Looked {
        csv,
        header,
        names,
        odd_header,
        width,
        records: 0,
        refused: BTreeMap::new(),
        rethought,
        length,
        walked: Walked { bytes: 0, whole: true },
        cut,
    })
}

/// The head of a file, and its length.
fn glimpse(input: &Input<'_>) -> Result<(Glimpse, u64), Error> {
    let mut source = open(input)?;
    let length = source.len();
    let mut head = vec![0; 64 << 10];
    let count = source.read_at(0, &mut head).map_err(|error| Error::source(&input.shown, &error))?;
    head.truncate(count);
    recognise::check(input, head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head), length)?;
    let glimpse = Glimpse::take(&mut *source, &CsvOptions::default(), record_bytes_max());
    Ok((glimpse.map_err(|error| Error::decode(&input.shown, &error))?, length))
}

/// How the columns of a file are called.
pub(crate) struct Titles {
    header: Header,
    pub(crate) names: Option<Vec<String>>,
    odd_header: bool,
    pub(crate) width: usize,
}

fn titles(cut: &Cut) -> Titles {
    let width = cut.way.width.max(1);
    let usual: Vec<_> = cut.rows.iter().filter(|row| row.texts.len() == width).cloned().collect();
    let header = header::detect(&usual);
    let above = cut.preamble.last().filter(|row| !header.present && row.texts.len() > 1);
    let odd_header = above.is_some();
    let names = match (header.present, above) {
        (true, _) => usual.first().map(|row| row.texts.clone()),
        (false, Some(row)) => Some((0..width).map(|at| row.texts.get(at).cloned().unwrap_or_default()).collect()),
        (false, None) => None,
    };
    Titles { header, names, odd_header, width }
}

/// The titles that the head of a file has.
pub(crate) fn titles_of(input: &Input<'_>) -> Result<Titles, Error> {
    Ok(titles(&cut(&glimpse(input)?.0)))
}

/// Where the whole file has more wrong quotes or odd records than its head, the other ways get a chance.
fn rethink(input: &Input<'_>, options: &Options, glimpse: &Glimpse, cut: &mut Cut) -> Result<bool, Error> {
    let bad = count_bad(input, options, &cut.way.csv, cut.way.width)?;
    if bad == 0 {
        return Ok(false);
    }
    let base = cut.way.csv.clone();
    let backslash = CsvOptions { escape: Some(EscapeStyle::Backslash), ..base.clone() };
    let bare = CsvOptions { quote: Some(QuoteStyle::None), escape: None, ..base.clone() };
    let mut best = (bad, base.clone());
    // Where fields are in quotes, quotes have a meaning, however many of them are wrong.
    let unquoted = cut.way.quoted * 10 <= cut.way.records;
    for csv in [Some(backslash), unquoted.then_some(bare)].into_iter().flatten() {
        let count = count_bad(input, options, &csv, cut.way.width)?;
        // Fewer by a good part: a record or two may be wrong in any way.
        if csv != base && count * 2 < best.0 {
            best = (count, csv);
        }
    }
    if best.1 == base {
        return Ok(false);
    }
    let skipped = best.1.skip_lines;
    cut.rows = glimpse.rows(&best.1).into_iter().filter(|row| row.line > skipped).collect();
    cut.way = Way { csv: best.1, ..cut.way.clone() };
    Ok(true)
}

/// Wrong quotes, and records with another number of fields.
fn count_bad(input: &Input<'_>, options: &Options, csv: &CsvOptions, width: usize) -> Result<u64, Error> {
    let mut bad = 0;
    let mut source = open(input)?;
    let mut visit = |seen: &Seen<'_>| match seen {
        Seen::Record(record) => bad += u64::from(record.width() != width),
        Seen::Refused { .. } => bad += 1,
        Seen::Blank => {}
    };
    walk(&mut *source, csv, record_bytes_max(), options.bytes_max, &mut visit)
        .map_err(|error| Error::decode(&input.shown, &error))?;
    Ok(bad)
}

/// Which column each field of the file is; columns that are new are made.
fn fields_of(survey: &mut Survey, input: &Input<'_>, looked: &Looked) -> Result<Vec<usize>, Error> {
    if looked.width > COLUMNS_MAX {
        let what = format!("expected at most {COLUMNS_MAX} columns, found {}", looked.width);
        return Err(Error::data(&input.shown, what, "name the delimiter by hand in a source file of your own"));
    }
    if survey.files.is_empty() {
        let watched = watched(looked);
        for field in 0..looked.width {
            let header = looked.names.as_ref().map(|names| names[field].clone());
            survey.columns.push(Column::new(header, watched.contains(&field)));
        }
        return Ok((0..looked.width).collect());
    }
    let by_name = |names: &[String]| crate::names::columns(names).1;
    let known: Option<Vec<String>> = survey.columns.iter().map(|column| column.header.clone()).collect();
    match (&looked.names, known) {
        (Some(names), Some(known)) if by_name(names) && by_name(&known) => claim(survey, names, &known, input),
        _ if looked.width == survey.columns.len() => Ok((0..looked.width).collect()),
        _ => Err(Error::settings(
            format!(
                "the files do not belong together: `{}` has {} columns, the ones before have {}",
                input.shown,
                looked.width,
                survey.columns.len()
            ),
            "look at them one by one: each kind of file is a source of its own",
        )),
    }
}

fn claim(survey: &mut Survey, names: &[String], known: &[String], input: &Input<'_>) -> Result<Vec<usize>, Error> {
    let known: Vec<String> = known.iter().map(|name| comparable(name)).collect();
    let found = |name: &String| known.iter().position(|known| *known == comparable(name));
    if names.iter().all(|name| found(name).is_none()) {
        return Err(Error::settings(
            format!("the files do not belong together: `{}` has no column of the ones before", input.shown),
            "look at them one by one: each kind of file is a source of its own",
        ));
    }
    let mut fields = Vec::new();
    for name in names {
        fields.push(found(name).unwrap_or_else(|| {
            survey.columns.push(Column::new(Some(name.clone()), false));
            survey.columns.len() - 1
        }));
    }
    Ok(fields)
}

/// The fields in which repeats are looked for: by their names, else the first.
fn watched(looked: &Looked) -> Vec<usize> {
    let names = looked.names.as_deref().unwrap_or_default();
    let is_key = |name: &String| identifier(name).is_some_and(|name| is_id(&name));
    let named = names.iter().enumerate().filter(|(_, name)| is_key(name)).map(|(at, _)| at);
    let named: Vec<usize> = named.take(WATCHED_MAX).collect();
    if named.is_empty() { vec![0] } else { named }
}

/// Whether so few records are other than UTF-8 that they may be refused.
pub(crate) fn utf8(input: &Input<'_>, line: u64, count: u64, records: u64) -> Result<(), Error> {
    if count * NOT_UTF8_SHARE > records { Err(recognise::not_utf8(input, line, count, records)) } else { Ok(()) }
}

/// Shows every value to its column.
fn read(
    input: &Input<'_>,
    options: &Options,
    mut looked: Looked,
    file: usize,
    fields: &[usize],
    columns: &mut [Column],
) -> Result<Looked, Error> {
    let mut source = open(input)?;
    let mut header_to_come = looked.header.present;
    let (mut records, mut refused) = (0u64, BTreeMap::<&'static str, (u64, u64)>::new());
    let mut refuse = |reason, line| refused.entry(reason).or_insert((0, line)).0 += 1;
    let width = looked.width;
    let mut visit = |seen: &Seen<'_>| match seen {
        Seen::Blank => {}
        Seen::Refused { line, reason } => {
            records += 1;
            refuse(*reason, *line);
        }
        Seen::Record(_) if std::mem::take(&mut header_to_come) => {}
        Seen::Record(record) => {
            records += 1;
            if record.width() != width {
                refuse(reason::FIELD_COUNT, record.line);
                return;
            }
            for (field, column) in fields.iter().enumerate() {
                let text = record.text(field).unwrap_or_default();
                columns[*column].observe(&text, At { file, line: record.line });
            }
        }
    };
    looked.walked = walk(&mut *source, &looked.csv, record_bytes_max(), options.bytes_max, &mut visit)
        .map_err(|error| Error::decode(&input.shown, &error))?;
    if let Some((count, line)) = refused.get(reason::INVALID_UTF8) {
        utf8(input, *line, *count, records)?;
    }
    (looked.records, looked.refused) = (records, refused);
    Ok(looked)
}
