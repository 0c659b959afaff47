//! Phase 1: CSV, JSON or Parquet, and is it text that can hold records at all?

use stillhouse_unpack::{Packing, recognise};

use crate::api::{Input, Opened, Wrapping};
use crate::error::Error;
use crate::survey::opened;

/// How files of other kinds begin, what they are, and what to do with them.
const BEGINNINGS: &[(&[u8], &str, &str)] = &[
    (b"\xd0\xcf\x11\xe0", "an old office document", "save the sheet as CSV"),
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
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
        }
    }
}

/// What all of the files are written in, by how they begin, and what each was in.
pub(crate) fn kind(inputs: &[Input<'_>]) -> Result<(Kind, Vec<Wrapping>), Error> {
    let (mut common, mut wrappings): (Option<Kind>, _) = (None, Vec::new());
    for input in inputs {
        let (kind, wrapping) = kind_of(input)?;
        wrappings.push(wrapping);
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
    Ok((common.unwrap_or(Kind::Csv), wrappings))
}

/// What a file is written in, by how it begins without a byte order mark and blanks.
pub(crate) fn kind_of(input: &Input<'_>) -> Result<(Kind, Wrapping), Error> {
    let Opened { mut bytes, wrapping } = opened(input)?;
    let mut head = vec![0; 4 << 10];
    let count = bytes.read_at(0, &mut head).map_err(|error| Error::source(&input.shown, &error))?;
    let head = &head[..count];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    Ok((by_beginning(head), wrapping))
}

/// What is not recognised may be CSV, or is nothing: [`check`] says so.
fn by_beginning(head: &[u8]) -> Kind {
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
    match recognise(head) {
        Ok(Packing::None) => {}
        Ok(packing) => return refuse(&format!("what is packed as {packing}, inside of another packing"), "unpack it"),
        Err(known) => return refuse(&known.to_string(), "unpack it, or pack it as gzip, zstd, bzip2 or zip"),
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

/// Not all of the text is UTF-8.
pub(crate) fn not_utf8(input: &Input<'_>, line: u64, count: u64, records: u64) -> Error {
    let what = format!(
        "expected UTF-8, UTF-16 or Windows-1252, found other bytes in {count} of {records} records, first on line {line}"
    );
    let hint = "convert it to UTF-8, for example with `iconv -f ENCODING -t UTF-8`, and look at that";
    Error::not_utf8(&input.shown, what, hint)
}
