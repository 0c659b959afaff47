//! Plan: which periods are run, and what the queries see of them.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use stillhouse_query::{Params, Value};
use stillhouse_spec::{Parameter, Period, PeriodKind, Report, day_start_micros};

/// The periods to run for what the user asked. `covered` are the days that hold data, first and last: it decides what
/// `all` means to a report that is about one day, month or year. Empty when the request is finer than the report.
pub fn periods(kind: PeriodKind, asked: Period, covered: Option<(Date, Date)>) -> Vec<Period> {
    match (kind, asked, covered) {
        (PeriodKind::Each(grain), Period::All, Some((first, last))) => {
            let end = last.tomorrow().unwrap_or(Date::MAX);
            Period::Range(first, end).split(grain)
        }
        (PeriodKind::Each(_), Period::All, None) => Vec::new(),
        _ => kind.expand(asked),
    }
}

/// The parameters of a run: the report's own, and `$period_start`, `$period_end` (not in it), `$previous_start` and
/// `$year_start`: the instants at which these days begin in `zone`. For `all` they span every day there can be data for.
pub fn parameters(report: &Report, period: Period, zone: &TimeZone) -> Params {
    let (first, end) = period.days().unwrap_or((DAY_FIRST, DAY_LAST));
    let previous = period.previous().and_then(Period::days).map_or(first, |(first, _)| first);
    let year = if period == Period::All { first } else { first.first_of_year() };
    let mut params: Params = report.parameters.iter().map(|(name, value)| (name.clone(), own(value))).collect();
    for (name, day) in
        [("period_start", first), ("period_end", end), ("previous_start", previous), ("year_start", year)]
    {
        params.insert(name.to_owned(), Value::Timestamp(day_start_micros(day.max(DAY_FIRST), zone)));
    }
    params
}

/// The bounds of `all`.
const DAY_FIRST: Date = date(1, 1, 1);
const DAY_LAST: Date = date(9999, 12, 31);

fn own(value: &Parameter) -> Value {
    match value {
        Parameter::Int(value) => Value::Int(*value),
        Parameter::Text(value) => Value::Text(value.clone()),
    }
}
