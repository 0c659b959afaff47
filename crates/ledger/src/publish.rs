//! Steps 4 to 6: who publishes, what is next, what is done; and the way out for a batch that cannot be committed.

use crate::error::Error;
use crate::ledger::Ledger;
use crate::types::{QueueEntry, VersionId, WithdrawTo};

impl Ledger {
    /// Takes the publish lease if it is free, has run out, or is held under this token already.
    pub async fn take_publish_lease(&self, token: &str, now: i64, lease_us: i64) -> Result<bool, Error> {
        let _ = (token, now, lease_us);
        Err(Error::bug("under construction"))
    }

    /// Extends the publish lease. `false`: somebody else has it; forget all local state.
    pub async fn renew_publish_lease(&self, token: &str, now: i64, lease_us: i64) -> Result<bool, Error> {
        let _ = (token, now, lease_us);
        Err(Error::bug("under construction"))
    }

    /// Gives the publish lease back. `false`: it was not held under the token.
    pub async fn release_publish_lease(&self, token: &str) -> Result<bool, Error> {
        let _ = token;
        Err(Error::bug("under construction"))
    }

    /// The head of the publish queue: the only batch that may be published now.
    pub async fn queue_head(&self) -> Result<Option<QueueEntry>, Error> {
        Err(Error::bug("under construction"))
    }

    /// Removes this batch, which has its receipt, from the queue. `false`: it is not there any more (done before).
    /// Its members are complete, and lower generations of their keys superseded.
    pub async fn finish(&self, batch_id: &str, seq: i64, publish_token: &str, now: i64) -> Result<bool, Error> {
        let _ = (batch_id, seq, publish_token, now);
        Err(Error::bug("under construction"))
    }

    /// Takes over an epoch that `_receipts` has handed out for this ledger.
    pub async fn adopt_epoch(&self, epoch: i64, publish_token: &str) -> Result<(), Error> {
        let _ = (epoch, publish_token);
        Err(Error::bug("under construction"))
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
        let _ = (batch_id, publish_token, to, now);
        Err(Error::bug("under construction"))
    }
}
