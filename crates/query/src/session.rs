//! A session: queries over one set of tables.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::Stream;

use crate::error::{Error, Kind};
use crate::params::Params;
use crate::table::TableInput;

/// Queries over one set of tables.
#[derive(Debug)]
pub struct Session {
    pub(crate) tables: Vec<TableInput>,
}

/// What planning a statement told.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The columns of the result.
    pub schema: SchemaRef,
    /// The tables that it reads.
    pub tables: BTreeSet<String>,
    /// The parameters that it names, without `$`.
    pub parameters: BTreeSet<String>,
    /// Functions whose result is not decided by their arguments: `now`, `random`, …
    pub unstable: BTreeSet<String>,
}

/// A whole result.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// How many rows there are.
    pub rows: u64,
}

/// A result as it is made. Dropping it stops the query.
pub struct RowStream {
    schema: SchemaRef,
}

impl Session {
    /// Plans a statement without running it.
    ///
    /// # Errors
    /// When it is no query, names what is not there, or a parameter is missing.
    pub async fn plan(&self, _sql: &str, _params: &Params) -> Result<Planned, Error> {
        let _ = &self.tables;
        Err(Error::new(Kind::Bug, "planning is not written yet"))
    }

    /// Runs a statement and collects its result.
    ///
    /// # Errors
    /// As [`Session::plan`], and when a limit is reached or a file cannot be read.
    pub async fn query(&self, _sql: &str, _params: &Params) -> Result<QueryResult, Error> {
        Err(Error::new(Kind::Bug, "queries are not written yet"))
    }

    /// Runs a statement and hands out its result as it is made.
    ///
    /// # Errors
    /// As [`Session::query`]; what goes wrong later comes out of the stream.
    pub async fn stream(&self, _sql: &str, _params: &Params) -> Result<RowStream, Error> {
        Err(Error::new(Kind::Bug, "queries are not written yet"))
    }
}

impl RowStream {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

impl Stream for RowStream {
    type Item = Result<RecordBatch, Error>;
    fn poll_next(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}
