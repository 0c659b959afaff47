//! The rows of the publish queue: how batches of every kind get into it and out of it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_safeguard::Safeguard;

use crate::batch::{BatchKind, QueueEntry, StagedMember};
use crate::error::Error;
use crate::ledger::{Ledger, Meta, Tx};
use crate::sql::{self, Columns, ROWS_MAX, keepable, one_row, rows, values};
use crate::types::VersionId;

const HEAD: &str = "-- ledger.queue_head
    SELECT seq, batch_id, kind, manifest, staged_at FROM ledger_queue ORDER BY seq LIMIT 1";
/// What nobody takes.
const YOUNGEST: &str = "-- ledger.queue_head
    SELECT seq, batch_id, kind, manifest, staged_at FROM ledger_queue ORDER BY seq DESC LIMIT 1";

impl Ledger {
    /// The head of the publish queue: the only batch that may be published now.
    pub async fn queue_head(&self) -> Result<Option<QueueEntry>, Error> {
        self.read("queue_head", move |Tx { connection, .. }| {
            Box::pin(async move {
                let head = if Safeguard::HeadOnly.holds() { HEAD } else { YOUNGEST };
                let Some(row) = sqlx::query(head).fetch_optional(&mut *connection).await? else { return Ok(None) };
                let seq = row.int("seq")?;
                Ok(Some(QueueEntry {
                    seq,
                    batch_id: row.text("batch_id")?,
                    kind: row.text("kind")?.parse()?,
                    manifest: row.text("manifest")?,
                    members: members(connection, seq).await?,
                    staged_at: row.int("staged_at")?,
                }))
            })
        })
        .await
    }

    /// How many batches wait in the publish queue.
    pub async fn queue_count(&self) -> Result<u64, Error> {
        self.read("queue_count", move |Tx { connection, .. }| {
            Box::pin(async move {
                let count = "-- ledger.queue_count\nSELECT COUNT(*) AS batches FROM ledger_queue";
                sqlx::query(count).fetch_one(connection).await?.count("batches")
            })
        })
        .await
    }

    /// The ids of attempts and of batches whose files may still be wanted: batches in the queue or announced, the attempts that
    /// made them, and attempts that hold a claim, also one whose lease ran out: what it stages may still succeed. All
    /// others are dead, and stay dead.
    pub async fn live_attempts(&self) -> Result<BTreeSet<String>, Error> {
        self.read("live_attempts", move |Tx { connection, .. }| {
            Box::pin(async move {
                let live = "-- ledger.live_attempts
                SELECT attempt FROM ledger_versions WHERE state = 'claimed' AND attempt IS NOT NULL
                UNION SELECT attempt FROM ledger_versions WHERE state = 'staged' AND attempt IS NOT NULL
                UNION SELECT batch_id FROM ledger_queue
                UNION SELECT batch_id FROM ledger_announced WHERE $1 = 1";
                let live =
                    sqlx::query(live).bind(i64::from(Safeguard::PlansKnown.holds())).fetch_all(connection).await?;
                live.iter().map(|row| row.text("attempt")).collect()
            })
        })
        .await
    }
}

/// A batch with members can be kept, and has each key once.
pub(crate) fn check_request(batch_id: &str, manifest: &str, keys: impl Iterator<Item = i64>) -> Result<(), Error> {
    keepable("batch id", batch_id)?;
    keepable("manifest of batch", manifest)?;
    let keys: Vec<_> = keys.collect();
    if keys.is_empty() {
        return Err(Error::bug(format!("batch {batch_id}: expected members, found none")));
    }
    if keys.iter().collect::<BTreeSet<_>>().len() != keys.len() {
        return Err(Error::bug(format!("batch {batch_id}: expected each key once, found one twice")));
    }
    Ok(())
}

/// The caller did not hear the answer and asks again.
pub(crate) async fn staged_before(
    connection: &mut AnyConnection,
    batch_id: &str,
    kind: BatchKind,
    versions: &[VersionId],
) -> Result<Option<(i64, Vec<StagedMember>)>, Error> {
    let find = "-- ledger.staged_before\nSELECT seq, kind FROM ledger_queue WHERE batch_id = $1";
    let Some(row) = sqlx::query(find).bind(batch_id).fetch_optional(&mut *connection).await? else { return Ok(None) };
    let seq = row.int("seq")?;
    let mut staged: BTreeMap<_, _> =
        members(connection, seq).await?.into_iter().map(|member| (member.version, member)).collect();
    let members: Vec<_> = versions.iter().filter_map(|version| staged.remove(version)).collect();
    if row.text("kind")? != kind.as_str() || members.len() != versions.len() || !staged.is_empty() {
        return Err(Error::bug(format!("batch {batch_id}: staged before with other members or as another kind")));
    }
    Ok(Some((seq, members)))
}

/// The members of a batch in the queue, by key number.
pub(crate) async fn members(connection: &mut AnyConnection, seq: i64) -> Result<Vec<StagedMember>, Error> {
    let find = "-- ledger.members
        SELECT key_number, generation, revision FROM ledger_members WHERE seq = $1 ORDER BY key_number";
    let found = sqlx::query(find).bind(seq).fetch_all(connection).await?;
    found.iter().map(|row| Ok(StagedMember { version: row.version()?, revision: row.int("revision")? })).collect()
}

/// The next place of the queue.
pub(crate) async fn take_seq(connection: &mut AnyConnection, meta: &Meta) -> Result<i64, Error> {
    let seq = meta.status.next_seq;
    let take = "-- ledger.take_seq\nUPDATE ledger_meta SET next_seq = $1 + 1 WHERE id = 1 AND next_seq = $1";
    one_row(&sqlx::query(take).bind(seq).execute(connection).await?)?;
    Ok(seq)
}

pub(crate) struct Batch<'a> {
    pub seq: i64,
    pub batch_id: &'a str,
    pub kind: BatchKind,
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
    let insert = sqlx::query(insert).bind(batch.seq).bind(batch.batch_id).bind(batch.kind.as_str());
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

/// Something was staged for the keys of these members.
pub(crate) async fn raise_revisions(connection: &mut AnyConnection, members: &[StagedMember]) -> Result<(), Error> {
    let versions: Vec<_> = members.iter().map(|member| member.version).collect();
    let raise = "UPDATE ledger_keys SET revision = revision + 1 FROM c WHERE ledger_keys.key_number = c.key_number";
    rows(sql::for_versions(connection, "raise_revisions", raise, &[], &versions).await?, versions.len())
}

/// A batch of the queue.
pub(crate) struct Head {
    pub seq: i64,
    pub kind: BatchKind,
    pub epoch: i64,
}

const BY_ID: &str = "-- ledger.head
    SELECT seq, kind, epoch, (SELECT MIN(seq) FROM ledger_queue) AS first FROM ledger_queue WHERE batch_id = $1";
/// What nobody asks for.
const BY_PLACE: &str = "-- ledger.head
    SELECT seq, kind, epoch, seq AS first FROM ledger_queue
    WHERE seq = (SELECT MIN(seq) FROM ledger_queue) AND batch_id <> $1 || '?'";

/// The batch, which must be the head of the queue if it is in the queue at all.
pub(crate) async fn head(connection: &mut AnyConnection, batch_id: &str) -> Result<Option<Head>, Error> {
    let find = if Safeguard::FinishToken.holds() { BY_ID } else { BY_PLACE };
    let Some(row) = sqlx::query(find).bind(batch_id).fetch_optional(connection).await? else { return Ok(None) };
    let (seq, first) = (row.int("seq")?, row.int("first")?);
    if seq != first && Safeguard::HeadOnly.holds() {
        return Err(Error::bug(format!(
            "batch {batch_id}: expected the head of the queue, seq {first}, found seq {seq}"
        )));
    }
    Ok(Some(Head { seq, kind: row.text("kind")?.parse()?, epoch: row.int("epoch")? }))
}

/// Removes a batch from the queue; answers the versions that it brings. A batch of another kind brings none.
pub(crate) async fn dequeue(connection: &mut AnyConnection, head: &Head) -> Result<Vec<VersionId>, Error> {
    let versions: Vec<_> = members(connection, head.seq).await?.into_iter().map(|member| member.version).collect();
    let delete = "-- ledger.dequeue.members\nDELETE FROM ledger_members WHERE seq = $1";
    rows(sqlx::query(delete).bind(head.seq).execute(&mut *connection).await?.rows_affected(), versions.len())?;
    let delete = "-- ledger.dequeue\nDELETE FROM ledger_queue WHERE seq = $1";
    one_row(&sqlx::query(delete).bind(head.seq).execute(connection).await?)?;
    Ok(if head.kind == BatchKind::Load { versions } else { Vec::new() })
}
