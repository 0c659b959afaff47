//! Merging files of one table: the same rows in fewer files. Serves compactions, `_receipts` and `_runs`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use futures::StreamExt as _;
use object_store::ObjectStore;

use crate::error::Error;
use crate::manifest::DataFile;
use crate::read;
use crate::writer::TableWriter;

/// The rows of `sources`, in this order, as one file with the table's columns; `None` when there are no rows. Streamed:
/// one batch is in memory at a time, beside what a writer needs.
pub(crate) async fn merge_files(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    schema: &SchemaRef,
    sources: &[Arc<DataFile>],
    file_stem: &str,
    now: i64,
) -> Result<Option<DataFile>, Error> {
    let mut writer = TableWriter::new(Arc::clone(store), table, Arc::clone(schema), file_stem);
    let expected: u64 = sources.iter().map(|file| file.rows).sum();
    for source in sources {
        if let Err(error) = append(store, table, schema, source, &mut writer).await {
            writer.abort().await;
            return Err(error);
        }
    }
    let merged = writer.finish(now).await?;
    // The log's counts are what everybody was told; other rows than these must not take their place.
    let found = merged.as_ref().map_or(0, |file| file.rows);
    if found != expected {
        let message = format!("table `{table}`: expected {expected} rows in {} files, found {found}", sources.len());
        return Err(Error::fix_data(message).hint("a file of the lake was changed; restore the lake from a copy"));
    }
    Ok(merged)
}

async fn append(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    schema: &SchemaRef,
    source: &DataFile,
    writer: &mut TableWriter,
) -> Result<(), Error> {
    let mut rows = read::open(store, table, source, None).await?;
    while let Some(batch) = rows.batches.next().await {
        let batch = conform(schema, &batch?).map_err(|mut error| {
            error.message = format!("`{table}/{}`: {}", source.path, error.message);
            error
        })?;
        writer.write(&batch).await?;
    }
    Ok(())
}

/// The rows with these columns: what a file does not have is empty.
pub(crate) fn conform(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let rows = batch.num_rows();
    let column = |field: &Arc<arrow::datatypes::Field>| -> Result<ArrayRef, Error> {
        let Some(column) = batch.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), rows));
        };
        if column.data_type() == field.data_type() {
            return Ok(Arc::clone(column));
        }
        cast(column, field.data_type()).map_err(|e| {
            let (expected, found) = (field.data_type(), column.data_type());
            let message = format!("column `{}`: expected {expected}, found {found}", field.name());
            Error::fix_data(message).caused_by(e)
        })
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|e| Error::bug("rows in the columns of their table").caused_by(e))
}

/// The columns of a table that are asked for, in the table's order; all without `names`.
pub(crate) fn some_columns(schema: &SchemaRef, names: Option<&[&str]>) -> SchemaRef {
    let Some(names) = names else { return Arc::clone(schema) };
    let fields = schema.fields().iter().filter(|field| names.contains(&field.name().as_str()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}
