//! SQLite: a file that many programs open.
//!
//! The file is in WAL mode, so that readers neither wait for a publication nor disturb it: they see the former state
//! until its end. SQLite writes what does not fit its cache into the WAL, so a table may be as large as it likes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::Array as _;
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, Sqlite, SqliteConnection, Transaction};

use crate::columns::{Column, ColumnKind};
use crate::database::{Database, ENTRY_FORMAT, Entry, Writing};
use crate::error::{Error, Kind};
use crate::values::{Oddities, Rows, Values};

/// How long to wait for another writer.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// Parameters of one statement that SQLite takes.
const PARAMETERS_MAX: usize = 32_766;
/// Rows of one statement: more of them gain nothing.
const STATEMENT_ROWS_MAX: usize = 128;

/// WAL: see above. NORMAL: after a power cut the last publication may be missing, entry and all; the next run sees it.
const SETTINGS: &str = "-- publish.settings
    PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA temp_store = FILE";

const MAKE_ENTRIES: &str = "-- publish.make_entries
    CREATE TABLE IF NOT EXISTS _stillhouse (
        table_name TEXT NOT NULL COLLATE NOCASE,
        period TEXT NOT NULL,
        format INTEGER NOT NULL,
        project TEXT NOT NULL,
        shows TEXT NOT NULL,
        columns TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        version INTEGER,
        run_id TEXT,
        newest_run TEXT,
        row_count INTEGER NOT NULL,
        published_at TEXT NOT NULL,
        PRIMARY KEY (table_name, period))";

/// The SQLite database in that file, which need not be there yet. Nothing is opened before it is used.
pub fn open_sqlite(path: &Path) -> Box<dyn Database> {
    Box::new(SqliteDatabase { path: path.to_owned(), connection: None })
}

struct SqliteDatabase {
    path: PathBuf,
    connection: Option<SqliteConnection>,
}

impl SqliteDatabase {
    async fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let options = SqliteConnectOptions::new().filename(&self.path).create_if_missing(true);
                let options = options.busy_timeout(LOCK_WAIT).disable_statement_logging();
                options.connect().await.map_err(|error| failed("cannot be opened", error))?
            }
        };
        Ok(self.connection.insert(connection))
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    async fn entries(&mut self) -> Result<Vec<Entry>, Error> {
        // An empty file is what a crash leaves that came before the first publication.
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        entries(self.connection().await?).await
    }

    async fn begin(&mut self) -> Result<Box<dyn Writing + '_>, Error> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::new(Kind::FixSettings, "the folder of the database cannot be made").with_source(error)
            })?;
        }
        let connection = self.connection().await?;
        let settings = sqlx::raw_sql(SETTINGS).execute(&mut *connection).await;
        settings.map_err(|error| failed("cannot be written", error))?;
        // Takes the lock at once: one that is only taken at the first write can fail half-way.
        let transaction = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = transaction.map_err(|error| failed("cannot be written", error))?;
        run(&mut transaction, sqlx::query(MAKE_ENTRIES)).await?;
        Ok(Box::new(SqliteWriting { transaction }))
    }

    async fn close(mut self: Box<Self>) -> Result<(), Error> {
        let Some(connection) = self.connection.take() else { return Ok(()) };
        connection.close().await.map_err(|error| failed("cannot be closed", error))
    }
}

struct SqliteWriting<'c> {
    transaction: Transaction<'c, Sqlite>,
}

#[async_trait]
impl Writing for SqliteWriting<'_> {
    async fn entries(&mut self) -> Result<Vec<Entry>, Error> {
        entries(&mut self.transaction).await
    }

    async fn has_table(&mut self, table: &str) -> Result<bool, Error> {
        has_table(&mut self.transaction, table).await
    }

    async fn make_table(&mut self, table: &str, columns: &[Column]) -> Result<(), Error> {
        let columns: Vec<String> =
            columns.iter().map(|column| format!("{} {}", quoted(&column.name), type_name(column.kind))).collect();
        let table = quoted(table);
        let drop = format!("-- publish.drop_table\nDROP TABLE IF EXISTS {table}");
        run(&mut self.transaction, sqlx::query(AssertSqlSafe(drop))).await?; // holds a quoted name only
        let make = format!("-- publish.make_table\nCREATE TABLE {table} ({})", columns.join(", "));
        run(&mut self.transaction, sqlx::query(AssertSqlSafe(make))).await // holds quoted names and our own words only
    }

    async fn empty_table(&mut self, table: &str) -> Result<(), Error> {
        let text = format!("-- publish.empty_table\nDELETE FROM {}", quoted(table));
        run(&mut self.transaction, sqlx::query(AssertSqlSafe(text))).await // holds a quoted name only
    }

    async fn remove_rows(&mut self, table: &str, column: &str, value: &str) -> Result<(), Error> {
        let text = format!("-- publish.remove_rows\nDELETE FROM {} WHERE {} = ?", quoted(table), quoted(column));
        run(&mut self.transaction, sqlx::query(AssertSqlSafe(text)).bind(value)).await // holds quoted names only
    }

    async fn insert(&mut self, table: &str, columns: &[Column], rows: &Rows) -> Result<(), Error> {
        debug_assert_eq!(columns.len(), rows.columns().len(), "a value for each column");
        let at_once = (PARAMETERS_MAX / columns.len().max(1)).clamp(1, STATEMENT_ROWS_MAX);
        let mut from = 0;
        while from < rows.len() {
            let to = (from + at_once).min(rows.len());
            // Holds quoted names and `?` only.
            let mut query = sqlx::query(AssertSqlSafe(insert_text(table, columns, to - from)));
            for row in from..to {
                for values in rows.columns() {
                    query = bind(query, values, row);
                }
            }
            run(&mut self.transaction, query).await?;
            from = to;
        }
        Ok(())
    }

    async fn keep_entry(&mut self, entry: &Entry) -> Result<(), Error> {
        let keep = "-- publish.keep_entry
            INSERT OR REPLACE INTO _stillhouse (table_name, period, format, project, shows, columns, fingerprint, version,
                run_id, newest_run, row_count, published_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let at = Timestamp::from_microsecond(entry.published_at).unwrap_or_default();
        let query = sqlx::query(keep).bind(&entry.table).bind(&entry.period).bind(ENTRY_FORMAT);
        let query = query.bind(&entry.project).bind(&entry.shows).bind(&entry.columns).bind(&entry.fingerprint);
        let query = query.bind(entry.version).bind(&entry.run_id).bind(&entry.newest_run).bind(entry.rows);
        run(&mut self.transaction, query.bind(at.to_string())).await
    }

    async fn forget_entries(&mut self, table: &str, period: Option<&str>) -> Result<(), Error> {
        let forget = "-- publish.forget_entries
            DELETE FROM _stillhouse WHERE table_name = ?1 AND (?2 IS NULL OR period = ?2)";
        run(&mut self.transaction, sqlx::query(forget).bind(table).bind(period)).await
    }

    fn remarks(&self, oddities: &Oddities) -> Vec<String> {
        let mut remarks = Vec::new();
        let counted =
            |count: u64, one: &str, many: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {many}") };
        for odd in oddities.iter().filter(|odd| odd.nul_texts > 0) {
            let texts = counted(odd.nul_texts, "text holds", "texts hold");
            remarks.push(format!(
                "column `{}`: {texts} the character NUL; many programs show only what stands before it",
                odd.column
            ));
        }
        for odd in oddities.iter().filter(|odd| odd.nans > 0) {
            let values = counted(odd.nans, "value that is", "values that are");
            remarks.push(format!("column `{}`: {values} no number (NaN): NULL, SQLite has no NaN", odd.column));
        }
        for odd in oddities.iter().filter(|odd| odd.other_types > 0) {
            let values = counted(odd.other_types, "value of another type is", "values of another type are");
            remarks.push(format!("column `{}`: {values} left out: an older form of the query gave it", odd.column));
        }
        remarks
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        self.transaction.commit().await.map_err(|error| failed("cannot be written", error))
    }
}

async fn run(transaction: &mut SqliteConnection, query: Query<'_, Sqlite, SqliteArguments>) -> Result<(), Error> {
    query.execute(transaction).await.map(drop).map_err(|error| failed("cannot be written", error))
}

async fn has_table(connection: &mut SqliteConnection, table: &str) -> Result<bool, Error> {
    let find = "-- publish.has_table
        SELECT COUNT(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE";
    let found = sqlx::query(find).bind(table).fetch_one(connection).await;
    let count: i64 = found.and_then(|row| row.try_get(0)).map_err(|error| failed("cannot be read", error))?;
    Ok(count > 0)
}

async fn entries(connection: &mut SqliteConnection) -> Result<Vec<Entry>, Error> {
    if !has_table(connection, "_stillhouse").await? {
        return Ok(Vec::new());
    }
    let list = "-- publish.entries
        SELECT table_name, period, format, project, shows, columns, fingerprint, version, run_id, newest_run, row_count,
            published_at
        FROM _stillhouse e
        WHERE EXISTS (SELECT 1 FROM sqlite_master m WHERE m.type = 'table' AND m.name = e.table_name COLLATE NOCASE)
        ORDER BY table_name, period";
    let rows = sqlx::query(list).fetch_all(connection).await.map_err(|error| failed("cannot be read", error))?;
    rows.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<Entry, Error> {
    let format: i64 = row.try_get("format").map_err(|error| failed("cannot be read", error))?;
    if format > ENTRY_FORMAT {
        let message = format!("a newer stillhouse has published here: format {format}, this one knows {ENTRY_FORMAT}");
        return Err(Error::new(Kind::FixSettings, message).with_hint("use a newer stillhouse for this project"));
    }
    let read = || {
        let at: String = row.try_get("published_at")?;
        Ok(Entry {
            table: row.try_get("table_name")?,
            period: row.try_get("period")?,
            project: row.try_get("project")?,
            shows: row.try_get("shows")?,
            columns: row.try_get("columns")?,
            fingerprint: row.try_get("fingerprint")?,
            version: row.try_get("version")?,
            run_id: row.try_get("run_id")?,
            newest_run: row.try_get("newest_run")?,
            rows: row.try_get("row_count")?,
            published_at: at.parse::<Timestamp>().map_or(0, Timestamp::as_microsecond),
        })
    };
    read().map_err(|error: sqlx::Error| failed("cannot be read", error))
}

fn insert_text(table: &str, columns: &[Column], rows: usize) -> String {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    let rows = vec![row; rows].join(",");
    format!("-- publish.insert\nINSERT INTO {} ({}) VALUES {rows}", quoted(table), names.join(", "))
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    values: &Values,
    row: usize,
) -> Query<'q, Sqlite, SqliteArguments> {
    match values {
        Values::Bool(array) => query.bind(array.is_valid(row).then(|| i64::from(array.value(row)))),
        Values::Bytes(array) => query.bind(array.is_valid(row).then(|| array.value(row).to_owned())),
        Values::Int(array) => query.bind(array.is_valid(row).then(|| array.value(row))),
        Values::Real(array) => query.bind(array.is_valid(row).then(|| array.value(row))),
        Values::Text(array) => query.bind(array.is_valid(row).then(|| array.value(row).to_owned())),
        Values::Nulls => query.bind(None::<i64>),
    }
}

/// The type decides what SQLite makes of a value: in a `TEXT` column a decimal stays the text that it is.
fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Bool | ColumnKind::Int => "INTEGER",
        ColumnKind::Real => "REAL",
        ColumnKind::Bytes => "BLOB",
        ColumnKind::Date | ColumnKind::Decimal | ColumnKind::Json | ColumnKind::Text | ColumnKind::Timestamp => "TEXT",
    }
}

/// A name as SQL takes it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The primary codes of SQLite that say what to do.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOT_A_DATABASE: i32 = 26;

fn failed(what: &str, error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(BUSY | LOCKED) => {
            let message = format!("the database {what}: another program has written in it for more than a minute");
            Error::new(Kind::Retry, message).with_hint("wait until it is done, or end it")
        }
        Some(NOT_A_DATABASE) => Error::new(Kind::FixSettings, "the file is there, and is no SQLite database")
            .with_hint("name another file, or move this one away"),
        _ => {
            Error::new(Kind::Retry, format!("the database {what}")).with_hint("look at the rights and the space there")
        }
    }
    .with_source(error)
}
