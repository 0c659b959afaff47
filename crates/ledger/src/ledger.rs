//! Opening a ledger, and its own numbers.

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::types::Status;

/// An open ledger. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<str>,
}

impl Ledger {
    /// Opens the SQLite ledger at `path`, or makes it with the id `new_ledger_id`. Network file systems are refused.
    pub async fn open_sqlite(path: &Path, new_ledger_id: &str, now: i64) -> Result<Self, Error> {
        let _ = (path, new_ledger_id, now);
        Err(Error::bug("under construction"))
    }

    /// Opens the ledger at a `postgres://` or `sqlite://` address, or makes it with the id `new_ledger_id`.
    pub async fn open_url(url: &str, new_ledger_id: &str, now: i64) -> Result<Self, Error> {
        let _ = (url, new_ledger_id, now);
        Err(Error::bug("under construction"))
    }

    /// Closes the connections of this ledger and of its clones.
    pub async fn close(&self) {}

    /// The id under which this ledger was opened. All writes name it.
    pub fn ledger_id(&self) -> &str {
        &self.inner
    }

    /// The ledger's own numbers.
    pub async fn status(&self) -> Result<Status, Error> {
        Err(Error::bug("under construction"))
    }

    /// The newest epoch that the ledger knows of.
    pub async fn epoch(&self) -> Result<i64, Error> {
        Ok(self.status().await?.epoch)
    }

    /// Says which lake this ledger speaks for; refused when it speaks for another.
    pub async fn bind_lake(&self, lake: &str) -> Result<(), Error> {
        let _ = lake;
        Err(Error::bug("under construction"))
    }
}
