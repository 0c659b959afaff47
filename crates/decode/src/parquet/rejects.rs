//! Rows as JSON: what is kept of a row that is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use super::ROW_GROUP_BYTES_MAX;
use super::file::{File, damaged};
use super::mapping::Mapping;
use crate::error::Error;
use crate::window::Window;

/// The only column of a batch that is made for it.
const VALUE: &str = "v";

/// Each row as one line of JSON.
fn lines(batch: &RecordBatch) -> Result<Vec<String>, ArrowError> {
    let mut bytes = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut bytes);
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    let text = String::from_utf8(bytes).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The values as JSON; null where there is none.
pub(super) fn as_json(values: &ArrayRef) -> Result<StringArray, ArrowError> {
    let field = Field::new(VALUE, values.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(values)])?;
    let begin = format!("{{\"{VALUE}\":");
    let lines = lines(&batch)?;
    let inner = |line: &String| line.strip_prefix(&begin).and_then(|rest| rest.strip_suffix('}')).map(str::to_owned);
    Ok(lines.iter().enumerate().map(|(row, line)| inner(line).filter(|_| values.is_valid(row))).collect())
}

/// The rows of these columns as JSON objects; null where all values are.
pub(super) fn objects(columns: &[(String, ArrayRef)], rows: usize) -> Result<StringArray, ArrowError> {
    if columns.is_empty() {
        return Ok(StringArray::new_null(rows));
    }
    let fields: Vec<Field> =
        columns.iter().map(|(name, values)| Field::new(name, values.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, values)| Arc::clone(values)).collect();
    let lines = lines(&RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)?;
    let has_value = |row: usize| columns.iter().any(|(_, values)| values.is_valid(row));
    Ok(lines.into_iter().enumerate().map(|(row, line)| has_value(row).then_some(line)).collect())
}

/// The refused rows of a row group, by their places in it (ascending), as JSON with all of their columns; with those that are
/// read anyway, where all of them would be too much for the memory.
pub(super) fn whole(
    file: &File,
    mapping: &Mapping,
    window: &mut Window<'_>,
    group: usize,
    rows: &[usize],
) -> Result<BTreeMap<usize, String>, Error> {
    const BATCH_ROWS: usize = 1024;
    let all = ProjectionMask::all();
    let mask = if file.bytes(group, &all) <= ROW_GROUP_BYTES_MAX { all } else { mapping.mask.clone() };
    let mut selectors = Vec::new();
    let mut next = 0;
    for row in rows {
        if *row > next {
            selectors.push(RowSelector::skip(row - next));
        }
        selectors.push(RowSelector::select(1));
        next = row + 1;
    }
    let reader = file.read(window, group, &mask, BATCH_ROWS, Some(RowSelection::from(selectors)))?;
    let mut texts = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| damaged(&format!("row group {group}"), &error.to_string()))?;
        texts.extend(lines(&batch).map_err(|error| damaged(&format!("row group {group}"), &error.to_string()))?);
    }
    Ok(rows.iter().copied().zip(texts).collect())
}
