//! What the rows of one file are made from; threads share it.

use jiff::civil::Date;

use crate::calendar::{Month, month_number, weighted_days};
use crate::plan::{ColumnOrder, LineEnd, Plan};
use crate::pools::Pools;
use crate::random::Random;
use crate::row::{Fault, Rows};
use crate::skew::Skew;
use crate::tally::FileTally;

/// Rows that are made in one go: about a megabyte. Every chunk has random numbers of its own, so that it does not matter
/// which thread makes it.
pub(crate) const CHUNK_ROWS: u64 = 8192;

// The purposes of random numbers in this file; `people` has others.
const OF_DAYS: u64 = 5;
const OF_ROWS: u64 = 6;
const OF_COLUMNS: u64 = 7;

/// The columns of the `events` template, in its order.
pub(crate) const COLUMNS: [&str; 8] = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"];
/// Where in [`COLUMNS`] two of them are.
pub(crate) const TIMESTAMP: usize = 1;
pub(crate) const URI: usize = 5;

/// A date as it is written.
pub(crate) type DayText = [u8; 10];

/// [`Rate::threshold`](crate::Rate::threshold)s of the plan.
#[derive(Debug)]
pub(crate) struct Odds {
    /// Running sums, in the order of [`Fault::ALL`].
    pub(crate) faults: [u64; Fault::ALL.len()],
    pub(crate) spill: u64,
    pub(crate) with_time: u64,
    pub(crate) repeated_ids: u64,
    pub(crate) empty_emails: u64,
    pub(crate) mixed_case: u64,
    pub(crate) padded_emails: u64,
    pub(crate) empty_countries: u64,
    pub(crate) empty_addresses: u64,
    pub(crate) escaped_quotes: u64,
    pub(crate) line_breaks: u64,
    pub(crate) blank_lines: u64,
}

#[derive(Debug)]
pub(crate) struct Recipe<'p> {
    pub(crate) pools: &'p Pools,
    pub(crate) odds: Odds,
    pub(crate) popular_users: Skew,
    /// Days of the month, each as often as it weighs.
    pub(crate) days: Vec<u8>,
    /// By day of the month; 0 is unused.
    pub(crate) day_texts: Vec<DayText>,
    /// Day of its month, and as it is written.
    pub(crate) day_before: Option<(u8, DayText)>,
    pub(crate) day_after: Option<(u8, DayText)>,
    pub(crate) line_end: &'static [u8],
    /// Which of [`COLUMNS`] stands at each place, unless all stand at their own.
    pub(crate) order: Option<[usize; COLUMNS.len()]>,
    seed: u64,
    month: u64,
    rows: u64,
}

impl Odds {
    fn new(plan: &Plan) -> Self {
        let mut sum = 0;
        let faults = plan.faults.rates().map(|rate| {
            sum += rate.threshold();
            sum
        });
        let shares = &plan.shares;
        Self {
            faults,
            spill: shares.spill.threshold(),
            with_time: shares.with_time.threshold(),
            repeated_ids: shares.repeated_ids.threshold(),
            empty_emails: shares.empty_emails.threshold(),
            mixed_case: shares.mixed_case.threshold(),
            padded_emails: shares.padded_emails.threshold(),
            empty_countries: shares.empty_countries.threshold(),
            empty_addresses: shares.empty_addresses.threshold(),
            escaped_quotes: shares.escaped_quotes.threshold(),
            line_breaks: shares.line_breaks.threshold(),
            blank_lines: shares.blank_lines.threshold(),
        }
    }
}

impl<'p> Recipe<'p> {
    pub(crate) fn new(plan: &Plan, pools: &'p Pools, month: &Month) -> Self {
        let number = month_number(month.first);
        let mut random = Random::new(plan.seed, &[OF_DAYS, number]);
        let beside = |day: Date| (u8::try_from(day.day()).expect("a day of a month"), day_text(day));
        let day_texts = (1..=month.first.days_in_month()).map(|day| {
            let date = month.first.with().day(day).build().expect("days of one month");
            day_text(date)
        });
        Self {
            pools,
            odds: Odds::new(plan),
            popular_users: pools.people.popularity(number),
            days: weighted_days(month, &mut random),
            day_texts: std::iter::once([b' '; 10]).chain(day_texts).collect(),
            day_before: month.day_before.map(beside),
            day_after: month.day_after.map(beside),
            line_end: match plan.line_end {
                LineEnd::Lf => b"\n",
                LineEnd::CrLf => b"\r\n",
            },
            order: match plan.column_order {
                ColumnOrder::Usual => None,
                ColumnOrder::Shuffled => Some(shuffled(&mut Random::new(plan.seed, &[OF_COLUMNS, number]))),
            },
            seed: plan.seed,
            month: number,
            rows: month.rows,
        }
    }

    /// The header, without a line end.
    pub(crate) fn header(&self) -> String {
        self.order.map_or(COLUMNS, |order| order.map(|column| COLUMNS[column])).join(",")
    }

    /// At which place the column with that number in [`COLUMNS`] stands.
    pub(crate) fn place(&self, column: usize) -> usize {
        let place = self.order.and_then(|order| order.into_iter().position(|there| there == column));
        place.unwrap_or(column)
    }

    pub(crate) fn chunks(&self) -> u64 {
        self.rows.div_ceil(CHUNK_ROWS)
    }

    /// How many rows chunk `number` has.
    pub(crate) fn chunk_rows(&self, number: u64) -> u64 {
        (self.rows - number * CHUNK_ROWS).min(CHUNK_ROWS)
    }

    /// Appends the rows of chunk `number` to `out` and counts them.
    pub(crate) fn make_chunk(&self, number: u64, out: &mut Vec<u8>, tally: &mut FileTally) {
        let random = Random::new(self.seed, &[OF_ROWS, self.month, number]);
        let mut rows = Rows::new(self, random);
        for _ in 0..self.chunk_rows(number) {
            rows.make(out, tally);
        }
    }
}

/// All columns, in an order that chance gives (Fisher and Yates).
fn shuffled(random: &mut Random) -> [usize; COLUMNS.len()] {
    let mut order = std::array::from_fn(|column| column);
    for (place, bound) in (0..COLUMNS.len()).rev().zip((1..=8).rev()) {
        order.swap(place, random.below(bound) as usize);
    }
    order
}

/// `2021-03-01`.
fn day_text(day: Date) -> DayText {
    let text = format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
    text.as_bytes().try_into().expect("years of plans have four digits")
}
