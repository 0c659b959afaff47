//! Dates, timestamps and times of day of one column of one file: every format that could be it reads every value.

use stillhouse_decode::look::Moments;
use stillhouse_spec::{DataType, TimeFormat};

use crate::formats::{What, suggest};

/// So many formats are tried; a column that suggests more is none of dates.
const WAYS_MAX: usize = 24;

/// A format that has failed so often, and reads less than a quarter, is given up.
const PATIENCE: u64 = 64;

/// Days that a file's path names: from the first to the day before the second, counted from 1970.
pub(crate) type Days = (i64, i64);

const DAY_MICROS: i64 = 86_400_000_000;

/// What is known about one format.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    reader: Moments,
    pub(crate) what: What,
    pub(crate) weak: bool,
    /// Values that it reads.
    pub(crate) fits: u64,
    /// Of those, values with a time of day …
    pub(crate) with_time: u64,
    /// … and with an offset.
    pub(crate) with_offset: u64,
    /// Of those, values in the period that the path names, a day before and after included.
    pub(crate) in_period: u64,
    /// How often a value is earlier than the one before.
    pub(crate) descents: u64,
    /// The earliest and the latest.
    pub(crate) range: Option<(i64, i64)>,
    last: Option<i64>,
    /// The first value that it does not read, with its line.
    pub(crate) unread: Option<(u64, String)>,
    misses: u64,
}

/// A reading of one text by two formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) line: u64,
    pub(crate) text: String,
    pub(crate) first: String,
    pub(crate) second: String,
}

/// The formats of a column of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct MomentSurvey {
    pub(crate) values: u64,
    pub(crate) ways: Vec<Way>,
    period: Option<Days>,
    /// Nothing was a date for so long that nothing will be.
    hopeless: bool,
    /// Texts that tell two formats apart, for messages.
    telling: Vec<(u64, String)>,
}

/// So many texts are kept to show what two formats make of them.
const TELLING_MAX: usize = 8;

impl MomentSurvey {
    pub(crate) fn new(period: Option<Days>) -> Self {
        Self { period, ..Self::default() }
    }

    pub(crate) fn observe(&mut self, text: &str, line: u64) {
        self.values += 1;
        if self.hopeless {
            return;
        }
        let mut read = false;
        let values = self.values;
        self.ways.retain_mut(|way| {
            let fits = way.observe(text, line, self.period);
            read |= fits;
            fits || way.misses < PATIENCE || way.misses * 4 < values * 3
        });
        if !read {
            self.suggested_by(text, line);
        }
        if self.telling.len() < TELLING_MAX && self.ways.len() > 1 {
            self.telling.push((line, text.to_owned()));
        }
        self.hopeless = self.ways.is_empty() && self.values > PATIENCE;
    }

    fn suggested_by(&mut self, text: &str, line: u64) {
        for suggested in suggest(text) {
            let known = |way: &Way| way.what == suggested.what && way.reader.format().as_str() == suggested.format;
            if self.ways.len() == WAYS_MAX || self.ways.iter().any(known) {
                continue;
            }
            let Ok(format) = suggested.format.parse::<TimeFormat>() else { continue };
            let data_type = if suggested.what == What::Time { DataType::Time } else { DataType::Timestamp };
            let mut way = Way {
                reader: Moments::new(format, &data_type),
                what: suggested.what,
                weak: suggested.weak,
                fits: 0,
                with_time: 0,
                with_offset: 0,
                in_period: 0,
                descents: 0,
                range: None,
                last: None,
                unread: None,
                // Formats that read what came before would have been suggested by it.
                misses: self.values - 1,
            };
            if way.observe(text, line, self.period) {
                self.ways.push(way);
            }
        }
    }

    /// The way of that format.
    pub(crate) fn way(&self, format: &str) -> Option<&Way> {
        self.ways.iter().find(|way| way.format() == format)
    }

    /// A text that two formats read differently.
    pub(crate) fn conflict(&self, first: &str, second: &str) -> Option<Conflict> {
        let (first, second) = (self.way(first)?, self.way(second)?);
        self.telling.iter().find_map(|(line, text)| {
            let (a, b) = (first.reader.read(text)?, second.reader.read(text)?);
            let show = |way: &Way, value| {
                let shown = way.reader.show(value);
                shown.strip_suffix("T00:00:00Z").map_or(shown.clone(), str::to_owned)
            };
            (a != b).then(|| Conflict {
                line: *line,
                text: text.clone(),
                first: show(first, a),
                second: show(second, b),
            })
        })
    }
}

impl Way {
    fn observe(&mut self, text: &str, line: u64, period: Option<Days>) -> bool {
        let Some(value) = self.reader.read(text) else {
            self.misses += 1;
            if self.unread.is_none() {
                self.unread = Some((line, text.chars().take(40).collect()));
            }
            return false;
        };
        self.fits += 1;
        self.with_time += u64::from(text.contains(':') || value % DAY_MICROS != 0);
        self.with_offset += u64::from(has_offset(text));
        self.descents += u64::from(self.last.is_some_and(|last| value < last));
        self.last = Some(value);
        let (least, greatest) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), greatest.max(value)));
        let day = value.div_euclid(DAY_MICROS);
        self.in_period += u64::from(period.is_some_and(|(first, end)| (first - 1..=end).contains(&day)));
        true
    }

    pub(crate) fn format(&self) -> &str {
        self.reader.format().as_str()
    }

    /// The years from which its values are.
    pub(crate) fn years(&self) -> Option<(i64, i64)> {
        let year = |value: i64| {
            let time = jiff::Timestamp::from_microsecond(value).unwrap_or_default();
            i64::from(time.to_zoned(jiff::tz::TimeZone::UTC).year())
        };
        self.range.map(|(least, greatest)| (year(least), year(greatest)))
    }
}

/// Behind a time: `Z`, `+02:00` and the like.
fn has_offset(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, behind)| behind.contains(['Z', 'z', '+', '-']))
}
