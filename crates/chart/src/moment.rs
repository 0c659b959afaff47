//! Moments: dates and times on an axis, as their texts say them, without a zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// A point in time: `2021`, `2021-04`, `2021-04-05` or `2021-04-05T12:30:00`; a `Z` behind it is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    at: DateTime,
    precision: Precision,
}

/// How much a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precision {
    Year,
    Month,
    Day,
    Time,
}

impl Moment {
    pub(crate) fn precision(self) -> Precision {
        self.precision
    }

    /// The same moment where all moments of a chart are midnights.
    pub(crate) fn as_day(self) -> Self {
        Self { precision: self.precision.min(Precision::Day), ..self }
    }

    pub(crate) fn is_midnight(self) -> bool {
        self.at.time() == jiff::civil::Time::midnight()
    }

    /// Seconds since 1970-01-01T00:00:00.
    pub(crate) fn seconds(self) -> f64 {
        seconds(self.at)
    }
}

/// Seconds since 1970-01-01T00:00:00, as if every day had 86,400.
pub(crate) fn seconds(at: DateTime) -> f64 {
    let days = at.date().since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days());
    let time = at.time();
    let seconds = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
    f64::from(days) * 86_400.0 + f64::from(seconds) + f64::from(time.subsec_nanosecond()) / 1e9
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("expected a date such as 2021-04-05, found `{}`", text.chars().take(40).collect::<String>());
        let is_shape = |shape: &str| {
            shape.len() == text.len()
                && shape.bytes().zip(text.bytes()).all(|(shape, byte)| match shape {
                    b'9' => byte.is_ascii_digit(),
                    other => other == byte,
                })
        };
        let plain = text.strip_suffix('Z').unwrap_or(text);
        let (precision, whole) = match plain {
            _ if is_shape("9999") => (Precision::Year, format!("{text}-01-01")),
            _ if is_shape("9999-99") => (Precision::Month, format!("{text}-01")),
            _ if is_shape("9999-99-99") => (Precision::Day, text.to_owned()),
            _ if plain.len() > 10 && plain.is_ascii() => (Precision::Time, plain.to_owned()),
            _ => return Err(refused()),
        };
        let at = match precision {
            Precision::Time => whole.parse::<DateTime>().map_err(|_| refused())?,
            _ => whole.parse::<Date>().map_err(|_| refused())?.to_datetime(jiff::civil::Time::midnight()),
        };
        Ok(Self { at, precision })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.at.date();
        match self.precision {
            Precision::Year => write!(f, "{:04}", date.year()),
            Precision::Month => write!(f, "{:04}-{:02}", date.year(), date.month()),
            Precision::Day => write!(f, "{date}"),
            Precision::Time => write!(f, "{date} {}", self.at.time()),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string().replace(' ', "T")
    }
}
