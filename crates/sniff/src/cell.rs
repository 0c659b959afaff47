//! Single texts: whether one looks like a value of some type. For guesses about dialect and header, before anything is
//! known about columns.

use stillhouse_decode::look::{Moments, number};
use stillhouse_spec::{Currency, DataType, NumberFormat};

use crate::formats::{What, suggest};
use crate::shapes::{is_email, is_ip, is_uuid};

/// A number, a date, an address and the like: a name in a header would hardly look like that.
pub(crate) fn is_typed(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return false;
    }
    is_number(text)
        || is_moment(text)
        || is_email(text)
        || is_ip(text)
        || is_uuid(text)
        || (text.starts_with('[') && text.ends_with(']'))
        || text.eq_ignore_ascii_case("true")
        || text.eq_ignore_ascii_case("false")
}

fn is_number(text: &str) -> bool {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let marks = [('.', None), (',', None), ('.', Some(',')), (',', Some('.')), ('.', Some(' ')), ('.', Some('\''))];
    let ways = [Currency::Refuse, Currency::Skip]
        .into_iter()
        .flat_map(|currency| marks.map(|(decimal, grouping)| NumberFormat { decimal, grouping, currency }));
    ways.into_iter().any(|format| number(text, format).is_some())
}

fn is_moment(text: &str) -> bool {
    suggest(text).into_iter().any(|suggested| {
        let data_type = if suggested.what == What::Time { DataType::Time } else { DataType::Timestamp };
        suggested.format.parse().is_ok_and(|format| Moments::new(format, &data_type).read(text).is_some())
    })
}

/// A year, as a header of a wide table has it.
pub(crate) fn year(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|year| (1900..=2100).contains(year) && text.trim().len() == 4)
}
