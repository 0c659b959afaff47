//! The handle.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use object_store::ObjectStore;
use stillhouse_spec::TableName;
use uuid::Uuid;

use crate::error::Error;
use crate::manifest::{Manifest, Published, Staged};
use crate::observe::Observer;
use crate::receipts::{ReceiptQuery, ReceiptRow};
use crate::runs::{RunQuery, RunRow};
use crate::snapshot::Snapshot;
use crate::writer::TableWriter;

/// A lake: a folder or bucket prefix with one folder for each table.
#[derive(Debug)]
pub struct Lake {
    store: Arc<dyn ObjectStore>,
}

impl Lake {
    /// Opens a lake to write to. `handle` is a random id, new for each call: it makes names of files unique.
    /// Asks the store whether it honours put-if-absent, and refuses it if not.
    pub async fn open(store: Arc<dyn ObjectStore>, handle: Uuid) -> Result<Self, Error> {
        let _ = handle;
        Ok(Self { store })
    }

    /// Opens a lake only to read from it; writes nothing, not even to ask about the store.
    pub fn open_to_read(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// The store; a table's folder is its name.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Starts a data file `<file_stem>.parquet` of a table. Nothing is written before the first rows.
    pub fn writer(&self, table: &TableName, schema: SchemaRef, file_stem: &str) -> TableWriter {
        TableWriter::new(Arc::clone(&self.store), table.as_str(), schema, file_stem)
    }

    /// Whether the batch's tables fit the lake's as they are. To be called before the batch is staged: a batch that
    /// cannot be committed blocks the queue.
    pub async fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let _ = manifest;
        Err(Error::bug("not written yet"))
    }

    /// [`Lake::check`] for one table, before anything is decoded.
    pub async fn check_schema(&self, table: &str, schema: &Schema) -> Result<(), Error> {
        let _ = (table, schema);
        Err(Error::bug("not written yet"))
    }

    /// The newest epoch of `_receipts` and the ledger that it belongs to; `None` in a new lake.
    pub async fn receipts_epoch(&self) -> Result<Option<(i64, String)>, Error> {
        Err(Error::bug("not written yet"))
    }

    /// Takes the next epoch for `ledger_id`: fences `_receipts`. An epoch exists once this has returned it.
    pub async fn raise_epoch(&self, ledger_id: &str, now: i64, observer: &dyn Observer) -> Result<i64, Error> {
        let _ = (ledger_id, now, observer);
        Err(Error::bug("not written yet"))
    }

    /// Fences every data table with an epoch that [`Lake::raise_epoch`] gave.
    pub async fn fence_tables(
        &self,
        epoch: i64,
        ledger_id: &str,
        now: i64,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let _ = (epoch, ledger_id, now, observer);
        Err(Error::bug("not written yet"))
    }

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
        let _ = (staged, epoch, ledger_id, now, observer);
        Err(Error::bug("not written yet"))
    }

    /// The tables (data tables and `_receipts`) that have this batch. For withdrawing, after all tables are fenced.
    pub async fn batch_present(&self, batch_id: &str, seq: i64) -> Result<Vec<String>, Error> {
        let _ = (batch_id, seq);
        Err(Error::bug("not written yet"))
    }

    /// The largest seq in any table; a rebuilt ledger goes on from there.
    pub async fn largest_seq(&self) -> Result<i64, Error> {
        Err(Error::bug("not written yet"))
    }

    /// Batches that some table has and `_receipts` has not, by seq. For the queue of a rebuilt ledger.
    pub async fn pending_manifests(&self) -> Result<Vec<Staged>, Error> {
        Err(Error::bug("not written yet"))
    }

    /// Receipts, by seq and key number.
    pub async fn receipts(&self, query: &ReceiptQuery) -> Result<Vec<ReceiptRow>, Error> {
        let _ = query;
        Err(Error::bug("not written yet"))
    }

    /// What is complete now.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(Snapshot { seq: 0, tables: BTreeMap::new() })
    }

    /// Records a run; does nothing when its id is recorded already.
    pub async fn append_run(&self, run: &RunRow, now: i64) -> Result<(), Error> {
        let _ = (run, now);
        Err(Error::bug("not written yet"))
    }

    /// Recorded runs, by time of finishing.
    pub async fn runs(&self, query: &RunQuery) -> Result<Vec<RunRow>, Error> {
        let _ = query;
        Err(Error::bug("not written yet"))
    }

    /// Keeps a text under its fingerprint (`[0-9a-z]+`), once; the same fingerprint means the same text.
    pub async fn keep_text(&self, fingerprint: &str, text: &str) -> Result<(), Error> {
        let _ = (fingerprint, text);
        Err(Error::bug("not written yet"))
    }

    /// A text that [`Lake::keep_text`] kept.
    pub async fn text(&self, fingerprint: &str) -> Result<Option<String>, Error> {
        let _ = fingerprint;
        Err(Error::bug("not written yet"))
    }
}
