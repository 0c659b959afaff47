//! Reading data files: only the columns and files that are asked for.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
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

/// What to read of a file; everything by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted<'a> {
    /// Only these columns.
    pub columns: Option<&'a [&'a str]>,
    /// Only row groups in which this integer column may have a value within the range; others' rows can come too.
    pub within: Option<(&'a str, RangeInclusive<i64>)>,
}

/// What `take` finds in these columns of the files, in their order, batch by batch; batches without anything are left out.
pub(crate) fn pieces<T: Send + 'static>(
    store: &Arc<dyn ObjectStore>,
    table: &'static str,
    files: Vec<Arc<DataFile>>,
    columns: Vec<String>,
    take: impl Fn(&DataFile, &RecordBatch) -> Result<Vec<T>, Error> + Clone + Send + 'static,
) -> BoxStream<'static, Result<Vec<T>, Error>> {
    let (store, columns) = (Arc::clone(store), Arc::new(columns));
    futures::stream::iter(files)
        .then(move |file| {
            let (store, columns, take) = (Arc::clone(&store), Arc::clone(&columns), take.clone());
            async move {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let rows = open(&store, table, &file, Some(&columns)).await?;
                Ok::<_, Error>(rows.batches.map(move |batch| take(&file, &batch?)))
            }
        })
        .try_flatten()
        .try_filter(|piece| std::future::ready(!piece.is_empty()))
        .boxed()
}

/// The names of a table's columns but one that is not wanted.
pub(crate) fn columns_without(schema: &SchemaRef, left_out: Option<&str>) -> Vec<String> {
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.filter(|name| Some(name.as_str()) != left_out).collect()
}

/// Opens a file of a table; all columns without `columns`.
pub(crate) async fn open(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    columns: Option<&[&str]>,
) -> Result<Rows, Error> {
    open_wanted(store, table, file, &Wanted { columns, within: None }).await
}

/// Opens a file of a table.
pub(crate) async fn open_wanted(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    wanted: &Wanted<'_>,
) -> Result<Rows, Error> {
    let path = Path::from(format!("{table}/{}", file.path));
    let reader = ObjectReader { store: Arc::clone(store), path: path.clone(), size: file.size };
    let mut builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(|e| Error::parquet(&path, e))?;
    if let Some(columns) = wanted.columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    if let Some((column, range)) = &wanted.within {
        let groups = builder.metadata().row_groups().iter().enumerate();
        let kept = groups.filter(|(_, group)| group_may_hold(group, column, range)).map(|(index, _)| index).collect();
        builder = builder.with_row_groups(kept);
    }
    let rows = batch_rows(builder.metadata());
    let stream = builder.with_batch_size(rows).build().map_err(|e| Error::parquet(&path, e))?;
    let schema = Arc::clone(stream.schema());
    let batches = stream.map(move |batch| batch.map_err(|e| Error::parquet(&path, e))).boxed();
    Ok(Rows { schema, batches })
}

fn group_may_hold(group: &RowGroupMetaData, column: &str, range: &RangeInclusive<i64>) -> bool {
    let of_column = group.columns().iter().find(|chunk| chunk.column_path().parts() == [column]);
    let Some(Statistics::Int64(stats)) = of_column.and_then(|chunk| chunk.statistics()) else { return true };
    match (stats.min_opt(), stats.max_opt()) {
        (Some(min), Some(max)) => min <= range.end() && range.start() <= max,
        _ => true,
    }
}

/// Fewer rows at a time where they are large: memory is bounded by bytes.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let row_bytes = |group: &RowGroupMetaData| group.total_byte_size() / group.num_rows().max(1) + 1;
    let row_bytes = metadata.row_groups().iter().map(row_bytes).max().unwrap_or(1);
    usize::try_from(BATCH_BYTES / row_bytes).unwrap_or(1).clamp(1, BATCH_ROWS_MAX)
}

/// Whether the statistics of a file allow `column` to hold a value within the range.
pub(crate) fn may_hold_int(file: &DataFile, column: &str, min: i64, max: i64) -> bool {
    let stats: Value = serde_json::from_str(&file.stats).unwrap_or_default();
    if stats["nullCount"][column].as_u64().is_some_and(|nulls| nulls == file.rows) {
        return false;
    }
    let low = stats["minValues"][column].as_i64().unwrap_or(i64::MIN);
    let high = stats["maxValues"][column].as_i64().unwrap_or(i64::MAX);
    low <= max && min <= high
}

/// The bounds of an integer column that has a value in every row, if the statistics of the file tell them.
pub(crate) fn int_bounds(file: &DataFile, column: &str) -> Option<(i64, i64)> {
    let stats: Value = serde_json::from_str(&file.stats).ok()?;
    let bounds = (stats["minValues"][column].as_i64()?, stats["maxValues"][column].as_i64()?);
    (stats["nullCount"][column].as_u64() == Some(0)).then_some(bounds)
}

/// How many rows have no value in a column, if the statistics of the file tell.
pub(crate) fn null_count(file: &DataFile, column: &str) -> Option<u64> {
    let stats: Value = serde_json::from_str(&file.stats).ok()?;
    stats["nullCount"][column].as_u64()
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
