//! Digests of rows that do not depend on their order, to compare what a file says with what a table holds.

use std::collections::BTreeMap;

use arrow::array::{Array as _, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

/// Columns that say when and under which number a row was loaded, not what it says.
const LINEAGE: [&str; 2] = ["_object", "_ingested_at"];

/// A number of rows and the sum of their digests: equal for equal rows in any order, and different, but for a chance of
/// 2^-128, where any value of any row is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) rows: u64,
    sum: u128,
}

impl Digest {
    pub(crate) fn add(&mut self, row: &blake3::Hasher) {
        let mut half = [0; 16];
        row.finalize_xof().fill(&mut half);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(half));
    }

    /// Adds the rows of another one.
    pub(crate) fn merge(&mut self, other: Digest) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// Adds the rows of a batch. `types` are those of the table: values count as what they are there. A column without a
    /// value counts as no column, so that older rows are the same after a table got new columns.
    pub(crate) fn add_batch(
        &mut self,
        batch: &RecordBatch,
        types: &BTreeMap<String, DataType>,
    ) -> Result<(), ArrowError> {
        let mut hashers = vec![blake3::Hasher::new(); batch.num_rows()];
        let mut columns: Vec<(&str, &ArrayRef)> =
            batch.schema_ref().fields().iter().map(|field| field.name().as_str()).zip(batch.columns()).collect();
        columns.retain(|(name, _)| !LINEAGE.contains(name));
        columns.sort_by_key(|(name, _)| *name);
        for (name, column) in columns {
            let kind = types.get(name).unwrap_or(column.data_type());
            let column = if column.data_type() == kind { column.clone() } else { cast(column, kind)? };
            let converter = RowConverter::new(vec![SortField::new(column.data_type().clone())])?;
            let values = converter.convert_columns(std::slice::from_ref(&column))?;
            for (row, hasher) in hashers.iter_mut().enumerate().filter(|(row, _)| column.is_valid(*row)) {
                let value = values.row(row);
                let bytes: &[u8] = value.as_ref();
                hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
                hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
            }
        }
        hashers.iter().for_each(|row| self.add(row));
        Ok(())
    }

    /// Adds a refused record: its number and its bytes (its length, where it was too long to be kept).
    pub(crate) fn add_refused(&mut self, record: u64, bytes: u64, raw: Option<&[u8]>) {
        let mut row = blake3::Hasher::new();
        row.update(&record.to_le_bytes()).update(&bytes.to_le_bytes()).update(raw.unwrap_or_default());
        self.add(&row);
    }
}

/// The types of a table's columns, by name.
pub(crate) fn types(schema: &SchemaRef) -> BTreeMap<String, DataType> {
    schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}
