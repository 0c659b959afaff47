//! Periods: what a report is about, and what a path template's placeholders name.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

/// A calendar step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// A stretch of whole days: `2021-04-05`, `2021-04`, `2021`, `2021-04..2021-06` (both ends in it) or `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    /// One day.
    Day(Date),
    /// One month; the date is its first day.
    Month(Date),
    /// One year; the date is its first day.
    Year(Date),
    /// From the first day to the day before the second.
    Range(Date, Date),
    /// Everything.
    All,
}

/// Why a text is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a period; write 2021-04 (month), 2021-04-05 (day), 2021 (year), 2021-04..2021-06 (range), last-month, last-day, last-year or all"
)]
pub struct PeriodError(String);

/// A period that may still depend on today's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PeriodChoice {
    /// A fixed period.
    Fixed(Period),
    /// The last whole day, month or year before today: `last-day`, `last-month`, `last-year`.
    Last(Grain),
}

impl Period {
    /// First day, and the day after the last one. `All` has neither.
    pub fn days(self) -> Option<(Date, Date)> {
        match self {
            Period::Day(first) => Some((first, step(first, Grain::Day))),
            Period::Month(first) => Some((first, step(first, Grain::Month))),
            Period::Year(first) => Some((first, step(first, Grain::Year))),
            Period::Range(first, end) => Some((first, end)),
            Period::All => None,
        }
    }

    /// The period of that grain that holds `day`.
    pub fn holding(grain: Grain, day: Date) -> Self {
        match grain {
            Grain::Day => Period::Day(day),
            Grain::Month => Period::Month(day.first_of_month()),
            Grain::Year => Period::Year(day.first_of_year()),
        }
    }

    /// Whether `day` is in it.
    pub fn contains(self, day: Date) -> bool {
        self.days().is_none_or(|(first, end)| first <= day && day < end)
    }

    /// The periods of that grain that share a day with this one, in order; none for `All`.
    pub fn split(self, grain: Grain) -> Vec<Period> {
        let Some((first, end)) = self.days() else { return Vec::new() };
        let mut periods = Vec::new();
        let mut day = first;
        while day < end {
            let period = Period::holding(grain, day);
            periods.push(period);
            let Some((_, next)) = period.days() else { break };
            if next <= day {
                break; // the end of the calendar
            }
            day = next;
        }
        periods
    }

    /// The period of the same length right before this one; `None` for `All` and at the beginning of the calendar.
    pub fn previous(self) -> Option<Period> {
        match self {
            Period::Day(day) => Some(Period::Day(day.yesterday().ok()?)),
            Period::Month(day) => Some(Period::Month(day.checked_sub(1.month()).ok()?)),
            Period::Year(day) => Some(Period::Year(day.checked_sub(1.year()).ok()?)),
            Period::Range(first, end) => {
                let days = first.until(end).ok()?.get_days();
                Some(Period::Range(first.checked_sub(i64::from(days).days()).ok()?, first))
            }
            Period::All => None,
        }
    }
}

/// The first day after the period of that grain that begins on `first`; the last representable day at the calendar's end.
fn step(first: Date, grain: Grain) -> Date {
    let span = match grain {
        Grain::Day => 1.day(),
        Grain::Month => 1.month(),
        Grain::Year => 1.year(),
    };
    first.checked_add(span).unwrap_or(Date::MAX)
}

/// `2021`, `2021-04` or `2021-04-05`.
fn parse_simple(text: &str) -> Option<Period> {
    let digits = |part: &str, width: usize| -> Option<i16> {
        (part.len() == width && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let narrow = |part: &str| digits(part, 2).and_then(|value| i8::try_from(value).ok());
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let Some(month) = parts.next() else { return Date::new(year, 1, 1).ok().map(Period::Year) };
    let month = narrow(month)?;
    let Some(day) = parts.next() else { return Date::new(year, month, 1).ok().map(Period::Month) };
    let day = narrow(day)?;
    match parts.next() {
        None => Date::new(year, month, day).ok().map(Period::Day),
        Some(_) => None,
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let error = || PeriodError(text.to_owned());
        if text == "all" {
            return Ok(Period::All);
        }
        let Some((from, to)) = text.split_once("..") else { return parse_simple(text).ok_or_else(error) };
        let (first, _) = parse_simple(from).and_then(Period::days).ok_or_else(error)?;
        let (_, end) = parse_simple(to).and_then(Period::days).ok_or_else(error)?;
        if first < end { Ok(Period::Range(first, end)) } else { Err(error()) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Day(day) => write!(f, "{day}"),
            Period::Month(day) => write!(f, "{:04}-{:02}", day.year(), day.month()),
            Period::Year(day) => write!(f, "{:04}", day.year()),
            Period::Range(first, end) => write!(f, "{first}..{}", end.yesterday().unwrap_or(*first)),
            Period::All => f.write_str("all"),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl PeriodChoice {
    /// The period as of `today`.
    pub fn resolve(self, today: Date) -> Period {
        match self {
            PeriodChoice::Fixed(period) => period,
            PeriodChoice::Last(grain) => {
                let current = Period::holding(grain, today);
                current.previous().unwrap_or(current)
            }
        }
    }
}

impl FromStr for PeriodChoice {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        Ok(match text {
            "last-day" => PeriodChoice::Last(Grain::Day),
            "last-month" => PeriodChoice::Last(Grain::Month),
            "last-year" => PeriodChoice::Last(Grain::Year),
            _ => PeriodChoice::Fixed(text.parse()?),
        })
    }
}

impl fmt::Display for PeriodChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeriodChoice::Fixed(period) => period.fmt(f),
            PeriodChoice::Last(grain) => write!(f, "last-{grain}"),
        }
    }
}

impl TryFrom<String> for PeriodChoice {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<PeriodChoice> for String {
    fn from(choice: PeriodChoice) -> String {
        choice.to_string()
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Grain::Day => "day",
            Grain::Month => "month",
            Grain::Year => "year",
        })
    }
}

/// The time zone of that IANA name, from the database inside this program: the same on every machine.
///
/// # Errors
/// There is no such time zone.
pub fn zone(name: &str) -> Result<TimeZone, ZoneError> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| ZoneError(name.to_owned()))
}

/// Why a text is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone; write UTC or a name such as Europe/Berlin")]
pub struct ZoneError(String);

/// The instant at which `day` begins in `zone`, in microseconds since 1970; where midnight does not exist (a clock
/// change), the first instant after it.
pub fn day_start_micros(day: Date, zone: &TimeZone) -> i64 {
    let first = date(-9998, 1, 2);
    zone.to_ambiguous_zoned(day.max(first).at(0, 0, 0, 0))
        .compatible()
        .map_or(i64::MAX, |zoned| zoned.timestamp().as_microsecond())
}
