//! Real SQLite files, read back through a connection of the test's own.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod kit;
mod results;
mod tables;
mod values;
