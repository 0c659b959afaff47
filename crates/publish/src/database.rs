//! What a database has to be able to do. [`crate::open_sqlite`] is one; others come beside it.

use async_trait::async_trait;

use crate::columns::Column;
use crate::error::Error;
use crate::values::{Oddities, Rows};

/// A database that publications go to.
#[async_trait]
pub trait Database: Send {
    /// What is published there, without entries of tables that somebody has dropped. Writes nothing; a database that is
    /// not there has no entries.
    async fn entries(&mut self) -> Result<Vec<Entry>, Error>;
    /// Waits until nobody else publishes there, and begins a transaction. What it writes is seen at its end, at once;
    /// dropped without [`Writing::commit`], it leaves nothing.
    async fn begin(&mut self) -> Result<Box<dyn Writing + '_>, Error>;
    /// Ends the connection.
    async fn close(self: Box<Self>) -> Result<(), Error>;
}

/// A transaction of the only writer.
#[async_trait]
pub trait Writing: Send {
    /// As [`Database::entries`].
    async fn entries(&mut self) -> Result<Vec<Entry>, Error>;
    /// Whether there is a table or view of that name, whatever its case.
    async fn has_table(&mut self, table: &str) -> Result<bool, Error>;
    /// Makes a table without rows, in the place of one that is there.
    async fn make_table(&mut self, table: &str, columns: &[Column]) -> Result<(), Error>;
    /// Removes all rows of a table, and leaves what people have added to it (indexes).
    async fn empty_table(&mut self, table: &str) -> Result<(), Error>;
    /// Removes the rows whose column `column` is `value`.
    async fn remove_rows(&mut self, table: &str, column: &str, value: &str) -> Result<(), Error>;
    /// Adds rows with all columns of the table.
    async fn insert(&mut self, table: &str, columns: &[Column], rows: &Rows) -> Result<(), Error>;
    /// Keeps an entry in the place of the one for the same table and period.
    async fn keep_entry(&mut self, entry: &Entry) -> Result<(), Error>;
    /// Forgets the entries of a table, those of dropped ones included; or only that of one period.
    async fn forget_entries(&mut self, table: &str, period: Option<&str>) -> Result<(), Error>;
    /// What readers of the database should know about values that it holds in its own way.
    fn remarks(&self, oddities: &Oddities) -> Vec<String>;
    /// Shows everything that was written.
    async fn commit(self: Box<Self>) -> Result<(), Error>;
}

/// The form of `_stillhouse` that this version writes. A higher one is refused.
pub(crate) const ENTRY_FORMAT: i64 = 1;

/// A row of `_stillhouse`: what a table of the database shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The table.
    pub table: String,
    /// The period that these rows are about; empty for a table of the lake.
    pub period: String,
    /// The project that publishes it.
    pub project: String,
    /// What it shows, in words.
    pub shows: String,
    /// Its columns, as JSON.
    pub columns: String,
    /// For a table of the lake: what its rows were made from.
    pub fingerprint: String,
    /// For a table of the lake: its Delta version.
    pub version: Option<i64>,
    /// For results: the run that they are of.
    pub run_id: Option<String>,
    /// For results: the newest recorded run of the period at that time; mostly the same.
    pub newest_run: Option<String>,
    /// How many rows were written.
    pub rows: i64,
    /// When; microseconds since 1970.
    pub published_at: i64,
}

impl Entry {
    /// Whether the entry is of that table; case does not count.
    pub(crate) fn is_of(&self, table: &str) -> bool {
        self.table.eq_ignore_ascii_case(table)
    }
}
