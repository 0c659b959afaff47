//! Rows of data files, read with nothing but a Parquet reader. Files never change, so each is read once.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::simulation::world::Folder;

/// A row of a data table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub object: i64,
    pub record: i64,
    /// In a child table the item, else 0.
    pub item: i64,
    /// What the file said in this row.
    pub text: String,
    pub ingested_at: i64,
}

/// A row of `_receipts`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReceiptRow {
    pub kind: String,
    pub key_number: i64,
    pub generation: i64,
    pub revision: i64,
    pub seq: i64,
    pub epoch: i64,
    pub ledger_id: String,
    pub vector: String,
    pub receipt: String,
}

/// Files that were read.
#[derive(Debug, Default)]
pub(super) struct Files {
    data: BTreeMap<String, Arc<Vec<Row>>>,
    receipts: BTreeMap<String, Arc<Vec<ReceiptRow>>>,
}

impl Files {
    pub fn data(&mut self, folder: &Folder, table: &str, file: &str) -> Result<Arc<Vec<Row>>, String> {
        let path = format!("{table}/{file}");
        if let Some(known) = self.data.get(&path) {
            return Ok(Arc::clone(known));
        }
        let mut rows = Vec::new();
        for batch in read(folder, &path)? {
            rows.extend((0..batch.num_rows()).map(|row| data_row(&batch, table, row)));
        }
        let rows = Arc::new(rows);
        self.data.insert(path, Arc::clone(&rows));
        Ok(rows)
    }

    pub fn receipts(&mut self, folder: &Folder, file: &str) -> Result<Arc<Vec<ReceiptRow>>, String> {
        if let Some(known) = self.receipts.get(file) {
            return Ok(Arc::clone(known));
        }
        let mut rows = Vec::new();
        for batch in read(folder, &format!("_receipts/{file}"))? {
            rows.extend((0..batch.num_rows()).map(|row| receipt_row(&batch, row)));
        }
        let rows = Arc::new(rows);
        self.receipts.insert(file.to_owned(), Arc::clone(&rows));
        Ok(rows)
    }
}

fn read(folder: &Folder, path: &str) -> Result<Vec<RecordBatch>, String> {
    let gone = |error: &dyn std::fmt::Display| format!("`{path}`: {error}");
    let (bytes, _) = folder.archived(path).ok_or_else(|| gone(&"never was there"))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| gone(&error))?;
    let batches = reader.build().map_err(|error| gone(&error))?;
    batches.collect::<Result<_, _>>().map_err(|error| gone(&error))
}

fn int(batch: &RecordBatch, column: &str, row: usize) -> i64 {
    let Some(column) = batch.column_by_name(column) else { return 0 };
    if column.is_null(row) {
        return 0;
    }
    match column.as_primitive_opt::<Int64Type>() {
        Some(column) => column.value(row),
        None => column.as_primitive::<TimestampMicrosecondType>().value(row),
    }
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> String {
    let Some(column) = batch.column_by_name(column) else { return String::new() };
    if column.is_null(row) { String::new() } else { column.as_string::<i32>().value(row).to_owned() }
}

/// The text of a row is its id, with the amount or the tag; in the quarantine it is the line.
fn data_row(batch: &RecordBatch, table: &str, row: usize) -> Row {
    let text = match table {
        "_quarantine" => {
            let raw = batch.column_by_name("raw").map(|raw| raw.as_binary::<i32>());
            raw.map(|raw| String::from_utf8_lossy(raw.value(row)).trim_end().to_owned()).unwrap_or_default()
        }
        "event_tags" => format!("{} {}", text(batch, "id", row), text(batch, "tag", row)),
        _ => {
            let amount = batch.column_by_name("amount").is_some_and(|amount| amount.is_valid(row));
            let amount = if amount { int(batch, "amount", row).to_string() } else { "null".to_owned() };
            format!("{} {amount} {}", text(batch, "id", row), text(batch, "month", row))
        }
    };
    Row {
        object: int(batch, "_object", row),
        record: int(batch, "_record", row),
        item: int(batch, "_item", row),
        text,
        ingested_at: int(batch, "_ingested_at", row),
    }
}

fn receipt_row(batch: &RecordBatch, row: usize) -> ReceiptRow {
    ReceiptRow {
        kind: text(batch, "kind", row),
        key_number: int(batch, "key_number", row),
        generation: int(batch, "generation", row),
        revision: int(batch, "revision", row),
        seq: int(batch, "seq", row),
        epoch: int(batch, "epoch", row),
        ledger_id: text(batch, "ledger_id", row),
        vector: text(batch, "vector", row),
        receipt: text(batch, "receipt", row),
    }
}
