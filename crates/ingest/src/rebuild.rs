//! `ledger rebuild`: the diary made anew from the lake (protocol §6).

use futures::TryStreamExt as _;
use stillhouse_lake::{ManifestKind, ReceiptQuery, Staged};
use stillhouse_ledger::{BatchKind, ImportedReceipt, Ledger, VersionId};
use stillhouse_safeguard::Safeguard;
use stillhouse_spec::Receipt;

use crate::context::Ingest;
use crate::error::Error;

/// What a rebuild found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// The epoch that the new ledger got; committers of older ones stop.
    pub epoch: i64,
    /// Receipts read.
    pub receipts: u64,
    /// Batches that were half published; the next run commits the same files to the rest of the tables.
    pub restored_batches: u64,
    /// Batches of copies of the ledger that could not become complete any more; the next run loads their objects again.
    pub undone_batches: u64,
}

/// Makes the ledger of `ingest` anew from the lake and fences every other one out. The `Ingest` is of no use afterwards:
/// its ledger has another id now. May be stopped anywhere and begun again.
pub async fn rebuild(ingest: &Ingest) -> Result<Rebuilt, Error> {
    let observer = ingest.observer.as_ref();
    let ledger = ingest.ledger.begin_rebuild(&ingest.new_id(), ingest.now()).await?;
    // The order is what makes it safe: an epoch exists only once `_receipts` has it, and nothing is read before every
    // table is fenced, because until then an older publisher can still commit.
    let epoch = ingest.lake.raise_epoch(ledger.ledger_id(), ingest.now(), observer).await?;
    ingest.lake.fence_tables(epoch, ledger.ledger_id(), ingest.now(), observer).await?;
    let undone_batches = ingest.lake.undo_strangers(epoch, ledger.ledger_id(), ingest.now(), observer).await?;
    let receipts = import(ingest, &ledger).await?;
    let pending = if Safeguard::Pending.holds() { ingest.lake.pending_manifests().await? } else { Vec::new() };
    for staged in &pending {
        restore(ingest, &ledger, staged).await?;
    }
    observer.at("queue-restored")?;
    let largest = if Safeguard::SeqKept.holds() { ingest.lake.largest_seq().await? } else { 0 };
    ledger.open_for_work(epoch, largest + 1, ingest.now()).await?;
    Ok(Rebuilt { epoch, receipts, restored_batches: pending.len() as u64, undone_batches })
}

/// Piece by piece: a lake may have millions of receipts.
async fn import(ingest: &Ingest, ledger: &Ledger) -> Result<u64, Error> {
    let query = ReceiptQuery { whole: true, ..ReceiptQuery::default() };
    let mut pieces = ingest.lake.receipts_in_pieces(&query).await?;
    let mut count = 0;
    while let Some(rows) = pieces.try_next().await? {
        let known = rows.iter().filter_map(|row| Some((row.receipt.as_ref()?, row.revision)));
        let receipts: Vec<ImportedReceipt> =
            known.map(|(receipt, revision)| imported(receipt, revision, receipt.replaces_from)).collect();
        ledger.import_receipts(&receipts, ingest.now()).await?;
        count += receipts.len() as u64;
    }
    Ok(count)
}

fn imported(receipt: &Receipt, revision: i64, replaces_from: i64) -> ImportedReceipt {
    ImportedReceipt {
        object: receipt.object.clone(),
        version: VersionId::new(receipt.key_number, receipt.generation),
        revision,
        forgotten: false,
        replaces_from,
        content: receipt.content.clone(),
        twin: receipt.twin.as_ref().map(|twin| VersionId::new(twin.key_number, twin.generation)),
        removed: receipt.removed,
    }
}

async fn restore(ingest: &Ingest, ledger: &Ledger, staged: &Staged) -> Result<(), Error> {
    let manifest = &staged.manifest;
    let members = manifest
        .members
        .iter()
        .map(|member| Ok(imported(&member.receipt, staged.revision(member.key_number)?, member.replaces_from)));
    let members = members.collect::<Result<Vec<ImportedReceipt>, stillhouse_lake::Error>>()?;
    let kind = match manifest.kind {
        ManifestKind::Load => BatchKind::Load,
        ManifestKind::Amend => BatchKind::Amend,
        ManifestKind::Compact => BatchKind::Compact,
    };
    let text = manifest.to_json()?;
    ledger.restore_batch(staged.seq, &manifest.batch_id, kind, &text, &members, ingest.now()).await?;
    Ok(())
}
