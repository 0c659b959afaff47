//! Tables and results of reports, copied into databases of other people.
//!
//! Start at [`open_sqlite`], which gives a [`Database`]. [`Database::begin`] waits until nobody else writes there and
//! begins a transaction ([`Writing`]); [`replace_table`] and [`write_period`] put rows into it; [`Writing::commit`]
//! shows all of it at once. What was published when is kept beside the tables, in `_stillhouse`, as [`Entry`] rows in
//! the same transaction: a crash leaves the former state, and whoever comes next sees that something is missing.
//!
//! A database is two traits, so that PostgreSQL can be another one: everything that decides what to write is here and
//! knows no SQL.
//!
//! **Invariant:** readers see the state before a transaction or the one after it.
//! **Invariant:** a table that is not in `_stillhouse` is somebody else's, and is not touched.
//! **Invariant:** rows pass in batches; memory does not grow with a table.
//! **Invariant:** no clock and no randomness; times come in with the request.

mod columns;
mod database;
mod error;
mod results;
mod sqlite;
mod table;
mod values;

pub use columns::{Column, ColumnKind, columns};
pub use database::{Database, Entry, Writing};
pub use error::{Error, Kind};
pub use results::{
    ResultRows, ResultsTable, Wanted, prepare_results, remove_others, result_columns, wanted, write_period,
};
pub use sqlite::open_sqlite;
pub use table::{TableCopy, Written, fingerprint, is_published, replace_table};
pub use values::{Oddities, Rows, Values};

/// Rows on their way into a database.
pub type RowBatches<'a> =
    futures::stream::BoxStream<'a, Result<arrow::array::RecordBatch, Box<dyn std::error::Error + Send + Sync>>>;
