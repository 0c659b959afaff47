//! The schema and the first rows of a Parquet object, without a contract.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;

use super::ROW_GROUP_BYTES_MAX;
use super::file::{File, damaged, guarded};
use crate::error::Error;
use crate::source::ByteSource;
use crate::window::Window;

/// What the footer of the object told.
#[derive(Debug, Clone)]
pub struct ParquetHead {
    /// Its columns, with the types in which [`decode`](crate::decode()) sees them.
    pub schema: SchemaRef,
    /// How many rows there are.
    pub rows: u64,
    /// Who wrote it, if it says so.
    pub writer: Option<String>,
}

/// Rows of a batch.
const BATCH_ROWS: usize = 1024;

/// Reads the footer, and shows the first rows, batch by batch, up to `rows_max` of them. Row groups that are too large to be
/// held are left out.
///
/// # Errors
/// The source failed, or the object is no Parquet file, or a damaged one.
pub fn walk_parquet(
    source: &mut dyn ByteSource,
    rows_max: u64,
    visit: &mut dyn FnMut(&ParquetHead, &RecordBatch),
) -> Result<ParquetHead, Error> {
    let mut window = Window::new(source, 0);
    let file = File::open(&mut window)?;
    let rows = (0..file.groups()).map(|group| file.rows(group)).sum();
    let head = ParquetHead { schema: file.schema().clone(), rows, writer: file.writer() };
    let mask = ProjectionMask::all();
    let mut seen = 0;
    for group in 0..file.groups() {
        if file.bytes(group, &mask) > ROW_GROUP_BYTES_MAX {
            continue;
        }
        let name = format!("row group {group}");
        let mut reader = file.read(&mut window, group, &mask, BATCH_ROWS, None)?;
        while seen < rows_max {
            let Some(batch) = guarded(&name, || Ok(reader.next()))? else { break };
            let batch = batch.map_err(|error| damaged(&name, &error.to_string()))?;
            seen += batch.num_rows() as u64;
            visit(&head, &batch);
        }
        if seen >= rows_max {
            break;
        }
    }
    if rows > 0 && seen == 0 && file.groups() > 0 && rows_max > 0 {
        return Err(damaged("every row group", "none of them can be held in memory"));
    }
    Ok(head)
}
