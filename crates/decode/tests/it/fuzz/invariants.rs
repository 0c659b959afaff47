//! What holds for every object, whatever its bytes are.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use stillhouse_decode::{Error, Reject, Threads};
use stillhouse_spec::{DataType, EscapeStyle, HeaderStyle, QuoteStyle};

use super::cases::Setting;
use crate::common::{Case, Got, NULL, Pieces};
use crate::reference::{Kind, Part, Rules, read};
use crate::shared::{SharedPieces, promised, run};

macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}

/// Reads `bytes` in every way, and holds what came out against the bytes; says what is broken.
pub(super) fn check(bytes: &[u8], setting: &Setting) -> Result<(), String> {
    let checked = catch_unwind(AssertUnwindSafe(|| check_unguarded(bytes, setting)));
    checked.unwrap_or_else(|panicked| {
        let text = panicked.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panicked.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("without a message")))
    })
}

fn check_unguarded(bytes: &[u8], setting: &Setting) -> Result<(), String> {
    let Setting { case, region, piece, .. } = setting;
    let (region_bytes, piece) = (*region, *piece);
    let got = case.run(bytes);
    if let Ok(got) = &got {
        accounted(bytes, case, got)?;
    }
    let expected = promised(got);
    let alike = |what: &str, got: Result<Got, Error>| {
        let found = promised(got);
        ensure!(found == expected, "{what}: expected {expected:?}\nfound {found:?}");
        Ok(())
    };
    alike("in pieces", case.run_source(&mut Pieces { bytes, piece, read: 0 }))?;
    // A comment that never comes: then no record is looked at together with others.
    let never = (1..128u8).find(|byte| !bytes.contains(byte) && !is_structure(case, *byte));
    if let (Some(never), None) = (never, case.dialect().comment) {
        alike("one by one", case.clone().with(|case| case.csv().comment = Some(never)).run(bytes))?;
    }
    let shared = SharedPieces { bytes, piece };
    for count in [1, 2, 3] {
        alike("by threads", run(case, &shared, Threads { count, region_bytes }))?;
    }
    Ok(())
}

fn is_structure(case: &Case, byte: u8) -> bool {
    let known = [b',', b';', b'\t', b'|', b'"', b'\'', b'\\', b'\n', b'\r', b' '];
    known.contains(&byte)
        || case.dialect().delimiter == Some(byte)
        || case.dialect().quote == Some(QuoteStyle::Byte(byte))
        || case.dialect().comment == Some(byte)
}

/// Every byte is in exactly one record, header, blank line or comment, and what became of each record is what it says.
fn accounted(bytes: &[u8], case: &Case, got: &Got) -> Result<(), String> {
    let parts = read(bytes, rules(case, got));
    let end = parts.iter().try_fold(0, |end, part| (part.offset == end).then_some(part.next));
    ensure!(end == Some(bytes.len()), "the reference leaves bytes out: {parts:?}");
    let counts = got.outcome.counts;
    let read: Vec<&Part> = parts.iter().filter(|part| part.is_read()).collect();
    ensure!(counts.read == read.len() as u64, "{} records, not {}", read.len(), counts.read);
    let blank = read.iter().filter(|part| part.kind == Kind::Blank).count() as u64;
    ensure!(counts.blank == blank, "{blank} blank lines, not {}", counts.blank);
    let rows: BTreeMap<&str, &Vec<String>> =
        got.tables[0].iter().map(|row| (row.last().unwrap().as_str(), row)).collect();
    ensure!(rows.len() as u64 == counts.loaded, "a record is there twice");
    let rejects: BTreeMap<u64, &Reject> = got.rejects.iter().map(|reject| (reject.place.record, reject)).collect();
    ensure!(rejects.len() as u64 == counts.quarantined, "a record was refused twice");
    for (number, part) in (0..).zip(read) {
        let (row, reject) = (rows.get(number.to_string().as_str()), rejects.get(&number));
        match (&part.kind, row, reject) {
            (Kind::Blank, None, None) => {}
            (Kind::Record(fields), Some(row), None) => same_texts(case, got, fields, row)?,
            (Kind::Record(_), None, Some(reject)) => {
                ensure!(reject.place.column.is_some(), "{part:?} was refused as a whole: {reject:?}");
                same_place(bytes, case, part, reject)?;
            }
            (Kind::Refused(reason), None, Some(reject)) => {
                ensure!(reject.place.reason == *reason, "{part:?}, not {reject:?}");
                same_place(bytes, case, part, reject)?;
            }
            _ => return Err(format!("record {number}, {part:?}: row {row:?}, reject {reject:?}")),
        }
    }
    Ok(())
}

/// As they were decided.
fn rules(case: &Case, got: &Got) -> Rules {
    let reading = &got.outcome.reading;
    Rules {
        delimiter: reading.csv.delimiter.unwrap(),
        quote: match reading.csv.quote {
            Some(QuoteStyle::Byte(byte)) => Some(byte),
            _ => None,
        },
        backslash: reading.csv.escape == Some(EscapeStyle::Backslash),
        comment: case.dialect().comment,
        skip_lines: case.dialect().skip_lines,
        header: reading.csv.header == Some(HeaderStyle::Present),
        limit: case.max_record_bytes,
        width: Some(reading.fields.len()),
    }
}

/// What was loaded as a string is what stands in the field.
fn same_texts(case: &Case, got: &Got, fields: &[Vec<u8>], row: &[String]) -> Result<(), String> {
    for (column, value) in case.contract.parent.columns.iter().zip(row) {
        let name = Some(column.name.as_str());
        let field = got.outcome.reading.fields.iter().position(|field| field.column.as_deref() == name);
        let (Some(field), DataType::String) = (field, &column.data_type) else { continue };
        let text = std::str::from_utf8(&fields[field]).expect("the whole record is text");
        let expected = if column.null_values.iter().any(|null| null == text) { NULL } else { text };
        ensure!(value == expected, "column `{}`: expected {expected:?}, found {value:?}", column.name);
    }
    Ok(())
}

/// A refused record stands where it says, byte for byte.
fn same_place(bytes: &[u8], case: &Case, part: &Part, reject: &Reject) -> Result<(), String> {
    let place = &reject.place;
    let is_same = (place.offset, place.bytes, place.line) == (part.offset as u64, part.bytes(), part.line);
    ensure!(is_same, "expected {part:?}, found {place:?}");
    let is_held = part.bytes() <= case.max_record_bytes;
    let raw = is_held.then(|| &bytes[part.offset..part.end]);
    ensure!(reject.raw.as_deref() == raw, "expected {raw:?}, found {:?}", reject.raw);
    Ok(())
}

/// Leaves out what is not needed to break the same setting, larger pieces first.
pub(super) fn shrink(mut bytes: Vec<u8>, setting: &Setting) -> Vec<u8> {
    let mut size = bytes.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < bytes.len() {
            let less = [&bytes[..at], &bytes[bytes.len().min(at + size)..]].concat();
            if check(&less, setting).is_err() {
                bytes = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    bytes
}
