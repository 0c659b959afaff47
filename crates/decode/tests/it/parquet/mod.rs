//! Parquet.

mod broken;
mod look;
mod nested;
mod types;

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use crate::common::Case;

/// A case with these settings behind `[source]`.
pub fn parquet(settings: &str) -> Case {
    Case::of_source("parquet", settings)
}

/// A table `t` with these columns, as `id = "int64"`.
pub fn table(columns: &str) -> Case {
    parquet(&format!("[table]\nname = 't'\nmax_rejected = '100%'\n[table.columns]\n{columns}"))
}

/// A file with these columns, in row groups of so many rows.
pub fn file(columns: Vec<(&str, ArrayRef)>, group_rows: usize) -> Vec<u8> {
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    of_batch(&batch, WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build())
}

pub fn of_batch(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

pub fn array(values: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(values)
}
