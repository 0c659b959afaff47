//! Values of JSON to values of columns.

use jiter::{Jiter, JiterError, Peek};

use crate::columns::Column;
use crate::plan::{Filled, Reading};
use crate::reason;
use crate::values::{Reader, Refusal, json, trim};

/// Reads the value that was peeked at into `column`; `None`: only the survey looks at it.
#[inline]
pub(super) fn read(
    values: &mut Jiter<'_>,
    peek: Peek,
    filled: &mut Filled<'_>,
    column: Option<&mut Column>,
    line: u64,
) -> Result<Reading, JiterError> {
    match peek {
        Peek::Null => {
            values.known_null()?;
            Ok(column.map_or(Reading::Value, |column| filled.push_nothing(column)))
        }
        _ if matches!(filled.reader, Reader::Json) => {
            let raw = raw(values, peek)?;
            let Some(column) = column else { return Ok(Reading::Value) };
            column.push_text(&json::without_blanks(raw));
            Ok(filled.checked(column))
        }
        Peek::String => {
            let text = values.known_str()?;
            Ok(filled.read(text, line, column))
        }
        Peek::True | Peek::False => {
            let text = if values.known_bool(peek)? { "true" } else { "false" };
            Ok(filled.read(text, line, column))
        }
        Peek::Array if matches!(filled.reader, Reader::List { .. }) => {
            let (Reader::List { item, .. }, Some(column)) = (&filled.reader, column) else {
                values.known_skip(peek)?;
                return Ok(Reading::Value);
            };
            Ok(match list(values, item, column)? {
                Ok(()) => filled.checked(column),
                Err(Refusal::Because(reason)) => Reading::Refused(reason),
                Err(Refusal::LeapDay) => Reading::LeapDay,
            })
        }
        Peek::Array | Peek::Object => {
            values.known_skip(peek)?;
            let refused = Reading::Refused(unreadable(&filled.reader));
            Ok(if column.is_some() { refused } else { Reading::Value })
        }
        _ => {
            let text = values.next_number_bytes()?;
            Ok(filled.read(plain(text), line, column))
        }
    }
}

/// Passes over the value that was peeked at, and gives it as it is written.
pub(super) fn raw<'j>(values: &mut Jiter<'j>, peek: Peek) -> Result<&'j str, JiterError> {
    let start = values.current_index();
    values.known_skip(peek)?;
    Ok(plain(values.slice_to_current(start)))
}

/// Whoever made the parser has looked whether the record is UTF-8.
fn plain(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a value of a text is cut out beside ASCII characters")
}

fn list(values: &mut Jiter<'_>, item: &Reader, column: &mut Column) -> Result<Result<(), Refusal>, JiterError> {
    let items = column.items_mut();
    let mut next = values.known_array()?;
    let mut done = Ok(());
    while let Some(peek) = next {
        if done.is_ok() {
            done = list_item(values, peek, item, items)?;
        } else {
            values.known_skip(peek)?;
        }
        next = values.array_step()?;
    }
    if done.is_ok() {
        column.end_list();
    }
    Ok(done)
}

fn list_item(
    values: &mut Jiter<'_>,
    peek: Peek,
    item: &Reader,
    items: &mut Column,
) -> Result<Result<(), Refusal>, JiterError> {
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
            values.known_null()?;
            items.push_null();
            Ok(())
        }
        _ if matches!(item, Reader::Json) => {
            items.push_text(&json::without_blanks(raw(values, peek)?));
            Ok(())
        }
        Peek::String => append(values.known_str()?, items),
        Peek::True | Peek::False => append(if values.known_bool(peek)? { "true" } else { "false" }, items),
        Peek::Array | Peek::Object => {
            values.known_skip(peek)?;
            Err(UNREADABLE)
        }
        _ => append(plain(values.next_number_bytes()?), items),
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
