//! Proposals for files that others wrote, for files made up here, and for random ones.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;
mod corpora;
mod dialects;
mod encodings;
mod json;
mod members;
mod nested_corpora;
mod nested_properties;
mod parquet;
mod properties;
mod refusals;
mod screens;
mod types;
