//! Reports: titled queries with typed parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::{QueryName, ReportName};
use crate::period::{Grain, Period, PeriodChoice};

/// A report, as `reports/NAME/report.toml` and the `.sql` files beside it describe it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The folder name under `reports/`.
    pub name: ReportName,
    /// What a person reads first.
    pub title: String,
    /// What it is about, for a person; may be empty.
    pub description: String,
    /// The period it is about.
    pub period: PeriodParameter,
    /// Other parameters, bound as `$NAME`.
    pub parameters: BTreeMap<String, Parameter>,
    /// The queries, in the order of the file. Never empty.
    pub queries: Vec<Query>,
    /// The digest (BLAKE3, hex) of `text`.
    pub fingerprint: String,
    /// The report file and its SQL as the user wrote them, one after the other.
    pub text: String,
}

/// The period parameter of a report. Queries see `$period_start` and `$period_end` (timestamps; the end is not in it),
/// `$previous_start` (where the period of the same length before it begins) and `$year_start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodParameter {
    /// Which periods make sense.
    pub kind: PeriodKind,
    /// The period when none is named.
    pub default: PeriodChoice,
}

/// Which periods a report takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeriodKind {
    /// Only whole periods of that grain; a longer one is run for each of its parts.
    Each(Grain),
    /// Any period, as one.
    Any,
    /// The report is always about everything; a period given on the command line only says what to load.
    All,
}

impl PeriodKind {
    /// Whether a report of this kind can be about that period.
    pub fn takes(self, choice: PeriodChoice) -> bool {
        match (self, choice) {
            (PeriodKind::Any, _) => true,
            (PeriodKind::All, choice) => choice == PeriodChoice::Fixed(Period::All),
            (PeriodKind::Each(_), PeriodChoice::Fixed(Period::All)) => true,
            (PeriodKind::Each(_), PeriodChoice::Fixed(period)) => !self.expand(period).is_empty(),
            (PeriodKind::Each(grain), PeriodChoice::Last(last)) => grain <= last,
        }
    }

    /// The periods to run for what the user asked; empty when the request is finer than the report, or when `All` has
    /// to be split by the data (the caller then splits the days that the data covers).
    pub fn expand(self, asked: Period) -> Vec<Period> {
        match self {
            PeriodKind::Any => vec![asked],
            PeriodKind::All => vec![Period::All],
            PeriodKind::Each(grain) => {
                let parts = asked.split(grain);
                let whole = |part: &Period| match (part.days(), asked.days()) {
                    (Some((first, end)), Some((from, to))) => from <= first && end <= to,
                    _ => false,
                };
                parts.into_iter().filter(whole).collect()
            }
        }
    }
}

impl std::fmt::Display for PeriodKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PeriodKind::Each(grain) => grain.fmt(f),
            PeriodKind::Any => f.write_str("any"),
            PeriodKind::All => f.write_str("all"),
        }
    }
}

/// A typed parameter with a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parameter {
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

/// One query of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Its name, and its result's.
    pub name: QueryName,
    /// What a person reads above the result.
    pub title: String,
    /// The SQL file, relative to the project folder.
    pub file: String,
    /// The SQL.
    pub sql: String,
    /// How columns are printed, by column name.
    pub columns: BTreeMap<String, ColumnFormat>,
    /// The chart of its result, if it has one.
    pub chart: Option<ChartSettings>,
}

/// The chart of a result: which columns it shows, and how. Columns are known when the query is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartSettings {
    /// Which marks stand for the values.
    pub kind: ChartKind,
    /// What a person reads above it, where it is not the query's title.
    pub title: Option<String>,
    /// What a person reads next, where it is not report, period and completeness.
    pub subtitle: Option<String>,
    /// The column along the x axis; chosen by type where it is not stated.
    pub x: Option<String>,
    /// The columns of values; every number where none is stated.
    pub y: Vec<String>,
    /// The column whose values are the series; then there is one column of values.
    pub series: Option<String>,
    /// What stands at the x axis, where it is not the column's name.
    pub x_title: Option<String>,
    /// What stands at the values, where it is not the column's name.
    pub y_title: Option<String>,
    /// How values are written.
    pub format: ChartFormat,
    /// How many categories are shown, where it is not the default.
    pub limit: Option<usize>,
    /// What happens to those beyond the limit; decided by the values where it is not stated.
    pub rest: Option<ChartRest>,
}

/// Which marks stand for the values of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    /// A line for each series.
    Line,
    /// Bars, side by side.
    Bar,
    /// Bars, on each other.
    Stacked,
    /// Lines with the area below them.
    Area,
    /// Shares of a whole.
    Pie,
    /// Single figures.
    Figure,
}

/// How the values of a chart are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartFormat {
    /// Stands behind the number.
    pub unit: String,
    /// The values are shares of one.
    pub percent: bool,
    /// Digits behind the decimal point, where they are not those of the column.
    pub decimals: Option<u8>,
    /// What stands between groups of three digits.
    pub thousands: ChartThousands,
}

/// What stands between groups of three digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartThousands {
    /// `1,234`
    #[default]
    Comma,
    /// `1 234`
    Blank,
    /// `1'234`
    Apostrophe,
    /// `1234`
    None,
}

/// What happens to categories beyond a chart's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartRest {
    /// They are added up.
    Other,
    /// They are left out.
    Omit,
}

/// How a column is printed. Results are stored unrounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnFormat {
    /// Digits behind the decimal point, rounded half away from zero.
    pub decimals: Option<u8>,
}

/// How whole a report's inputs were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Completeness {
    /// Every object that was expected for the period is loaded.
    Complete,
    /// Something expected is missing, not due yet, or held.
    Partial,
    /// Nothing is loaded for the period.
    Empty,
}

impl std::fmt::Display for Completeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Completeness::Complete => "COMPLETE",
            Completeness::Partial => "PARTIAL",
            Completeness::Empty => "EMPTY",
        })
    }
}
