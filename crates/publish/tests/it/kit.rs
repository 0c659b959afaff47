//! A database in a temporary folder, written by the crate and read by the test.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use futures::StreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _};
use stillhouse_publish::{Database, Error, RowBatches, TableCopy, Written, open_sqlite, replace_table};
use tempfile::TempDir;

pub struct Kit {
    folder: TempDir,
}

impl Kit {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("out/x.db")
    }

    pub fn open(&self) -> Box<dyn Database> {
        open_sqlite(&self.path())
    }

    /// A connection of somebody else's.
    pub async fn other(&self) -> SqliteConnection {
        std::fs::create_dir_all(self.path().parent().unwrap()).unwrap();
        SqliteConnectOptions::new().filename(self.path()).create_if_missing(true).connect().await.unwrap()
    }

    pub async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.other().await).await.unwrap();
    }

    /// The rows of a query: each value with its type in SQLite.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.other().await).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|column| value(row, column)).collect()).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.other().await).await.unwrap().get(0)
    }

    pub async fn publish(&self, copy: &TableCopy, batches: &[RecordBatch]) -> Result<Written, Error> {
        let mut database = self.open();
        let mut writing = database.begin().await?;
        let written = replace_table(writing.as_mut(), copy, stream(batches), 1_617_625_815_000_000).await?;
        writing.commit().await?;
        database.close().await?;
        Ok(written)
    }
}

fn value(row: &SqliteRow, column: usize) -> String {
    let raw = row.try_get_raw(column).unwrap();
    if raw.is_null() {
        return "NULL".to_owned();
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "INTEGER" => format!("int {}", row.get_unchecked::<i64, _>(column)),
        "REAL" => format!("real {:?}", row.get_unchecked::<f64, _>(column)),
        "BLOB" => format!("blob {:?}", row.get_unchecked::<Vec<u8>, _>(column)),
        _ => format!("text {}", row.get_unchecked::<String, _>(column)),
    }
}

pub fn stream(batches: &[RecordBatch]) -> RowBatches<'static> {
    let batches = batches.to_vec();
    futures::stream::iter(batches.into_iter().map(Ok)).boxed()
}

pub fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// Rows `(id, name)`.
pub fn people(rows: &[(i64, &str)]) -> RecordBatch {
    let ids: Int64Array = rows.iter().map(|(id, _)| Some(*id)).collect();
    let names: StringArray = rows.iter().map(|(_, name)| Some(*name)).collect();
    batch(vec![("id", Arc::new(ids)), ("name", Arc::new(names))])
}

pub fn copy(name: &str, version: i64, batch: &RecordBatch) -> TableCopy {
    TableCopy {
        name: name.to_owned(),
        project: "shop".to_owned(),
        shows: format!("table `{name}`"),
        schema: batch.schema(),
        fingerprint: format!("files of version {version}"),
        version: Some(version),
    }
}
