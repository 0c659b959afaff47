//! Claims: who reads which object versions, until when.

use crate::error::Error;
use crate::ledger::Ledger;
use crate::types::{ClaimLimits, Job, VersionId};

impl Ledger {
    /// Claims the oldest job that is ready: one large object, or a group of small ones of one source. Jobs whose lease ran
    /// out are ready again. `token` and `attempt` are new and random. Empty: nothing is ready.
    pub async fn claim(
        &self,
        limits: ClaimLimits,
        token: &str,
        attempt: &str,
        now: i64,
        lease_us: i64,
    ) -> Result<Vec<Job>, Error> {
        let _ = (limits, token, attempt, now, lease_us);
        Err(Error::bug("under construction"))
    }

    /// Extends the lease of everything that is held under the token. `false`: nothing is, or not all any more; stop.
    pub async fn heartbeat(&self, token: &str, now: i64, lease_us: i64) -> Result<bool, Error> {
        let _ = (token, now, lease_us);
        Err(Error::bug("under construction"))
    }

    /// Gives back everything that is held under the token; answers how many.
    pub async fn release(&self, token: &str, now: i64) -> Result<u64, Error> {
        let _ = (token, now);
        Err(Error::bug("under construction"))
    }

    /// A claimed object could not be read. It is offered again from `retry_at` on; without one it stays failed until
    /// [`Ledger::retry_held`] or a new version of it. `false`: not held under the token any more, nothing is written.
    pub async fn fail(
        &self,
        token: &str,
        version: VersionId,
        error: &str,
        retry_at: Option<i64>,
        now: i64,
    ) -> Result<bool, Error> {
        let _ = (token, version, error, retry_at, now);
        Err(Error::bug("under construction"))
    }

    /// A claimed object will not load until somebody acts. `false`: not held under the token any more.
    pub async fn hold(&self, token: &str, version: VersionId, reason_json: &str, now: i64) -> Result<bool, Error> {
        let _ = (token, version, reason_json, now);
        Err(Error::bug("under construction"))
    }
}
