//! The `[json]` section of a source.

use super::Read;
use super::reader::Reader;
use crate::source::{JsonLayout, JsonOptions};

pub(super) const KEYS: &[&str] = &["layout", "year"];

pub(super) fn load(reader: Option<&Reader<'_, '_>>) -> Read<JsonOptions> {
    let Some(reader) = reader else { return Ok(JsonOptions::default()) };
    let layouts = [("lines", JsonLayout::Lines), ("array", JsonLayout::Array), ("values", JsonLayout::Values)];
    let layout = reader.optional("layout", |node| node.word(&layouts));
    let year = reader.optional("year", |node| node.whole(1..=9999));
    Ok(JsonOptions { layout: layout?, year: year?.and_then(|year| i16::try_from(year).ok()) })
}
