//! What a table is at one version, moved forward by reading only the log entries after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::de::IgnoredAny;
use stillhouse_safeguard::Safeguard;

use crate::checkpoint;
use crate::columns::{OldRows, merge_schema};
use crate::error::{Error, Kind};
use crate::log::{Entry, Metadata, ProtocolLine, entry_path, read_entry};
use crate::manifest::DataFile;
use crate::schema::arrow_schema;

/// A log that is cleaned up meanwhile is looked at again this often.
const LOOKS_MAX: usize = 3;

/// A table at one version.
#[derive(Debug, Clone)]
pub(crate) struct TableState {
    pub table: String,
    pub version: i64,
    /// The last batch that the table has; 0 before the first.
    pub seq: i64,
    /// The id of that batch, unless it was committed before the checkpoint that this state began with.
    pub batch: Option<String>,
    pub epoch: i64,
    /// Counters of other programs; only kept for them.
    pub others: BTreeMap<String, i64>,
    pub metadata: Metadata,
    pub schema: SchemaRef,
    /// Live files by path.
    pub files: BTreeMap<String, Arc<DataFile>>,
    /// The version of the checkpoint that this state began with, or that was made since.
    pub checkpoint: Option<i64>,
}

impl TableState {
    /// Step 5a: whoever commits under `epoch` stops at a table that has a newer one.
    pub(crate) fn check_epoch(&self, epoch: i64) -> Result<(), Error> {
        if self.epoch <= epoch || !Safeguard::Epoch.holds() {
            return Ok(());
        }
        let message = format!("table `{}`: expected epoch {epoch}, found {}", self.table, self.epoch);
        Err(Error::new(Kind::Fenced, message).hint("another ledger speaks for this lake now"))
    }

    /// What a batch's columns do to the table: `None`, nothing; else its new Delta schema. A table that never had a batch
    /// has no rows that columns would have to fit (who made it perhaps never came back): it gets those of the batch.
    pub(crate) fn columns_with(&self, change: &str, old_rows: OldRows) -> Result<Option<String>, Error> {
        if self.seq > 0 || !self.files.is_empty() {
            let old_rows = if self.files.is_empty() { OldRows::Go } else { old_rows };
            return merge_schema(&self.table, &self.schema, &self.metadata.schema_string, change, old_rows);
        }
        arrow_schema(change)?;
        Ok((change != self.metadata.schema_string).then(|| change.to_owned()))
    }

    /// The table at its newest version, or at version `at`; `None` when there is no such table.
    pub async fn load(store: &Arc<dyn ObjectStore>, table: &str, at: Option<i64>) -> Result<Option<Self>, Error> {
        let mut found = -1;
        // A log that is cleaned up while it is read may seem to end too early; the next look finds a newer checkpoint.
        for _ in 0..LOOKS_MAX {
            let start = match checkpoint::load(store, table, at).await? {
                Some(state) => state,
                None => match read_entry::<IgnoredAny>(store, table, 0).await? {
                    Some(first) => Self::first(table, first)?,
                    None if log_is_empty(store, table).await? => return Ok(None),
                    None => continue,
                },
            };
            let from = start.version;
            let state = start.advance(store, at).await?;
            found = state.version;
            let is_whole = match at {
                Some(at) => state.version == at,
                None => is_newest(store, table, state.version).await?,
            };
            if is_whole && followed(store, table, from, found).await? {
                return Ok(Some(state));
            }
        }
        let expected = at.map_or("its newest version".to_owned(), |at| format!("version {at}"));
        let found = if found < 0 { "only later entries of its log".to_owned() } else { format!("version {found}") };
        let message = format!("table `{table}`: expected {expected}, found {found}");
        Err(Error::fix_data(message).hint("log entries are missing; restore the lake from a copy"))
    }

    fn first(table: &str, entry: Entry<IgnoredAny>) -> Result<Self, Error> {
        let Some(metadata) = entry.metadata.clone() else {
            return Err(Error::fix_data(format!(
                "table `{table}`, log entry 0: expected the table's columns, found none"
            )));
        };
        let mut state = Self::empty(table, metadata)?;
        state.apply(0, entry)?;
        Ok(state)
    }

    /// A table before its first entry.
    pub fn empty(table: &str, metadata: Metadata) -> Result<Self, Error> {
        let schema = table_schema(table, &metadata)?;
        Ok(Self {
            table: table.to_owned(),
            version: -1,
            seq: 0,
            batch: None,
            epoch: 0,
            others: BTreeMap::new(),
            metadata,
            schema,
            files: BTreeMap::new(),
            checkpoint: None,
        })
    }

    /// Actions of a checkpoint of this version.
    pub fn actions(&self) -> usize {
        let txns = usize::from(self.seq > 0) + usize::from(self.epoch > 0) + self.others.len();
        2 + txns + self.files.len() // protocol and metadata
    }

    /// Reads on, to the newest version or to `until`.
    pub async fn advance(mut self, store: &Arc<dyn ObjectStore>, until: Option<i64>) -> Result<Self, Error> {
        while until.is_none_or(|until| self.version < until) {
            let next = self.version + 1;
            let Some(entry) = read_entry::<IgnoredAny>(store, &self.table, next).await? else { break };
            self.apply(next, entry)?;
        }
        Ok(self)
    }

    /// Takes over the next entry.
    pub fn apply<M>(&mut self, version: i64, entry: Entry<M>) -> Result<(), Error> {
        debug_assert_eq!(version, self.version + 1, "log entries are applied in order");
        if let Some(protocol) = &entry.protocol {
            check_protocol(&self.table, version, protocol)?;
        }
        if let Some(metadata) = entry.metadata {
            self.schema = table_schema(&self.table, &metadata)?;
            self.metadata = metadata;
        }
        for path in &entry.removes {
            self.files.remove(path);
        }
        for file in entry.adds {
            self.files.insert(file.path.clone(), Arc::new(file));
        }
        if let Some(seq) = entry.seq {
            self.seq = seq;
            self.batch = entry.note.and_then(|note| note.batch);
        }
        self.epoch = entry.epoch.unwrap_or(self.epoch);
        self.others.extend(entry.others);
        self.version = version;
        Ok(())
    }
}

/// Whether nothing follows a version after which no entry was found. Old entries are deleted, so that a slot may be empty
/// although it was taken long ago; but then the entry before it is gone too, or a later checkpoint is there.
pub(crate) async fn is_newest(store: &Arc<dyn ObjectStore>, table: &str, version: i64) -> Result<bool, Error> {
    let (is_there, hint) = futures::try_join!(has_entry(store, table, version), checkpoint::read_hint(store, table))?;
    Ok(is_there && hint.is_none_or(|hint| hint.version <= version))
}

/// Whether the entries that were read after version `from`, up to `to`, are those that followed it. Old entries are deleted,
/// the oldest first, and who was slow may have put another one into a slot that was emptied: so they are, as long as the
/// entry of `from` is still there after the reading.
pub(crate) async fn followed(store: &Arc<dyn ObjectStore>, table: &str, from: i64, to: i64) -> Result<bool, Error> {
    Ok(from == to || from < 0 || has_entry(store, table, from).await?)
}

/// Whether a slot into which an entry was just put was free because nobody had taken it before.
pub(crate) async fn was_free(store: &Arc<dyn ObjectStore>, table: &str, version: i64) -> Result<bool, Error> {
    let hint = checkpoint::read_hint(store, table);
    if version == 0 {
        return Ok(hint.await?.is_none());
    }
    let (follows, hint) = futures::try_join!(has_entry(store, table, version - 1), hint)?;
    Ok(follows && hint.is_none_or(|hint| hint.version < version))
}

async fn has_entry(store: &Arc<dyn ObjectStore>, table: &str, version: i64) -> Result<bool, Error> {
    let path = entry_path(table, version);
    match store.head(&path).await {
        Ok(_) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(Error::store(&path, e)),
    }
}

async fn log_is_empty(store: &Arc<dyn ObjectStore>, table: &str) -> Result<bool, Error> {
    let folder = Path::from(format!("{table}/_delta_log"));
    let first = store.list(Some(&folder)).try_next().await;
    first.map(|first| first.is_none()).map_err(|e| Error::store(&folder, e))
}

/// Tables that need more than the oldest protocol were changed by somebody else: refuse them before misreading them.
pub(crate) fn check_protocol(table: &str, version: i64, protocol: &ProtocolLine) -> Result<(), Error> {
    if protocol.min_reader_version > 1 || protocol.min_writer_version > 2 {
        let found = format!("{} and {}", protocol.min_reader_version, protocol.min_writer_version);
        let message =
            format!("table `{table}`, version {version}: expected reader and writer version 1 and 2, found {found}");
        return Err(Error::fix_data(message).hint("another program changed this table; only stillhouse may"));
    }
    Ok(())
}

fn table_schema(table: &str, metadata: &Metadata) -> Result<SchemaRef, Error> {
    if !metadata.partition_columns.is_empty() {
        let found = metadata.partition_columns.join("`, `");
        return Err(Error::fix_data(format!("table `{table}`: expected no partition columns, found `{found}`"))
            .hint("another program changed this table; only stillhouse may"));
    }
    arrow_schema(&metadata.schema_string).map_err(|mut error| {
        error.message = format!("table `{table}`: {}", error.message);
        error
    })
}
