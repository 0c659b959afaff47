//! Claims: who reads which object versions, until when.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_spec::ObjectVersion;

use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::sql::{self, Bind, Columns, ROWS_MAX, keepable, message, one_row, rows, values};
use crate::types::{ClaimLimits, Job, State, VersionId};

impl Ledger {
    /// Claims the oldest job that is ready: one large object, a group of small ones of one source, or a whole cohort,
    /// however large. Jobs whose lease ran out are ready again; removals count as small objects. `token` and `attempt` are new and random. Empty: nothing is ready.
    pub async fn claim(
        &self,
        limits: ClaimLimits,
        token: &str,
        attempt: &str,
        now: i64,
        lease_us: i64,
    ) -> Result<Vec<Job>, Error> {
        keepable("token", token)?;
        keepable("attempt", attempt)?;
        self.write("claim", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                if !held_under(connection, token).await?.is_empty() {
                    return Err(Error::bug("expected a new token, found one that holds a claim"));
                }
                end_overtaken(connection, now).await?;
                let Some(first) = oldest_ready(connection, now).await? else { return Ok(Vec::new()) };
                let mut jobs = match &first.cohort {
                    Some(cohort) => cohort_ready(connection, cohort, now).await?,
                    None if first.object.size <= limits.small_bytes => {
                        small_ready(connection, &first, limits, now).await?
                    }
                    None => vec![first],
                };
                take(connection, &jobs, token, attempt, now, now.saturating_add(lease_us)).await?;
                jobs.iter_mut().for_each(|job| job.attempts_count += 1);
                Ok(jobs)
            })
        })
        .await
    }

    /// Extends the lease of everything that is held under the token. `false`: nothing is; stop, somebody else has it.
    pub async fn heartbeat(&self, token: &str, now: i64, lease_us: i64) -> Result<bool, Error> {
        self.write("heartbeat", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let extend = "-- ledger.heartbeat
                UPDATE ledger_versions SET ready_at = $2 WHERE token = $1 AND state = 'claimed'";
                let extend = sqlx::query(extend).bind(token).bind(now.saturating_add(lease_us));
                Ok(extend.execute(connection).await?.rows_affected() > 0)
            })
        })
        .await
    }

    /// Gives back everything that is held under the token; answers how many.
    pub async fn release(&self, token: &str, now: i64) -> Result<u64, Error> {
        self.write("release", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let held = held_under(connection, token).await?;
                let end = End { state: State::Offered, ready_at: Some(now), reason: None, outcome: "released" };
                for version in &held {
                    end_claim(connection, token, *version, &end, now).await?;
                }
                Ok(held.len() as u64)
            })
        })
        .await
    }

    /// A claimed object could not be read. It is offered again from `retry_at` on; without one it stays failed until
    /// [`Ledger::retry_held`] or a new version of it. `false`: not held under the token any more, nothing is written.
    pub async fn fail(
        &self,
        token: &str,
        version: VersionId,
        error: &str,
        retry_at: Option<i64>,
        now: i64,
    ) -> Result<bool, Error> {
        let error = message(error);
        let state = if retry_at.is_some() { State::Offered } else { State::Failed };
        let end = &End { state, ready_at: retry_at, reason: Some(&error), outcome: "failed" };
        self.write("fail", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(end_claim(connection, token, version, end, now))
        })
        .await
    }

    /// A claimed object will not load until somebody acts. `false`: not held under the token any more.
    pub async fn hold(&self, token: &str, version: VersionId, reason_json: &str, now: i64) -> Result<bool, Error> {
        let reason = message(reason_json);
        let end = &End { state: State::Held, ready_at: None, reason: Some(&reason), outcome: "held" };
        self.write("hold", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(end_claim(connection, token, version, end, now))
        })
        .await
    }
}

/// Ready versions that are the newest of their keys. `CROSS JOIN` is SQLite's way to say in which order to read: versions by
/// age, from their index, and the key of each. Left alone it reads all keys of the source and sorts.
macro_rules! ready_text {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- ledger.claim.",
            $name,
            "\nSELECT v.key_number, v.generation, k.source, k.object_key, k.member, v.etag, v.size, v.modified_at,
                v.offered_at, v.attempts_count, v.replaces_from, v.asked, v.removed, v.cohort
            FROM ledger_versions v CROSS JOIN ledger_keys k
            WHERE k.key_number = v.key_number AND k.generation = v.generation AND v.ready_at <= $1 ",
            $condition
        )
    };
}

async fn oldest_ready(connection: &mut AnyConnection, now: i64) -> Result<Option<Job>, Error> {
    let oldest = ready_text!("oldest", "ORDER BY v.offered_at, v.key_number LIMIT 1");
    let row = sqlx::query(oldest).bind(now).fetch_optional(connection).await?;
    row.as_ref().map(job).transpose()
}

/// The group that begins with the oldest job: small ones of its source, oldest first, up to the limits.
async fn small_ready(
    connection: &mut AnyConnection,
    first: &Job,
    limits: ClaimLimits,
    now: i64,
) -> Result<Vec<Job>, Error> {
    let small = ready_text!(
        "small",
        "AND k.source = $2 AND v.size <= $3 AND v.cohort IS NULL ORDER BY v.offered_at, v.key_number LIMIT $4"
    );
    let small_bytes = i64::try_from(limits.small_bytes).unwrap_or(i64::MAX);
    let small = sqlx::query(small).bind(now).bind(&first.object.source).bind(small_bytes);
    let mut group = Vec::new();
    let mut bytes: u64 = 0;
    for row in small.bind(i64::from(limits.group_count_max.max(1))).fetch_all(connection).await? {
        let job = job(&row)?;
        bytes = bytes.saturating_add(job.object.size);
        if bytes > limits.group_bytes_max && !group.is_empty() {
            break;
        }
        group.push(job);
    }
    Ok(group)
}

/// What goes together, oldest first.
async fn cohort_ready(connection: &mut AnyConnection, cohort: &str, now: i64) -> Result<Vec<Job>, Error> {
    let together = ready_text!("cohort", "AND v.cohort = $2 ORDER BY v.offered_at, v.key_number");
    let together = sqlx::query(together).bind(now).bind(cohort).fetch_all(connection).await?;
    together.iter().map(job).collect()
}

fn job(row: &AnyRow) -> Result<Job, Error> {
    Ok(Job {
        version: row.version()?,
        object: object(row)?,
        offered_at: row.int("offered_at")?,
        attempts_count: row.count32("attempts_count")?,
        replaces_from: row.int("replaces_from")?,
        asked: row.flag("asked")?,
        removed: row.flag("removed")?,
        cohort: row.text_opt("cohort")?,
    })
}

/// The object of a row that has both a key and a version.
pub(crate) fn object(row: &AnyRow) -> Result<ObjectVersion, Error> {
    Ok(ObjectVersion {
        source: row.text("source")?,
        key: row.text("object_key")?,
        member: row.text("member")?,
        etag: row.text("etag")?,
        size: row.count("size")?,
        modified_at: row.int("modified_at")?,
    })
}

/// Gives the jobs to the token. Whoever held one of them before has lost it.
async fn take(
    connection: &mut AnyConnection,
    jobs: &[Job],
    token: &str,
    attempt: &str,
    now: i64,
    until: i64,
) -> Result<(), Error> {
    let versions: Vec<_> = jobs.iter().map(|job| job.version).collect();
    let lost = end_attempts(connection, &versions, "lost", now).await?;
    if lost > 0 {
        tracing::info!(lost, attempt, "took over objects whose lease had run out");
    }
    let take = "UPDATE ledger_versions SET state = 'claimed', token = $1, attempt = $2, ready_at = $3, changed_at = $4,
            attempts_count = attempts_count + 1
        FROM c WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation = c.generation";
    let binds = [Bind::Text(token), Bind::Text(attempt), Bind::Int(until), Bind::Int(now)];
    rows(sql::for_versions(connection, "claim.take", take, &binds, &versions).await?, versions.len())?;
    for piece in versions.chunks(ROWS_MAX) {
        begin_attempts(connection, piece, attempt, now).await?;
    }
    Ok(())
}

async fn begin_attempts(
    connection: &mut AnyConnection,
    versions: &[VersionId],
    attempt: &str,
    now: i64,
) -> Result<(), Error> {
    let text = format!(
        "-- ledger.claim.begin_attempts
        INSERT INTO ledger_attempts (key_number, generation, attempt, started_at) VALUES {}",
        values(1, versions.len(), 4)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for version in versions {
        query = query.bind(version.key_number).bind(version.generation).bind(attempt).bind(now);
    }
    rows(query.execute(connection).await?.rows_affected(), versions.len())
}

/// Ends what still runs for these versions; answers how many attempts that were.
pub(crate) async fn end_attempts(
    connection: &mut AnyConnection,
    versions: &[VersionId],
    outcome: &str,
    now: i64,
) -> Result<u64, Error> {
    let end = "UPDATE ledger_attempts SET ended_at = $1, outcome = $2 FROM c
        WHERE ledger_attempts.key_number = c.key_number AND ledger_attempts.generation = c.generation
        AND ledger_attempts.ended_at IS NULL";
    sql::for_versions(connection, "end_attempts", end, &[Bind::Int(now), Bind::Text(outcome)], versions).await
}

/// Claims that ran out while a newer version of their key was offered are of no use to anybody.
async fn end_overtaken(connection: &mut AnyConnection, now: i64) -> Result<(), Error> {
    let find = "-- ledger.claim.overtaken
        SELECT v.key_number, v.generation FROM ledger_versions v JOIN ledger_keys k ON k.key_number = v.key_number
        WHERE v.ready_at <= $1 AND v.state = 'claimed' AND v.generation < k.generation";
    let found = sqlx::query(find).bind(now).fetch_all(&mut *connection).await?;
    let overtaken = found.iter().map(Columns::version).collect::<Result<Vec<_>, _>>()?;
    if overtaken.is_empty() {
        return Ok(());
    }
    end_attempts(connection, &overtaken, "superseded", now).await?;
    rows(supersede_claimed(connection, &overtaken, now).await?, overtaken.len())
}

/// Supersedes claimed versions; their tokens are worth nothing any more.
pub(crate) async fn supersede_claimed(
    connection: &mut AnyConnection,
    versions: &[VersionId],
    now: i64,
) -> Result<u64, Error> {
    let supersede = "UPDATE ledger_versions SET state = 'superseded', token = NULL, ready_at = NULL, changed_at = $1
        FROM c WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation = c.generation
        AND ledger_versions.state = 'claimed'";
    sql::for_versions(connection, "supersede_claimed", supersede, &[Bind::Int(now)], versions).await
}

async fn held_under(connection: &mut AnyConnection, token: &str) -> Result<Vec<VersionId>, Error> {
    let held = "-- ledger.held_under\nSELECT key_number, generation FROM ledger_versions
        WHERE token = $1 AND state = 'claimed' ORDER BY key_number, generation";
    let held = sqlx::query(held).bind(token).fetch_all(connection).await?;
    held.iter().map(Columns::version).collect()
}

/// How one object's part of a claim ends.
struct End<'a> {
    state: State,
    ready_at: Option<i64>,
    reason: Option<&'a str>,
    outcome: &'static str,
}

/// Ends the claim of one version. If a newer one of its key is known, this one is superseded instead of what `end` says.
async fn end_claim(
    connection: &mut AnyConnection,
    token: &str,
    version: VersionId,
    end: &End<'_>,
    now: i64,
) -> Result<bool, Error> {
    let held = "-- ledger.end_claim.held
        SELECT k.generation AS newest FROM ledger_versions v JOIN ledger_keys k ON k.key_number = v.key_number
        WHERE v.key_number = $1 AND v.generation = $2 AND v.token = $3 AND v.state = 'claimed'";
    let held = sqlx::query(held).bind(version.key_number).bind(version.generation).bind(token);
    let Some(row) = held.fetch_optional(&mut *connection).await? else { return Ok(false) };
    let overtaken = row.int("newest")? > version.generation;
    let (state, ready_at) = if overtaken { (State::Superseded, None) } else { (end.state, end.ready_at) };

    let write = "-- ledger.end_claim.write
        UPDATE ledger_versions SET state = $4, ready_at = $5, reason = $6, changed_at = $7, token = NULL
        WHERE key_number = $1 AND generation = $2 AND token = $3";
    let write = sqlx::query(write).bind(version.key_number).bind(version.generation).bind(token);
    let write = write.bind(state.as_str()).bind(ready_at).bind(end.reason).bind(now);
    one_row(&write.execute(&mut *connection).await?)?;

    let attempt = "-- ledger.end_claim.attempt
        UPDATE ledger_attempts SET ended_at = $3, outcome = $4, error = $5
        WHERE key_number = $1 AND generation = $2 AND ended_at IS NULL";
    let attempt = sqlx::query(attempt).bind(version.key_number).bind(version.generation);
    one_row(&attempt.bind(now).bind(end.outcome).bind(end.reason).execute(connection).await?)?;
    Ok(true)
}
