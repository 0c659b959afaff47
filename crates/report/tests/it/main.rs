//! Tests of the report crate: real project files, real Parquet files, a real folder.
#![allow(clippy::unwrap_used)]

mod charts;
mod completeness;
mod fixture;
mod page;
mod plan;
mod render;
mod rows;
mod run;
