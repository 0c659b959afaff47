//! The diary: jobs, leases, attempts and the publish queue, in SQLite or PostgreSQL.
//!
//! Start at [`Ledger`]; its methods are the named transactions of the commit protocol, in this order: `offer`, `claim`,
//! `stage`, `take_publish_lease`, `queue_head`, `finish`. What they speak of: [`VersionId`], [`State`], [`Job`],
//! [`StageRequest`], [`QueueEntry`].
//!
//! What a version does to older ones of its key is decided when it is offered ([`Change`]); whether its content is in the
//! tables already, when it is staged ([`StageMember::twin`]). Replay, drop and compaction go through the same queue
//! (`stage_amend`, `stage_compact`).
//!
//! **Invariant:** the lake is the truth. A ledger that is lost is rebuilt from it; nothing here is needed to read tables.
//! **Invariant:** every write names the ledger id with which the ledger was opened, and every write about a claim or about
//! publishing names its token; a stale one changes nothing.
//! **Invariant:** a twin names a version that has rows of its own. Whatever takes these away makes the twin an orphan, which
//! `reoffer_orphans` finds from the rows alone: nothing has to be remembered in between.
//! **Invariant:** one writer at a time, on either database (SQLite: `BEGIN IMMEDIATE`; PostgreSQL: the row of
//! `ledger_meta` is locked first). So transactions are serial, and what the conformance suite shows for one holds for both.
//! **Invariant:** no transaction waits for anything but the database, and none reads a clock or makes a random number.

mod again;
mod amend;
mod announce;
mod backup;
mod batch;
mod claim;
mod copy;
mod database;
mod error;
mod filesystem;
mod history;
mod hook;
mod inspect;
mod ledger;
mod logs;
mod look;
mod migrate;
mod moving;
mod offer;
mod publish;
mod queue;
mod rebuild;
mod same;
mod sql;
mod stage;
mod together;
mod types;

pub use batch::*;
pub use error::{Error, Kind};
pub use filesystem::network_file_system;
pub use hook::{Hook, HookFuture};
pub use inspect::{Inspection, inspect};
pub use ledger::Ledger;
pub use logs::{LINE_BYTES_MAX, LINES_PER_ATTEMPT_MAX, Level, LogLine, Trimmed};
pub use types::*;
