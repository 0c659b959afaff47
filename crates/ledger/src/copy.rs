//! All rows of one ledger into another, a piece at a time.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::Error;
use crate::ledger::Meta;
use crate::sql::{Columns, one_row, rows, values};

/// A table with its columns, as they are copied. `ledger_meta` is not among them: it tells two ledgers apart.
struct Table {
    name: &'static str,
    /// The first columns are the primary key.
    columns: &'static [Column],
    key_columns: usize,
    /// Rows that are in memory at once.
    piece_rows: i64,
}

#[derive(Clone, Copy)]
enum Column {
    Int(&'static str),
    Text(&'static str),
}
use Column::{Int, Text};

impl Column {
    fn name(self) -> &'static str {
        match self {
            Int(name) | Text(name) => name,
        }
    }
}

/// In an order that their references allow.
const TABLES: &[Table] = &[
    Table {
        name: "ledger_keys",
        columns: &[
            Int("key_number"),
            Text("source"),
            Text("object_key"),
            Text("member"),
            Int("generation"),
            Int("revision"),
        ],
        key_columns: 1,
        piece_rows: 2_000,
    },
    Table {
        name: "ledger_versions",
        columns: &[
            Int("key_number"),
            Int("generation"),
            Text("etag"),
            Int("size"),
            Int("modified_at"),
            Int("offered_at"),
            Int("changed_at"),
            Text("state"),
            Int("ready_at"),
            Text("token"),
            Text("attempt"),
            Int("attempts_count"),
            Text("reason"),
            Int("replaces_from"),
            Text("content"),
            Int("twin_key"),
            Int("twin_generation"),
            Int("removed"),
            Int("asked"),
            Text("cohort"),
        ],
        key_columns: 2,
        piece_rows: 2_000,
    },
    Table {
        name: "ledger_attempts",
        columns: &[
            Int("key_number"),
            Int("generation"),
            Text("attempt"),
            Int("started_at"),
            Int("ended_at"),
            Text("outcome"),
            Text("error"),
        ],
        key_columns: 3,
        piece_rows: 2_000,
    },
    Table {
        name: "ledger_queue",
        columns: &[Int("seq"), Text("batch_id"), Text("kind"), Text("manifest"), Int("epoch"), Int("staged_at")],
        key_columns: 1,
        // A manifest names all files and receipts of a batch: some megabytes.
        piece_rows: 1,
    },
    Table {
        name: "ledger_members",
        columns: &[Int("seq"), Int("key_number"), Int("generation"), Int("revision")],
        key_columns: 2,
        piece_rows: 2_000,
    },
    Table {
        name: "ledger_announced",
        columns: &[Text("batch_id"), Int("announced_at")],
        key_columns: 1,
        piece_rows: 2_000,
    },
    Table {
        name: "ledger_logs",
        columns: &[Text("attempt"), Int("line"), Int("logged_at"), Text("level"), Text("text")],
        key_columns: 2,
        piece_rows: 2_000,
    },
];

/// `$` numbers of one statement: SQLite's time grows with their square ([`crate::sql::ROWS_MAX`]).
const BINDS_MAX: usize = 200;

/// A value of a column.
#[derive(Debug, Clone)]
enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

/// Deletes all rows but `ledger_meta`'s.
pub(crate) async fn wipe(connection: &mut AnyConnection) -> Result<(), Error> {
    for table in TABLES.iter().rev() {
        let text = format!("-- ledger.wipe\nDELETE FROM {}", table.name);
        sqlx::query(AssertSqlSafe(text)).execute(&mut *connection).await?; // holds our own words only
    }
    Ok(())
}

/// Writes all rows of `from` into `to`, which has none. Both are in a transaction.
pub(crate) async fn copy(from: &mut AnyConnection, to: &mut AnyConnection) -> Result<(), Error> {
    for table in TABLES {
        let mut last: Option<Vec<Value>> = None;
        loop {
            let piece = read_piece(from, table, last.as_deref()).await?;
            let Some(end) = piece.last() else { break };
            last = Some(end[..table.key_columns].to_vec());
            for piece in piece.chunks(BINDS_MAX / table.columns.len()) {
                write_piece(to, table, piece).await?;
            }
        }
    }
    Ok(())
}

/// What becomes of the copy's `ledger_meta`. Nobody holds the publish lease of a copy.
pub(crate) struct CopiedMeta<'a> {
    pub ledger_id: &'a str,
    pub moved_to: Option<&'a str>,
}

/// Writes the numbers of the ledger that was copied; the copy is not open for work.
pub(crate) async fn write_meta(
    to: &mut AnyConnection,
    from: &Meta,
    copied: &CopiedMeta<'_>,
    now: i64,
) -> Result<(), Error> {
    let write = "-- ledger.copy.meta
        UPDATE ledger_meta SET ledger_id = $1, phase = 'rebuilding', epoch = $2, next_seq = $3, created_at = $4,
            publish_token = NULL, publish_until = 0, moved_to = $5, finished_seq = $6 WHERE id = 1";
    let write = sqlx::query(write).bind(copied.ledger_id).bind(from.status.epoch).bind(from.status.next_seq);
    one_row(&write.bind(now).bind(copied.moved_to).bind(from.status.finished_seq).execute(to).await?)
}

/// The next rows of a table, by its primary key, which is in the order of the database that is read.
async fn read_piece(from: &mut AnyConnection, table: &Table, last: Option<&[Value]>) -> Result<Vec<Vec<Value>>, Error> {
    let names: Vec<_> = table.columns.iter().map(|column| column.name()).collect();
    let key = names[..table.key_columns].join(", ");
    let after = match last {
        Some(last) => format!("WHERE ({key}) > {}", values(2, 1, last.len())),
        None => String::new(),
    };
    let text =
        format!("-- ledger.copy.read\nSELECT {} FROM {} {after} ORDER BY {key} LIMIT $1", names.join(", "), table.name);
    let mut query = sqlx::query(AssertSqlSafe(text)).bind(table.piece_rows); // holds our own words and `$` numbers only
    for value in last.unwrap_or_default() {
        query = match value {
            Value::Int(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
        };
    }
    let piece = query.fetch_all(from).await?;
    piece.iter().map(|row| table.columns.iter().map(|column| value(row, *column)).collect()).collect()
}

fn value(row: &AnyRow, column: Column) -> Result<Value, Error> {
    Ok(match column {
        Int(name) => Value::Int(row.int_opt(name)?),
        Text(name) => Value::Text(row.text_opt(name)?),
    })
}

async fn write_piece(to: &mut AnyConnection, table: &Table, piece: &[Vec<Value>]) -> Result<(), Error> {
    let names: Vec<_> = table.columns.iter().map(|column| column.name()).collect();
    let text = format!(
        "-- ledger.copy.write\nINSERT INTO {} ({}) VALUES {}",
        table.name,
        names.join(", "),
        values(1, piece.len(), names.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for value in piece.iter().flatten() {
        query = match value {
            Value::Int(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.as_deref()),
        };
    }
    rows(query.execute(to).await?.rows_affected(), piece.len())
}
