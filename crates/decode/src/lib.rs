//! Bytes to records to typed columns and rejects.
//!
//! Start at [`decode`]: it pulls bytes from a [`ByteSource`], and hands Arrow batches and [`Reject`]s to a [`Sink`].
//! What it decided on the way and how the records were counted is in the [`Outcome`]. [`schemas`] tells beforehand
//! which tables the batches belong to, and [`reason`] lists why a record can be refused.
//!
//! How texts become values:
//! - A record is what stands between two line ends (LF, CRLF or CR) that are not inside quotes; a quote has a meaning
//!   only as the first byte of a field. Wrong quotes cost the physical line on which the record began, and no other.
//! - Lines of nothing but blanks and tabs are counted as blank. Skipped lines, comments and the header are not counted.
//! - Blanks around a value belong to it in `string` columns only. The empty text is a `string`; an empty list where items
//!   stand between delimiters (or in either way); for all other types it is no value. Quoted or not makes no difference.
//! - The date of a text with a time is its date as written. Fractions of a second beyond microseconds are cut off. A local
//!   time that a clock change repeats is the earlier instant. Dates inside lists are read in the first format only.
//! - Decimals are exact: a value that would lose digits is refused. Exponents are for `float64`, which is finite.
//! - [`Reject::raw`] is the record without the line end behind it.
//! - An object may be made of several files, its [`PartFiles`]: a record never goes on in the next one, a header of CSV has to
//!   be the same in all of them, and its place names the part.
//!
//! **Invariant:** nothing here opens a file, reads a clock or draws a random number; bytes come in, batches go out.
//! **Invariant:** a bad record never ends the object; it becomes one [`Reject`] with its exact place.
//! **Invariant:** read = loaded + quarantined + filtered + blank, whenever [`decode`] returns `Ok`.
//! **Invariant:** memory does not grow with the object, only with `max_record_bytes` and the size of a batch.

mod api;
mod byte_mark;
mod children;
mod columns;
mod csv;
mod days;
mod decode;
mod error;
mod format;
mod json;
mod lines;
#[doc(hidden)]
pub mod measure;
mod parquet;
mod part_files;
mod parts;
mod place;
mod plan;
mod reading;
pub mod reason;
mod refusal;
mod rules;
mod runs;
mod schema;
mod shared;
mod shown;
mod source;
mod survey;
mod tally;
mod together;
mod values;
mod whole;
mod window;

pub use api::{Outcome, Reject, Request, RowRules, RowSink, Sink, SinkError, YearHint};
pub use csv::index::instructions;
pub use csv::look;
pub use decode::{decode, decode_parts, decode_parts_shared, decode_shared};
pub use error::{Error, Kind};
pub use json::JSON_DEPTH_MAX;
pub use parquet::{ROW_GROUP_BYTES_MAX, is_guarded};
pub use part_files::PartFiles;
pub use reading::Again;
pub use runs::written_out;
pub use schema::{ITEM_COLUMN, RECORD_COLUMN, schemas};
pub use shared::{SharedSink, SharedSource, SinkPart, Threads};
pub use source::{ByteSource, SourceError};
