//! Steps 4 to 6: who publishes, what is next, what is done; and the way out for a batch that cannot be committed.

use sqlx::AnyConnection;
use stillhouse_safeguard::Safeguard;

use crate::again::{Copy, copy_version};
use crate::batch::WithdrawTo;
use crate::error::Error;
use crate::ledger::{Ledger, Meta, Needs, Tx};
use crate::queue::{Head, dequeue, head, members};
use crate::sql::{self, Bind, Columns, keepable, message, one_row, rows};
use crate::types::{State, VersionId};

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

    /// Removes this batch, which has its receipt, from the queue. `false`: it is not there any more (done before).
    /// The versions that it brings are complete, and lower generations of their keys superseded: those that were replaced,
    /// and those that are not in the tables.
    pub async fn finish(&self, batch_id: &str, seq: i64, publish_token: &str, now: i64) -> Result<bool, Error> {
        self.write("finish", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                if Safeguard::FinishToken.holds() {
                    check_token(&meta, publish_token)?;
                }
                let Some(head) = head(connection, batch_id).await? else { return Ok(false) };
                if head.seq != seq && Safeguard::FinishToken.holds() {
                    return Err(Error::bug(format!("batch {batch_id}: expected seq {seq}, found {}", head.seq)));
                }
                let versions = dequeue(connection, &head).await?;
                settle(connection, &versions, State::Complete, None, now).await?;
                supersede_lower(connection, &versions, now).await?;
                let note = "-- ledger.finish.note\nUPDATE ledger_meta SET finished_seq = $1 WHERE id = 1";
                one_row(&sqlx::query(note).bind(seq).execute(connection).await?)?;
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
    /// a member of which a newer version is known gets none, and the members of a batch that amends stay what they are.
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
                give_revisions_back(connection, &head).await?;
                let versions = dequeue(connection, &head).await?;
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

/// What never was must not make the next amendment, planned from the receipts, look overtaken. What was staged for a key
/// after it moves up: only the head is ever in a table, so nobody has seen its number.
async fn give_revisions_back(connection: &mut AnyConnection, head: &Head) -> Result<(), Error> {
    if !Safeguard::RevisionBack.holds() {
        return Ok(());
    }
    const OF_KEY: &str = "-- ledger.withdraw.give_back
        UPDATE ledger_keys SET revision = revision - 1 WHERE key_number = $1 AND revision >= $2";
    const OF_MEMBERS: &str = "-- ledger.withdraw.move_up
        UPDATE ledger_members SET revision = revision - 1 WHERE key_number = $1 AND revision > $2";
    for member in members(connection, head.seq).await? {
        for back in [OF_KEY, OF_MEMBERS] {
            let back = sqlx::query(back).bind(member.version.key_number).bind(member.revision);
            back.execute(&mut *connection).await?;
        }
    }
    Ok(())
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

/// Below these generations, what is complete stays if it was not replaced. All else is over: what is claimed comes too late.
async fn supersede_lower(connection: &mut AnyConnection, versions: &[VersionId], now: i64) -> Result<(), Error> {
    let end = "UPDATE ledger_attempts SET ended_at = $1, outcome = 'superseded' FROM c
        WHERE ledger_attempts.key_number = c.key_number AND ledger_attempts.generation < c.generation
        AND ledger_attempts.ended_at IS NULL";
    sql::for_versions(connection, "finish.end_attempts", end, &[Bind::Int(now)], versions).await?;
    // A lower generation cannot be staged: it would stand before this batch in the queue, or have been refused.
    let lower = "UPDATE ledger_versions SET state = 'superseded', token = NULL, ready_at = NULL, changed_at = $1 FROM c
        WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation < c.generation
        AND ledger_versions.state NOT IN ('superseded', 'staged')
        AND (ledger_versions.state NOT IN ('complete', 'forgotten') OR ledger_versions.generation >= (
            SELECT f.replaces_from FROM ledger_versions f
            WHERE f.key_number = c.key_number AND f.generation = c.generation))";
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
    let reason = match to {
        WithdrawTo::Held { reason } => Some(message(reason)),
        WithdrawTo::Offered => None,
    };
    let (state, ready_at) = match to {
        WithdrawTo::Held { .. } => (State::Held, None),
        WithdrawTo::Offered => (State::Offered, Some(now)),
    };
    // Attempts count on: a batch that is withdrawn again and again must not look fresh each time.
    let attempts_count = row.int("attempts_count")?;
    let copy = Copy { state, ready_at, reason: reason.as_deref(), attempts_count, asked: None };
    Ok(Some(copy_version(connection, version, &copy, now).await?))
}
