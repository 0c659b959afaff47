//! The way out for a head that cannot be committed (protocol §5): taken out of the queue, if no table has it.

use stillhouse_ledger::{QueueEntry, WithdrawTo};
use stillhouse_safeguard::Safeguard;

use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::reason::Reason;

/// Takes the batch out of the queue, its objects held under a new generation. A batch that some table has already stays,
/// to be rolled forward when the cause is mended: then `cause` comes back. Returns the epoch that counts from now on.
pub(crate) async fn withdraw(ingest: &Ingest, token: &str, head: &QueueEntry, cause: Error) -> Result<i64, Error> {
    let (ledger, observer) = (ingest.ledger.ledger_id(), ingest.observer.as_ref());
    // Whoever still works on this head must not get through after we have looked: first the epoch, in `_receipts` and
    // only then in the ledger, then every other table. A ledger that was shut out meanwhile must not take the lake back.
    if !Safeguard::EpochInR.holds() {
        ingest.ledger.adopt_epoch(ingest.ledger.status().await?.epoch + 1, token).await?;
    }
    let epoch = ingest.lake.raise_own_epoch(ledger, ingest.now(), observer).await?;
    ingest.ledger.adopt_epoch(epoch, token).await?;
    if Safeguard::WithdrawFence.holds() {
        ingest.lake.fence_tables(epoch, ledger, ingest.now(), observer).await?;
    }
    let mut present = ingest.lake.batch_present(&head.batch_id, head.seq).await?;
    present.retain(|_| Safeguard::WithdrawLook.holds());
    if present.iter().any(|table| table == stillhouse_lake::RECEIPTS) {
        return Ok(epoch); // another publisher has completed it meanwhile
    }
    if !present.is_empty() {
        let tables = present.join("`, `");
        // All tables were looked at before the first commit, so something in the lake can no longer be read.
        let message = format!("batch {} is in `{tables}` and cannot be committed to the rest", head.batch_id);
        let hint = "mend what is named below, or restore the lake from a copy; the next run goes on with this batch";
        return Err(Error::new(Kind::FixData, message).with_hint(hint).with_source(cause));
    }
    observer.at("withdraw-decided")?;
    let reason = Reason::of(&cause).to_json();
    ingest.ledger.withdraw(&head.batch_id, token, &WithdrawTo::Held { reason }, ingest.now()).await?;
    Ok(epoch)
}
