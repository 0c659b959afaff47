//! Versions that are offered once more: at a person's request, after a mended contract, or because their twin is gone.

use sqlx::{AnyConnection, Row};

use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::offer::{next_generation, raise, supersede_idle};
use crate::same::{has_rows, stays};
use crate::sql::{Columns, one_row};
use crate::types::{State, VersionId};

/// `CAST` keeps SQLite from looking at every complete version by its index of states: those with a twin are few, and have an
/// index of their own. An order would lead it astray in the same way.
macro_rules! orphans_text {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- ledger.reoffer_orphans.",
            $name,
            "\nSELECT v.key_number, v.generation FROM ledger_versions v
            JOIN ledger_keys k ON k.key_number = v.key_number AND k.generation = v.generation
            WHERE v.twin_key IS NOT NULL AND CAST(v.state AS TEXT) = 'complete' AND NOT EXISTS (
                SELECT 1 FROM ledger_versions t
                WHERE t.key_number = v.twin_key AND t.generation = v.twin_generation AND ",
            has_rows!("t"),
            ") ",
            $condition
        )
    };
}

impl Ledger {
    /// Offers the newest version of a key once more, as the next generation (`--reload`); one that is offered already
    /// stays what it is, but is asked for from now on. `None`: no such key, or its file is there no more.
    ///
    /// The new one replaces the rows of the old one, and what that one would have replaced.
    pub async fn reoffer(&self, source: &str, key: &str, member: &str, now: i64) -> Result<Option<VersionId>, Error> {
        self.write("reoffer", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(reoffer(connection, (source, key, member), now))
        })
        .await
    }

    /// Makes held and failed versions claimable again, under the same generation (nothing of them is in any table).
    /// Answers how many. `None` as key: all keys of the source.
    pub async fn retry_held(&self, source: &str, key: Option<&str>, now: i64) -> Result<u64, Error> {
        self.write("retry_held", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let retry = "-- ledger.retry_held
                UPDATE ledger_versions SET state = 'offered', ready_at = $1, changed_at = $1
                WHERE state IN ('held', 'failed') AND EXISTS (
                    SELECT 1 FROM ledger_keys k WHERE k.key_number = ledger_versions.key_number
                    AND k.generation = ledger_versions.generation AND k.source = $2
                    AND ($3 IS NULL OR k.object_key = $3))";
                let done = sqlx::query(retry).bind(now).bind(source).bind(key).execute(connection).await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// Offers once more, as next generations, the complete versions whose rows another version had that is replaced,
    /// removed or forgotten since. Only the newest of their keys: of the others the content is not there any more.
    /// Answers the new ones. To be called whenever something was published, and cheap when there is nothing to do.
    pub async fn reoffer_orphans(&self, now: i64) -> Result<Vec<VersionId>, Error> {
        let found = self.read("reoffer_orphans.find", move |Tx { connection, .. }| {
            Box::pin(async move {
                let find = orphans_text!("find", "");
                let found = sqlx::query(find).fetch_all(connection).await?;
                let mut found = found.iter().map(Columns::version).collect::<Result<Vec<_>, _>>()?;
                found.sort_unstable();
                Ok(found)
            })
        });
        let found = found.await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let found = &found;
        let offered = self.write("reoffer_orphans", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut offered = Vec::new();
                for version in found {
                    offered.extend(reoffer_orphan(connection, *version, now).await?);
                }
                Ok(offered)
            })
        });
        offered.await
    }
}

/// See [`Ledger::reoffer`].
pub(crate) async fn reoffer(
    connection: &mut AnyConnection,
    (source, key, member): (&str, &str, &str),
    now: i64,
) -> Result<Option<VersionId>, Error> {
    let newest = "-- ledger.reoffer.newest
        SELECT v.key_number, v.generation, v.state, v.removed FROM ledger_keys k
        JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = k.generation
        WHERE k.source = $1 AND k.object_key = $2 AND k.member = $3";
    let row = sqlx::query(newest).bind(source).bind(key).bind(member).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let version = row.version()?;
    if row.flag("removed")? {
        return Ok(None);
    }
    if row.text("state")? == State::Offered.as_str() {
        ask(connection, version).await?;
        return Ok(Some(version));
    }
    let copy = Copy { state: State::Offered, ready_at: Some(now), reason: None, attempts_count: 0, asked: Some(true) };
    let next = copy_version(connection, version, &copy, now).await?;
    supersede_idle(connection, &[next], now).await?;
    Ok(Some(next))
}

async fn ask(connection: &mut AnyConnection, version: VersionId) -> Result<(), Error> {
    let ask = "-- ledger.reoffer.ask
        UPDATE ledger_versions SET asked = 1 WHERE key_number = $1 AND generation = $2 AND state = 'offered'";
    let ask = sqlx::query(ask).bind(version.key_number).bind(version.generation);
    one_row(&ask.execute(connection).await?)
}

/// The next generation of this version, if it still is an orphan: another process may have been faster.
async fn reoffer_orphan(
    connection: &mut AnyConnection,
    version: VersionId,
    now: i64,
) -> Result<Option<VersionId>, Error> {
    let still = orphans_text!("still", "AND v.key_number = $1 AND v.generation = $2");
    let still = sqlx::query(still).bind(version.key_number).bind(version.generation);
    if still.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(None);
    }
    let (state, ready_at) = (State::Offered, Some(now));
    let copy = Copy { state, ready_at, reason: None, attempts_count: 0, asked: Some(false) };
    Ok(Some(copy_version(connection, version, &copy, now).await?))
}

/// How a copy of a version under the next generation differs from it.
pub(crate) struct Copy<'a> {
    pub state: State,
    pub ready_at: Option<i64>,
    pub reason: Option<&'a str>,
    /// Claims that count for the copy already.
    pub attempts_count: i64,
    /// `None`: as it was, with the cohort that it was in. Else it is in none.
    pub asked: Option<bool>,
}

/// Puts the same object under the next generation, which becomes the newest of its key.
pub(crate) async fn copy_version(
    connection: &mut AnyConnection,
    from: VersionId,
    copy: &Copy<'_>,
    now: i64,
) -> Result<VersionId, Error> {
    let to = next_generation(from)?;
    let replaces_from = replaces_from(connection, from).await?;
    let insert = "-- ledger.copy_version
        INSERT INTO ledger_versions (key_number, generation, etag, size, modified_at, offered_at, changed_at, state,
            ready_at, reason, attempts_count, replaces_from, removed, asked, cohort)
        SELECT key_number, $3, etag, size, modified_at, offered_at, $4, $5, $6, $7, $8, $9, removed,
            COALESCE($10, asked), CASE WHEN $10 IS NULL THEN cohort END
        FROM ledger_versions WHERE key_number = $1 AND generation = $2";
    let insert = sqlx::query(insert).bind(from.key_number).bind(from.generation).bind(to.generation).bind(now);
    let insert = insert.bind(copy.state.as_str()).bind(copy.ready_at).bind(copy.reason).bind(copy.attempts_count);
    let insert = insert.bind(replaces_from).bind(copy.asked.map(i64::from));
    one_row(&insert.execute(&mut *connection).await?)?;
    raise(connection, &[to]).await?;
    Ok(to)
}

/// From which generation on a copy of this version replaces: the version itself is replaced, and what it has replaced. Is
/// its twin an older version of its own key, then that one's rows are its rows, and go too; unless rows of other versions
/// came in between, which a range cannot leave out.
async fn replaces_from(connection: &mut AnyConnection, from: VersionId) -> Result<i64, Error> {
    let find = concat!(
        "-- ledger.copy_version.replaces_from
        SELECT CASE
            WHEN v.twin_key = v.key_number AND NOT EXISTS (
                SELECT 1 FROM ledger_versions u WHERE u.key_number = v.key_number
                AND u.generation > v.twin_generation AND u.generation < v.generation AND ",
        has_rows!("u"),
        ") THEN v.twin_generation
            WHEN v.replaces_from < v.generation THEN v.replaces_from
            ELSE v.generation END AS replaces_from
        FROM ledger_versions v WHERE v.key_number = $1 AND v.generation = $2"
    );
    let row = sqlx::query(find).bind(from.key_number).bind(from.generation).fetch_one(connection).await?;
    Ok(row.try_get("replaces_from")?)
}
