#![allow(clippy::unwrap_used)]
//! Tests of the lake against real folders.
