//! What tables have beyond the newest receipt: fences, the head of the queue as far as it got, and what copies of a ledger
//! left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::RECEIPTS;
use crate::commit::{Committed, Rounds};
use crate::error::Error;
use crate::lake::Lake;
use crate::log::{Commit, EPOCH, Entry, Note, read_entry};
use crate::manifest::{DataFile, Manifest, Staged};
use crate::observe::Observer;
use crate::state::TableState;

/// One entry of a data table.
struct Tail<M> {
    table: String,
    /// The version of the table that the newest receipt names.
    known: Option<i64>,
    version: i64,
    entry: Entry<M>,
}

type Files = BTreeMap<String, Arc<DataFile>>;

/// The files of `all` that `some` does not have.
fn missing_in<'a>(some: &'a Files, all: &'a Files) -> impl Iterator<Item = &'a DataFile> {
    all.iter().filter(|(path, _)| !some.contains_key(*path)).map(|(_, file)| file.as_ref())
}

impl Lake {
    /// The tables (data tables and `_receipts`) that have this batch. For withdrawing, after all tables are fenced.
    pub async fn batch_present(&self, batch_id: &str, seq: i64) -> Result<Vec<String>, Error> {
        let mut present = Vec::new();
        for Tail { table, version, entry, .. } in self.tail::<IgnoredAny>().await? {
            let note = entry.note.filter(|note| note.batch.as_deref() == Some(batch_id));
            if let Some(note) = note {
                if note.seq != Some(seq) {
                    let message = format!(
                        "table `{table}`, version {version}: expected batch `{batch_id}` with seq {seq}, found {:?}",
                        note.seq
                    );
                    return Err(Error::bug(message));
                }
                present.push(table);
            }
        }
        if let Some(receipts) = self.head(RECEIPTS).await?
            && receipts.seq >= seq
        {
            present.push(RECEIPTS.to_owned());
        }
        Ok(present)
    }

    /// The largest seq in any table, 0 in a new lake; a rebuilt ledger goes on from there.
    pub async fn largest_seq(&self) -> Result<i64, Error> {
        let mut largest = 0;
        for table in self.data_tables(None).await?.iter().map(String::as_str).chain([RECEIPTS]) {
            largest = largest.max(self.head(table).await?.map_or(0, |state| state.seq));
        }
        Ok(largest)
    }

    /// Batches that some table has and `_receipts` has not, by seq. For the queue of a rebuilt ledger.
    pub async fn pending_manifests(&self) -> Result<Vec<Staged>, Error> {
        let complete = self.head(RECEIPTS).await?.map_or(0, |state| state.seq);
        let mut begun: BTreeSet<(i64, String)> = BTreeSet::new();
        let mut manifests: BTreeMap<(i64, String), Staged> = BTreeMap::new();
        for Tail { entry, .. } in self.tail::<Manifest>().await? {
            let Some(note) = entry.note else { continue };
            let (Some(batch), Some(seq)) = (note.batch, note.seq.filter(|seq| *seq > complete)) else { continue };
            if let Some(manifest) = note.manifest {
                manifest.check_format()?;
                let revisions = note.members.iter().map(|(key, _, revision)| (*key, *revision)).collect();
                manifests.insert((seq, batch.clone()), Staged { seq, manifest, revisions });
            }
            begun.insert((seq, batch));
        }
        if let Some((seq, batch)) = begun.iter().find(|id| !manifests.contains_key(id)) {
            let message =
                format!("batch `{batch}` (seq {seq}): expected its manifest in the log, found only parts of it");
            return Err(Error::fix_data(message).hint("log entries are missing; restore the lake from a copy"));
        }
        Ok(manifests.into_values().collect())
    }

    /// The entries of data tables that are newer than the newest receipt's vector.
    async fn tail<M: DeserializeOwned>(&self) -> Result<Vec<Tail<M>>, Error> {
        let newest = match self.head(RECEIPTS).await? {
            Some(receipts) => self.newest(&receipts).await?,
            None => None,
        };
        let mut tail = Vec::new();
        for table in self.data_tables(None).await? {
            let known = newest.as_ref().and_then(|newest| newest.vector.get(&table).copied());
            for (version, entry) in self.tail_of(&table, known).await? {
                tail.push(Tail { table: table.clone(), known, version, entry });
            }
        }
        Ok(tail)
    }

    /// The entries of a table after the version that the newest receipt names. Those that were undone are left out.
    pub(crate) async fn tail_of<M: DeserializeOwned>(
        &self,
        table: &str,
        known: Option<i64>,
    ) -> Result<Vec<(i64, Entry<M>)>, Error> {
        let mut tail = Vec::new();
        let mut version = known.unwrap_or(-1) + 1;
        while let Some(entry) = read_entry(&self.store, table, version).await? {
            if entry.note.as_ref().is_some_and(|note| note.undone) {
                tail.clear();
            }
            tail.push((version, entry));
            version += 1;
        }
        Ok(tail)
    }

    /// Puts tables back to the versions of the newest receipt where they have batches that nobody can complete any more:
    /// batches at a place of the queue at which the receipts have another one, or several that are half published. Both
    /// come about only where two copies of one ledger were in use. None of their rows was ever shown, and none of their
    /// objects has a receipt by them, so those are loaded again. For a rebuild, after all tables are fenced. Answers how
    /// many batches that were.
    pub async fn undo_strangers(
        &self,
        epoch: i64,
        ledger_id: &str,
        now: i64,
        observer: &dyn Observer,
    ) -> Result<u64, Error> {
        let complete = self.head(RECEIPTS).await?.map_or(0, |state| state.seq);
        let (mut begun, mut tables) = (BTreeSet::new(), BTreeMap::new());
        // A rebuild that was stopped has begun to undo them; what it left has perhaps lost its manifest.
        let mut undoes = false;
        for Tail { table, known, entry, .. } in self.tail::<IgnoredAny>().await? {
            let Some(note) = entry.note else { continue };
            undoes |= note.undone;
            if let (Some(seq), Some(batch)) = (note.seq, note.batch) {
                undoes |= seq <= complete;
                begun.insert((seq, batch));
                tables.insert(table, known);
            }
        }
        if !undoes && begun.len() <= 1 {
            return Ok(0); // the head of the queue, which goes on
        }
        for (table, known) in tables {
            self.undo(&table, known, epoch, ledger_id, now).await?;
            observer.at(&format!("undone:{table}"))?;
        }
        Ok(begun.len() as u64)
    }

    async fn undo(&self, table: &str, known: Option<i64>, epoch: i64, ledger_id: &str, now: i64) -> Result<(), Error> {
        let before = match known {
            Some(known) => self.at(table, known).await?.files.clone(),
            None => BTreeMap::new(),
        };
        let mut rounds = Rounds::default();
        loop {
            let Some(state) = self.head(table).await? else { return Ok(()) };
            state.check_epoch(epoch)?;
            let tail = self.tail_of::<IgnoredAny>(table, known).await?;
            if tail.iter().all(|(_, entry)| entry.note.as_ref().is_none_or(|note| note.batch.is_none())) {
                return Ok(());
            }
            let note = Note::<()> { undone: true, ..Note::fence(epoch, ledger_id) };
            let mut commit = Commit::new("RESTORE", &note, now)?;
            for file in missing_in(&before, &state.files) {
                commit.remove(file)?;
            }
            for file in missing_in(&state.files, &before) {
                commit.add(file)?;
            }
            commit.txn(EPOCH, epoch);
            match self.commit(table, Some(state), commit.into_bytes()?).await? {
                Committed::Done(_) => return Ok(()),
                Committed::LookAgain(error) => rounds.again(table, error).await?,
            }
        }
    }

    /// The id of a table's last batch; looked up in the log where a checkpoint hides it.
    pub(crate) async fn batch_of(&self, state: &TableState) -> Result<Option<String>, Error> {
        let mut version = state.version;
        while state.batch.is_none() && version >= 0 {
            let Some(entry) = read_entry::<IgnoredAny>(&self.store, &state.table, version).await? else { break };
            if entry.seq.is_some() {
                return Ok(entry.note.and_then(|note| note.batch));
            }
            version -= 1;
        }
        Ok(state.batch.clone())
    }
}
