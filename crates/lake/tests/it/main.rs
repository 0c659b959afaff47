#![allow(clippy::unwrap_used)]
//! Tests of the lake against real folders, with delta-rs as the second reader.

mod checkpoint;
mod clean;
mod copy;
mod crashes;
mod encode;
mod epochs;
mod faults;
mod foreign;
mod history;
mod kinds;
mod kit;
mod log;
mod merge;
mod new_tables;
mod own;
mod publish;
mod runs;
mod schema;
mod snapshot;
mod stats;
mod store;
mod vacuum;
mod writer;
