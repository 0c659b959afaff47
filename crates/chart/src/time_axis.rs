//! Ticks of a time axis: steps of the calendar, small words below them, and the longer word where it changes.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan};

use crate::moment::{Precision, seconds};

/// A tick: where, what stands below it, and what stands below that where it differs from the tick before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeTick {
    pub(crate) seconds: f64,
    pub(crate) label: String,
    pub(crate) context: Option<String>,
}

/// A step of the calendar.
#[derive(Debug, Clone, Copy)]
enum Step {
    Seconds(i32),
    Days(i32),
    Weeks(i32),
    Months(i32),
    Years(i32),
}

const STEPS: &[Step] = &[
    Step::Seconds(1),
    Step::Seconds(5),
    Step::Seconds(15),
    Step::Seconds(30),
    Step::Seconds(60),
    Step::Seconds(300),
    Step::Seconds(900),
    Step::Seconds(1800),
    Step::Seconds(3600),
    Step::Seconds(3 * 3600),
    Step::Seconds(6 * 3600),
    Step::Seconds(12 * 3600),
    Step::Days(1),
    Step::Days(2),
    Step::Weeks(1),
    Step::Weeks(2),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(20),
    Step::Years(50),
    Step::Years(100),
    Step::Years(200),
    Step::Years(500),
    Step::Years(1000),
    Step::Years(2000),
];

/// The finest ticks between two moments (seconds since 1970) of which no more than `room` pixels' worth fit; `widest` is
/// what a label needs.
pub(crate) fn ticks(
    low: f64,
    high: f64,
    precision: Precision,
    room: f64,
    widest: impl Fn(&str) -> f64,
) -> Vec<TimeTick> {
    for step in STEPS.iter().filter(|step| precision.allows(**step)) {
        // Not even a digit has room: such a step is not worth counting out.
        if (high - low) / step.seconds() > room / GAP {
            continue;
        }
        let ticks = step.ticks(low, high);
        let label = ticks.iter().map(|tick| widest(&tick.label)).fold(0.0, f64::max);
        let between = room * step.seconds() / (high - low).max(1.0);
        if ticks.len() < 2 || label + GAP <= between {
            return ticks;
        }
    }
    Vec::new()
}

/// Pixels between two labels.
const GAP: f64 = 12.0;

impl Precision {
    fn allows(self, step: Step) -> bool {
        match step {
            Step::Seconds(_) => self == Precision::Time,
            Step::Days(_) | Step::Weeks(_) => self >= Precision::Day,
            Step::Months(_) => self >= Precision::Month,
            Step::Years(_) => true,
        }
    }
}

impl Step {
    /// The shortest that it gets.
    fn seconds(self) -> f64 {
        match self {
            Step::Seconds(count) => f64::from(count),
            Step::Days(count) => f64::from(count) * 86_400.0,
            Step::Weeks(count) => f64::from(count) * 7.0 * 86_400.0,
            Step::Months(count) => f64::from(count) * 28.0 * 86_400.0,
            Step::Years(count) => f64::from(count) * 365.0 * 86_400.0,
        }
    }

    fn span(self) -> Span {
        match self {
            Step::Seconds(count) => count.seconds(),
            Step::Days(count) => count.days(),
            Step::Weeks(count) => (count * 7).days(),
            Step::Months(count) => count.months(),
            Step::Years(count) => count.years(),
        }
    }

    fn ticks(self, low: f64, high: f64) -> Vec<TimeTick> {
        let Some(mut at) = date_time(low).map(|low| self.floor(low)) else { return Vec::new() };
        let mut ticks: Vec<TimeTick> = Vec::new();
        let mut context = None;
        for _ in 0..TICKS_MAX {
            let seconds = seconds(at);
            if seconds > high + 1e-6 {
                break;
            }
            if seconds >= low - 1e-6 {
                let (label, wider) = self.words(at);
                let changed = wider.filter(|wider| context.as_ref() != Some(wider));
                context = changed.clone().or(context);
                ticks.push(TimeTick { seconds, label, context: changed });
            }
            match at.checked_add(self.span()) {
                Ok(next) => at = next,
                Err(_) => break,
            }
        }
        ticks
    }

    /// The last step at or before a moment.
    fn floor(self, at: DateTime) -> DateTime {
        let date = at.date();
        let midnight = |date: Date| date.to_datetime(Time::midnight());
        let since = |date: Date| date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days());
        let back = |days: i32| midnight(date.checked_sub(days.days()).unwrap_or(date));
        match self {
            Step::Seconds(count) => {
                let time = at.time();
                let second = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
                midnight(date).checked_add((second / count * count).seconds()).unwrap_or(at)
            }
            Step::Days(count) => back(since(date).rem_euclid(count)),
            // 1970-01-05 was a Monday.
            Step::Weeks(count) => back((since(date) - 4).rem_euclid(count * 7)),
            Step::Months(count) => {
                let month = i32::from(date.month()) - 1;
                let month = i8::try_from(month / count * count + 1).unwrap_or(1);
                midnight(Date::new(date.year(), month, 1).unwrap_or(date))
            }
            Step::Years(count) => {
                let year = i16::try_from(i32::from(date.year()).div_euclid(count) * count).unwrap_or(date.year());
                midnight(Date::new(year, 1, 1).unwrap_or(date))
            }
        }
    }

    /// What stands below a tick, and below that.
    fn words(self, at: DateTime) -> (String, Option<String>) {
        let month = |date: Date| MONTHS[usize::from(date.month().unsigned_abs()).clamp(1, 12) - 1];
        let (date, time) = (at.date(), at.time());
        match self {
            Step::Seconds(count) if count < 60 => (
                format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
                Some(format!("{} {} {}", date.day(), month(date), date.year())),
            ),
            Step::Seconds(_) => (
                format!("{:02}:{:02}", time.hour(), time.minute()),
                Some(format!("{} {} {}", date.day(), month(date), date.year())),
            ),
            Step::Days(_) | Step::Weeks(_) => {
                (date.day().to_string(), Some(format!("{} {}", month(date), date.year())))
            }
            Step::Months(_) => (month(date).to_owned(), Some(date.year().to_string())),
            Step::Years(_) => (date.year().to_string(), None),
        }
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TICKS_MAX: usize = 400;

fn date_time(seconds: f64) -> Option<DateTime> {
    // Years of four digits end long before a number of seconds leaves what an i64 holds.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the seconds of the years 0 to 9999")]
    let whole = seconds.floor().clamp(-62_167_219_200.0, 253_402_300_799.0) as i64;
    let days = i32::try_from(whole.div_euclid(86_400)).ok()?;
    let date = Date::constant(1970, 1, 1).checked_add(days.days()).ok()?;
    date.to_datetime(Time::midnight()).checked_add(whole.rem_euclid(86_400).seconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: &str, to: &str, precision: Precision) -> String {
        let at = |text: &str| seconds(text.parse::<DateTime>().unwrap());
        let ticks = ticks(at(from), at(to), precision, 600.0, |label| 7.0 * label.len() as f64);
        let words = ticks.iter().map(|tick| match &tick.context {
            Some(context) => format!("{} [{context}]", tick.label),
            None => tick.label.clone(),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn ticks_are_steps_of_the_calendar() {
        assert_eq!(shown("2020-11-01", "2021-04-01", Precision::Month), "Nov [2020], Dec, Jan [2021], Feb, Mar, Apr");
        assert_eq!(shown("2021-04-28", "2021-05-03", Precision::Day), "28 [Apr 2021], 29, 30, 1 [May 2021], 2, 3");
        assert_eq!(
            shown("2021-04-01", "2021-06-15", Precision::Day),
            "5 [Apr 2021], 12, 19, 26, 3 [May 2021], 10, 17, 24, 31, 7 [Jun 2021], 14"
        );
        assert_eq!(shown("1990-01-01", "2021-04-01", Precision::Day), "1990, 1995, 2000, 2005, 2010, 2015, 2020");
        assert_eq!(
            shown("2021-04-05T22:00:00", "2021-04-06T02:00:00", Precision::Time),
            "22:00 [5 Apr 2021], 22:30, 23:00, 23:30, 00:00 [6 Apr 2021], 00:30, 01:00, 01:30, 02:00"
        );
        assert_eq!(shown("2021-01-01", "2021-01-01", Precision::Month), "Jan [2021]");
        assert!(shown("0001-01-01", "9999-12-31", Precision::Day).ends_with("9000"));
    }
}
