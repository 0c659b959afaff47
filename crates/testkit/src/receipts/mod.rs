//! What a commit costs after a long past: a lake with a thousand receipts beside one with a million.
//!
//! Start at [`command()`]. [`make`] fills a [`Site`] through `ingest()` alone, so that every commit, merge and checkpoint is
//! the product's own; [`measure`] goes on with it and takes the time of each commit. The command does the latter in processes
//! of their own, a new one for each round, the two lakes in turn: neither profits from what the other has warmed up.
//!
//! **Invariant:** receipts and commits are counted in the lake itself, never taken from what was asked for.

mod command;
mod copy;
mod figures;
mod make;
mod measure;
mod options;
mod site;
mod table;
mod watch;

pub use command::{MEASURE, command, measure_command};
pub use figures::{Files, Sizes, TableSizes};
pub use make::make;
pub use measure::{Measured, measure};
pub use options::USAGE;
pub use site::{Counted, Plan, Site};
