//! What a batch does to one data table: the commit, built from the version that was looked at.

use stillhouse_safeguard::Safeguard;

use crate::columns::columns;
use crate::error::Error;
use crate::log::{Commit, EPOCH, Note, SEQ};
use crate::manifest::{Manifest, ManifestKind, TableChange};
use crate::publish::Publisher;
use crate::replace::{Gone, Touch};
use crate::schema::arrow_schema;
use crate::schema_history;
use crate::state::TableState;

impl Publisher<'_> {
    /// Rows, new columns, or rows that may be there and have to go.
    pub async fn touches(&self, table: &str, state: &TableState) -> Result<bool, Error> {
        let manifest = &self.staged.manifest;
        let change = manifest.tables.get(table);
        match (manifest.kind, change) {
            (ManifestKind::Load, _)
                if Safeguard::TouchAll.holds() && manifest.members.iter().any(|member| member.replaced().is_some()) =>
            {
                Ok(true)
            }
            (ManifestKind::Compact, Some(change)) => Ok(!self.is_void(state, change)),
            (_, None) => Ok(false),
            (_, Some(change)) => {
                let columns = self.columns_of(state, change).await?;
                Ok(!change.files.is_empty() || !change.out.is_empty() || columns.is_some())
            }
        }
    }

    /// A compaction whose sources are gone: names of files are never used again, so they stay gone.
    pub fn is_void(&self, state: &TableState, change: &TableChange) -> bool {
        let is_live = |path| state.files.contains_key(path);
        Safeguard::CompactVoid.holds() && !change.merged.iter().all(is_live)
    }

    /// What the batch does to the table's columns: see [`columns`].
    pub async fn columns_of(&self, state: &TableState, change: &TableChange) -> Result<Option<String>, Error> {
        columns(&self.lake.store, state, &self.staged.manifest, change).await
    }

    /// The first commit of a table: its columns and the epoch, no rows. To whoever reads the log later it is a fence: it
    /// belongs to no batch.
    pub fn make(&self, table: &str) -> Result<Commit, Error> {
        let change = self.staged.manifest.tables.get(table);
        let change =
            change.ok_or_else(|| Error::bug(format!("table `{table}`: made by a batch without rows for it")))?;
        let mut commit = Commit::new("CREATE TABLE", &Note::<()>::fence(self.epoch, self.ledger_id), self.now)?;
        commit.create(table, &self.lake.table_id(), &change.schema)?;
        commit.txn(EPOCH, self.epoch);
        Ok(commit)
    }

    /// The commit after `state`; `stale`: none of the files that are there stays.
    pub async fn build(&self, table: &str, state: &TableState, stale: bool) -> Result<Commit, Error> {
        let change = self.staged.manifest.tables.get(table);
        let mut commit = match self.staged.manifest.kind {
            ManifestKind::Compact => Commit::merging(&self.note()?, self.now)?,
            _ => Commit::new("WRITE", &self.note()?, self.now)?,
        };
        if let Some(change) = change {
            self.set_columns(state, change, &mut commit).await?;
        }
        if stale {
            state.files.values().try_for_each(|file| commit.remove(file))?;
        } else {
            self.take_out(state, change, &mut commit).await?;
        }
        for file in change.into_iter().flat_map(|change| &change.files) {
            commit.add(file)?;
        }
        self.txns(&mut commit);
        Ok(commit)
    }

    async fn set_columns(&self, state: &TableState, change: &TableChange, commit: &mut Commit) -> Result<(), Error> {
        let old = &state.metadata;
        let schema_string = self.columns_of(state, change).await?;
        let compacts = self.staged.manifest.kind == ManifestKind::Compact;
        if schema_string.is_some() || (compacts && !old.is_configured(&state.table)) {
            let mut metadata = old.clone();
            if let Some(schema_string) = schema_string {
                // What a table was made with is no change.
                if state.seq > 0 {
                    let new = arrow_schema(&schema_string)?;
                    let (version, at) = (state.version + 1, commit.now_ms());
                    schema_history::note(&mut metadata.configuration, &state.schema, &new, version, at);
                }
                metadata.schema_string = schema_string;
            }
            commit.metadata(&metadata.configured(&state.table))?;
        }
        Ok(())
    }

    /// Takes out what does not stay: of a load, the rows of replaced generations; of an amendment, records by name; of a
    /// compaction, the files that it merged. Which rows these are is read off this version of the table: neither ledger
    /// nor receipts need to know them.
    async fn take_out(
        &self,
        state: &TableState,
        change: Option<&TableChange>,
        commit: &mut Commit,
    ) -> Result<(), Error> {
        let manifest = &self.staged.manifest;
        let gone = match (manifest.kind, change) {
            (ManifestKind::Load, _) => Gone::of_members(manifest),
            (ManifestKind::Amend, Some(change)) => Gone::records(&change.out),
            (ManifestKind::Compact, Some(change)) => {
                let merged = change.merged.iter().filter_map(|path| state.files.get(path));
                for file in merged {
                    commit.remove(file)?;
                }
                return Ok(());
            }
            (_, None) => return Ok(()),
        };
        if gone.is_empty() {
            return Ok(());
        }
        let store = &self.lake.store;
        let mut rewritten = false;
        for file in state.files.values() {
            match gone.touch(store, &state.table, file).await? {
                Touch::None => {}
                Touch::All => commit.remove(file)?,
                Touch::Some => {
                    let stem = self.lake.file_stem(self.batch(), &state.table, state.version + 1);
                    if let Some(new) = gone.rewrite(store, &state.table, file, &stem, self.now).await? {
                        commit.add(&new)?;
                    }
                    commit.remove(file)?;
                    rewritten = true;
                }
            }
        }
        if rewritten {
            self.observer.at(&format!("rewritten:{}", state.table))?;
        }
        Ok(())
    }

    pub fn note(&self) -> Result<Note<&Manifest>, Error> {
        let members = self
            .staged
            .manifest
            .members
            .iter()
            .map(|member| Ok((member.key_number, member.generation, self.staged.revision(member.key_number)?)));
        let mut note = Note::fence(self.epoch, self.ledger_id);
        note.batch = Some(self.batch().to_owned());
        note.seq = Some(self.staged.seq);
        note.members = members.collect::<Result<_, Error>>()?;
        let carries =
            !self.seen && Safeguard::Manifest.holds() && (Safeguard::FirstManifest.holds() || self.is_first());
        note.manifest = carries.then_some(&self.staged.manifest);
        Ok(note)
    }

    pub fn txns(&self, commit: &mut Commit) {
        commit.txn(SEQ, self.staged.seq);
        commit.txn(EPOCH, self.epoch);
    }
}
