//! Reading the diary.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::claim::object;
use crate::error::Error;
use crate::ledger::{Ledger, Tx};
use crate::sql::{Columns, ROWS_MAX, values};
use crate::types::{AttemptRow, FoundKey, KeyHistory, State, VersionId, VersionRow};

/// What [`version_row`] reads.
macro_rules! version_columns {
    () => {
        "v.key_number, v.generation, k.source, k.object_key, k.member, v.etag, v.size, v.modified_at,
            v.offered_at, v.changed_at, v.state, v.ready_at, v.token, v.attempt, v.attempts_count, v.reason,
            v.replaces_from, v.content, v.twin_key, v.twin_generation, v.removed, v.asked"
    };
}

macro_rules! versions_text {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- ledger.",
            $name,
            "\nSELECT ",
            version_columns!(),
            " FROM ledger_versions v JOIN ledger_keys k ON k.key_number = v.key_number ",
            $condition
        )
    };
}

/// Of versions in a list `c`.
const OF_VERSIONS: &str = concat!(
    "SELECT ",
    version_columns!(),
    ", c.number FROM c JOIN ledger_versions v ON v.key_number = c.key_number AND v.generation = c.generation
    JOIN ledger_keys k ON k.key_number = v.key_number"
);

/// The newest versions of the keys in a list `c`.
const NEWEST_OF: &str = concat!(
    "SELECT ",
    version_columns!(),
    ", c.number FROM c
    JOIN ledger_keys k ON k.source = c.source AND k.object_key = c.object_key AND k.member = c.member
    JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = k.generation"
);

macro_rules! attempts_text {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- ledger.",
            $name,
            "\nSELECT a.key_number, a.generation, k.source, k.object_key, k.member, a.attempt, a.started_at, a.ended_at,
                a.outcome, a.error
            FROM ledger_attempts a JOIN ledger_keys k ON k.key_number = a.key_number ",
            $condition
        )
    };
}

/// Rows of one statement of [`Ledger::newest`]: those of a million keys do not fit well into one answer.
const PAGE_ROWS: i64 = 5_000;

impl Ledger {
    /// What is known of a key: one history for each member of an archive, one for a plain object, none if unknown.
    pub async fn history(&self, source: &str, key: &str) -> Result<Vec<KeyHistory>, Error> {
        let mut histories = self
            .read("history", move |Tx { connection, .. }| {
                Box::pin(async move {
                    let find = "-- ledger.history.keys
                    SELECT key_number, source, object_key, member, revision FROM ledger_keys
                    WHERE source = $1 AND object_key = $2";
                    let mut histories = Vec::new();
                    for row in sqlx::query(find).bind(source).bind(key).fetch_all(&mut *connection).await? {
                        histories.push(history(connection, &row).await?);
                    }
                    Ok(histories)
                })
            })
            .await?;
        // Sorted here: the databases do not agree on the order of texts.
        histories.sort_by(|a, b| a.member.cmp(&b.member));
        Ok(histories)
    }

    /// Keys of any source that hold `part`, at most `limit`: equal ones first, then those that end in it, then the rest.
    pub async fn find_keys(&self, part: &str, limit: usize) -> Result<Vec<FoundKey>, Error> {
        let mut pattern = String::from("%");
        for char in part.chars() {
            if matches!(char, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(char);
        }
        pattern.push('%');
        let pattern = pattern.as_str();
        let found = self.read("find_keys", move |Tx { connection, .. }| {
            Box::pin(async move {
                let find = r"-- ledger.find_keys
                SELECT key_number, source, object_key, member FROM ledger_keys WHERE object_key LIKE $1 ESCAPE '\'";
                let found = sqlx::query(find).bind(pattern).fetch_all(connection).await?;
                found.iter().map(found_key).collect::<Result<Vec<_>, _>>()
            })
        });
        let mut found = found.await?;
        // SQLite's LIKE takes no notice of case, PostgreSQL's does.
        found.retain(|found| found.key.contains(part));
        found.sort_by_cached_key(|found| (rank(&found.key, part), found.clone()));
        found.truncate(limit);
        Ok(found)
    }

    /// Object versions in a state, oldest offer first.
    pub async fn list(&self, state: State, limit: u32) -> Result<Vec<VersionRow>, Error> {
        self.read("list", move |Tx { connection, .. }| {
            Box::pin(async move {
                let list = versions_text!(
                    "list",
                    "WHERE v.state = $1 ORDER BY v.offered_at, v.key_number, v.generation LIMIT $2"
                );
                let list = sqlx::query(list).bind(state.as_str()).bind(i64::from(limit)).fetch_all(connection).await?;
                list.iter().map(version_row).collect()
            })
        })
        .await
    }

    /// The newest version of each key of a source, by key and member.
    pub async fn newest(&self, source: &str) -> Result<Vec<VersionRow>, Error> {
        let newest = self.read("newest", move |Tx { connection, .. }| {
            Box::pin(async move {
                let page = versions_text!(
                    "newest",
                    "AND k.generation = v.generation
                    WHERE k.source = $1 AND (k.object_key, k.member) > ($2, $3)
                    ORDER BY k.object_key, k.member LIMIT $4"
                );
                let mut newest: Vec<VersionRow> = Vec::new();
                loop {
                    // No key is empty, so all keys come after it.
                    let last = newest.last().map(|row| (row.object.key.clone(), row.object.member.clone()));
                    let (key, member) = last.unwrap_or_default();
                    let page = sqlx::query(page).bind(source).bind(key).bind(member).bind(PAGE_ROWS);
                    let page = page.fetch_all(&mut *connection).await?;
                    if page.is_empty() {
                        return Ok(newest);
                    }
                    for row in &page {
                        newest.push(version_row(row)?);
                    }
                }
            })
        });
        let mut newest = newest.await?;
        // Sorted here: the databases do not agree on the order of texts.
        newest.sort_by(|a, b| (&a.object.key, &a.object.member).cmp(&(&b.object.key, &b.object.member)));
        Ok(newest)
    }

    /// The newest attempts, newest first; only those for `key` (source and key) if it is given.
    pub async fn attempts(&self, limit: u32, key: Option<(&str, &str)>) -> Result<Vec<AttemptRow>, Error> {
        self.read("attempts", move |Tx { connection, .. }| {
            Box::pin(async move {
                let all = attempts_text!(
                    "attempts",
                    "ORDER BY a.started_at DESC, a.key_number DESC, a.generation DESC LIMIT $1"
                );
                let of_key = attempts_text!(
                    "attempts.of_key",
                    "WHERE k.source = $2 AND k.object_key = $3
                    ORDER BY a.started_at DESC, a.key_number DESC, a.generation DESC LIMIT $1"
                );
                let limit = i64::from(limit);
                let query = match key {
                    None => sqlx::query(all).bind(limit),
                    Some((source, key)) => sqlx::query(of_key).bind(limit).bind(source).bind(key),
                };
                query.fetch_all(connection).await?.iter().map(attempt_row).collect()
            })
        })
        .await
    }

    /// How many object versions are in each state; a state without any is absent.
    pub async fn counts(&self) -> Result<BTreeMap<State, u64>, Error> {
        self.read("counts", move |Tx { connection, .. }| {
            Box::pin(async move {
                let counts = "-- ledger.counts\nSELECT state, COUNT(*) AS versions FROM ledger_versions GROUP BY state";
                let counts = sqlx::query(counts).fetch_all(connection).await?;
                counts.iter().map(|row| Ok((row.text("state")?.parse()?, row.count("versions")?))).collect()
            })
        })
        .await
    }

    /// How many object versions are offered, claimed or staged: what is still to be done. Unlike [`Ledger::counts`] it
    /// does not look at those that are complete.
    pub async fn unfinished(&self) -> Result<u64, Error> {
        self.read("counts", move |Tx { connection, .. }| {
            Box::pin(async move {
                let count = "-- ledger.counts.unfinished
                SELECT COUNT(*) AS versions FROM ledger_versions WHERE state IN ('offered', 'claimed', 'staged')";
                sqlx::query(count).fetch_one(connection).await?.count("versions")
            })
        })
        .await
    }

    /// One object version.
    pub async fn version(&self, version: VersionId) -> Result<Option<VersionRow>, Error> {
        Ok(self.versions(&[version]).await?.pop().flatten())
    }

    /// Object versions, in the order of the question and in one transaction.
    pub async fn versions(&self, versions: &[VersionId]) -> Result<Vec<Option<VersionRow>>, Error> {
        if versions.is_empty() {
            return Ok(Vec::new());
        }
        self.read("versions", move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut found = vec![None; versions.len()];
                for (piece, found) in versions.chunks(ROWS_MAX).zip(found.chunks_mut(ROWS_MAX)) {
                    let list = values(1, piece.len(), 3);
                    // Only our own texts and `$` numbers are put together here.
                    let text = format!(
                        "-- ledger.versions\nWITH c (number, key_number, generation) AS (VALUES {list}) {OF_VERSIONS}"
                    );
                    let mut query = sqlx::query(AssertSqlSafe(text));
                    for (number, version) in (0_i64..).zip(piece) {
                        query = query.bind(number).bind(version.key_number).bind(version.generation);
                    }
                    fill(found, &query.fetch_all(&mut *connection).await?)?;
                }
                Ok(found)
            })
        })
        .await
    }

    /// The newest version of each of these (source, key, member), in the order of the question and in one transaction.
    pub async fn newest_of(&self, keys: &[(&str, &str, &str)]) -> Result<Vec<Option<VersionRow>>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.read("newest_of", move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut found = vec![None; keys.len()];
                for (piece, found) in keys.chunks(ROWS_MAX).zip(found.chunks_mut(ROWS_MAX)) {
                    let list = values(1, piece.len(), 4);
                    // Only our own texts and `$` numbers are put together here.
                    let text = format!(
                        "-- ledger.newest_of
                        WITH c (number, source, object_key, member) AS (VALUES {list}) {NEWEST_OF}"
                    );
                    let mut query = sqlx::query(AssertSqlSafe(text));
                    for (number, (source, key, member)) in (0_i64..).zip(piece) {
                        query = query.bind(number).bind(*source).bind(*key).bind(*member);
                    }
                    fill(found, &query.fetch_all(&mut *connection).await?)?;
                }
                Ok(found)
            })
        })
        .await
    }
}

/// Puts each row at its number.
fn fill(found: &mut [Option<VersionRow>], rows: &[AnyRow]) -> Result<(), Error> {
    for row in rows {
        let number = usize::try_from(row.int("number")?).ok();
        let place = number.and_then(|number| found.get_mut(number));
        *place.ok_or_else(|| Error::bug("the database answered a row that was not asked for"))? =
            Some(version_row(row)?);
    }
    Ok(())
}

async fn history(connection: &mut AnyConnection, key: &AnyRow) -> Result<KeyHistory, Error> {
    let key_number = key.int("key_number")?;
    let versions = versions_text!("history.versions", "WHERE v.key_number = $1 ORDER BY v.generation");
    let versions = sqlx::query(versions).bind(key_number).fetch_all(&mut *connection).await?;
    let attempts = attempts_text!("history.attempts", "WHERE a.key_number = $1 ORDER BY a.started_at, a.generation");
    let attempts = sqlx::query(attempts).bind(key_number).fetch_all(connection).await?;
    Ok(KeyHistory {
        key_number,
        source: key.text("source")?,
        key: key.text("object_key")?,
        member: key.text("member")?,
        revision: key.int("revision")?,
        versions: versions.iter().map(version_row).collect::<Result<_, _>>()?,
        attempts: attempts.iter().map(attempt_row).collect::<Result<_, _>>()?,
    })
}

fn version_row(row: &AnyRow) -> Result<VersionRow, Error> {
    Ok(VersionRow {
        version: row.version()?,
        object: object(row)?,
        state: row.text("state")?.parse()?,
        offered_at: row.int("offered_at")?,
        changed_at: row.int("changed_at")?,
        ready_at: row.int_opt("ready_at")?,
        token: row.text_opt("token")?,
        attempt: row.text_opt("attempt")?,
        attempts_count: row.count32("attempts_count")?,
        reason: row.text_opt("reason")?,
        replaces_from: row.int("replaces_from")?,
        content: row.text_opt("content")?,
        twin: row.version_opt("twin_key", "twin_generation")?,
        removed: row.flag("removed")?,
        asked: row.flag("asked")?,
    })
}

fn attempt_row(row: &AnyRow) -> Result<AttemptRow, Error> {
    Ok(AttemptRow {
        attempt: row.text("attempt")?,
        version: row.version()?,
        source: row.text("source")?,
        key: row.text("object_key")?,
        member: row.text("member")?,
        started_at: row.int("started_at")?,
        ended_at: row.int_opt("ended_at")?,
        outcome: row.text_opt("outcome")?,
        error: row.text_opt("error")?,
    })
}

fn found_key(row: &AnyRow) -> Result<FoundKey, Error> {
    Ok(FoundKey {
        source: row.text("source")?,
        key: row.text("object_key")?,
        member: row.text("member")?,
        key_number: row.int("key_number")?,
    })
}

/// Smaller is a better answer to a search for `part`.
fn rank(key: &str, part: &str) -> u8 {
    match () {
        () if key == part => 0,
        () if key.ends_with(part) => 1,
        () => 2,
    }
}
