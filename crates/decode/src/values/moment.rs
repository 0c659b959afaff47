//! Dates, timestamps and times of day.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use stillhouse_spec::{Column as ColumnSpec, DataType, TimeFormat};

use crate::columns::Column;
use crate::error::Error;
use crate::reason;
use crate::values::calendar::{DAY_MICROS, days, is_leap, iso_day, leap_year_until};
use crate::values::pattern::{self, Parts};

/// What a column keeps of a moment, and the unit of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MomentKind {
    /// Days since 1970. A time of day and an offset are left out: the date is taken as written.
    Date,
    /// Microseconds since 1970.
    Timestamp,
    /// Microseconds since midnight.
    Time,
}

/// Who says the year of texts that state none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum YearOrigin {
    Path,
    Setting,
    /// The object's last change; it may be exchanged for a leap year.
    FileTime,
}

/// The year of texts that state none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AssumedYear {
    pub(crate) year: i16,
    pub(crate) origin: YearOrigin,
}

/// Why a text was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    No,
    /// 29 February in a year that was taken from the object's last change.
    LeapDay,
}

/// Reads the moments of one column.
#[derive(Debug, Clone)]
pub(crate) struct MomentReader {
    kind: MomentKind,
    formats: Vec<TimeFormat>,
    chosen: usize,
    /// `None`: UTC.
    zone: Option<TimeZone>,
    year: Option<AssumedYear>,
    /// The leap year that stands in for it, since a 29 February was seen.
    leap_year: Option<i16>,
}

impl MomentReader {
    /// The reader of a column. A zone that is not known is an error of the settings.
    pub(crate) fn new(spec: &ColumnSpec) -> Result<Self, Error> {
        let zone = match spec.zone.as_deref() {
            None | Some("UTC") => None,
            Some(name) => Some(TimeZone::get(name).map_err(|_| {
                let message = format!("column `{}`: expected an IANA time zone, found `{name}`", spec.name);
                Error::settings(message, "write a name such as `Europe/Berlin` as the `zone` of the column")
            })?),
        };
        Ok(Self { zone, ..Self::in_utc(spec) })
    }

    pub(crate) fn in_utc(spec: &ColumnSpec) -> Self {
        let reader = Self::of_formats(spec.formats.clone());
        let data_type = match &spec.data_type {
            DataType::List(item) => item,
            other => other,
        };
        reader.of_kind(data_type)
    }

    /// The reader of dates in these formats; the first is chosen.
    pub(crate) fn of_formats(formats: Vec<TimeFormat>) -> Self {
        Self { kind: MomentKind::Date, formats, chosen: 0, zone: None, year: None, leap_year: None }
    }

    pub(crate) fn of_kind(mut self, data_type: &DataType) -> Self {
        self.kind = match data_type {
            DataType::Timestamp => MomentKind::Timestamp,
            DataType::Time => MomentKind::Time,
            _ => MomentKind::Date,
        };
        self
    }

    pub(crate) fn formats(&self) -> &[TimeFormat] {
        &self.formats
    }

    pub(crate) fn kind(&self) -> MomentKind {
        self.kind
    }

    pub(crate) fn chosen(&self) -> usize {
        self.chosen
    }

    pub(crate) fn chosen_format(&self) -> Option<&TimeFormat> {
        self.formats.get(self.chosen)
    }

    /// Chooses a format. Leap days were seen with another one, so the year is the first again.
    pub(crate) fn choose(&mut self, format: usize) {
        self.chosen = format;
        self.leap_year = None;
    }

    /// The year of texts that state none.
    pub(crate) fn year(&self) -> Option<AssumedYear> {
        let assumed = self.year?;
        Some(AssumedYear { year: self.leap_year.unwrap_or(assumed.year), ..assumed })
    }

    /// Takes the latest leap year that is not after the assumed one.
    pub(crate) fn assume_leap_year(&mut self) {
        self.leap_year = self.year.map(|assumed| leap_year_until(assumed.year));
    }

    pub(crate) fn assume(&mut self, year: AssumedYear) {
        self.year = Some(year);
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self.kind {
            MomentKind::Date => reason::UNREADABLE_DATE,
            MomentKind::Timestamp => reason::UNREADABLE_TIMESTAMP,
            MomentKind::Time => reason::UNREADABLE_TIME,
        }
    }

    /// Reads `text` in the chosen format.
    #[inline]
    pub(crate) fn read(&self, text: &str) -> Result<i64, Unread> {
        self.read_as(text, self.chosen)
    }

    /// Reads `text` in a format of the column.
    #[inline]
    pub(crate) fn read_as(&self, text: &str, format: usize) -> Result<i64, Unread> {
        let format = self.formats.get(format).ok_or(Unread::No)?;
        let parts = pattern::parse(text, format).ok_or(Unread::No)?;
        match self.kind {
            MomentKind::Date => self.date(&parts),
            MomentKind::Timestamp => self.timestamp(&parts),
            MomentKind::Time => time(&parts),
        }
    }

    /// Whether some format reads `text`; a 29 February passes where no year is known yet.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let mut reader = self.clone();
        reader.year = Some(reader.year.unwrap_or(AssumedYear { year: 2000, origin: YearOrigin::FileTime }));
        (0..self.formats.len()).any(|format| reader.read_as(text, format) != Err(Unread::No))
    }

    fn date(&self, parts: &Parts) -> Result<i64, Unread> {
        match parts.instant {
            Some(instant) => Ok(instant.div_euclid(DAY_MICROS)),
            None => self.day(parts),
        }
    }

    #[inline]
    fn day(&self, parts: &Parts) -> Result<i64, Unread> {
        let (Some(month), Some(day)) = (parts.month, parts.day) else { return Err(Unread::No) };
        let year = match (parts.year, self.year()) {
            (Some(year), _) => year,
            (None, Some(assumed)) => {
                let exchangeable = assumed.origin == YearOrigin::FileTime && !is_leap(assumed.year);
                if exchangeable && (month, day) == (2, 29) {
                    return Err(Unread::LeapDay);
                }
                assumed.year
            }
            (None, None) => return Err(Unread::No),
        };
        days(year, month, day).map(i64::from).ok_or(Unread::No)
    }

    fn timestamp(&self, parts: &Parts) -> Result<i64, Unread> {
        if let Some(instant) = parts.instant {
            return in_range(instant);
        }
        let day = self.day(parts)?;
        let local = day * DAY_MICROS + parts.time;
        match (parts.offset, &self.zone) {
            (Some(offset), _) => in_range(local - i64::from(offset) * 1_000_000),
            (None, None) => Ok(local),
            (None, Some(zone)) => in_zone(day, parts.time, zone),
        }
    }

    /// Appends a value that [`read`](Self::read) gave.
    #[inline]
    pub(crate) fn push(&self, value: i64, column: &mut Column) {
        match self.kind {
            MomentKind::Date => column.push_date(i32::try_from(value).expect("years have four digits")),
            MomentKind::Timestamp => column.push_int(value),
            MomentKind::Time => column.push_text(&time_text(value)),
        }
    }

    /// A value as people read it.
    pub(crate) fn show(&self, value: i64) -> String {
        match self.kind {
            MomentKind::Date => iso_day(i32::try_from(value).unwrap_or(i32::MAX)),
            MomentKind::Timestamp => {
                jiff::Timestamp::from_microsecond(value).map_or_else(|_| value.to_string(), |t| t.to_string())
            }
            MomentKind::Time => time_text(value),
        }
    }
}

/// Years 1 to 9999, as for dates.
fn in_range(micros: i64) -> Result<i64, Unread> {
    const FIRST: i64 = -719_162 * DAY_MICROS;
    const END: i64 = 2_932_897 * DAY_MICROS;
    if (FIRST..END).contains(&micros) { Ok(micros) } else { Err(Unread::No) }
}

fn time(parts: &Parts) -> Result<i64, Unread> {
    let of_instant = parts.instant.map(|instant| instant.rem_euclid(DAY_MICROS));
    let time = of_instant.unwrap_or(parts.time);
    if time < DAY_MICROS { Ok(time) } else { Err(Unread::No) }
}

/// A local time that a clock change repeats is the earlier instant; one that it skips is moved by the change.
fn in_zone(day: i64, time: i64, zone: &TimeZone) -> Result<i64, Unread> {
    let local: Option<DateTime> = i32::try_from(day + time.div_euclid(DAY_MICROS)).ok().and_then(|day| {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).ok()?;
        let time = time.rem_euclid(DAY_MICROS);
        date.at(0, 0, 0, 0).checked_add(jiff::Span::new().microseconds(time)).ok()
    });
    let instant = local.and_then(|local| zone.to_timestamp(local).ok()).ok_or(Unread::No)?;
    in_range(instant.as_microsecond())
}

/// `HH:MM:SS[.ffffff]`.
fn time_text(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { text } else { format!("{text}.{fraction:06}") }
}
