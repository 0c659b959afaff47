//! Step 3: a decoded batch gets its place in the publish queue.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_safeguard::Safeguard;

use crate::batch::{BatchKind, StageMember, StageRequest, Staged, StagedMember};
use crate::claim::{end_attempts, supersede_claimed};
use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::queue::{Batch, check_request, enqueue, raise_revisions, staged_before, take_seq};
use crate::same::{Member, find_orphaned, find_same};
use crate::sql::{Columns, ROWS_MAX, keepable, rows, values};

impl Ledger {
    /// Puts a batch into the publish queue, whole or not at all. From then on it is never dropped, except by
    /// [`Ledger::withdraw`].
    ///
    /// A member is refused as lost when it is not held under the token any more (a lease that ran out and was taken by
    /// nobody still holds), and as superseded when a higher generation of its key is staged or complete. That a higher one
    /// is only offered is no reason: a key that changes faster than it is read would never load.
    ///
    /// A twin must be a version that has rows of its own, and no batch up to this one may replace it. A member with a
    /// twin replaces from [`crate::Job::replaces_from_as_twin`] on.
    pub async fn stage(&self, request: &StageRequest, now: i64) -> Result<Staged, Error> {
        check(request).map_err(|error| error.at("stage"))?;
        let batch_id = &request.batch_id;
        self.write("stage", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let versions: Vec<_> = request.members.iter().map(|member| member.version).collect();
                if let Some((seq, members)) = staged_before(connection, batch_id, BatchKind::Load, &versions).await? {
                    return Ok(Staged::Done { seq, members });
                }
                let found = find_members(connection, request).await?;
                if let Some(refused) = refuse(connection, request, &found, now).await? {
                    return Ok(refused);
                }
                let members = found
                    .iter()
                    .map(|found| StagedMember { version: found.member.version, revision: found.revision + 1 });
                let members: Vec<_> = members.collect();
                let seq = take_seq(connection, &meta).await?;
                let epoch = meta.status.epoch;
                let batch = Batch { seq, batch_id, kind: BatchKind::Load, manifest: &request.manifest, epoch };
                enqueue(connection, &batch, &members, now).await?;
                raise_revisions(connection, &members).await?;
                leave_claim(connection, request, &found, now).await?;
                Ok(Staged::Done { seq, members })
            })
        })
        .await
    }
}

fn check(request: &StageRequest) -> Result<(), Error> {
    let keys = request.members.iter().map(|member| member.version.key_number);
    check_request(&request.batch_id, &request.manifest, keys)?;
    for StageMember { version, content, twin, .. } in &request.members {
        keepable("content", content)?;
        if twin.is_some() && content.is_empty() {
            return Err(Error::bug(format!("{version}: expected the content that it has in common with its twin")));
        }
    }
    Ok(())
}

/// What the ledger knows of a member.
struct Found<'a> {
    member: Member<'a>,
    /// Under which token it is claimed, if it is.
    token: Option<String>,
    revision: i64,
    /// The highest generation of its key that is staged or complete; 0 if none is.
    settled: i64,
}

/// The members, in the order of the request.
async fn find_members<'a>(connection: &mut AnyConnection, request: &'a StageRequest) -> Result<Vec<Found<'a>>, Error> {
    let mut found = BTreeMap::new();
    for piece in request.members.chunks(ROWS_MAX) {
        let text = format!(
            "-- ledger.stage.find
            WITH c (number, key_number, generation) AS (VALUES {})
            SELECT c.number, v.token, v.replaces_from, v.asked, k.source, k.revision, COALESCE((
                SELECT MAX(s.generation) FROM ledger_versions s
                WHERE s.key_number = v.key_number AND s.state IN ('staged', 'complete', 'forgotten')), 0) AS settled
            FROM c JOIN ledger_versions v ON v.key_number = c.key_number AND v.generation = c.generation
            JOIN ledger_keys k ON k.key_number = v.key_number",
            values(1, piece.len(), 3)
        );
        let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
        for (number, StageMember { version, .. }) in (0_i64..).zip(piece) {
            query = query.bind(number).bind(version.key_number).bind(version.generation);
        }
        for row in query.fetch_all(&mut *connection).await? {
            let number = usize::try_from(row.int("number")?).ok().and_then(|number| piece.get(number));
            let member = number.ok_or_else(|| Error::bug("the database answered a row that was not asked for"))?;
            let (source, replaces_from, asked) = (row.text("source")?, row.int("replaces_from")?, row.flag("asked")?);
            let row = Found {
                member: Member::new(member, source, replaces_from, asked),
                token: row.text_opt("token")?,
                revision: row.int("revision")?,
                settled: row.int("settled")?,
            };
            found.insert(member.version, row);
        }
    }
    let found = request.members.iter().map(|member| {
        let version = member.version;
        let missing = || Error::bug(format!("batch {}: no such version: {version}", request.batch_id));
        found.remove(&version).ok_or_else(missing)
    });
    found.collect()
}

/// Why the batch cannot be staged, if it cannot.
async fn refuse(
    connection: &mut AnyConnection,
    request: &StageRequest,
    found: &[Found<'_>],
    now: i64,
) -> Result<Option<Staged>, Error> {
    let (mut superseded, mut lost) = (Vec::new(), Vec::new());
    for Found { member, token, settled, .. } in found {
        // A token stands on claimed versions only; the schema checks it.
        let is_settled = *settled > member.version.generation && Safeguard::StageOrder.holds()
            || *settled == member.version.generation && Safeguard::StageToken.holds();
        if token.as_deref() != Some(&request.token) && Safeguard::StageToken.holds() {
            lost.push(member.version);
        } else if is_settled {
            superseded.push(member.version);
        }
    }
    let members: Vec<_> = found.iter().map(|found| &found.member).collect();
    let found_same = find_same(connection, &members).await?;
    let same = members.iter().zip(found_same).filter_map(|(member, twin)| Some((member.version, twin?)));
    let same: Vec<_> = same.collect();
    let orphaned = find_orphaned(connection, &members).await?;
    if superseded.is_empty() && lost.is_empty() && same.is_empty() && orphaned.is_empty() {
        return Ok(None);
    }
    end_attempts(connection, &superseded, "superseded", now).await?;
    rows(supersede_claimed(connection, &superseded, now).await?, superseded.len())?;
    Ok(Some(Staged::Refused { superseded, lost, same, orphaned }))
}

/// Claimed becomes staged; the attempt has done its work.
async fn leave_claim(
    connection: &mut AnyConnection,
    request: &StageRequest,
    found: &[Found<'_>],
    now: i64,
) -> Result<(), Error> {
    for piece in found.chunks(ROWS_MAX) {
        let text = format!(
            "-- ledger.stage.leave_claim
            WITH c (key_number, generation, replaces_from, content, twin_key, twin_generation) AS (VALUES {})
            UPDATE ledger_versions
            SET state = 'staged', token = NULL, ready_at = NULL, reason = NULL, changed_at = $1,
                replaces_from = c.replaces_from, content = c.content, twin_key = c.twin_key,
                twin_generation = c.twin_generation
            FROM c WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation = c.generation
            AND {}",
            values(3, piece.len(), 6),
            if Safeguard::StageToken.holds() { "ledger_versions.token = $2" } else { "$2 <> ''" },
        );
        let mut query = sqlx::query(AssertSqlSafe(text)).bind(now).bind(&request.token); // our own words and numbers
        for Found { member, .. } in piece {
            query = query.bind(member.version.key_number).bind(member.version.generation);
            query = query.bind(member.replaces_from()).bind(Some(member.content).filter(|text| !text.is_empty()));
            query = query.bind(member.twin.map(|twin| twin.key_number));
            query = query.bind(member.twin.map(|twin| twin.generation));
        }
        rows(query.execute(&mut *connection).await?.rows_affected(), piece.len())?;
    }
    let versions: Vec<_> = found.iter().map(|found| found.member.version).collect();
    let ended = end_attempts(connection, &versions, "staged", now).await?;
    if Safeguard::StageToken.holds() { rows(ended, versions.len()) } else { Ok(()) }
}
