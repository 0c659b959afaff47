//! What queries may use, as every session of an engine shares it.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;

use crate::spill::SpillFolder;

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

/// What sessions and their streams keep of the engine, so that it need not outlive them.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) options: Arc<EngineOptions>,
    pub(crate) _spill: Arc<SpillFolder>,
}
