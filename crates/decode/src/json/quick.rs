//! Values that look as they mostly do, read straight into their columns.

use jiter::Peek;

use super::parser::Parser;
use crate::columns::Column;
use crate::plan::Filled;
use crate::values::moment::MomentReader;
use crate::values::{Reader, trim};

/// How the values of a column are read that look as they mostly do. All others are left to [`read`](super::read::read()), which
/// comes to the same for these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quick {
    kind: Kind,
    /// `null` is no value, and stays one.
    nulls: bool,
    /// What is read has to be checked.
    pub(super) checks: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// None is read here.
    Never,
    Text,
    /// Some texts stand for no value.
    TextOrNone,
    Int64,
    /// In units of 10^-scale, and less than this number of them.
    Decimal {
        scale: u32,
        limit: i64,
    },
    Truth,
    Moment,
    /// A list of texts.
    Texts,
}

impl Quick {
    /// How the values of a column are read, as it is filled now.
    pub(super) fn of(filled: &Filled<'_>) -> Self {
        // A value that stands for none may be anything, and a survey wants to see all.
        let is_plain = filled.spec.null_values.is_empty() && filled.survey.is_none();
        let kind = match &filled.reader {
            Reader::Text if is_plain => Kind::Text,
            Reader::Text => Kind::TextOrNone,
            Reader::List { item, .. } if matches!(**item, Reader::Text) => Kind::Texts,
            Reader::Int64(_) if is_plain => Kind::Int64,
            Reader::Decimal { precision, scale, numbers } if is_plain && numbers.decimal == '.' => Kind::Decimal {
                scale: u32::from(*scale),
                limit: 10i64.checked_pow(u32::from(*precision)).unwrap_or(i64::MAX),
            },
            Reader::Bool if is_plain => Kind::Truth,
            Reader::Moment(_) if is_plain => Kind::Moment,
            _ => Kind::Never,
        };
        let nulls = filled.default.is_none() && !filled.spec.required;
        Self { kind, nulls, checks: filled.checker.is_some() }
    }

    /// Reads the value that comes next into `column`. If it looks otherwise: false, and nothing has happened.
    #[inline]
    pub(super) fn read(self, parser: &mut Parser<'_>, filled: &Filled<'_>, column: &mut Column) -> bool {
        let is_read = match self.kind {
            Kind::Never => return false,
            Kind::Text => text(parser, column, None),
            Kind::TextOrNone => text(parser, column, Some(filled)),
            Kind::Int64 => int64(parser, column),
            Kind::Decimal { scale, limit } => decimal(parser, scale, limit, column),
            Kind::Truth => truth(parser, column),
            Kind::Moment => filled.reader.moments().is_some_and(|moments| moment(parser, moments, column)),
            Kind::Texts => texts(parser, column),
        };
        is_read || (self.nulls && null(parser, column))
    }
}

fn null(parser: &mut Parser<'_>, column: &mut Column) -> bool {
    let is_null = parser.takes_word(b"null");
    if is_null {
        column.push_null();
    }
    is_null
}

/// `filled`: to ask whether the text is no value.
#[inline]
fn text(parser: &mut Parser<'_>, column: &mut Column, filled: Option<&Filled<'_>>) -> bool {
    if parser.next_byte() != Some(b'"') {
        return false;
    }
    let Some(end) = parser.plain_text() else { return false };
    let part = parser.at() + 1..end;
    if filled.is_some_and(|filled| filled.is_null(parser.text_at(part.clone()))) {
        return false;
    }
    column.push_part(parser.whole(), part);
    parser.go_to(end + 1);
    true
}

#[inline]
fn int64(parser: &mut Parser<'_>, column: &mut Column) -> bool {
    let Some(digits) = parser.digits() else { return false };
    let Some(value) = digits.int64() else { return false };
    column.push_int(value);
    parser.go_to(parser.at() + digits.length());
    true
}

#[inline]
fn decimal(parser: &mut Parser<'_>, scale: u32, limit: i64, column: &mut Column) -> bool {
    let Some(digits) = parser.digits() else { return false };
    let Some(value) = digits.decimal(scale).filter(|value| value.abs() < limit) else { return false };
    column.push_decimal(value.into());
    parser.go_to(parser.at() + digits.length());
    true
}

fn truth(parser: &mut Parser<'_>, column: &mut Column) -> bool {
    let value = parser.takes_word(b"true");
    let is_read = value || parser.takes_word(b"false");
    if is_read {
        column.push_bool(value);
    }
    is_read
}

fn moment(parser: &mut Parser<'_>, moments: &MomentReader, column: &mut Column) -> bool {
    if parser.next_byte() != Some(b'"') {
        return false;
    }
    let Some(end) = parser.plain_text() else { return false };
    let text = parser.text_at(parser.at() + 1..end);
    if text.is_empty() || trim(text).len() < text.len() {
        return false;
    }
    let Ok(value) = moments.read(text) else { return false };
    moments.push(value, column);
    parser.go_to(end + 1);
    true
}

fn texts(parser: &mut Parser<'_>, column: &mut Column) -> bool {
    if parser.next_byte() != Some(b'[') {
        return false;
    }
    let begin = parser.at();
    let items = column.items_mut();
    let before = items.len();
    if plain_items(parser, items).is_some() {
        column.end_list();
        return true;
    }
    items.truncate(before);
    parser.go_to(begin);
    false
}

/// The texts of a list, if all are plain.
#[inline]
fn plain_items(parser: &mut Parser<'_>, items: &mut Column) -> Option<()> {
    let mut next = parser.first_item().ok()?;
    while let Some(peek) = next {
        let end = if peek == Peek::String { parser.plain_text()? } else { return None };
        items.push_part(parser.whole(), parser.at() + 1..end);
        parser.go_to(end + 1);
        next = parser.next_item().ok()?;
    }
    Some(())
}
