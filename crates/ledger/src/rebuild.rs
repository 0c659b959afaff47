//! A ledger that is not the unbroken continuation of itself is made anew from the lake (`protocol.md` section 6).

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_spec::{GENERATIONS_MAX, ObjectVersion};

use crate::batch::{BatchKind, StagedMember};
use crate::copy::wipe;
use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::offer::{KEYS_MAX, size};
use crate::queue::{Batch, enqueue};
use crate::sql::{Columns, ROWS_MAX, keepable, one_row, rows, values};
use crate::types::{ImportedReceipt, Phase, State};

impl Ledger {
    /// Forgets everything, takes a new id and closes for work; answers the ledger under its new id. Whoever works with
    /// the old one is fenced. Then: fence the tables, read the lake, import, restore, open for work.
    pub async fn begin_rebuild(&self, new_ledger_id: &str, now: i64) -> Result<Ledger, Error> {
        keepable("ledger id", new_ledger_id)?;
        if new_ledger_id == self.ledger_id() {
            return Err(Error::bug(format!("expected a new ledger id, found the old one, {new_ledger_id}")));
        }
        self.write("begin_rebuild", Needs::Nothing, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                wipe(connection).await?;
                let close = "-- ledger.begin_rebuild
                UPDATE ledger_meta SET ledger_id = $1, phase = 'rebuilding', epoch = 0, next_seq = 1, finished_seq = 0, created_at = $2,
                    publish_token = NULL, publish_until = 0, moved_to = NULL
                WHERE id = 1 AND ledger_id = $3";
                let close = sqlx::query(close).bind(new_ledger_id).bind(now).bind(&meta.ledger_id);
                one_row(&close.execute(connection).await?)
            })
        })
        .await?;
        Ok(Ledger { ledger_id: new_ledger_id.into(), ..self.clone() })
    }

    /// Takes over what receipts say; in any order, in as many calls as convenient, the same ones twice if need be.
    pub async fn import_receipts(&self, receipts: &[ImportedReceipt], now: i64) -> Result<(), Error> {
        self.write("import_receipts", Needs::NotOpen, move |Tx { connection, .. }| {
            Box::pin(async move { import(connection, receipts, settled, now).await })
        })
        .await
    }

    /// Puts a batch that a table has and `_receipts` has not back into the queue, from its manifest. The members of one
    /// that amends are those of its manifest too, with their new revisions; they stay complete.
    pub async fn restore_batch(
        &self,
        seq: i64,
        batch_id: &str,
        kind: BatchKind,
        manifest: &str,
        members: &[ImportedReceipt],
        now: i64,
    ) -> Result<(), Error> {
        keepable("batch id", batch_id)?;
        keepable("manifest of batch", manifest)?;
        self.write("restore_batch", Needs::NotOpen, move |Tx { connection, .. }| {
            Box::pin(async move {
                match kind {
                    BatchKind::Load => import(connection, members, |_| State::Staged, now).await?,
                    BatchKind::Amend | BatchKind::Compact => import(connection, members, settled, now).await?,
                }
                let staged: Vec<_> = members
                    .iter()
                    .map(|member| StagedMember { version: member.version, revision: member.revision })
                    .collect();
                // The epoch is set when the ledger opens; until then there is none.
                let batch = Batch { seq, batch_id, kind, manifest, epoch: 0 };
                enqueue(connection, &batch, &staged, now).await
            })
        })
        .await
    }

    /// Opens for work: `epoch` is in every table, `next_seq` is above every seq in them. Also the last step of a new
    /// ledger for an empty lake. Doing it again is doing nothing.
    pub async fn open_for_work(&self, epoch: i64, next_seq: i64, now: i64) -> Result<(), Error> {
        self.write("open_for_work", Needs::Here, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                if meta.status.phase == Phase::Open {
                    return opened_before(meta.status.epoch, epoch);
                }
                check_opening(connection, epoch, next_seq).await?;
                supersede_older(connection, now).await?;
                let known = "-- ledger.open_for_work.queue\nUPDATE ledger_queue SET epoch = $1";
                sqlx::query(known).bind(epoch).execute(&mut *connection).await?;
                let open = "-- ledger.open_for_work
                UPDATE ledger_meta SET phase = 'open', epoch = $1, next_seq = $2 WHERE id = 1 AND phase <> 'open'";
                one_row(&sqlx::query(open).bind(epoch).bind(next_seq).execute(connection).await?)
            })
        })
        .await
    }
}

/// Two processes that start with the same new ledger may both open it; the epoch has meanwhile grown at most.
fn opened_before(known: i64, epoch: i64) -> Result<(), Error> {
    if epoch <= known {
        return Ok(());
    }
    Err(Error::bug(format!("the ledger is open with epoch {known} and cannot be opened with epoch {epoch}"))
        .with_hint("adopt the epoch under the publish lease"))
}

async fn check_opening(connection: &mut AnyConnection, epoch: i64, next_seq: i64) -> Result<(), Error> {
    if epoch < 1 || next_seq < 1 {
        return Err(Error::bug(format!("expected epoch and seq from 1 on, found epoch {epoch} and seq {next_seq}")));
    }
    let last = "-- ledger.open_for_work.last\nSELECT COALESCE(MAX(seq), 0) AS last FROM ledger_queue";
    let last = sqlx::query(last).fetch_one(connection).await?.int("last")?;
    if next_seq <= last {
        return Err(Error::bug(format!("expected a seq above {last}, which is in the queue, found {next_seq}")));
    }
    Ok(())
}

/// Where a version stands that has a receipt.
fn settled(receipt: &ImportedReceipt) -> State {
    if receipt.forgotten { State::Forgotten } else { State::Complete }
}

/// Of several generations that have receipts, some have replaced others. A staged one does so when it is finished. It does
/// not matter whether the one that replaces is superseded itself, before or by this statement.
async fn supersede_older(connection: &mut AnyConnection, now: i64) -> Result<(), Error> {
    let older = "-- ledger.open_for_work.supersede_older
        UPDATE ledger_versions SET state = 'superseded', changed_at = $1
        WHERE state IN ('complete', 'forgotten') AND EXISTS (
            SELECT 1 FROM ledger_versions n WHERE n.key_number = ledger_versions.key_number
            AND n.generation > ledger_versions.generation AND n.replaces_from <= ledger_versions.generation
            AND n.state <> 'staged')";
    sqlx::query(older).bind(now).execute(connection).await?;
    Ok(())
}

/// Writes keys and versions as the lake has them.
async fn import(
    connection: &mut AnyConnection,
    receipts: &[ImportedReceipt],
    state: impl Fn(&ImportedReceipt) -> State,
    now: i64,
) -> Result<(), Error> {
    for receipt in receipts {
        check(receipt)?;
    }
    // A statement must not name a row twice: of the receipts of one key the newest counts, and so with its versions.
    let (mut keys, mut versions) = (BTreeMap::new(), BTreeMap::new());
    for receipt in receipts {
        let version = receipt.version;
        let key = keys.entry(version.key_number).or_insert((&receipt.object, version.generation, receipt.revision));
        (key.1, key.2) = (key.1.max(version.generation), key.2.max(receipt.revision));
        let newest = versions.entry(version).or_insert(receipt);
        if newest.revision < receipt.revision {
            *newest = receipt;
        }
    }
    let keys: Vec<_> = keys.into_iter().collect();
    for piece in keys.chunks(ROWS_MAX) {
        import_keys(connection, piece).await?;
    }
    let versions: Vec<_> = versions.into_values().map(|receipt| (receipt, state(receipt))).collect();
    for piece in versions.chunks(ROWS_MAX) {
        import_versions(connection, piece, now).await?;
    }
    Ok(())
}

fn check(receipt: &ImportedReceipt) -> Result<(), Error> {
    let ImportedReceipt { object, version, revision, .. } = receipt;
    let keys = 1..KEYS_MAX;
    let generations = 1..GENERATIONS_MAX;
    if !keys.contains(&version.key_number) || !generations.contains(&version.generation) || *revision < 1 {
        let place = format!("source `{}`, key `{}`", object.source, object.key);
        return Err(Error::bug(format!(
            "{place}: expected numbers in their range, found {version} revision {revision}"
        )));
    }
    Ok(())
}

/// A key with the highest generation and revision of its receipts.
type KeyReceipt<'a> = (i64, (&'a ObjectVersion, i64, i64));

async fn import_keys(connection: &mut AnyConnection, keys: &[KeyReceipt<'_>]) -> Result<(), Error> {
    let text = format!(
        "-- ledger.import.keys
        INSERT INTO ledger_keys (key_number, source, object_key, member, generation, revision) VALUES {}
        ON CONFLICT (key_number) DO UPDATE SET
            generation = CASE WHEN excluded.generation > ledger_keys.generation
                THEN excluded.generation ELSE ledger_keys.generation END,
            revision = CASE WHEN excluded.revision > ledger_keys.revision
                THEN excluded.revision ELSE ledger_keys.revision END
        WHERE ledger_keys.source = excluded.source AND ledger_keys.object_key = excluded.object_key
            AND ledger_keys.member = excluded.member",
        values(1, keys.len(), 6)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (key_number, (object, generation, revision)) in keys {
        query = query.bind(*key_number).bind(&object.source).bind(&object.key).bind(&object.member);
        query = query.bind(*generation).bind(*revision);
    }
    let done = query.execute(connection).await.map_err(|error| {
        let twice = error.as_database_error().is_some_and(|error| error.is_unique_violation());
        let error = Error::from(error);
        if twice { error.at("a key has two key numbers") } else { error }
    })?;
    rows(done.rows_affected(), keys.len()).map_err(|error| error.at("a key number stands for two keys"))
}

async fn import_versions(
    connection: &mut AnyConnection,
    versions: &[(&ImportedReceipt, State)],
    now: i64,
) -> Result<(), Error> {
    let text = format!(
        "-- ledger.import.versions
        INSERT INTO ledger_versions (key_number, generation, etag, size, modified_at, offered_at, changed_at, state,
            replaces_from, content, twin_key, twin_generation, removed) VALUES {}
        ON CONFLICT (key_number, generation) DO UPDATE SET etag = excluded.etag, size = excluded.size,
            modified_at = excluded.modified_at, state = excluded.state, changed_at = excluded.changed_at,
            replaces_from = excluded.replaces_from, content = excluded.content, twin_key = excluded.twin_key,
            twin_generation = excluded.twin_generation, removed = excluded.removed
        WHERE (ledger_versions.state = 'staged') = (excluded.state = 'staged')",
        values(1, versions.len(), 13)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (receipt, state) in versions {
        let ImportedReceipt { object, version, twin, .. } = receipt;
        query = query.bind(version.key_number).bind(version.generation);
        query = query.bind(&object.etag).bind(size(object)?).bind(object.modified_at);
        query = query.bind(now).bind(now).bind(state.as_str()).bind(receipt.replaces_from);
        query = query.bind(Some(receipt.content.as_str()).filter(|content| !content.is_empty()));
        query = query.bind(twin.map(|twin| twin.key_number)).bind(twin.map(|twin| twin.generation));
        query = query.bind(i64::from(receipt.removed));
    }
    let done = query.execute(connection).await?;
    rows(done.rows_affected(), versions.len())
        .map_err(|error| error.at("a version has a receipt and is half published"))
}
