//! Tests of the query crate: real Parquet files in a real folder.
#![allow(clippy::unwrap_used)]

mod current;
mod decimals;
mod foreign;
mod functions;
mod guard;
mod heavy;
mod lake;
mod limits;
mod params;
mod profile;
mod tables;
mod tally;
mod together;
