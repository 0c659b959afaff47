//! Phase 1: is it text that can hold records at all?

use crate::api::Input;
use crate::error::Error;

/// How files of other kinds begin, what they are, and what to do with them.
const BEGINNINGS: &[(&[u8], &str, &str)] = &[
    (b"PAR1", "a Parquet file", "write its rows as CSV first"),
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
        return refuse("binary data", "name a text file; other formats than CSV cannot be read yet");
    }
    let text = head.trim_ascii_start();
    let is_object = text.starts_with(b"{\"") || text.starts_with(b"[{") || text.starts_with(b"{\n");
    if is_object || text.starts_with(b"[\n") {
        return refuse("JSON", "write it as CSV first; other formats than CSV cannot be read yet");
    }
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
