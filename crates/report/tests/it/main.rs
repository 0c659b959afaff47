//! Tests of the report crate: real project files, real Parquet files, a real folder.
#![allow(clippy::unwrap_used)]

mod completeness;
mod fixture;
mod plan;
mod render;
mod rows;
mod run;
