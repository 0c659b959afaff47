//! What files and reports must say: the form of `answers.json`.
//!
//! Fields of periods have the names of the queries of the report `monthly-activity`; each is the list of rows that the
//! query gives, in its order, with the names of its columns. Days are dates (`2021-03-01`), all numbers are counts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// What is known about generated data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// The version of this form: [`Answers::FORMAT`].
    pub format: u32,
    /// What was asked for, `users` filled in.
    pub plan: Plan,
    /// One for each month of the plan, in order.
    pub files: Vec<FileAnswers>,
    /// One for each month of the plan, in order. Rows count for the month of their timestamp, whichever file they are in.
    pub months: Vec<PeriodAnswers>,
    /// The whole: what the report says of the period `all`, in which nothing comes before the first row.
    pub all: PeriodAnswers,
}

/// What the receipt of a file must say under the contract of the `events` template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAnswers {
    /// From the folder on: `2021/03/events.csv`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Records, without the header and blank lines: `rows` and all of `rejects`.
    pub records: u64,
    /// Records that load.
    pub rows: u64,
    /// Records that are refused, by the reason's word; reasons that do not occur are left out.
    pub rejects: BTreeMap<String, u64>,
    /// Blank lines. A receipt counts them as read, beside the records.
    pub blank: u64,
    /// Rows with an id that an earlier row of the file has; all others have ids of their own.
    pub ids_repeated: u64,
}

/// What the report must say about a month, or about all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodAnswers {
    /// The period: `2021-03`, or `all`.
    pub period: String,
    /// One row.
    pub totals: Vec<Totals>,
    /// Days with events, in order.
    pub events_per_day: Vec<DayRow>,
    /// Months with events, in order.
    pub events_per_month: Vec<MonthRow>,
    /// One row: from the first of January to the end of the month; of `all`, everything.
    pub year_to_date: Vec<YearRow>,
    /// At most ten, as in all lists below.
    pub top_users: Vec<UserRow>,
    /// By registrable domain, without free mail.
    pub top_companies: Vec<CompanyRow>,
    /// By what stands behind the @.
    pub top_domains: Vec<DomainRow>,
    /// Rows without country left out.
    pub top_countries: Vec<CountryRow>,
    /// What was done.
    pub top_actions: Vec<ActionRow>,
    /// The first of the busiest days, or none without events.
    pub busiest_date: Vec<DayRow>,
    /// A tag that stands twice on one event counts twice.
    pub top_tags: Vec<TagRow>,
    /// Against the period before.
    pub growing_companies: Vec<GrowthRow>,
    /// Active in the period before, not in this one.
    pub quiet_users: Vec<QuietRow>,
}

/// All in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows.
    pub events: u64,
    /// Different e-mails, whatever their case.
    pub users: u64,
    /// Different registrable domains, without free mail.
    pub companies: u64,
}

/// A day and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRow {
    /// In UTC.
    pub day: Date,
    /// Rows.
    pub events: u64,
}

/// A month and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthRow {
    /// `2021-03`.
    pub month: String,
    /// Rows.
    pub events: u64,
}

/// A year up to the end of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearRow {
    /// Rows.
    pub events: u64,
    /// Different e-mails.
    pub users: u64,
}

/// An e-mail and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// In lower case, without blanks around.
    pub user: String,
    /// Rows.
    pub events: u64,
}

/// What people of one company or domain did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Rows.
    pub events: u64,
    /// Different e-mails.
    pub users: u64,
}

/// A company and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyRow {
    /// Its registrable domain.
    pub company: String,
    /// Its rows and users.
    #[serde(flatten)]
    pub activity: Activity,
}

/// A domain of e-mails and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRow {
    /// As it is written, in lower case.
    pub domain: String,
    /// Its rows and users.
    #[serde(flatten)]
    pub activity: Activity,
}

/// A country and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountryRow {
    /// Its name.
    pub country: String,
    /// Rows.
    pub events: u64,
}

/// An action and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRow {
    /// Its name.
    pub action: String,
    /// Rows.
    pub events: u64,
}

/// A tag and how often it stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRow {
    /// The tag.
    pub tag: String,
    /// How often.
    pub uses: u64,
}

/// A company that was busier than in the period before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowthRow {
    /// Its registrable domain.
    pub company: String,
    /// Rows.
    pub events: u64,
    /// Rows of the period before.
    pub previous_events: u64,
    /// The difference.
    pub growth: u64,
}

/// A user of the period before who did not come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietRow {
    /// The e-mail, in lower case, without blanks around.
    pub user: String,
    /// The company, if there is one.
    pub company: Option<String>,
    /// Rows of the period before.
    pub previous_events: u64,
    /// The last day with a row.
    pub last_seen: Date,
}

impl Answers {
    /// The form that this version writes.
    pub const FORMAT: u32 = 1;
}
