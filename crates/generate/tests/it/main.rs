//! Tests of generated data: the same plan gives the same bytes, and its answers are what an independent reader counts.
#![allow(clippy::unwrap_used)]

mod answers;
mod bytes;
mod days;
mod kit;
mod plans;
mod recount;
mod shares;
