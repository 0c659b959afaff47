//! Reading the diary.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::ledger::Ledger;
use crate::types::{FoundKey, KeyHistory, State, VersionId, VersionRow};

impl Ledger {
    /// What is known of a key: one history for each member of an archive, one for a plain object, none if unknown.
    pub async fn history(&self, source: &str, key: &str) -> Result<Vec<KeyHistory>, Error> {
        let _ = (source, key);
        Err(Error::bug("under construction"))
    }

    /// Keys of any source that hold `part`, at most `limit`: equal ones first, then those that end in it, then the rest.
    pub async fn find_keys(&self, part: &str, limit: usize) -> Result<Vec<FoundKey>, Error> {
        let _ = (part, limit);
        Err(Error::bug("under construction"))
    }

    /// Object versions in a state, oldest offer first.
    pub async fn list(&self, state: State, limit: u32) -> Result<Vec<VersionRow>, Error> {
        let _ = (state, limit);
        Err(Error::bug("under construction"))
    }

    /// How many object versions are in each state; a state without any is absent.
    pub async fn counts(&self) -> Result<BTreeMap<State, u64>, Error> {
        Err(Error::bug("under construction"))
    }

    /// One object version.
    pub async fn version(&self, version: VersionId) -> Result<Option<VersionRow>, Error> {
        let _ = version;
        Err(Error::bug("under construction"))
    }
}
