//! A look at a ledger that makes nothing and brings nothing up to date.

use std::path::Path;

use sqlx::AnyConnection;

use crate::database::Database;
use crate::error::Error;
use crate::filesystem;
use crate::ledger::{META_TEXT, read_meta};
use crate::migrate::{KNOWN_SCHEMA, newest_schema};
use crate::sql::Columns;
use crate::types::Status;

/// Complaints of the database that are told; one is enough to know.
const DAMAGE_MAX: usize = 3;

/// What a look told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its schema.
    pub schema: i64,
    /// The version that this program knows. It brings an older one up to date, and refuses a newer one.
    pub known: i64,
    /// What the database says is damaged; empty in a whole one. Only SQLite is asked.
    pub damage: Vec<String>,
    /// Its id, its numbers, and where it was moved to, if it was; not of another schema.
    pub own: Option<(String, Status, Option<String>)>,
}

/// Looks at the ledger in an SQLite file or at a `postgres://` address; `None` when there is none.
///
/// # Errors
/// When it is on a network file system, cannot be opened, or cannot be read.
pub async fn inspect(place: &str) -> Result<Option<Inspection>, Error> {
    let database = if place.starts_with("postgres://") || place.starts_with("postgresql://") {
        Database::open_postgres(place).await?
    } else {
        let path = Path::new(place.strip_prefix("sqlite://").unwrap_or(place));
        if !path.exists() {
            return Ok(None);
        }
        filesystem::check(path)?;
        Database::open_to_look(path).await?
    };
    let place = database.place().to_owned();
    let looked = look(&database).await;
    database.close().await;
    looked.map_err(|error| error.at(&place))
}

async fn look(database: &Database) -> Result<Option<Inspection>, Error> {
    if !database.has_ledger().await? {
        return Ok(None);
    }
    let mut transaction = database.begin_read().await?;
    let schema = newest_schema(&mut transaction).await?;
    let damage = if database.is_sqlite() { damage(&mut transaction).await? } else { Vec::new() };
    let mut own = None;
    if schema == KNOWN_SCHEMA {
        let meta = read_meta(&mut transaction, META_TEXT).await?;
        own = Some((meta.ledger_id, meta.status, meta.moved_to));
    }
    Ok(Some(Inspection { schema, known: KNOWN_SCHEMA, damage, own }))
}

async fn damage(connection: &mut AnyConnection) -> Result<Vec<String>, Error> {
    let check = "-- ledger.inspect.damage\nPRAGMA integrity_check(10)";
    let rows = sqlx::query(check).fetch_all(connection).await?;
    let texts = rows.iter().map(|row| row.text("integrity_check")).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.into_iter().filter(|text| text != "ok").take(DAMAGE_MAX).collect())
}
