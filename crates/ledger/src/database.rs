//! Where SQLite and PostgreSQL differ. Everything else in this crate is one text for both.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Row, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::{Error, Kind};

/// How long a statement waits for another writer. A writer holds the lock for less than a second, even for 10,000 offers.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// Connections of one process.
pub(crate) const CONNECTIONS_MAX: u32 = 4;
/// How often a transaction that the database has undone runs again.
pub(crate) const TRIES_MAX: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Whether an SQLite file is put into WAL mode when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Journal {
    Wal,
    AsItIs,
}

/// Settings of each SQLite connection. WAL: readers do not wait for the writer. FULL: a commit survives a power cut.
const SQLITE_SETTINGS: &str = "-- ledger.connect
    PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY";

/// Settings of each PostgreSQL connection. A process that is stopped inside a transaction must not stop the others. The
/// ledger's tables are small and in memory: a list of keys is to be looked up by index, not by reading the table.
const POSTGRES_SETTINGS: &str = "-- ledger.connect
    SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning';
    SET random_page_cost = 1.0; SET jit = off";

/// A pool of connections to one database.
#[derive(Debug)]
pub(crate) struct Database {
    pool: AnyPool,
    dialect: Dialect,
    /// Which ledger it is, for messages.
    place: String,
    /// The file or address, without user and password.
    address: String,
    /// Writers of this process wait for each other here: SQLite's own waiting is polling, and unfair.
    gate: Mutex<()>,
}

impl Database {
    pub(crate) async fn open_sqlite(path: &Path, connections_max: u32) -> Result<Self, Error> {
        Self::open_file(path, Journal::Wal, connections_max, format!("ledger `{}`", path.display())).await
    }

    /// A backup is one file, without the others that WAL needs beside it.
    pub(crate) async fn open_backup(path: &Path) -> Result<Self, Error> {
        Self::open_file(path, Journal::AsItIs, CONNECTIONS_MAX, format!("backup `{}`", path.display())).await
    }

    /// A file that is there, as it is: nothing is made, and its journal stays what it is.
    pub(crate) async fn open_to_look(path: &Path) -> Result<Self, Error> {
        Self::open_file(path, Journal::AsItIs, 1, format!("ledger `{}`", path.display())).await
    }

    async fn open_file(path: &Path, journal: Journal, connections_max: u32, place: String) -> Result<Self, Error> {
        let address = absolute(path).map_err(|error| error.at(&place))?;
        let kind = Dialect::Sqlite;
        Self::connect(&sqlite_url(&address), kind, journal, connections_max, place, address).await
    }

    pub(crate) async fn open_postgres(url: &str) -> Result<Self, Error> {
        let place = "ledger in PostgreSQL".to_owned();
        let options = PgConnectOptions::from_str(url).map_err(|error| Error::from(error).at(&place))?;
        let (host, port) = (options.get_host(), options.get_port());
        let address = format!("postgres://{host}:{port}/{}", options.get_database().unwrap_or_default());
        Self::connect(url, Dialect::Postgres, Journal::AsItIs, CONNECTIONS_MAX, place, address).await
    }

    async fn connect(
        url: &str,
        dialect: Dialect,
        journal: Journal,
        connections_max: u32,
        place: String,
        address: String,
    ) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let settings = match dialect {
            Dialect::Sqlite => SQLITE_SETTINGS,
            Dialect::Postgres => POSTGRES_SETTINGS,
        };
        let opened = async {
            let first = AnyConnectOptions::from_str(url)?.disable_statement_logging();
            try_connection(&first, journal, settings).await?;
            // If somebody takes the file away, later connections must not make an empty one in its place.
            let options = AnyConnectOptions::from_str(&url.replace(MAKE, KEEP))?.disable_statement_logging();
            let pool = AnyPoolOptions::new()
                .max_connections(connections_max)
                .acquire_timeout(LOCK_WAIT)
                .test_before_acquire(dialect == Dialect::Postgres)
                .after_connect(move |connection, _| {
                    Box::pin(async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) })
                });
            Ok(pool.connect_with(options).await?)
        };
        let pool = opened.await.map_err(|error: Error| error.at(&place))?;
        Ok(Self { pool, dialect, place, address, gate: Mutex::new(()) })
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Where it is, so that a person can find it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A text that differs, mostly by the lock of the rows that it reads.
    pub(crate) fn locked(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        }
    }

    /// Keeps other processes from migrating at the same time. SQLite's write lock does that already.
    pub(crate) async fn lock_schema(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        if self.dialect == Dialect::Postgres {
            let lock = "-- ledger.lock_schema\nSELECT pg_advisory_xact_lock(7814902631)";
            sqlx::raw_sql(lock).execute(connection).await?;
        }
        Ok(())
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    /// Whether it holds a ledger.
    pub(crate) async fn has_ledger(&self) -> Result<bool, Error> {
        let find = self.locked(
            "-- ledger.has_ledger
            SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'ledger_meta'",
            "-- ledger.has_ledger
            SELECT COUNT(*) FROM information_schema.tables
            WHERE table_schema = current_schema() AND table_name = 'ledger_meta'",
        );
        let mut connection = self.pool.acquire().await?;
        let tables: i64 = sqlx::query(find).fetch_one(&mut *connection).await?.try_get(0)?;
        Ok(tables == 1)
    }

    /// Waits until no other task of this process writes.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().await
    }

    pub(crate) async fn begin_write(&self) -> Result<Transaction<'static, Any>, Error> {
        let statement = match self.dialect {
            // Takes the write lock at once: a lock that is only taken at the first write can fail half-way.
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            // The first statement locks the row of `ledger_meta`; what follows must see what was committed before that.
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        Ok(self.pool.begin_with(statement).await?)
    }

    /// A transaction that sees one state of the database, whatever is committed meanwhile.
    pub(crate) async fn begin_read(&self) -> Result<Transaction<'static, Any>, Error> {
        let statement = match self.dialect {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(self.pool.begin_with(statement).await?)
    }
}

/// A first connection of its own: the pool would try for half a minute and then not say what was wrong.
async fn try_connection(options: &AnyConnectOptions, journal: Journal, settings: &'static str) -> Result<(), Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    sqlx::raw_sql(settings).execute(&mut connection).await?;
    if journal == Journal::Wal {
        use_wal(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

/// Turns WAL on; it stays on in the file. Two processes that make a file at once can hear "busy" from each other whatever
/// the time-out, so this tries again.
async fn use_wal(connection: &mut AnyConnection) -> Result<(), Error> {
    let mut tries = 0;
    let mode: String = loop {
        let asked = sqlx::query("-- ledger.use_wal\nPRAGMA journal_mode = WAL").fetch_one(&mut *connection).await;
        match asked.map_err(Error::from).and_then(|row| Ok(row.try_get(0)?)) {
            Err(error) if error.kind() == Kind::Retry && tries < TRIES_MAX => tries = pause(tries).await,
            other => break other?,
        }
    };
    if mode == "wal" {
        return Ok(());
    }
    let message = format!("expected a file system that SQLite can use in WAL mode, found mode `{mode}`");
    Err(Error::new(Kind::FixSettings, message).with_hint("put the project on a local disk"))
}

/// Waits a little longer each time: 5 ms to 640 ms.
pub(crate) async fn pause(tries: u32) -> u32 {
    tokio::time::sleep(Duration::from_millis(5 << tries.min(7))).await;
    tries + 1
}

/// The whole path of a file, which must be UTF-8.
fn absolute(path: &Path) -> Result<String, Error> {
    let absolute = std::path::absolute(path)
        .map_err(|error| Error::new(Kind::FixSettings, "the path cannot be made absolute").with_source(error))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Error::new(Kind::FixSettings, "expected a path in UTF-8")
            .with_hint("move the project to a folder whose name is UTF-8")),
    }
}

/// Ends the address of a file that is made if it is not there.
const MAKE: &str = "?mode=rwc";
/// Ends the address of a file that has to be there.
const KEEP: &str = "?mode=rw";

/// The address of a file. Everything that has a meaning in an address is written as `%XX`.
fn sqlite_url(absolute: &str) -> String {
    let mut url = String::from("sqlite://");
    for byte in absolute.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => url.push(char::from(byte)),
            b'.' => url.push('.'),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str(MAKE);
    url
}
