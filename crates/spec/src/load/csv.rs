//! The `[csv]` section of a source.

use super::Read;
use super::reader::{Node, Reader, cut};
use crate::source::{CsvOptions, EscapeStyle, HeaderStyle, QuoteStyle};

pub(super) const KEYS: &[&str] = &["delimiter", "quote", "escape", "header", "skip_lines", "comment", "year"];

pub(super) fn load(reader: Option<&Reader<'_, '_>>) -> Read<CsvOptions> {
    let Some(reader) = reader else { return Ok(CsvOptions::default()) };
    let delimiter = reader.optional("delimiter", delimiter);
    let quote = reader.optional("quote", quote);
    let escape = reader.optional("escape", |node| {
        node.word(&[("doubled", EscapeStyle::Doubled), ("backslash", EscapeStyle::Backslash)])
    });
    let header = reader.optional("header", Node::flag);
    let skip_lines = reader.optional("skip_lines", |node| node.whole(0..=i64::MAX));
    let comment = reader.optional("comment", byte);
    let year = reader.optional("year", |node| node.whole(1..=9999));
    let (delimiter, quote, comment) = (delimiter?, quote?, comment?);
    distinct(reader, delimiter, quote, comment)?;
    Ok(CsvOptions {
        delimiter,
        quote,
        escape: escape?,
        header: header?.map(|present| if present { HeaderStyle::Present } else { HeaderStyle::Absent }),
        skip_lines: skip_lines?.map_or(0, i64::unsigned_abs),
        comment,
        year: year?.and_then(|year| i16::try_from(year).ok()),
    })
}

/// One ASCII character that can stand beside data.
fn byte(node: &Node<'_, '_>) -> Read<u8> {
    let text = node.text()?;
    match text.value.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Ok(*byte),
        _ => Err(node.problem(format!("expected one ASCII character, found `{}`", cut(&text.written)))),
    }
}

fn delimiter(node: &Node<'_, '_>) -> Read<u8> {
    if node.text()?.value == "tab" {
        return Ok(b'\t');
    }
    byte(node)
}

fn quote(node: &Node<'_, '_>) -> Read<QuoteStyle> {
    if node.text()?.value == "none" {
        return Ok(QuoteStyle::None);
    }
    byte(node).map(QuoteStyle::Byte)
}

/// A byte cannot have two meanings. What is not set is detected among the others.
fn distinct(
    reader: &Reader<'_, '_>,
    delimiter: Option<u8>,
    quote: Option<QuoteStyle>,
    comment: Option<u8>,
) -> Read<()> {
    let quote = match quote {
        Some(QuoteStyle::Byte(byte)) => Some(byte),
        _ => None,
    };
    let clash = |key, a: Option<u8>, b: Option<u8>, what: &str| match reader.get(key) {
        Some(node) if a.is_some() && a == b => Err(node.problem(format!("the same character as `{what}`"))),
        _ => Ok(()),
    };
    let results = [
        clash("quote", quote, delimiter, "delimiter"),
        clash("comment", comment, delimiter, "delimiter"),
        clash("comment", comment, quote, "quote"),
    ];
    results.into_iter().collect()
}
