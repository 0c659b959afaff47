//! Step 3: a decoded batch gets its place in the publish queue.

use crate::error::Error;
use crate::ledger::Ledger;
use crate::types::{StageRequest, Staged};

impl Ledger {
    /// Puts a batch into the publish queue, whole or not at all. From then on it is never dropped, except by
    /// [`Ledger::withdraw`].
    pub async fn stage(&self, request: &StageRequest, now: i64) -> Result<Staged, Error> {
        let _ = (request, now);
        Err(Error::bug("under construction"))
    }
}
