//! Delta logs and Parquet files: how batches get into the lake exactly once, and how whole batches are read back.
//!
//! Start at [`Lake`]. [`Lake::writer`] makes data files, a [`Manifest`] lists them, [`Lake::publish`] commits a
//! [`Staged`] manifest table by table and `_receipts` last, [`Lake::snapshot`] reads what is complete.
//! [`Lake::plan_compaction`] and [`Lake::merge`] prepare compactions, [`Lake::vacuum`] and [`Lake::clean_log`] delete what
//! nobody needs, [`Lake::copy_to`] copies it all. [`ForeignTable`] reads tables of others. [`durable_local`] is the store on a local disk.
//!
//! **Invariant:** nothing is decided from the outcome of a put. After every put, whatever it answered, the log is read
//! again (a conflict may be one's own success).
//! **Invariant:** a commit is built from the version that was looked at and goes into the next slot, by put-if-absent.
//! **Invariant:** a table is made by a commit without rows; they go in after one more look at the epoch in `_receipts`.
//! **Invariant:** the newest row of `_receipts` names the versions of all data tables that belong together; readers
//! use these and never the newest versions.
//! **Invariant:** an entry of a log goes only once a checkpoint that was read back holds it, the oldest first; whoever
//! finds no next entry makes sure that it did not go.
//! **Invariant:** this crate knows no clock and no random source; times and ids are parameters.

mod audit;
mod change;
mod checkpoint;
mod checkpoint_write;
mod clean;
mod columns;
mod commit;
mod compact;
mod copy;
mod copy_target;
mod encode;
mod error;
mod fence;
mod foreign;
mod heads;
mod lake;
mod leftovers;
mod log;
mod manifest;
mod merge;
mod object;
mod observe;
mod own;
mod publish;
mod quarantine;
mod read;
mod receipts;
mod replace;
mod rows;
mod runs;
mod schema;
mod schema_history;
mod snapshot;
mod state;
mod stats;
mod store;
mod tail;
mod text_at;
mod text_bounds;
mod vacuum;
mod writer;

pub use audit::FileProblem;
pub use clean::CleanedLog;
pub use columns::TypeChange;
pub use compact::{CompactionPlan, CompactionSettings};
pub use copy::Copied;
pub use encode::{RowGroups, Workshop};
pub use error::{Error, Kind};
pub use foreign::{ForeignFile, ForeignTable};
pub use lake::Lake;
pub use manifest::{
    DataFile, MANIFEST_FORMAT, Manifest, ManifestKind, Member, Published, RecordsOut, Staged, TableChange,
};
pub use observe::{NoObserver, Observer};
pub use quarantine::{QuarantineQuery, QuarantineStream, Quarantined};
pub use receipts::{ReceiptQuery, ReceiptRow, ReceiptStream};
pub use rows::RowStream;
pub use runs::{RunQuery, RunRow};
pub use schema::{
    QuarantineRow, arrow_schema, delta_schema, quarantine_batch, quarantine_schema, receipts_schema, runs_schema,
    with_lineage, with_lineage_schema,
};
pub use schema_history::SchemaChange;
pub use snapshot::{Snapshot, TableSnapshot};
pub use store::durable_local;
pub use vacuum::{FileListing, Vacuum, Vacuumed, VacuumedFile, Why};
pub use writer::TableWriter;

/// The table whose rows make batches complete.
pub const RECEIPTS: &str = "_receipts";
/// The table of refused records.
pub const QUARANTINE: &str = "_quarantine";
/// The table of report runs.
pub const RUNS: &str = "_runs";

pub(crate) fn is_data_table(name: &str) -> bool {
    name == QUARANTINE || (!name.starts_with('_') && name.parse::<stillhouse_spec::TableName>().is_ok())
}
