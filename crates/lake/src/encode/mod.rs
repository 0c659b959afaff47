//! Rows to encoded row groups. The types that nearly all values have are encoded here, the others by the `parquet` crate.
//!
//! Of what a load costs, encoding is the largest part, and the library's encoders are made for every use: they compare each
//! value for statistics, look each up in a dictionary of its own, and keep a compressor for each column. Ours take what a
//! decoder hands over (texts that lie behind each other, numbers in a row), and know when a column is constant, sorted
//! or made of runs.
//!
//! Format: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>; pages are of version 1, which every
//! reader knows. Page headers, footers and everything else of a file come from the library.

mod bits;
mod choice;
mod chunk;
mod column;
mod delta;
mod dictionary;
mod levels;
mod numbers;
mod offsets;
mod plain;
mod recent;
mod row_group;
mod runs;
mod texts;
mod words;

pub(crate) use row_group::{RowGroup, file_properties, parquet_schema};
pub use row_group::{RowGroups, Workshop};
