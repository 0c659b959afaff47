//! Small helpers for SQL: columns of rows, counts of touched rows, lists of values.

use std::fmt::Write;

use sqlx::any::{AnyQueryResult, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::error::{Error, Kind};
use crate::types::VersionId;

/// Rows of one statement with a list of values. SQLite looks each `$` number up by its name, one after the other, so that
/// the time grows with the square: 10,000 offers take 0.16 s in pieces of 20 rows and 1.5 s in pieces of 500.
pub(crate) const ROWS_MAX: usize = 25;

/// The columns of a row, by name. All our columns are `BIGINT` or `TEXT`.
pub(crate) trait Columns {
    fn int(&self, name: &str) -> Result<i64, Error>;
    fn int_opt(&self, name: &str) -> Result<Option<i64>, Error>;
    fn text(&self, name: &str) -> Result<String, Error>;
    fn text_opt(&self, name: &str) -> Result<Option<String>, Error>;

    fn count(&self, name: &str) -> Result<u64, Error> {
        let number = self.int(name)?;
        u64::try_from(number).map_err(|_| Error::bug(format!("column `{name}`: expected a count, found {number}")))
    }

    fn count32(&self, name: &str) -> Result<u32, Error> {
        let number = self.int(name)?;
        u32::try_from(number).map_err(|_| Error::bug(format!("column `{name}`: expected a count, found {number}")))
    }

    /// A number that stands for yes (1) or no (0).
    fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.int(name)? {
            0 => Ok(false),
            1 => Ok(true),
            number => Err(Error::bug(format!("column `{name}`: expected 0 or 1, found {number}"))),
        }
    }

    /// The version that two columns name, if they name one.
    fn version_opt(&self, key: &str, generation: &str) -> Result<Option<VersionId>, Error> {
        let (key_number, generation) = (self.int_opt(key)?, self.int_opt(generation)?);
        Ok(key_number.zip(generation).map(|(key_number, generation)| VersionId::new(key_number, generation)))
    }

    fn version(&self) -> Result<VersionId, Error> {
        Ok(VersionId::new(self.int("key_number")?, self.int("generation")?))
    }
}

impl Columns for AnyRow {
    fn int(&self, name: &str) -> Result<i64, Error> {
        Ok(self.try_get(name)?)
    }

    fn int_opt(&self, name: &str) -> Result<Option<i64>, Error> {
        Ok(self.try_get(name)?)
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        Ok(self.try_get(name)?)
    }

    fn text_opt(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.try_get(name)?)
    }
}

/// A statement that must touch one row has touched one row.
pub(crate) fn one_row(done: &AnyQueryResult) -> Result<(), Error> {
    rows(done.rows_affected(), 1)
}

/// A statement has touched as many rows as it must.
pub(crate) fn rows(touched: u64, expected: usize) -> Result<(), Error> {
    if usize::try_from(touched) == Ok(expected) {
        return Ok(());
    }
    Err(Error::bug(format!("expected a statement to touch {expected} rows, found {touched}")))
}

/// `($3, $4), ($5, $6)`: `rows` rows of `columns` values, numbered from `first` on.
pub(crate) fn values(first: usize, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            write!(text, "{comma}${}", first + row * columns + column).expect("a String takes everything");
        }
        text.push(')');
    }
    text
}

/// Runs `statement`, with the list `c (key_number, generation)` of these versions before it and `binds` as `$1`, `$2`, …;
/// answers how many rows it touched. The list goes in pieces, so the statement must not depend on seeing it whole.
pub(crate) async fn for_versions(
    connection: &mut AnyConnection,
    name: &str,
    statement: &str,
    binds: &[Bind<'_>],
    versions: &[VersionId],
) -> Result<u64, Error> {
    let mut touched = 0;
    for piece in versions.chunks(ROWS_MAX) {
        let list = values(binds.len() + 1, piece.len(), 2);
        // Only our own texts and `$` numbers are put together here.
        let text = format!("-- ledger.{name}\nWITH c (key_number, generation) AS (VALUES {list}) {statement}");
        let mut query = sqlx::query(AssertSqlSafe(text));
        for bind in binds {
            query = match bind {
                Bind::Int(number) => query.bind(*number),
                Bind::Text(text) => query.bind(*text),
                Bind::NoText => query.bind(None::<&str>),
            };
        }
        for version in piece {
            query = query.bind(version.key_number).bind(version.generation);
        }
        touched += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(touched)
}

/// A value of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bind<'a> {
    Int(i64),
    Text(&'a str),
    NoText,
}

/// Text that both databases can keep: PostgreSQL has no NUL in `TEXT`.
pub(crate) fn keepable(what: &str, text: &str) -> Result<(), Error> {
    if text.contains('\0') {
        return Err(Error::new(Kind::FixData, format!("{what} {text:?}: expected text without NUL")));
    }
    Ok(())
}

/// A message for the diary: NULs are made visible instead of refused.
pub(crate) fn message(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}
