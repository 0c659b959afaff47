//! A ledger that is not the unbroken continuation of itself is made anew from the lake (`protocol.md` section 6).

use crate::error::Error;
use crate::ledger::Ledger;
use crate::types::ImportedReceipt;

impl Ledger {
    /// Forgets everything, takes a new id and closes for work; answers the ledger under its new id. Whoever works with
    /// the old one is fenced. Then: fence the tables, read the lake, import, restore, open for work.
    pub async fn begin_rebuild(&self, new_ledger_id: &str, now: i64) -> Result<Ledger, Error> {
        let _ = (new_ledger_id, now);
        Err(Error::bug("under construction"))
    }

    /// Takes over what receipts say; in any order, in as many calls as convenient, the same ones twice if need be.
    pub async fn import_receipts(&self, receipts: &[ImportedReceipt], now: i64) -> Result<(), Error> {
        let _ = (receipts, now);
        Err(Error::bug("under construction"))
    }

    /// Puts a batch that a table has and `_receipts` has not back into the queue, from its manifest.
    pub async fn restore_batch(
        &self,
        seq: i64,
        batch_id: &str,
        manifest: &str,
        members: &[ImportedReceipt],
        now: i64,
    ) -> Result<(), Error> {
        let _ = (seq, batch_id, manifest, members, now);
        Err(Error::bug("under construction"))
    }

    /// Opens for work: `epoch` is in every table, `next_seq` is above every seq in them. Also the last step of a new
    /// ledger for an empty lake. Doing it again is doing nothing.
    pub async fn open_for_work(&self, epoch: i64, next_seq: i64, now: i64) -> Result<(), Error> {
        let _ = (epoch, next_seq, now);
        Err(Error::bug("under construction"))
    }
}
