//! The months of a plan: which file has which days and how many rows.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::plan::Plan;
use crate::random::Random;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month {
    /// The first day of the month, be it in the plan or not.
    pub(crate) first: Date,
    /// The first day of the month that is in the plan.
    pub(crate) from: Date,
    /// The last day of the month that is in the plan.
    pub(crate) to: Date,
    /// The day before the month, if it is in the plan.
    pub(crate) day_before: Option<Date>,
    /// The day after the month, if it is in the plan.
    pub(crate) day_after: Option<Date>,
    pub(crate) rows: u64,
}

/// The months of a checked plan, in order. Each has rows by its days; the last rows of a division go to later months.
pub(crate) fn months(plan: &Plan) -> Vec<Month> {
    let days = days_between(plan.from, plan.to) + 1;
    let rows_until = |days_before: u64| {
        let rows = u128::from(plan.rows) * u128::from(days_before) / u128::from(days);
        u64::try_from(rows).expect("a part of the rows")
    };
    let within = |day: Date| (plan.from <= day && day <= plan.to).then_some(day);
    let mut months = Vec::new();
    let mut first = plan.from.first_of_month();
    while first <= plan.to {
        let next = first.checked_add(1.month()).expect("plans end before the calendar does");
        let last = next.yesterday().expect("it is in the month before");
        let (from, to) = (first.max(plan.from), last.min(plan.to));
        let rows = rows_until(days_between(plan.from, to) + 1) - rows_until(days_between(plan.from, from));
        let day_before = first.yesterday().ok().and_then(within);
        months.push(Month { first, from, to, day_before, day_after: within(next), rows });
        first = next;
    }
    months
}

/// Days of a month, each as often as it weighs: working days weigh three times as much as others, and every day a little
/// more or less by chance.
pub(crate) fn weighted_days(month: &Month, random: &mut Random) -> Vec<u8> {
    let mut days = Vec::new();
    for number in month.from.day()..=month.to.day() {
        let day = u8::try_from(number).expect("a day of a month");
        let date = month.first.with().day(number).build().expect("days of one month");
        let is_free = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let usual = if is_free { 10 } else { 30 };
        days.extend((0..usual + random.below(5)).map(|_| day));
    }
    days
}

/// From one day to a later or the same one.
fn days_between(first: Date, second: Date) -> u64 {
    let span = first.until(second).expect("the calendar is short enough");
    u64::try_from(span.get_days()).expect("the second is not before the first")
}

/// A number that is the month's own.
pub(crate) fn month_number(first: Date) -> u64 {
    let number = i32::from(first.year()) * 12 + i32::from(first.month());
    u64::try_from(number).expect("years of plans are after 1900")
}
