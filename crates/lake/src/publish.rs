//! Step 5 of the commit protocol: one batch into every table it touches, `_receipts` last.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::IgnoredAny;
use stillhouse_safeguard::Safeguard;

use crate::RECEIPTS;
use crate::commit::{Committed, Rounds, next_version};
use crate::error::{Error, Kind};
use crate::lake::{Lake, Newest, not_ours};
use crate::log::{Commit, Note};
use crate::manifest::{ManifestKind, Published, Staged};
use crate::observe::Observer;
use crate::receipts::receipt_rows;
use crate::schema::{delta_schema, receipts_schema};
use crate::state::TableState;
use crate::writer::TableWriter;

impl Lake {
    /// Publishes the head of the queue (step 5 of the protocol): every data table in order, `_receipts` last. Whoever
    /// staged it, however far it got before. `now` is in microseconds.
    pub async fn publish(
        &self,
        staged: &Staged,
        epoch: i64,
        ledger_id: &str,
        now: i64,
        observer: &dyn Observer,
    ) -> Result<Published, Error> {
        staged.manifest.check_form()?;
        for member in &staged.manifest.members {
            staged.revision(member.key_number)?;
        }
        let publisher = Publisher {
            lake: self,
            staged,
            epoch,
            ledger_id,
            now,
            observer,
            known: None,
            states: BTreeMap::new(),
            seen: false,
            vector: BTreeMap::new(),
        };
        let published = Box::pin(publisher.run()).await?;
        let tables = published.vector.keys().map(String::as_str).chain([RECEIPTS]);
        self.checkpoint_where_due(tables).await;
        Ok(published)
    }
}

pub(crate) struct Publisher<'a> {
    pub lake: &'a Lake,
    pub staged: &'a Staged,
    pub epoch: i64,
    pub ledger_id: &'a str,
    pub now: i64,
    pub observer: &'a dyn Observer,
    /// The newest receipt when we began: of the batch before this one.
    known: Option<Arc<Newest>>,
    /// Tables as they were before the first commit; each is used once.
    states: BTreeMap<String, Option<Arc<TableState>>>,
    /// Some table's log has the manifest.
    pub seen: bool,
    vector: BTreeMap<String, i64>,
}

/// What a look at a table says.
enum Look {
    /// Nothing to do; the vector gets this version, if there is one.
    Leave(Option<i64>),
    /// The batch has to be committed here. `stale`: none of the table's files belongs to a complete batch.
    Commit { stale: bool },
    /// The whole batch is complete.
    Complete(Published),
}

impl Publisher<'_> {
    async fn run(mut self) -> Result<Published, Error> {
        if let Some(receipts) = self.lake.head(RECEIPTS).await? {
            if Safeguard::LookFirst.holds()
                && let Some(published) = self.complete(&receipts).await?
            {
                return Ok(published);
            }
            self.known = self.lake.newest(&receipts).await?;
        }
        let mut tables = self.lake.data_tables(Some(self.staged)).await?;
        let known = self.known.iter().flat_map(|newest| newest.vector.keys());
        let missing: Vec<String> = known.filter(|table| !tables.contains(table)).cloned().collect();
        tables.extend(missing);
        if !Safeguard::ReceiptLast.holds() {
            self.publish_receipt().await?;
        }
        self.look_at_all(&tables).await?;
        for table in tables {
            if let Some(published) = self.publish_table(&table).await? {
                return Ok(published);
            }
            self.observer.at(&format!("between:{table}"))?;
        }
        self.observer.at("before-receipt")?;
        let published = self.publish_receipt().await?;
        self.observer.at("receipted")?;
        Ok(published)
    }

    /// What the tables are before the first commit. A batch that one of them cannot take must go into none: once a table
    /// has it, it can be neither withdrawn nor finished. From here on nobody else changes a table, or our put fails.
    async fn look_at_all(&mut self, tables: &[String]) -> Result<(), Error> {
        for table in tables {
            self.states.insert(table.clone(), self.lake.head(table).await?);
        }
        let states = self.states.values().flatten();
        if !Safeguard::ColumnsFirst.holds() || states.into_iter().any(|state| state.seq >= self.staged.seq) {
            return Ok(()); // somebody has looked, and begun, or is done already
        }
        for (table, change) in &self.staged.manifest.tables {
            let Some(Some(state)) = self.states.get(table) else { continue };
            state.check_epoch(self.epoch)?;
            if state.epoch == 0 {
                return Err(not_ours(table));
            }
            if !self.is_void(state, change) {
                self.columns_of(state, change).await?;
            }
        }
        Ok(())
    }

    /// No table was looked at yet.
    pub fn is_first(&self) -> bool {
        self.vector.is_empty()
    }

    pub fn batch(&self) -> &str {
        &self.staged.manifest.batch_id
    }

    /// Whether `_receipts` has this batch.
    async fn complete(&self, receipts: &TableState) -> Result<Option<Published>, Error> {
        receipts.check_epoch(self.epoch)?;
        if receipts.seq < self.staged.seq {
            return Ok(None);
        }
        let newest = self.lake.newest(receipts).await?.ok_or_else(|| Error::bug("a seq without a receipt"))?;
        // A copy of our ledger counts the same places of the queue; what stands there must be this very batch.
        let batch = if newest.seq == self.staged.seq {
            Some(newest.batch.clone())
        } else {
            self.lake.receipt_of(receipts, self.staged.seq).await?.map(|receipt| receipt.batch)
        };
        if batch.as_deref() != Some(self.batch()) && Safeguard::BatchId.holds() {
            return Err(self.other_batch(RECEIPTS, batch.as_deref().unwrap_or("none")));
        }
        Ok(Some(Published { vector: newest.vector.clone(), receipts_version: receipts.version }))
    }

    fn other_batch(&self, table: &str, found: &str) -> Error {
        let seq = self.staged.seq;
        let message = format!("table `{table}`, seq {seq}: expected batch `{}`, found `{found}`", self.batch());
        Error::new(Kind::Fenced, message).hint(
            "another copy of this ledger has worked on the lake; see that only one is left, then run \
             `stillhouse ledger rebuild`",
        )
    }

    /// Steps a to f for one data table.
    async fn publish_table(&mut self, table: &str) -> Result<Option<Published>, Error> {
        let mut rounds = Rounds::default();
        loop {
            let state = match self.states.remove(table) {
                Some(state) => state,
                None => self.lake.head(table).await?,
            };
            self.observer.at(&format!("looked:{table}"))?;
            let stale = match self.decide(table, state.as_deref(), &rounds).await? {
                Look::Complete(published) => return Ok(Some(published)),
                Look::Leave(version) => {
                    self.vector.extend(version.map(|version| (table.to_owned(), version)));
                    return Ok(None);
                }
                Look::Commit { stale } => stale,
            };
            let makes = state.is_none();
            let commit = match &state {
                Some(state) => self.build(table, state, stale).await?,
                None => self.make(table)?,
            };
            match self.lake.commit(table, state, commit.into_bytes()?).await? {
                // A table that is not there cannot be fenced. Now it is there, so rows go in after another look at R.
                Committed::Done(_) if makes => self.observer.at(&format!("made:{table}"))?,
                Committed::Done(state) => {
                    self.observer.at(&format!("put:{table}"))?;
                    self.seen = true;
                    self.vector.insert(table.to_owned(), state.version);
                    return Ok(None);
                }
                Committed::LookAgain(error) => {
                    self.observer.at(&format!("put-unknown:{table}"))?;
                    rounds.again(table, error).await?;
                }
            }
        }
    }

    async fn decide(&mut self, table: &str, state: Option<&TableState>, rounds: &Rounds) -> Result<Look, Error> {
        if let Some(state) = state.filter(|_| !rounds.looks()) {
            state.check_epoch(self.epoch)?;
            if self.touches(table, state).await? {
                return Ok(Look::Commit { stale: false });
            }
        }
        self.look(table, state).await
    }

    async fn look(&mut self, table: &str, state: Option<&TableState>) -> Result<Look, Error> {
        let change = self.staged.manifest.tables.get(table);
        let known = self.known.as_ref().and_then(|newest| newest.vector.get(table)).copied();
        let found = state.map(|state| state.version);
        if let Some(known) = known.filter(|known| found.is_none_or(|found| found < *known)) {
            return Err(older_than_receipts(table, known, found));
        }
        let Some(state) = state else {
            let made = change.is_some() && self.staged.manifest.kind != ManifestKind::Compact;
            return Ok(if made { Look::Commit { stale: false } } else { Look::Leave(None) });
        };
        state.check_epoch(self.epoch)?;
        let seq = self.staged.seq;
        let batch = if state.seq == seq { self.lake.batch_of(state).await? } else { None };
        let ours = state.seq == seq && (batch.as_deref() == Some(self.batch()) || !Safeguard::BatchId.holds());
        if ours {
            self.seen = true;
            return Ok(Look::Leave(Some(state.version)));
        }
        if let Some(known) = known {
            if let Some(look) = self.strangers(table, known, state).await? {
                return Ok(look);
            }
            if state.seq == seq {
                return Err(self.other_batch(table, &batch.unwrap_or_default()));
            }
            let touched = state.seq < seq && self.touches(table, state).await?;
            return Ok(if touched { Look::Commit { stale: false } } else { Look::Leave(Some(state.version)) });
        }
        self.look_at_new(table, state, batch).await
    }

    /// After the version that the newest receipt names there are only fences, and commits of this batch. A commit of another
    /// one is of a publisher that was faster with this batch and went on, or of somebody who counts the same queue.
    async fn strangers(&self, table: &str, known: i64, state: &TableState) -> Result<Option<Look>, Error> {
        for (version, entry) in self.lake.tail_of::<IgnoredAny>(table, Some(known)).await? {
            if version > state.version {
                break; // came after we looked; our put finds it
            }
            let Some(batch) = entry.note.and_then(|note| note.batch).filter(|batch| batch != self.batch()) else {
                continue;
            };
            if let Some(receipts) = self.lake.head(RECEIPTS).await?
                && let Some(published) = self.complete(&receipts).await?
            {
                return Ok(Some(Look::Complete(published)));
            }
            return Err(self.other_batch(table, &batch));
        }
        Ok(None)
    }

    /// A table that no complete batch has: perhaps it was made a moment ago, after all tables were fenced. So
    /// `_receipts` is asked once more, **after** the table was looked at: if its epoch is still ours then, a fence that
    /// comes later finds the table, and if this batch is complete by now, nothing is left to do. Files of such a table
    /// belong to no complete batch, and go.
    async fn look_at_new(&self, table: &str, state: &TableState, batch: Option<String>) -> Result<Look, Error> {
        if Safeguard::NewTables.holds()
            && let Some(receipts) = self.lake.head(RECEIPTS).await?
            && let Some(published) = self.complete(&receipts).await?
        {
            return Ok(Look::Complete(published));
        }
        // Of our epoch, and not ours: a copy of our ledger counts the same places of the queue.
        if state.seq >= self.staged.seq && state.epoch == self.epoch && Safeguard::BatchId.holds() {
            return Err(self.other_batch(table, &batch.unwrap_or_default()));
        }
        if state.epoch == 0 {
            let wanted = self.staged.manifest.tables.contains_key(table);
            return if wanted { Err(not_ours(table)) } else { Ok(Look::Leave(None)) };
        }
        if self.staged.manifest.kind == ManifestKind::Compact {
            return Ok(Look::Leave(None)); // no file of a complete batch is there to merge
        }
        let stale = !state.files.is_empty() && Safeguard::NewTables.holds();
        let commit = stale || self.touches(table, state).await?;
        Ok(if commit { Look::Commit { stale } } else { Look::Leave(Some(state.version)) })
    }

    /// The commit point.
    async fn publish_receipt(&mut self) -> Result<Published, Error> {
        let mut rounds = Rounds::default();
        loop {
            let state = self.lake.head(RECEIPTS).await?;
            self.observer.at(&format!("looked:{RECEIPTS}"))?;
            if let Some(state) = state.as_ref().filter(|_| rounds.looks())
                && let Some(published) = self.complete(state).await?
            {
                return Ok(published);
            }
            let commit = self.build_receipt(state.as_deref()).await?;
            match self.lake.commit(RECEIPTS, state, commit.into_bytes()?).await? {
                Committed::Done(state) => {
                    let (seq, batch, vector) = (self.staged.seq, self.batch().to_owned(), self.vector.clone());
                    self.lake.set_newest(Newest { seq, batch, vector: vector.clone() });
                    return Ok(Published { vector, receipts_version: state.version });
                }
                Committed::LookAgain(error) => {
                    self.observer.at(&format!("put-unknown:{RECEIPTS}"))?;
                    rounds.again(RECEIPTS, error).await?;
                }
            }
        }
    }

    async fn build_receipt(&self, state: Option<&TableState>) -> Result<Commit, Error> {
        let rows = receipt_rows(self.staged, self.epoch, self.ledger_id, &self.vector, self.now)?;
        let stem = self.lake.file_stem(self.batch(), RECEIPTS, next_version(state));
        let mut writer = TableWriter::new(Arc::clone(&self.lake.store), RECEIPTS, receipts_schema(), &stem);
        writer.write(&rows).await?;
        let file = writer.finish(self.now).await?;
        let file = file.ok_or_else(|| Error::bug(format!("batch `{}`: no member, so no receipt", self.batch())))?;
        // R's commit makes the batch complete: nobody will look for a manifest any more.
        let note = Note { manifest: None, ..self.note()? };
        let mut commit = Commit::new("WRITE", &note, self.now)?;
        if state.is_none() {
            commit.create(RECEIPTS, &self.lake.table_id(), &delta_schema(&receipts_schema())?)?;
        }
        commit.add(&file)?;
        if let Some(state) = state
            && let Some(tidied) = self.lake.tidy(state, self.now).await
        {
            self.observer.at(&format!("rewritten:{RECEIPTS}"))?;
            commit.tidy(&tidied)?;
        }
        self.txns(&mut commit);
        Ok(commit)
    }
}

/// Somebody put an older copy of the table in its place, or took it away: its rows would be lost without a word.
fn older_than_receipts(table: &str, known: i64, found: Option<i64>) -> Error {
    let found = found.map_or("no such table".to_owned(), |found| format!("version {found}"));
    Error::new(Kind::FixSettings, format!("table `{table}`: expected version {known} or a later one, found {found}"))
        .hint("the lake's folder is not whole: put the table back, or restore the whole lake from one copy")
}
