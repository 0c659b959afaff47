//! Days as numbers: counted from 1970.

use jiff::civil::{Date, date};

/// The number of a day.
pub(crate) fn number(day: Date) -> i64 {
    let epoch = date(1970, 1, 1);
    epoch.until(day).map_or(0, |span| i64::from(span.get_days()))
}

/// The number of `2021-04-01`; `None` if it is no day.
pub(crate) fn parse(text: &str) -> Option<i64> {
    text.parse::<Date>().ok().map(number)
}
