//! Phase 1: CSV, JSON or Parquet, and is it text that can hold records at all?

use crate::api::Input;
use crate::error::Error;
use crate::survey::open;

/// How files of other kinds begin, what they are, and what to do with them.
const BEGINNINGS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive or an office document", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old office document", "save the sheet as CSV"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it with `gunzip`"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with `unzstd`"),
    (b"BZh", "compressed with bzip2", "unpack it with `bunzip2`"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it with `unxz`"),
    (b"%PDF", "a PDF document", "ask for the table behind it as CSV"),
    (b"SQLite format 3", "an SQLite database", "export its tables as CSV"),
    (b"\x89PNG", "a picture", "name a CSV file"),
    (b"\xff\xd8\xff", "a picture", "name a CSV file"),
];

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Csv,
    Json,
    Parquet,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
        }
    }
}

/// What all of the files are written in, by how they begin.
pub(crate) fn kind(inputs: &[Input<'_>]) -> Result<Kind, Error> {
    let mut common: Option<Kind> = None;
    for input in inputs {
        let kind = kind_of(&head(input)?);
        let first = *common.get_or_insert(kind);
        if kind != first {
            return Err(Error::settings(
                format!(
                    "the files do not belong together: `{}` is {}, the ones before are {}",
                    input.shown,
                    kind.name(),
                    first.name()
                ),
                "look at them one by one: each kind of file is a source of its own",
            ));
        }
    }
    Ok(common.unwrap_or(Kind::Csv))
}

/// The beginning of a file, without a byte order mark and blanks.
fn head(input: &Input<'_>) -> Result<Vec<u8>, Error> {
    let mut source = open(input)?;
    let mut head = vec![0; 4 << 10];
    let count = source.read_at(0, &mut head).map_err(|error| Error::source(&input.shown, &error))?;
    let head = &head[..count];
    Ok(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start().to_vec())
}

/// What is not recognised may be CSV, or is nothing: [`check`] says so.
fn kind_of(head: &[u8]) -> Kind {
    if head.starts_with(b"PAR1") {
        return Kind::Parquet;
    }
    let Some((first, rest)) = head.split_first() else { return Kind::Csv };
    let (lines, rest) = (rest.first().is_some_and(|byte| matches!(byte, b'\n' | b'\r')), rest.trim_ascii_start());
    match (first, rest.first()) {
        (b'{', Some(b'"' | b'}')) | (b'[', Some(b'{')) => Kind::Json,
        (b'[', Some(b']')) if rest[1..].iter().all(u8::is_ascii_whitespace) => Kind::Json,
        (b'{' | b'[', _) if lines => Kind::Json,
        _ => Kind::Csv,
    }
}

/// So many bytes of control characters in a thousand are no text any more.
const CONTROLS_PER_THOUSAND: usize = 20;

/// Refuses what is not text, by the first bytes of the file.
pub(crate) fn check(input: &Input<'_>, head: &[u8], length: u64) -> Result<(), Error> {
    let refuse = |what: &str, hint: &str| Err(Error::data(&input.shown, format!("expected CSV, found {what}"), hint));
    if head.iter().all(u8::is_ascii_whitespace) {
        let what = format!("an empty file: {length} bytes and no record");
        return refuse(&what, "send the file again; a header alone would be enough for a proposal");
    }
    if let Some((_, what, hint)) = BEGINNINGS.iter().find(|(beginning, ..)| head.starts_with(beginning)) {
        return refuse(what, hint);
    }
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    if head.len() >= 8 && (zeros(0) * 5 > head.len() * 2 || zeros(1) * 5 > head.len() * 2) {
        return refuse("UTF-16 without a byte order mark", "convert it, for example with `iconv -f UTF-16LE -t UTF-8`");
    }
    let is_control = |byte: &&u8| **byte < b' ' && !matches!(byte, 0x01 | b'\t' | b'\n' | b'\r' | 0x0c | 0x1b..=0x1f);
    if head.iter().filter(is_control).count() * 1000 > head.len() * CONTROLS_PER_THOUSAND {
        return refuse("binary data", "name a text file of CSV or JSON, or a Parquet file");
    }
    let text = head.trim_ascii_start();
    if text.starts_with(b"<?xml") || text.to_ascii_lowercase().starts_with(b"<!doctype") || text.starts_with(b"<html") {
        return refuse("XML or HTML", "ask for the table in it as CSV");
    }
    Ok(())
}

/// The way out for a file that is not UTF-8.
pub(crate) fn not_utf8(input: &Input<'_>, line: u64, count: u64, records: u64) -> Error {
    let what = format!(
        "expected UTF-8, found other bytes in {count} of {records} records, first on line {line}: \
         the file is probably Windows-1252 or Latin-1"
    );
    let shown = &input.shown;
    let hint =
        format!("convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8 '{shown}' > utf8.csv`, and look at that");
    Error::data(shown, what, hint)
}
