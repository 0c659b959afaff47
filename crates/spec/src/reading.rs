//! How an object was read: what a refused record of it needs in order to be read again without it.

use serde::{Deserialize, Serialize};

use crate::source::CsvOptions;

/// The dialect of an object as it was decided, and what its fields were taken for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Delimiter, quote, escape and header, all of them stated.
    pub csv: CsvOptions,
    /// The fields of a record, in their order; none for formats whose records name them.
    pub fields: Vec<ReadField>,
    /// What refused records are.
    #[serde(default, skip_serializing_if = "ReadFormat::is_csv")]
    pub format: ReadFormat,
}

/// What the refused records of an object are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadFormat {
    /// Records of CSV, in the dialect that is stated.
    #[default]
    Csv,
    /// JSON objects. Those of a Parquet file were made from its rows.
    Json,
}

impl ReadFormat {
    fn is_csv(&self) -> bool {
        *self == ReadFormat::Csv
    }
}

/// One field of every record of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadField {
    /// What the header calls it; empty without a header.
    pub name: String,
    /// The column of the contract that it was taken for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}
