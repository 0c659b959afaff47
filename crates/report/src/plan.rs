//! Plan: which periods are run, and what the queries see of them.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use stillhouse_query::{Params, Value};
use stillhouse_spec::{Grain, Parameter, Period, PeriodKind, Report, day_start_micros};

use crate::completeness::SourceState;

/// The periods to run for what the user asked, in order. `covered` tells what `all` means to a report that is about one
/// day, month or year: see [`covered`]. Empty when the request is finer than the report, or when nothing is loaded.
pub fn periods(kind: PeriodKind, asked: Period, covered: impl FnOnce(Grain) -> Vec<Period>) -> Vec<Period> {
    match (kind, asked) {
        (PeriodKind::Each(grain), Period::All) => covered(grain),
        _ => kind.expand(asked),
    }
}

/// The periods of that grain that the loaded objects are about: where a key names a stretch of time, that stretch; else
/// the days of its rows. `sources` are those that feed the report, see [`crate::feeding`]. A row that spilled into the
/// month before does not make a report of that month.
pub fn covered(grain: Grain, sources: &[SourceState<'_>]) -> Vec<Period> {
    let mut periods = BTreeSet::new();
    for state in sources {
        for receipt in &state.receipts {
            match state.source.path.period(&receipt.object.key) {
                Some(named) => periods.extend(named.split(grain).into_iter().filter_map(Period::days)),
                None => {
                    let days = receipt.days.keys().filter_map(|day| day.parse::<Date>().ok());
                    periods.extend(days.filter_map(|day| Period::holding(grain, day).days()));
                }
            }
        }
    }
    periods.into_iter().map(|(first, _)| Period::holding(grain, first)).collect()
}

/// The parameters of a run: the report's own, and `$period_start`, `$period_end` (not in it), `$previous_start` and
/// `$year_start`: the instants at which these days begin in `zone`. For `all` they span every day there can be data for.
pub fn parameters(report: &Report, period: Period, zone: &TimeZone) -> Params {
    let mut params: Params = report.parameters.iter().map(|(name, value)| (name.clone(), own(value))).collect();
    params.extend(period_parameters(period, zone));
    params
}

/// The parameters that come from the period alone; `sql` offers them too.
pub fn period_parameters(period: Period, zone: &TimeZone) -> Params {
    let instant = |day: Date| day_start_micros(day, zone).clamp(BEGINNING, END);
    let [start, end, previous, year] = match period.days() {
        None => [BEGINNING, END, BEGINNING, BEGINNING],
        Some((first, end)) => {
            let previous = period.previous().and_then(Period::days).map_or(first, |(first, _)| first);
            [first, end, previous, first.first_of_year()].map(instant)
        }
    };
    let names = ["period_start", "period_end", "previous_start", "year_start"];
    let values = [start, end, previous, year].map(Value::Timestamp);
    names.map(str::to_owned).into_iter().zip(values).collect()
}

/// The bounds of `all`, in microseconds: 0001-01-01 and 10000-01-01, so that every day with a year of four digits is
/// inside, 9999-12-31 too, which many systems write for "for ever".
const BEGINNING: i64 = -62_135_596_800_000_000;
const END: i64 = 253_402_300_800_000_000;

fn own(value: &Parameter) -> Value {
    match value {
        Parameter::Int(value) => Value::Int(*value),
        Parameter::Text(value) => Value::Text(value.clone()),
    }
}
