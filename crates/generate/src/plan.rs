//! What is to be generated.

use std::num::NonZeroU32;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::rate::Rate;

/// Everything that files and answers follow from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Records of all files together, faulty ones included; headers and blank lines come on top.
    pub rows: u64,
    /// The first day.
    pub from: Date,
    /// The last day; it is in the plan.
    pub to: Date,
    /// Another seed gives other bytes, also other people and companies.
    pub seed: u64,
    /// People, each with an e-mail of their own. `None`: one for 200 rows, but at least 100 and at most 50,000.
    pub users: Option<NonZeroU32>,
    /// How often what is odd but right occurs.
    #[serde(default)]
    pub shares: Shares,
    /// How often what is wrong occurs.
    #[serde(default)]
    pub faults: Faults,
    /// What ends a line.
    #[serde(default)]
    pub line_end: LineEnd,
    /// What stands before the header.
    #[serde(default)]
    pub file_start: FileStart,
    /// In which order the columns stand.
    #[serde(default)]
    pub column_order: ColumnOrder,
}

/// What ends every line of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return and a line feed.
    CrLf,
}

/// What every file of a run begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStart {
    /// The header.
    #[default]
    Header,
    /// A UTF-8 byte order mark, then the header.
    ByteOrderMark,
}

/// The order of the columns of a run's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnOrder {
    /// That of the template.
    #[default]
    Usual,
    /// Every file has an order of its own.
    Shuffled,
}

/// Shares of the rows that are odd and yet load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shares {
    /// Rows of the last day of the month before or (half of them) of the first day of the month after, as far as those
    /// days are in the plan; where one is not, its half stays in the month. Default 1 %.
    pub spill: Rate,
    /// Timestamps with a time and `Z` instead of a date alone. Default 3 %.
    pub with_time: Rate,
    /// Rows with the id of an earlier row, one of the last 64. Default 1 %.
    pub repeated_ids: Rate,
    /// Rows without e-mail. Default 2 %.
    pub empty_emails: Rate,
    /// E-mails with upper-case letters. Default 2 %.
    pub mixed_case: Rate,
    /// E-mails with a blank before and behind. Default 0.2 %.
    pub padded_emails: Rate,
    /// Rows without country. Default 4 %.
    pub empty_countries: Rate,
    /// Rows without address of a machine. Default none.
    pub empty_addresses: Rate,
    /// Rows whose field `uri` holds quotes, doubled as CSV wants it. Default none, beside those in tags.
    pub escaped_quotes: Rate,
    /// Rows whose field `uri` holds a line break, the run's own. Default none.
    pub line_breaks: Rate,
    /// Rows with a blank line behind them. Default none.
    pub blank_lines: Rate,
}

/// Shares of the rows that are refused, each for one reason. Default none.
///
/// There is no quote that never closes among them: it would swallow the rows behind it, and no count would be known. The
/// `events` template holds a file when more than 1 % of its records are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// A timestamp that is none, such as `2021-03-32`; reason `unreadable_timestamp`.
    pub unreadable_timestamp: Rate,
    /// No timestamp; reason `missing_value`.
    pub missing_timestamp: Rate,
    /// One to seven fields instead of eight; reason `field_count`.
    pub short_row: Rate,
    /// Nine or ten fields; reason `field_count`.
    pub extra_field: Rate,
    /// A byte in the field `uri` that is no UTF-8; reason `invalid_utf8`.
    pub invalid_utf8: Rate,
}

impl Plan {
    /// The greatest [`users`](Self::users): they take about 250 bytes each with two threads.
    pub const USERS_MAX: u32 = 10_000_000;
    /// The years that days may be of.
    pub const YEARS: std::ops::RangeInclusive<i16> = 1900..=9998;

    /// A plan with the default shares and no faults; both days are in it.
    pub fn new(rows: u64, from: Date, to: Date, seed: u64) -> Self {
        Self {
            rows,
            from,
            to,
            seed,
            users: None,
            shares: Shares::default(),
            faults: Faults::default(),
            line_end: LineEnd::default(),
            file_start: FileStart::default(),
            column_order: ColumnOrder::default(),
        }
    }

    /// How many people there are.
    pub fn users(&self) -> u32 {
        let by_rows = || u32::try_from((self.rows / 200).clamp(100, 50_000)).expect("at most 50,000");
        self.users.map_or_else(by_rows, NonZeroU32::get)
    }

    /// Whether it can be carried out.
    ///
    /// # Errors
    /// The last day is before the first, a year or the number of users is out of range, or the faults exceed 100 %.
    pub fn check(&self) -> Result<(), Error> {
        if self.from > self.to {
            return Err(Error::settings(
                format!("the first day, {}, is after the last, {}", self.from, self.to),
                "exchange the two",
            ));
        }
        for day in [self.from, self.to] {
            if !Self::YEARS.contains(&day.year()) {
                return Err(Error::settings(
                    format!("expected a day from {} to {}, found {day}", Self::YEARS.start(), Self::YEARS.end()),
                    "take days of other years",
                ));
            }
        }
        if self.users() > Self::USERS_MAX {
            return Err(Error::settings(
                format!("expected at most {} users, found {}", Self::USERS_MAX, self.users()),
                "take fewer: users are kept in memory",
            ));
        }
        let faults: u32 = self.faults.rates().iter().map(|rate| rate.in_million()).sum();
        if Rate::of_million(faults).is_err() {
            let percent = f64::from(faults) / 10_000.0;
            return Err(Error::settings(
                format!("the rates of faults add up to {percent}%, at most 100% of the rows can be faulty"),
                "lower one of them",
            ));
        }
        Ok(())
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            spill: Rate::of_ten_thousand(100),
            with_time: Rate::of_ten_thousand(300),
            repeated_ids: Rate::of_ten_thousand(100),
            empty_emails: Rate::of_ten_thousand(200),
            mixed_case: Rate::of_ten_thousand(200),
            padded_emails: Rate::of_ten_thousand(20),
            empty_countries: Rate::of_ten_thousand(400),
            empty_addresses: Rate::ZERO,
            escaped_quotes: Rate::ZERO,
            line_breaks: Rate::ZERO,
            blank_lines: Rate::ZERO,
        }
    }
}

impl Faults {
    /// Each kind equally often, all together as often as `total`.
    pub fn evenly(total: Rate) -> Self {
        let mut left = total.in_million();
        let mut part = |kinds: u32| {
            let parts = left / kinds;
            left -= parts;
            Rate::of_million(parts).expect("a part of a rate is a rate")
        };
        Self {
            unreadable_timestamp: part(5),
            missing_timestamp: part(4),
            short_row: part(3),
            extra_field: part(2),
            invalid_utf8: part(1),
        }
    }

    /// In the order of `row::FAULTS`.
    pub(crate) fn rates(&self) -> [Rate; 5] {
        let Self { unreadable_timestamp, missing_timestamp, short_row, extra_field, invalid_utf8 } = self;
        [*unreadable_timestamp, *missing_timestamp, *short_row, *extra_field, *invalid_utf8]
    }
}
