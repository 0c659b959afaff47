//! Tests of the decoder; each reads the smallest input that shows the point.
#![allow(clippy::unwrap_used)]

mod again;
mod batches;
mod columns;
mod common;
mod corpus;
mod dialect;
mod formats;
mod fuzz;
mod json;
mod lists;
mod nested_fuzz;
mod parquet;
mod part_files;
mod properties;
mod quotes;
mod records;
mod reference;
mod round_trip;
mod shared;
mod values;
