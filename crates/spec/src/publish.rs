//! Publications: tables and results of reports that are copied into databases of other people.

use std::fmt;

use crate::name::{QueryName, ReportName, TableName};
use crate::secret::Secret;

/// A table of somebody's database that is kept equal to something of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// What it shows.
    pub what: Published,
    /// The database.
    pub to: DatabaseAddress,
    /// The table's name in the database. No other publication of the project has it there, whatever its case.
    pub name: String,
}

/// What a publication shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The rows of a table of the lake.
    Table {
        /// The table.
        table: TableName,
        /// Which of its rows.
        rows: PublishedRows,
        /// Whether its columns of our own come along.
        lineage: Lineage,
    },
    /// The newest results of a query, of every period that its report was run for.
    Results {
        /// The report.
        report: ReportName,
        /// Its query.
        query: QueryName,
    },
}

/// Which rows of a table are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PublishedRows {
    /// All of them.
    #[default]
    All,
    /// Those of the view of its current state.
    Current,
}

/// Whether `_object`, `_record`, `_item` and `_ingested_at` are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lineage {
    /// They are: what is published is what `select *` shows.
    #[default]
    Kept,
    /// They are left out.
    LeftOut,
}

/// Where a database is. Prints as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseAddress {
    /// An SQLite file: `sqlite://PATH`, relative to the project folder unless absolute.
    Sqlite(Secret),
}

/// How the address of an SQLite file begins.
pub(crate) const SQLITE: &str = "sqlite://";

impl DatabaseAddress {
    /// The path of an SQLite file. Keep it out of messages.
    pub fn expose_path(&self) -> &str {
        let Self::Sqlite(address) = self;
        address.expose().strip_prefix(SQLITE).unwrap_or(address.expose())
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Sqlite(address) = self;
        address.fmt(f)
    }
}

/// `` table `events` ``, `` query `top` of report `monthly` ``.
impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Published::Table { table, rows: PublishedRows::All, .. } => write!(f, "table `{table}`"),
            Published::Table { table, rows: PublishedRows::Current, .. } => {
                write!(f, "current rows of table `{table}`")
            }
            Published::Results { report, query } => write!(f, "query `{query}` of report `{report}`"),
        }
    }
}
