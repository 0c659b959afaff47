//! The engine: ceilings that every query shares.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use url::Url;

use crate::error::{Error, Kind};
use crate::session::Session;
use crate::spill::SpillFolder;
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
    options: Arc<EngineOptions>,
    spill: Arc<SpillFolder>,
    runtime: Arc<RuntimeEnv>,
}

impl Engine {
    /// An engine with these ceilings.
    ///
    /// # Errors
    /// When the spill folder cannot be made.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        let place = options.spill_dir.display();
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(Kind::FixSettings, format!("the folder `{place}` for queries that spill cannot be used"))
                .with_hint("make the folder writable")
                .with_source(error)
        };
        let spill = SpillFolder::new(&options.spill_dir).map_err(|error| unusable(error.into()))?;
        let runtime = runtime(&options, &spill).map_err(|error| unusable(error.into()))?;
        Ok(Self { options: Arc::new(options), spill: Arc::new(spill), runtime })
    }

    /// A session over these tables, and nothing else.
    ///
    /// # Errors
    /// When two tables have one name.
    pub fn open(&self, tables: Vec<TableInput>) -> Result<Session, Error> {
        let shared = Shared { options: self.options.clone(), _spill: self.spill.clone() };
        Session::new(shared, self.runtime.clone(), config(&self.options), tables)
    }
}

/// What sessions and their streams keep of the engine, so that it need not outlive them.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) options: Arc<EngineOptions>,
    _spill: Arc<SpillFolder>,
}

/// The only place of files that a plan can name.
pub(crate) fn store_url() -> ObjectStoreUrl {
    ObjectStoreUrl::parse("stillhouse://lake").expect("a constant address")
}

/// A registry with one store: a plan that asks for another place (a local path, an address) does not find it.
#[derive(Debug)]
struct OneStore(Arc<dyn ObjectStore>);

impl ObjectStoreRegistry for OneStore {
    fn register_store(&self, _url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        let ours = store_url();
        let ours: &Url = ours.as_ref();
        if url.scheme() == ours.scheme() && url.host_str() == ours.host_str() {
            return Ok(self.0.clone());
        }
        Err(exec_datafusion_err!("queries read tables of the lake only, not `{url}`"))
    }
}

fn runtime(options: &EngineOptions, spill: &SpillFolder) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let memory = usize::try_from(options.memory_bytes).unwrap_or(usize::MAX);
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![spill.path().to_owned()]))
        .with_max_temp_directory_size(options.spill_bytes)
        .with_max_spill_merge_fan_in(MERGE_FAN_IN);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(memory), CONSUMERS_NAMED)))
        .with_disk_manager_builder(disk)
        .with_object_store_registry(Arc::new(OneStore(options.store.clone())))
        .with_metadata_cache_limit(METADATA_CACHE_BYTES)
        .build_arc()
}

/// How many of the greatest consumers an out-of-memory error of DataFusion names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(3).expect("3 is not 0");

/// Spill files that are merged at a time. Each costs buffers outside the pool; more of them are merged in several passes.
const MERGE_FAN_IN: usize = 16;

/// Footers of Parquet files that are kept; they are outside the memory pool.
const METADATA_CACHE_BYTES: usize = 8 << 20;

/// Settings that keep the memory outside the pool small: few rows at a time, and reservations that fit a small pool.
fn config(options: &EngineOptions) -> SessionConfig {
    let memory = usize::try_from(options.memory_bytes).unwrap_or(usize::MAX);
    let partitions = options.partitions.max(1);
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false)
        .with_sort_spill_reservation_bytes((memory / (8 * partitions)).min(10 << 20));
    let settings = config.options_mut();
    settings.sql_parser.collect_spans = true;
    // Money is decimal, never float: `amount * 1.1` stays exact.
    settings.sql_parser.parse_float_as_decimal = true;
    settings.sql_parser.map_string_types_to_utf8view = false;
    settings.execution.parquet.schema_force_view_types = false;
    settings.execution.parquet.metadata_size_hint = Some(64 << 10);
    settings.execution.planning_concurrency = partitions;
    config
}

/// Rows of a batch. Half of DataFusion's default: wide text columns then stay in the processor's cache and in bounds.
const BATCH_ROWS: usize = 4096;
