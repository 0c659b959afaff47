//! Step 3: a decoded batch gets its place in the publish queue.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::claim::{end_attempts, supersede_claimed};
use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::sql::{self, Bind, Columns, ROWS_MAX, keepable, one_row, rows, values};
use crate::types::{BatchKind, StageRequest, Staged, StagedMember, VersionId};

impl Ledger {
    /// Puts a batch into the publish queue, whole or not at all. From then on it is never dropped, except by
    /// [`Ledger::withdraw`].
    ///
    /// A member is refused as lost when it is not held under the token any more (a lease that ran out and was taken by
    /// nobody still holds), and as superseded when a higher generation of its key is staged or complete. That a higher one
    /// is only offered is no reason: a key that changes faster than it is read would never load.
    pub async fn stage(&self, request: &StageRequest, now: i64) -> Result<Staged, Error> {
        check(request).map_err(|error| error.at("stage"))?;
        self.write("stage", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                if let Some(done) = staged_before(connection, request).await? {
                    return Ok(done);
                }
                let found = find_members(connection, &request.members).await?;
                let (superseded, lost) = refused(request, &found)?;
                if !superseded.is_empty() || !lost.is_empty() {
                    end_attempts(connection, &superseded, "superseded", now).await?;
                    rows(supersede_claimed(connection, &superseded, now).await?, superseded.len())?;
                    return Ok(Staged::Refused { superseded, lost });
                }
                let seq = meta.status.next_seq;
                let members = request.members.iter().map(|version| StagedMember {
                    version: *version,
                    revision: found.get(version).map_or(1, |member| member.revision + 1),
                });
                let members: Vec<_> = members.collect();
                take_seq(connection, seq).await?;
                let batch =
                    Batch { seq, batch_id: &request.batch_id, manifest: &request.manifest, epoch: meta.status.epoch };
                enqueue(connection, &batch, &members, now).await?;
                raise_revisions(connection, &members).await?;
                leave_claim(connection, request, now).await?;
                Ok(Staged::Done { seq, members })
            })
        })
        .await
    }
}

fn check(request: &StageRequest) -> Result<(), Error> {
    keepable("batch id", &request.batch_id)?;
    keepable("manifest of batch", &request.manifest)?;
    if request.members.is_empty() {
        return Err(Error::bug(format!("batch {}: expected members, found none", request.batch_id)));
    }
    let keys: BTreeSet<_> = request.members.iter().map(|version| version.key_number).collect();
    if keys.len() != request.members.len() {
        return Err(Error::bug(format!("batch {}: expected each key once, found one twice", request.batch_id)));
    }
    Ok(())
}

/// The caller did not hear the answer and asks again.
async fn staged_before(connection: &mut AnyConnection, request: &StageRequest) -> Result<Option<Staged>, Error> {
    let find = "-- ledger.stage.before\nSELECT seq FROM ledger_queue WHERE batch_id = $1";
    let Some(row) = sqlx::query(find).bind(&request.batch_id).fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let seq = row.int("seq")?;
    let mut staged: BTreeMap<_, _> =
        members(connection, seq).await?.into_iter().map(|member| (member.version, member)).collect();
    let members: Vec<_> = request.members.iter().filter_map(|version| staged.remove(version)).collect();
    if members.len() != request.members.len() || !staged.is_empty() {
        return Err(Error::bug(format!("batch {}: staged before with other members", request.batch_id)));
    }
    Ok(Some(Staged::Done { seq, members }))
}

/// The members of a batch in the queue, by key number.
pub(crate) async fn members(connection: &mut AnyConnection, seq: i64) -> Result<Vec<StagedMember>, Error> {
    let find = "-- ledger.members
        SELECT key_number, generation, revision FROM ledger_members WHERE seq = $1 ORDER BY key_number";
    let found = sqlx::query(find).bind(seq).fetch_all(connection).await?;
    found.iter().map(|row| Ok(StagedMember { version: row.version()?, revision: row.int("revision")? })).collect()
}

/// What the ledger knows of a member.
struct Found {
    /// Under which token it is claimed, if it is.
    token: Option<String>,
    revision: i64,
    /// The highest generation of its key that is staged or complete; 0 if none is.
    settled: i64,
}

async fn find_members(
    connection: &mut AnyConnection,
    versions: &[VersionId],
) -> Result<BTreeMap<VersionId, Found>, Error> {
    let mut found = BTreeMap::new();
    for piece in versions.chunks(ROWS_MAX) {
        let text = format!(
            "-- ledger.stage.find
            WITH c (key_number, generation) AS (VALUES {})
            SELECT v.key_number, v.generation, v.token, k.revision, COALESCE((
                SELECT MAX(s.generation) FROM ledger_versions s
                WHERE s.key_number = v.key_number AND s.state IN ('staged', 'complete', 'forgotten')), 0) AS settled
            FROM c JOIN ledger_versions v ON v.key_number = c.key_number AND v.generation = c.generation
            JOIN ledger_keys k ON k.key_number = v.key_number",
            values(1, piece.len(), 2)
        );
        let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
        for version in piece {
            query = query.bind(version.key_number).bind(version.generation);
        }
        for row in query.fetch_all(&mut *connection).await? {
            let member =
                Found { token: row.text_opt("token")?, revision: row.int("revision")?, settled: row.int("settled")? };
            found.insert(row.version()?, member);
        }
    }
    Ok(found)
}

fn refused(
    request: &StageRequest,
    found: &BTreeMap<VersionId, Found>,
) -> Result<(Vec<VersionId>, Vec<VersionId>), Error> {
    let (mut superseded, mut lost) = (Vec::new(), Vec::new());
    for version in &request.members {
        let Some(member) = found.get(version) else {
            return Err(Error::bug(format!("batch {}: no such version: {version}", request.batch_id)));
        };
        // A token stands on claimed versions only; the schema checks it.
        if member.token.as_deref() != Some(&request.token) {
            lost.push(*version);
        } else if member.settled >= version.generation {
            superseded.push(*version);
        }
    }
    Ok((superseded, lost))
}

async fn take_seq(connection: &mut AnyConnection, seq: i64) -> Result<(), Error> {
    let take = "-- ledger.stage.take_seq\nUPDATE ledger_meta SET next_seq = $1 + 1 WHERE id = 1 AND next_seq = $1";
    one_row(&sqlx::query(take).bind(seq).execute(connection).await?)
}

pub(crate) struct Batch<'a> {
    pub seq: i64,
    pub batch_id: &'a str,
    pub manifest: &'a str,
    pub epoch: i64,
}

/// Writes the batch and its members.
pub(crate) async fn enqueue(
    connection: &mut AnyConnection,
    batch: &Batch<'_>,
    members: &[StagedMember],
    now: i64,
) -> Result<(), Error> {
    let insert = "-- ledger.enqueue
        INSERT INTO ledger_queue (seq, batch_id, kind, manifest, epoch, staged_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let insert = sqlx::query(insert).bind(batch.seq).bind(batch.batch_id).bind(BatchKind::Load.as_str());
    one_row(&insert.bind(batch.manifest).bind(batch.epoch).bind(now).execute(&mut *connection).await?)?;
    for piece in members.chunks(ROWS_MAX) {
        enqueue_members(connection, batch.seq, piece).await?;
    }
    Ok(())
}

async fn enqueue_members(connection: &mut AnyConnection, seq: i64, members: &[StagedMember]) -> Result<(), Error> {
    let text = format!(
        "-- ledger.enqueue.members\nINSERT INTO ledger_members (seq, key_number, generation, revision) VALUES {}",
        values(1, members.len(), 4)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for StagedMember { version, revision } in members {
        query = query.bind(seq).bind(version.key_number).bind(version.generation).bind(*revision);
    }
    rows(query.execute(connection).await?.rows_affected(), members.len())
}

async fn raise_revisions(connection: &mut AnyConnection, members: &[StagedMember]) -> Result<(), Error> {
    let versions: Vec<_> = members.iter().map(|member| member.version).collect();
    let raise = "UPDATE ledger_keys SET revision = revision + 1 FROM c WHERE ledger_keys.key_number = c.key_number";
    rows(sql::for_versions(connection, "stage.raise_revisions", raise, &[], &versions).await?, versions.len())
}

/// Claimed becomes staged; the attempt has done its work.
async fn leave_claim(connection: &mut AnyConnection, request: &StageRequest, now: i64) -> Result<(), Error> {
    let leave = "UPDATE ledger_versions
        SET state = 'staged', token = NULL, ready_at = NULL, reason = NULL, changed_at = $1
        FROM c WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation = c.generation
        AND ledger_versions.token = $2";
    let binds = [Bind::Int(now), Bind::Text(&request.token)];
    let count = request.members.len();
    rows(sql::for_versions(connection, "stage.leave_claim", leave, &binds, &request.members).await?, count)?;
    rows(end_attempts(connection, &request.members, "staged", now).await?, count)
}
