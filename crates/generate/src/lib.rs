//! Invented data of any size with known answers, for trying, testing and measuring the program.
//!
//! [`write_events`] turns a [`Plan`] (rows, days, seed, rates) into `{yyyy}/{MM}/events.csv` files in the shape of the
//! `events` template and into [`Answers`], which lie beside them as `answers.json`: how many bytes and records each file
//! has, which of them are refused and why, and what each query of the template's report `monthly-activity` gives for
//! each month and for all of them. The answers are counted while rows are made; no file is read again.
//!
//! **Invariant:** files and answers follow from the plan alone, byte for byte; the number of threads changes nothing.
//! **Invariant:** every date lies in the plan's days, both ends included.
//! **Invariant:** memory grows with the users and the months of the plan, never with its rows.
//!
//! All people and companies are invented: most domains end in `.example` (RFC 2606), the others carry a number, local
//! parts of free mail begin with `sample.`, and addresses of machines are of the ranges that RFC 5737 and RFC 3849 keep
//! for documentation.
//!
//! # What the rows are like
//!
//! About 140 bytes each. Users, companies, countries, pages, actions and tags have a skewed popularity (the k-th weighs
//! about 1/k); some users pause for a month and some companies are three times as busy in one. Working days have three
//! times the events of a weekend day. A fifth of the users have free mail, one in 200 has an e-mail that is no address.
//! Tags are a list as Python writes it. Some countries and tags hold commas, apostrophes or quotes. The rest is stated
//! by [`Shares`] and [`Faults`].
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::ops::ControlFlow;
//! use jiff::civil::date;
//! use stillhouse_generate::{Existing, Faults, Plan, Writing, write_events};
//!
//! let folder = std::env::temp_dir().join(format!("generate-example-{}", std::process::id()));
//! let mut plan = Plan::new(1_000, date(2021, 2, 1), date(2021, 4, 30), 7);
//! plan.faults = Faults::evenly("1%".parse()?);
//! let writing = Writing { threads: NonZeroUsize::MIN, existing: Existing::Refuse };
//! let answers = write_events(&plan, &folder, writing, &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(answers.files.iter().map(|file| file.records).sum::<u64>(), 1_000);
//! assert_eq!(answers.months[1].period, "2021-03");
//! # let _ = std::fs::remove_dir_all(&folder);
//! # Ok::<(), stillhouse_generate::Error>(())
//! ```

mod answers;
mod calendar;
mod error;
mod lanes;
mod months;
mod people;
mod plan;
mod pools;
mod random;
mod rate;
mod recipe;
mod row;
mod skew;
mod tally;
mod words;
mod write;

pub use answers::{
    ActionRow, Activity, Answers, CompanyRow, CountryRow, DayRow, DomainRow, FileAnswers, GrowthRow, MonthRow,
    PeriodAnswers, QuietRow, TagRow, Totals, UserRow, YearRow,
};
pub use error::{Error, Kind};
pub use plan::{ColumnOrder, Faults, FileStart, LineEnd, Plan, Shares};
pub use rate::Rate;
pub use write::{ANSWERS_FILE, Existing, Progress, Writing, write_events};
