//! Tests of what takes packings off; each reads the smallest input that shows the point.
#![allow(clippy::unwrap_used)]

mod archives;
mod bombs;
mod common;
mod detect;
mod foreign;
mod fuzz;
mod memory;
mod names;
mod recognise;
mod streams;
mod transcode;
