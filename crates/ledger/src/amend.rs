//! Batches that bring no object versions: those that amend what versions have in the tables, and those that merge files.

use sqlx::AnyConnection;
use stillhouse_safeguard::Safeguard;

use crate::announce::end_announcement;
use crate::batch::{AmendRequest, BatchKind, StagedAmend, StagedMember};
use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::queue::{Batch, check_request, enqueue, raise_revisions, staged_before, take_seq};
use crate::sql::{Columns, keepable};
use crate::types::{State, VersionId};

impl Ledger {
    /// Puts a batch that amends complete versions into the publish queue, whole or not at all; it was announced. The versions keep their
    /// generations; the revisions of their keys rise, and fall back if the batch is withdrawn.
    pub async fn stage_amend(&self, request: &AmendRequest, now: i64) -> Result<StagedAmend, Error> {
        let keys = request.members.iter().map(|(version, _)| version.key_number);
        check_request(&request.batch_id, &request.manifest, keys).map_err(|error| error.at("stage_amend"))?;
        let AmendRequest { batch_id, manifest, .. } = request;
        self.write("stage_amend", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let versions: Vec<_> = request.members.iter().map(|(version, _)| *version).collect();
                let kind = BatchKind::Amend;
                if let Some((seq, members)) = staged_before(connection, batch_id, kind, &versions).await? {
                    return Ok(StagedAmend::Done { seq, members });
                }
                let mut overtaken = Vec::new();
                for (version, planned) in &request.members {
                    if !is_as_planned(connection, *version, *planned).await? {
                        overtaken.push(*version);
                    }
                }
                if !overtaken.is_empty() {
                    return Ok(StagedAmend::Refused { overtaken });
                }
                let members = request.members.iter();
                let members =
                    members.map(|(version, planned)| StagedMember { version: *version, revision: planned + 1 });
                let members: Vec<_> = members.collect();
                end_announcement(connection, batch_id).await?;
                let seq = take_seq(connection, &meta).await?;
                enqueue(connection, &Batch { seq, batch_id, kind, manifest, epoch: meta.status.epoch }, &members, now)
                    .await?;
                raise_revisions(connection, &members).await?;
                Ok(StagedAmend::Done { seq, members })
            })
        })
        .await
    }

    /// Puts a batch that merges files of a table and was announced into the publish queue; answers its place. Staging the same batch twice
    /// is staging it once, while it is in the queue.
    pub async fn stage_compact(&self, batch_id: &str, manifest: &str, now: i64) -> Result<i64, Error> {
        keepable("batch id", batch_id)?;
        keepable("manifest of batch", manifest)?;
        self.write("stage_compact", Needs::Open, move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let kind = BatchKind::Compact;
                if let Some((seq, _)) = staged_before(connection, batch_id, kind, &[]).await? {
                    return Ok(seq);
                }
                end_announcement(connection, batch_id).await?;
                let seq = take_seq(connection, &meta).await?;
                enqueue(connection, &Batch { seq, batch_id, kind, manifest, epoch: meta.status.epoch }, &[], now)
                    .await?;
                Ok(seq)
            })
        })
        .await
    }
}

/// The version is complete, and nothing was staged for its key since `planned`.
async fn is_as_planned(connection: &mut AnyConnection, version: VersionId, planned: i64) -> Result<bool, Error> {
    let find = "-- ledger.stage_amend.find
        SELECT v.state, k.revision FROM ledger_versions v JOIN ledger_keys k ON k.key_number = v.key_number
        WHERE v.key_number = $1 AND v.generation = $2";
    let find = sqlx::query(find).bind(version.key_number).bind(version.generation);
    let Some(row) = find.fetch_optional(connection).await? else { return Ok(false) };
    let is_newest = row.int("revision")? == planned || !Safeguard::AmendRevision.holds();
    Ok(row.text("state")? == State::Complete.as_str() && is_newest)
}
