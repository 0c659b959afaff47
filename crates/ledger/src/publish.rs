//! Steps 4 to 6: who publishes, what is next, what is done; and the way out for a batch that cannot be committed.

use sqlx::AnyConnection;

use crate::error::Error;
use crate::ledger::{Ledger, Meta, Needs, Tx};
use crate::offer::{Copy, copy_version, next_generation};
use crate::sql::{self, Bind, Columns, keepable, message, one_row, rows};
use crate::stage::members;
use crate::types::{QueueEntry, State, VersionId, WithdrawTo};

impl Ledger {
    /// Takes the publish lease if it is free, has run out, or is held under this token already.
    pub async fn take_publish_lease(&self, token: &str, now: i64, lease_us: i64) -> Result<bool, Error> {
        keepable("publish token", token)?;
        self.write("take_publish_lease", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let other = meta.publish_token.is_some_and(|held| held != token);
                if other && meta.publish_until > now {
                    return Ok(false);
                }
                set_lease(connection, Some(token), now.saturating_add(lease_us)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Extends the publish lease. `false`: somebody else has it; forget all local state.
    pub async fn renew_publish_lease(&self, token: &str, now: i64, lease_us: i64) -> Result<bool, Error> {
        self.write("renew_publish_lease", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let mine = meta.publish_token.as_deref() == Some(token);
                if mine {
                    set_lease(connection, Some(token), now.saturating_add(lease_us)).await?;
                }
                Ok(mine)
            })
        })
        .await
    }

    /// Gives the publish lease back. `false`: it was not held under the token.
    pub async fn release_publish_lease(&self, token: &str) -> Result<bool, Error> {
        self.write("release_publish_lease", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let mine = meta.publish_token.as_deref() == Some(token);
                if mine {
                    set_lease(connection, None, 0).await?;
                }
                Ok(mine)
            })
        })
        .await
    }

    /// The head of the publish queue: the only batch that may be published now.
    pub async fn queue_head(&self) -> Result<Option<QueueEntry>, Error> {
        self.read("queue_head", move |Tx { connection, .. }| {
            Box::pin(async move {
                let head = "-- ledger.queue_head
                SELECT seq, batch_id, kind, manifest, staged_at FROM ledger_queue ORDER BY seq LIMIT 1";
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

    /// Removes this batch, which has its receipt, from the queue. `false`: it is not there any more (done before).
    /// Its members are complete, and lower generations of their keys superseded.
    pub async fn finish(&self, batch_id: &str, seq: i64, publish_token: &str, now: i64) -> Result<bool, Error> {
        self.write("finish", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                check_token(&meta, publish_token)?;
                let Some(head) = head(connection, batch_id).await? else { return Ok(false) };
                if head.seq != seq {
                    return Err(Error::bug(format!("batch {batch_id}: expected seq {seq}, found {}", head.seq)));
                }
                let versions = dequeue(connection, seq).await?;
                settle(connection, &versions, State::Complete, None, now).await?;
                supersede_lower(connection, &versions, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Takes over an epoch that `_receipts` has handed out for this ledger.
    pub async fn adopt_epoch(&self, epoch: i64, publish_token: &str) -> Result<(), Error> {
        self.write("adopt_epoch", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                check_token(&meta, publish_token)?;
                if epoch < meta.status.epoch {
                    return Err(Error::bug(format!(
                        "expected epoch {} or a higher one, found {epoch}",
                        meta.status.epoch
                    )));
                }
                let adopt = "-- ledger.adopt_epoch\nUPDATE ledger_meta SET epoch = $1 WHERE id = 1 AND epoch <= $1";
                one_row(&sqlx::query(adopt).bind(epoch).execute(connection).await?)
            })
        })
        .await
    }

    /// Takes the head out of the queue: it cannot be committed. Only after all tables are fenced with a new epoch, that
    /// epoch is adopted, and no table has the batch (`protocol.md` section 5). Answers the versions that take its place;
    /// a member of which a newer version is known gets none.
    pub async fn withdraw(
        &self,
        batch_id: &str,
        publish_token: &str,
        to: &WithdrawTo,
        now: i64,
    ) -> Result<Vec<VersionId>, Error> {
        self.write("withdraw", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                check_token(&meta, publish_token)?;
                let head = head(connection, batch_id).await?;
                let head = head.ok_or_else(|| Error::bug(format!("batch {batch_id}: not in the queue")))?;
                if meta.status.epoch <= head.epoch {
                    let message =
                        format!("batch {batch_id}: expected an epoch above {}, which it was staged under", head.epoch);
                    return Err(
                        Error::bug(message).with_hint("fence all tables and adopt the new epoch before withdrawing")
                    );
                }
                let versions = dequeue(connection, head.seq).await?;
                settle(connection, &versions, State::Superseded, Some("withdrawn from the publish queue"), now).await?;
                let mut next = Vec::new();
                for version in versions {
                    next.extend(offer_instead(connection, version, to, now).await?);
                }
                Ok(next)
            })
        })
        .await
    }
}

async fn set_lease(connection: &mut AnyConnection, token: Option<&str>, until: i64) -> Result<(), Error> {
    let set = "-- ledger.set_lease\nUPDATE ledger_meta SET publish_token = $1, publish_until = $2 WHERE id = 1";
    one_row(&sqlx::query(set).bind(token).bind(until).execute(connection).await?)
}

/// A lease that ran out and that nobody took is still held: only a new holder can have published meanwhile.
fn check_token(meta: &Meta, token: &str) -> Result<(), Error> {
    if meta.publish_token.as_deref() == Some(token) {
        return Ok(());
    }
    Err(Error::fenced("expected to hold the publish lease, found that another publisher has taken over"))
}

/// A batch of the queue.
struct Head {
    seq: i64,
    epoch: i64,
}

/// The batch, which must be the head of the queue if it is in the queue at all.
async fn head(connection: &mut AnyConnection, batch_id: &str) -> Result<Option<Head>, Error> {
    let find = "-- ledger.head
        SELECT seq, epoch, (SELECT MIN(seq) FROM ledger_queue) AS first FROM ledger_queue WHERE batch_id = $1";
    let Some(row) = sqlx::query(find).bind(batch_id).fetch_optional(connection).await? else { return Ok(None) };
    let (seq, first) = (row.int("seq")?, row.int("first")?);
    if seq != first {
        return Err(Error::bug(format!(
            "batch {batch_id}: expected the head of the queue, seq {first}, found seq {seq}"
        )));
    }
    Ok(Some(Head { seq, epoch: row.int("epoch")? }))
}

/// Removes a batch from the queue; answers its members.
async fn dequeue(connection: &mut AnyConnection, seq: i64) -> Result<Vec<VersionId>, Error> {
    let versions: Vec<_> = members(connection, seq).await?.into_iter().map(|member| member.version).collect();
    let delete = "-- ledger.dequeue.members\nDELETE FROM ledger_members WHERE seq = $1";
    rows(sqlx::query(delete).bind(seq).execute(&mut *connection).await?.rows_affected(), versions.len())?;
    let delete = "-- ledger.dequeue\nDELETE FROM ledger_queue WHERE seq = $1";
    one_row(&sqlx::query(delete).bind(seq).execute(connection).await?)?;
    Ok(versions)
}

/// Staged versions go where they stay.
async fn settle(
    connection: &mut AnyConnection,
    versions: &[VersionId],
    state: State,
    reason: Option<&str>,
    now: i64,
) -> Result<(), Error> {
    let settle = "UPDATE ledger_versions SET state = $1, reason = $2, changed_at = $3 FROM c
        WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation = c.generation
        AND ledger_versions.state = 'staged'";
    let reason = reason.map_or(Bind::NoText, Bind::Text);
    let binds = [Bind::Text(state.as_str()), reason, Bind::Int(now)];
    rows(sql::for_versions(connection, "settle", settle, &binds, versions).await?, versions.len())
}

/// Everything below these generations is over: what was complete has been replaced, what is claimed comes too late.
async fn supersede_lower(connection: &mut AnyConnection, versions: &[VersionId], now: i64) -> Result<(), Error> {
    let end = "UPDATE ledger_attempts SET ended_at = $1, outcome = 'superseded' FROM c
        WHERE ledger_attempts.key_number = c.key_number AND ledger_attempts.generation < c.generation
        AND ledger_attempts.ended_at IS NULL";
    sql::for_versions(connection, "finish.end_attempts", end, &[Bind::Int(now)], versions).await?;
    // A lower generation cannot be staged: it would stand before this batch in the queue, or have been refused.
    let lower = "UPDATE ledger_versions SET state = 'superseded', token = NULL, ready_at = NULL, changed_at = $1 FROM c
        WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation < c.generation
        AND ledger_versions.state NOT IN ('superseded', 'staged')";
    sql::for_versions(connection, "finish.supersede_lower", lower, &[Bind::Int(now)], versions).await?;
    Ok(())
}

/// The next generation of a withdrawn version, if it is still the newest of its key.
async fn offer_instead(
    connection: &mut AnyConnection,
    version: VersionId,
    to: &WithdrawTo,
    now: i64,
) -> Result<Option<VersionId>, Error> {
    let find = "-- ledger.withdraw.newest
        SELECT k.generation AS newest, v.attempts_count FROM ledger_keys k
        JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = $2 WHERE k.key_number = $1";
    let row = sqlx::query(find).bind(version.key_number).bind(version.generation).fetch_one(&mut *connection).await?;
    if row.int("newest")? > version.generation {
        return Ok(None);
    }
    let next = next_generation(version)?;
    let reason = match to {
        WithdrawTo::Held { reason } => Some(message(reason)),
        WithdrawTo::Offered => None,
    };
    let (state, ready_at) = match to {
        WithdrawTo::Held { .. } => (State::Held, None),
        WithdrawTo::Offered => (State::Offered, Some(now)),
    };
    // Attempts count on: a batch that is withdrawn again and again must not look fresh each time.
    let copy = Copy { state, ready_at, reason: reason.as_deref(), attempts_count: row.int("attempts_count")? };
    copy_version(connection, version, next, &copy, now).await?;
    Ok(Some(next))
}
