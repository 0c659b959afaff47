//! Looking at an object without a contract: for whoever is about to write one.
//!
//! [`Glimpse`] reads the head in every way that makes sense, [`walk`] shows every record of the object, and [`Moments`],
//! [`number`], [`boolean`], [`list`] and [`is_json`] say what [`decode`](crate::decode()) would make of a text. They are
//! the same readers, so that what is proposed here is what will be loaded. [`walk_json`] and [`walk_parquet`] show the
//! records of objects in other formats.

mod glimpse;
mod values;
mod walk;

pub use self::glimpse::{Glimpse, HeadRow, Way};
pub use self::values::{Listed, Moments, Numeral, boolean, comparable, is_int64, is_json, list, number};
pub use self::walk::{Record, Seen, Walked, walk};
pub use crate::json::look::{JsonHead, JsonSeen, walk_json};
pub use crate::parquet::look::{ParquetHead, walk_parquet};
