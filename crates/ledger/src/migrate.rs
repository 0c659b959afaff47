//! The schema and its versions. A migration is never changed once released; the next one is a new file.

use sqlx::AnyConnection;

use crate::database::Database;
use crate::error::{Error, Kind};
use crate::sql::{Columns, one_row};

/// By version, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_corrections.sql"),
    include_str!("../migrations/0003_announced.sql"),
    include_str!("../migrations/0004_cohorts.sql"),
];

/// The version that this program knows.
#[expect(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub(crate) const KNOWN_SCHEMA: i64 = MIGRATIONS.len() as i64;

/// Brings the schema to this program's version, and makes the row of `ledger_meta` if there is none.
pub(crate) async fn migrate(database: &Database, new_ledger_id: &str, now: i64) -> Result<(), Error> {
    let mut transaction = database.begin_write().await?;
    database.lock_schema(&mut transaction).await?;
    apply(&mut transaction, now).await?;
    make_meta(&mut transaction, new_ledger_id, now).await?;
    transaction.commit().await?;
    Ok(())
}

async fn apply(connection: &mut AnyConnection, now: i64) -> Result<(), Error> {
    let make = "-- ledger.migrate.make
        CREATE TABLE IF NOT EXISTS ledger_schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";
    sqlx::raw_sql(make).execute(&mut *connection).await?;
    let newest = newest_schema(connection).await?;
    let known = KNOWN_SCHEMA;
    if newest > known {
        let message = format!("expected schema version {known} or older, found version {newest}");
        return Err(Error::new(Kind::FixSettings, message)
            .with_hint("a newer Stillhouse has worked with this ledger; use that one"));
    }
    for version in newest + 1..=known {
        let index = usize::try_from(version - 1).expect("versions begin at 1");
        sqlx::raw_sql(MIGRATIONS[index]).execute(&mut *connection).await?;
        let note = "-- ledger.migrate.note\nINSERT INTO ledger_schema (version, applied_at) VALUES ($1, $2)";
        one_row(&sqlx::query(note).bind(version).bind(now).execute(&mut *connection).await?)?;
    }
    Ok(())
}

/// The version of the schema as it is.
pub(crate) async fn newest_schema(connection: &mut AnyConnection) -> Result<i64, Error> {
    let newest = "-- ledger.migrate.newest\nSELECT COALESCE(MAX(version), 0) AS version FROM ledger_schema";
    sqlx::query(newest).fetch_one(connection).await?.int("version")
}

async fn make_meta(connection: &mut AnyConnection, new_ledger_id: &str, now: i64) -> Result<(), Error> {
    let make = "-- ledger.migrate.make_meta
        INSERT INTO ledger_meta (id, ledger_id, phase, epoch, next_seq, publish_until, created_at)
        VALUES (1, $1, 'new', 0, 1, 0, $2) ON CONFLICT (id) DO NOTHING";
    sqlx::query(make).bind(new_ledger_id).bind(now).execute(connection).await?;
    Ok(())
}
