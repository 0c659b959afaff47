//! Values of JSON to values of columns.

use jiter::Peek;

use super::parser::{Parsed, Parser};
use crate::columns::Column;
use crate::plan::{Filled, Reading};
use crate::reason;
use crate::values::{Reader, Refusal, json, trim};

/// Reads the value that was peeked at into `column`; `None`: only the survey looks at it.
#[inline]
pub(super) fn read(
    parser: &mut Parser<'_>,
    peek: Peek,
    filled: &mut Filled<'_>,
    column: Option<&mut Column>,
    line: u64,
) -> Parsed<Reading> {
    match peek {
        Peek::Null => {
            parser.null()?;
            Ok(column.map_or(Reading::Value, |column| filled.push_nothing(column)))
        }
        _ if matches!(filled.reader, Reader::Json) => {
            let raw = raw(parser, peek)?;
            let Some(column) = column else { return Ok(Reading::Value) };
            column.push_text(&json::without_blanks(raw));
            Ok(filled.checked(column))
        }
        Peek::String => Ok(filled.read(parser.text()?, line, column)),
        Peek::True | Peek::False => Ok(filled.read(word(parser, peek)?, line, column)),
        Peek::Array if matches!(filled.reader, Reader::List { .. }) => {
            let (Reader::List { item, .. }, Some(column)) = (&filled.reader, column) else {
                parser.skip(peek)?;
                return Ok(Reading::Value);
            };
            Ok(match list(parser, item, column)? {
                Ok(()) => filled.checked(column),
                Err(Refusal::Because(reason)) => Reading::Refused(reason),
                Err(Refusal::LeapDay) => Reading::LeapDay,
            })
        }
        Peek::Array | Peek::Object => {
            parser.skip(peek)?;
            let refused = Reading::Refused(unreadable(&filled.reader));
            Ok(if column.is_some() { refused } else { Reading::Value })
        }
        _ => Ok(filled.read(parser.number()?, line, column)),
    }
}

/// Passes over the value that was peeked at, and gives it as it is written.
pub(super) fn raw<'j>(parser: &mut Parser<'j>, peek: Peek) -> Parsed<&'j str> {
    let begin = parser.at();
    parser.skip(peek)?;
    Ok(parser.since(begin))
}

/// A truth value as a text.
fn word(parser: &mut Parser<'_>, peek: Peek) -> Parsed<&'static str> {
    Ok(if parser.truth(peek)? { "true" } else { "false" })
}

fn list(parser: &mut Parser<'_>, item: &Reader, column: &mut Column) -> Parsed<Result<(), Refusal>> {
    let items = column.items_mut();
    let mut next = parser.first_item()?;
    let mut done = Ok(());
    while let Some(peek) = next {
        if done.is_ok() {
            done = list_item(parser, peek, item, items)?;
        } else {
            parser.skip(peek)?;
        }
        next = parser.next_item()?;
    }
    if done.is_ok() {
        column.end_list();
    }
    Ok(done)
}

fn list_item(parser: &mut Parser<'_>, peek: Peek, item: &Reader, items: &mut Column) -> Parsed<Result<(), Refusal>> {
    const UNREADABLE: Refusal = Refusal::Because(reason::UNREADABLE_LIST);
    let append = |text: &str, items: &mut Column| match item {
        Reader::Text => {
            items.push_text(text);
            Ok(())
        }
        _ => item.append(trim(text), items).map_err(|refusal| match refusal {
            Refusal::LeapDay => refusal,
            Refusal::Because(_) => UNREADABLE,
        }),
    };
    Ok(match peek {
        Peek::Null => {
            parser.null()?;
            items.push_null();
            Ok(())
        }
        _ if matches!(item, Reader::Json) => {
            items.push_text(&json::without_blanks(raw(parser, peek)?));
            Ok(())
        }
        Peek::String => append(parser.text()?, items),
        Peek::True | Peek::False => append(word(parser, peek)?, items),
        Peek::Array | Peek::Object => {
            parser.skip(peek)?;
            Err(UNREADABLE)
        }
        _ => append(parser.number()?, items),
    })
}

/// The reason why a nested value is none of the column.
fn unreadable(reader: &Reader) -> &'static str {
    match reader {
        Reader::Text | Reader::Json => reason::UNREADABLE_STRING,
        Reader::Int64(_) => reason::UNREADABLE_INT64,
        Reader::Float64(_) => reason::UNREADABLE_FLOAT64,
        Reader::Decimal { .. } => reason::UNREADABLE_DECIMAL,
        Reader::Bool => reason::UNREADABLE_BOOL,
        Reader::Moment(moments) => moments.reason(),
        Reader::List { .. } => reason::UNREADABLE_LIST,
    }
}
