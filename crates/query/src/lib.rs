//! DataFusion over exactly the files that a lake snapshot names: read-only, bound, within limits.
//!
//! Start at [`Engine`], which holds the ceilings (memory, spill, time, rows). [`Engine::open`] makes a [`Session`] over
//! a list of [`TableInput`], [`Engine::open_with_foreign`] one that reads tables of others as well; a session plans ([`Session::plan`]), runs ([`Session::query`]) or streams
//! ([`Session::stream`]) one statement with its [`Params`], or several that share what they have in common
//! ([`Session::together`]).
//!
//! **Invariant:** nothing is read but the files that the inputs name; nothing is listed, nothing is written but spill files.
//! **Invariant:** no value becomes SQL text; parameters are bound to the plan.
//! **Invariant:** a result is whole or an error; no limit ever cuts a result short.

mod booking;
mod common;
mod current;
mod engine;
mod error;
mod foreign;
mod functions;
mod guard;
mod mounts;
mod one_store;
mod options;
mod params;
mod profile;
mod row_rules;
mod session;
mod spill;
mod sql_error;
mod table;
mod tally;
mod together;

pub use engine::Engine;
pub use error::{Error, Kind};
pub use foreign::{ForeignFiles, ForeignInput, Unreadable};
pub use mounts::mounted;
pub use options::EngineOptions;
pub use params::{Params, Value};
pub use profile::{ColumnProfile, Count, Frequent, Lengths, ParquetRows, Profile, Profiler, QUANTILES, Quantiles};
pub use row_rules::RowRules;
pub use session::{Planned, QueryResult, RowStream, Session};
pub use sql_error::nearest;
pub use table::{FileInput, TableInput};
pub use together::Together;
