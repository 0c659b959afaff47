//! Formats of dates, times and timestamps, as contracts state them. Reading values with them is `decode`'s work.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A format such as `%m/%d/%Y`, or one of the named ones: `iso8601`, `unix`, `unix_ms`.
///
/// `iso8601` reads `2021-04-01`, `2021-04-01T12:30`, `2021-04-01 12:30:15.25+02:00` and the like: the parts from the
/// hour on may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeFormat {
    text: String,
    items: Vec<TimeItem>,
}

/// One part of a format. Numbers may be written with fewer digits than their width (`7/5`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TimeItem {
    /// `iso8601`: the whole value.
    Iso8601,
    /// `unix`: seconds since 1970, with or without a fraction.
    UnixSeconds,
    /// `unix_ms`: milliseconds since 1970.
    UnixMillis,
    /// `%Y`: four digits.
    Year,
    /// `%y`: two digits; 69–99 are 19xx, 00–68 are 20xx (POSIX).
    YearOfCentury,
    /// `%m`
    Month,
    /// `%b` or `%B`: the English name, short or long, in any case.
    MonthName,
    /// `%d`
    Day,
    /// `%H`: 0–23.
    Hour,
    /// `%I`: 1–12.
    HourOf12,
    /// `%p`: AM or PM in any case.
    HalfOfDay,
    /// `%M`
    Minute,
    /// `%S`: 0–60; a leap second becomes the next second.
    Second,
    /// `%f`: one to nine digits of a fraction of a second.
    Fraction,
    /// `%z`: `Z`, `+02:00`, `+0200` or `+02`.
    Offset,
    /// Any other character; a blank stands for one or more blanks.
    Literal(char),
}

/// Why a text is not a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormatError(String);

impl TimeFormat {
    /// `iso8601`, the format of columns that state none.
    pub fn iso8601() -> Self {
        Self { text: "iso8601".to_owned(), items: vec![TimeItem::Iso8601] }
    }

    /// The format as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts, in order.
    pub fn items(&self) -> &[TimeItem] {
        &self.items
    }

    /// Values in this format state no year.
    pub fn lacks_year(&self) -> bool {
        let dated = self.items.iter().any(|item| matches!(item, TimeItem::Month | TimeItem::MonthName));
        let year = self.items.iter().any(|item| matches!(item, TimeItem::Year | TimeItem::YearOfCentury));
        dated && !year
    }
}

impl FromStr for TimeFormat {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let items = match text {
            "" => return Err(FormatError("a format is empty".into())),
            "iso8601" => vec![TimeItem::Iso8601],
            "unix" => vec![TimeItem::UnixSeconds],
            "unix_ms" => vec![TimeItem::UnixMillis],
            _ => parse_items(text)?,
        };
        Ok(Self { text: text.to_owned(), items })
    }
}

fn parse_items(text: &str) -> Result<Vec<TimeItem>, FormatError> {
    let mut items = Vec::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            items.push(TimeItem::Literal(char));
            continue;
        }
        items.push(match chars.next() {
            Some('Y') => TimeItem::Year,
            Some('y') => TimeItem::YearOfCentury,
            Some('m') => TimeItem::Month,
            Some('b' | 'B') => TimeItem::MonthName,
            Some('d') => TimeItem::Day,
            Some('H') => TimeItem::Hour,
            Some('I') => TimeItem::HourOf12,
            Some('p') => TimeItem::HalfOfDay,
            Some('M') => TimeItem::Minute,
            Some('S') => TimeItem::Second,
            Some('f') => TimeItem::Fraction,
            Some('z') => TimeItem::Offset,
            Some('%') => TimeItem::Literal('%'),
            other => {
                let found = other.map_or_else(|| "nothing".to_owned(), |c| format!("`{c}`"));
                return Err(FormatError(format!(
                    "format `{text}`: after `%` expected one of Y y m b B d H I p M S f z %, found {found}"
                )));
            }
        });
    }
    if items.iter().all(|item| matches!(item, TimeItem::Literal(_))) {
        return Err(FormatError(format!(
            "format `{text}` has no part such as %Y; named formats are iso8601, unix, unix_ms"
        )));
    }
    Ok(items)
}

impl TryFrom<String> for TimeFormat {
    type Error = FormatError;
    fn try_from(text: String) -> Result<Self, FormatError> {
        text.parse()
    }
}

impl From<TimeFormat> for String {
    fn from(format: TimeFormat) -> String {
        format.text
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
