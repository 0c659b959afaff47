//! Tests of the ledger. [`conformance`], [`corrections`] and [`copies`] are written once and run on both databases
//! ([`sqlite`], [`postgres`]); [`steps`] compares random operations with a simple model; [`processes`] lets several processes work and kills one; [`opening`]
//! is about files, versions and places.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod conformance;
mod copies;
mod corrections;
mod model;
mod opening;
mod place;
mod postgres;
mod processes;
mod sqlite;
mod steps;
