//! The engine: ceilings that every query shares.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;

use crate::error::{Error, Kind};
use crate::foreign::ForeignInput;
use crate::one_store::OneStore;
use crate::options::{EngineOptions, Shared};
use crate::session::Session;
use crate::spill::SpillFolder;
use crate::table::TableInput;

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
        self.open_with_foreign(tables, Vec::new())
    }

    /// The same with foreign tables, whose files the engine's store has to know: see [`crate::mounted`].
    ///
    /// # Errors
    /// When two tables have one name.
    pub fn open_with_foreign(&self, tables: Vec<TableInput>, foreign: Vec<ForeignInput>) -> Result<Session, Error> {
        let shared = Shared { options: self.options.clone(), _spill: self.spill.clone() };
        Session::new(shared, self.runtime.clone(), config(&self.options), tables, foreign)
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
