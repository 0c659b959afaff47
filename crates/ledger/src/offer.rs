//! Discovery tells what is there; the ledger makes one row of each object version.

use stillhouse_spec::ObjectVersion;

use crate::error::Error;
use crate::ledger::Ledger;
use crate::types::{Offered, VersionId};

impl Ledger {
    /// Offers object versions, in one transaction; answers in the order of `objects`. An object whose etag or size differs
    /// from the newest version of its key is the next generation; older ones that nobody works on are superseded at once.
    pub async fn offer(&self, objects: &[ObjectVersion], now: i64) -> Result<Vec<Offered>, Error> {
        let _ = (objects, now);
        Err(Error::bug("under construction"))
    }

    /// Offers the newest version of a key once more, as the next generation (`--reload`). `None`: no such key.
    pub async fn reoffer(&self, source: &str, key: &str, member: &str, now: i64) -> Result<Option<VersionId>, Error> {
        let _ = (source, key, member, now);
        Err(Error::bug("under construction"))
    }

    /// Makes held and failed versions claimable again, under the same generation (nothing of them is in any table).
    /// Answers how many. `None` as key: all keys of the source.
    pub async fn retry_held(&self, source: &str, key: Option<&str>, now: i64) -> Result<u64, Error> {
        let _ = (source, key, now);
        Err(Error::bug("under construction"))
    }
}
