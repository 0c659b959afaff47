//! Reading data files: only the columns and files that are asked for.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use serde_json::Value;

use crate::error::Error;
use crate::manifest::DataFile;
use crate::object::ObjectReader;

/// Decoded bytes of a batch, about.
const BATCH_BYTES: i64 = 8 << 20;
const BATCH_ROWS_MAX: usize = 8192;

/// Rows of one file in batches, with the file's own columns (those that are wanted and there).
pub(crate) struct Rows {
    pub schema: SchemaRef,
    pub batches: BoxStream<'static, Result<RecordBatch, Error>>,
}

/// Opens a file of a table; all columns without `columns`.
pub(crate) async fn open(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    columns: Option<&[&str]>,
) -> Result<Rows, Error> {
    let path = Path::from(format!("{table}/{}", file.path));
    let reader = ObjectReader { store: Arc::clone(store), path: path.clone(), size: file.size };
    let mut builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(|e| Error::parquet(&path, e))?;
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    let rows = batch_rows(builder.metadata());
    let stream = builder.with_batch_size(rows).build().map_err(|e| Error::parquet(&path, e))?;
    let schema = Arc::clone(stream.schema());
    let batches = stream.map(move |batch| batch.map_err(|e| Error::parquet(&path, e))).boxed();
    Ok(Rows { schema, batches })
}

/// Fewer rows at a time where they are large: memory is bounded by bytes.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let row_bytes = |group: &RowGroupMetaData| group.total_byte_size() / group.num_rows().max(1) + 1;
    let row_bytes = metadata.row_groups().iter().map(row_bytes).max().unwrap_or(1);
    usize::try_from(BATCH_BYTES / row_bytes).unwrap_or(1).clamp(1, BATCH_ROWS_MAX)
}

/// `_object` ranges of rows to remove.
pub(crate) type Ranges = Vec<RangeInclusive<i64>>;

/// What removing ranges would do to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// None of its rows goes.
    None,
    /// All of its rows go.
    All,
    /// Some go: it has to be rewritten.
    Some,
}

/// By statistics where they decide, else by reading `_object`.
pub(crate) async fn touch(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    ranges: &Ranges,
) -> Result<Touch, Error> {
    let (min, max) = (file.object_min, file.object_max);
    if !ranges.iter().any(|range| *range.start() <= max && min <= *range.end()) {
        return Ok(Touch::None);
    }
    if ranges.iter().any(|range| range.contains(&min) && range.contains(&max)) {
        return Ok(Touch::All);
    }
    let mut rows = open(store, table, file, Some(&["_object"])).await?;
    let (mut kept, mut gone) = (false, false);
    while let Some(batch) = rows.batches.next().await {
        let keep = keep_mask(table, file, &batch?, ranges)?;
        kept |= keep.true_count() > 0;
        gone |= keep.false_count() > 0;
        if kept && gone {
            return Ok(Touch::Some);
        }
    }
    Ok(if gone { Touch::All } else { Touch::None })
}

/// The rows that stay.
pub(crate) fn without(
    table: &str,
    file: &DataFile,
    batch: &RecordBatch,
    ranges: &Ranges,
) -> Result<RecordBatch, Error> {
    let keep = keep_mask(table, file, batch, ranges)?;
    filter_record_batch(batch, &keep).map_err(|e| Error::bug("filtering rows by `_object`").caused_by(e))
}

fn keep_mask(table: &str, file: &DataFile, batch: &RecordBatch, ranges: &Ranges) -> Result<BooleanArray, Error> {
    let objects = batch.column_by_name("_object").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let objects = objects.ok_or_else(|| {
        Error::fix_data(format!(
            "table `{table}`, file `{}`: expected a column `_object` of int64, found none",
            file.path
        ))
    })?;
    let keep = |object: Option<i64>| object.is_none_or(|object| !ranges.iter().any(|range| range.contains(&object)));
    Ok(objects.iter().map(|object| Some(keep(object))).collect())
}

/// Whether the statistics of a file allow `column` to hold a value within the range.
pub(crate) fn may_hold_int(file: &DataFile, column: &str, min: i64, max: i64) -> bool {
    let stats: Value = serde_json::from_str(&file.stats).unwrap_or_default();
    let low = stats["minValues"][column].as_i64().unwrap_or(i64::MIN);
    let high = stats["maxValues"][column].as_i64().unwrap_or(i64::MAX);
    low <= max && min <= high
}

/// Whether the statistics of a file allow `column` to hold this text.
pub(crate) fn may_hold_text(file: &DataFile, column: &str, text: &str) -> bool {
    let stats: Value = serde_json::from_str(&file.stats).unwrap_or_default();
    let below = stats["minValues"][column].as_str().is_some_and(|min| text < min);
    let above = stats["maxValues"][column].as_str().is_some_and(|max| text > max);
    !below && !above
}

/// The value of an integer column.
pub(crate) fn int(batch: &RecordBatch, column: &str, row: usize) -> Option<i64> {
    let column = batch.column_by_name(column)?;
    if let Some(column) = column.as_primitive_opt::<Int64Type>() {
        return column.is_valid(row).then(|| column.value(row));
    }
    let column = column.as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>()?;
    column.is_valid(row).then(|| column.value(row))
}

/// The value of a text column.
pub(crate) fn text<'a>(batch: &'a RecordBatch, column: &str, row: usize) -> Option<&'a str> {
    let column = batch.column_by_name(column)?.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row))
}
