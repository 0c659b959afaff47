//! The handle: the store, and what is known of each table.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{Schema, SchemaRef};
use futures::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode};
use stillhouse_spec::TableName;
use uuid::Uuid;

use crate::columns::{OldRows, TypeChange, columns, type_changes};
use crate::error::{Error, Kind};
use crate::manifest::{Manifest, Staged};
use crate::schema::{arrow_schema, delta_schema};
use crate::state::TableState;
use crate::writer::TableWriter;
use crate::{QUARANTINE, RECEIPTS, is_data_table, read};

/// A lake: a folder or bucket prefix with one folder for each table. Cheap to share (`Arc`); what it remembers of a
/// table is only a shortcut, every call reads the log entries after it.
#[derive(Debug)]
pub struct Lake {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) handle: Uuid,
    names: AtomicU64,
    /// Tables at the newest version that was seen.
    pub(crate) heads: Mutex<BTreeMap<String, Arc<TableState>>>,
    /// Tables as of the last snapshot, which may lie behind.
    pub(crate) shown: Mutex<BTreeMap<String, Arc<TableState>>>,
    newest: Mutex<Option<Arc<Newest>>>,
}

/// What the newest receipt says about the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newest {
    pub seq: i64,
    pub batch: String,
    pub vector: BTreeMap<String, i64>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is a shortcut and whole at every moment, also after a panic elsewhere.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lake {
    /// Opens a lake to write to. `handle` is a random id, new for each call: it makes names of files unique.
    /// Asks the store whether it honours put-if-absent, and refuses it if not.
    pub async fn open(store: Arc<dyn ObjectStore>, handle: Uuid) -> Result<Self, Error> {
        probe(&store, handle).await?;
        Ok(Self { handle, ..Self::open_to_read(store) })
    }

    /// Opens a lake only to read from it; writes nothing, not even to ask about the store.
    pub fn open_to_read(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            handle: Uuid::nil(),
            names: AtomicU64::new(0),
            heads: Mutex::default(),
            shown: Mutex::default(),
            newest: Mutex::default(),
        }
    }

    /// The store; a table's folder is its name.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Starts a data file `<file_stem>.parquet` of a table. Nothing is written before the first rows.
    pub fn writer(&self, table: &TableName, schema: SchemaRef, file_stem: &str) -> TableWriter {
        TableWriter::new(Arc::clone(&self.store), table.as_str(), schema, file_stem)
    }

    /// Whether the batch is well formed and its tables fit the lake's as they are; the inner error says why not. To be
    /// called before the batch is staged: a batch that cannot be committed blocks the queue.
    pub async fn check(&self, manifest: &Manifest) -> Result<Result<(), Error>, Error> {
        manifest.check_form()?;
        for (table, change) in &manifest.tables {
            let fits = match self.head(table).await? {
                Some(state) if state.epoch == 0 => Err(not_ours(table)),
                Some(state) => columns(&self.store, &state, manifest, change).await.map(drop),
                None => arrow_schema(&change.schema).map(drop),
            };
            match fits {
                Err(error) if error.kind == Kind::Bug => return Err(error),
                Err(error) => return Ok(Err(error)),
                Ok(()) => {}
            }
        }
        Ok(Ok(()))
    }

    /// Whether a table can take rows of these columns, with all rows that it has; the inner error says why not.
    pub async fn check_schema(&self, table: &str, schema: &Schema) -> Result<Result<(), Error>, Error> {
        let schema = delta_schema(schema)?;
        let fits = match self.head(table).await? {
            Some(state) if state.epoch == 0 => Err(not_ours(table)),
            Some(state) => state.columns_with(&schema, OldRows::Stay).map(drop),
            None => Ok(()),
        };
        match fits {
            Err(error) if error.kind == Kind::Bug => Err(error),
            other => Ok(other),
        }
    }

    /// The columns of a table that have other types there than in `schema`. None if no table of that name has rows.
    pub async fn type_changes(&self, table: &str, schema: &Schema) -> Result<Vec<TypeChange>, Error> {
        let new = arrow_schema(&delta_schema(schema)?)?;
        let state = self.head(table).await?.filter(|state| !state.files.is_empty());
        Ok(state.map_or_else(Vec::new, |state| type_changes(&state.schema, &new)))
    }

    /// The place in the queue of the last batch that has its receipt; 0 in a new lake.
    pub async fn finished_seq(&self) -> Result<i64, Error> {
        Ok(self.head(RECEIPTS).await?.map_or(0, |receipts| receipts.seq))
    }

    /// Keeps a text under its fingerprint (letters and digits), once; the same fingerprint means the same text.
    pub async fn keep_text(&self, fingerprint: &str, text: &str) -> Result<(), Error> {
        let path = text_path(fingerprint)?;
        match self.store.put_opts(&path, text.to_owned().into(), PutMode::Create.into()).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(()),
            Err(e) => Err(Error::store(&path, e)),
        }
    }

    /// A text that [`Lake::keep_text`] kept.
    pub async fn text(&self, fingerprint: &str) -> Result<Option<String>, Error> {
        let path = text_path(fingerprint)?;
        let bytes = match self.store.get(&path).await {
            Ok(found) => found.bytes().await.map_err(|e| Error::store(&path, e))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(Error::store(&path, e)),
        };
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|e| Error::fix_data(format!("`{path}`: expected UTF-8 text")).caused_by(e))
    }

    /// The tables that batches touch, by name, `_quarantine` first: every one in the lake and those of `also`.
    pub(crate) async fn data_tables(&self, also: Option<&Staged>) -> Result<Vec<String>, Error> {
        let listed = self.store.list_with_delimiter(None).await.map_err(|e| Error::store("lake folder", e))?;
        let folders = listed.common_prefixes.iter().filter_map(|path| path.filename()).map(str::to_owned);
        let also = also.into_iter().flat_map(|staged| staged.manifest.tables.keys().cloned());
        let mut tables: Vec<String> = folders.filter(|name| is_data_table(name)).chain(also).collect();
        tables.sort_by_key(|name| (name != QUARANTINE, name.clone()));
        tables.dedup();
        Ok(tables)
    }

    /// What the newest receipt says; `None` when no batch is complete.
    pub(crate) async fn newest(&self, receipts: &TableState) -> Result<Option<Arc<Newest>>, Error> {
        let seq = receipts.seq;
        if seq == 0 {
            return Ok(None);
        }
        if let Some(known) = lock(&self.newest).as_ref().filter(|known| known.seq == seq) {
            return Ok(Some(Arc::clone(known)));
        }
        match self.receipt_of(receipts, seq).await? {
            Some(newest) => Ok(Some(self.set_newest(newest))),
            None => Err(Error::fix_data(format!("table `{RECEIPTS}`: expected a row of batch {seq}, found none"))
                .hint("a file of the table is damaged or was changed; restore the lake from a copy")),
        }
    }

    /// What the receipt of the batch in place `seq` of the queue says; `None` when there is none.
    pub(crate) async fn receipt_of(&self, receipts: &TableState, seq: i64) -> Result<Option<Newest>, Error> {
        for file in receipts.files.values().filter(|file| read::may_hold_int(file, "seq", seq, seq)) {
            let columns = ["seq", "batch", "vector"];
            let mut rows = read::open(&self.store, RECEIPTS, file, Some(&columns)).await?;
            while let Some(batch) = rows.batches.next().await {
                let batch = batch?;
                let row = (0..batch.num_rows()).find(|row| read::int(&batch, "seq", *row) == Some(seq));
                if let Some(newest) = row.and_then(|row| read_newest(&batch, seq, row)) {
                    return Ok(Some(newest));
                }
            }
        }
        Ok(None)
    }

    pub(crate) fn set_newest(&self, newest: Newest) -> Arc<Newest> {
        let newest = Arc::new(newest);
        *lock(&self.newest) = Some(Arc::clone(&newest));
        newest
    }

    /// A name part that no other file has: written at publish time, for a version of a table.
    pub(crate) fn file_stem(&self, what: &str, table: &str, version: i64) -> String {
        let handle = self.handle.simple().to_string();
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        format!("{what}-{table}-v{version}-{}-{number}", &handle[..16])
    }

    /// An id for a new table.
    pub(crate) fn table_id(&self) -> String {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(self.handle.as_u128().wrapping_add(u128::from(number))).to_string()
    }
}

fn read_newest(batch: &arrow::array::RecordBatch, seq: i64, row: usize) -> Option<Newest> {
    let vector = serde_json::from_str(read::text(batch, "vector", row)?).ok()?;
    Some(Newest { seq, batch: read::text(batch, "batch", row)?.to_owned(), vector })
}

/// A table whose log never carried an epoch: every commit of ours that makes one does.
pub(crate) fn not_ours(table: &str) -> Error {
    Error::new(Kind::FixSettings, format!("table `{table}` lies in the lake, but stillhouse has not made it"))
        .hint("move its folder out of the lake, or give the contract's table another name")
}

fn text_path(fingerprint: &str) -> Result<Path, Error> {
    if fingerprint.is_empty() || !fingerprint.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::bug(format!("fingerprint `{fingerprint}`: expected letters and digits")));
    }
    Ok(Path::from(format!("_texts/{fingerprint}")))
}

/// Puts a key that is new, twice, both times only if absent: the second must fail.
pub(crate) async fn probe(store: &Arc<dyn ObjectStore>, handle: Uuid) -> Result<(), Error> {
    use object_store::Error as Store;
    let path = Path::from(format!("_probe/{}", handle.simple()));
    let put = async || store.put_opts(&path, "put-if-absent".into(), PutMode::Create.into()).await;
    put().await.map_err(|e| Error::store(&path, e))?;
    let second = put().await;
    if let Err(error) = store.delete(&path).await {
        tracing::warn!(%path, %error, "a probe of the store stays behind");
    }
    let refused = match second {
        Err(Store::AlreadyExists { .. } | Store::Precondition { .. }) => return Ok(()),
        Ok(_) => Error::new(Kind::FixSettings, "the store overwrites an object that was to be put only if absent"),
        Err(e) => {
            Error::new(Kind::FixSettings, format!("the store cannot put an object only if absent: {e}")).caused_by(e)
        }
    };
    Err(refused.hint("two writers would overwrite each other's commits; use a store with conditional puts"))
}
