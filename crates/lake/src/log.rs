//! Entries of a Delta log: what we write into them and what we read out of them.
//!
//! Actions are delta-rs's own types, so that their form is Delta's. Entries are put by ourselves: delta-rs's
//! `CommitData` takes the time from the wall clock, and its log store would add nothing to one put-if-absent.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use deltalake_core::kernel::{Action, Add, CommitInfo, Remove, Transaction};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stillhouse_safeguard::Safeguard;

use crate::error::{Error, Kind};
use crate::manifest::DataFile;
use crate::{RECEIPTS, RUNS};

/// `txn` id of the last batch of a table.
pub(crate) const SEQ: &str = "stillhouse/seq";
/// `txn` id of the epoch of a table.
pub(crate) const EPOCH: &str = "stillhouse/epoch";
/// 2 since batches can amend and compact.
const NOTE_FORMAT: u32 = 2;

/// What commitInfo says about us, under the name `stillhouse`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "M: DeserializeOwned"))]
pub(crate) struct Note<M> {
    pub format: u32,
    /// Absent in a fence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    pub epoch: i64,
    pub ledger_id: String,
    /// Key number, generation, revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<(i64, i64, i64)>,
    /// In the first commit of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<M>,
    /// Everything after the version that the newest receipt names was taken out again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

impl<M> Note<M> {
    pub fn fence(epoch: i64, ledger_id: &str) -> Self {
        let ledger_id = ledger_id.to_owned();
        let members = Vec::new();
        Self { format: NOTE_FORMAT, batch: None, seq: None, epoch, ledger_id, members, manifest: None, undone: false }
    }
}

/// One log entry, as far as it concerns us. Actions that we do not know are left out.
#[derive(Debug)]
pub(crate) struct Entry<M> {
    pub protocol: Option<ProtocolLine>,
    pub metadata: Option<Metadata>,
    pub adds: Vec<DataFile>,
    pub removes: Vec<String>,
    pub seq: Option<i64>,
    pub epoch: Option<i64>,
    /// Other programs' counters.
    pub others: Vec<(String, i64)>,
    pub note: Option<Note<M>>,
    /// When it was committed, milliseconds since 1970.
    pub at_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProtocolLine {
    pub min_reader_version: i32,
    pub min_writer_version: i32,
}

/// The metaData action, as far as we keep it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub id: String,
    pub schema_string: String,
    #[serde(default)]
    pub partition_columns: Vec<String>,
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    pub created_time: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddLine {
    path: String,
    size: u64,
    modification_time: i64,
    stats: Option<String>,
    deletion_vector: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct RemoveLine {
    path: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TxnLine {
    app_id: String,
    version: i64,
}

#[derive(Debug, Deserialize)]
#[serde(bound = "M: DeserializeOwned")]
struct InfoLine<M> {
    timestamp: Option<i64>,
    stillhouse: Option<Note<M>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound = "M: DeserializeOwned")]
struct Line<M> {
    protocol: Option<ProtocolLine>,
    meta_data: Option<Metadata>,
    add: Option<AddLine>,
    remove: Option<RemoveLine>,
    txn: Option<TxnLine>,
    commit_info: Option<InfoLine<M>>,
}

/// The object of a log entry.
pub(crate) fn entry_path(table: &str, version: i64) -> Path {
    Path::from(format!("{table}/_delta_log/{version:020}.json"))
}

/// Reads one entry; `None` when there is none yet. `M` is [`IgnoredAny`] or [`crate::Manifest`].
pub(crate) async fn read_entry<M: DeserializeOwned>(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    version: i64,
) -> Result<Option<Entry<M>>, Error> {
    let path = entry_path(table, version);
    let bytes = match store.get(&path).await {
        Ok(found) => found.bytes().await.map_err(|e| Error::store(&path, e))?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(e) => return Err(Error::store(&path, e)),
    };
    parse_entry(table, version, &bytes).map(Some)
}

/// Reads the lines of one entry.
pub(crate) fn parse_entry<M: DeserializeOwned>(table: &str, version: i64, bytes: &[u8]) -> Result<Entry<M>, Error> {
    let mut entry = Entry {
        protocol: None,
        metadata: None,
        adds: vec![],
        removes: vec![],
        seq: None,
        epoch: None,
        others: vec![],
        note: None,
        at_ms: None,
    };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Line<M> = serde_json::from_slice(line).map_err(|e| {
            let place = format!("table `{table}`, log entry {version}, line {}", index + 1);
            Error::fix_data(format!("{place}: expected a Delta action, found something unreadable: {e}"))
                .hint("the log is damaged; restore this file of the lake from a copy")
                .caused_by(e)
        })?;
        entry.take(table, version, line)?;
    }
    Ok(entry)
}

impl<M> Entry<M> {
    fn take(&mut self, table: &str, version: i64, line: Line<M>) -> Result<(), Error> {
        if let Some(add) = line.add {
            if add.deletion_vector.is_some() {
                let message =
                    format!("table `{table}`, version {version}: expected plain files, found a deletion vector");
                return Err(Error::fix_data(message).hint("another program changed this table; only stillhouse may"));
            }
            let path = decode_path(table, &add.path)?;
            self.adds.push(data_file(path, add.size, add.modification_time, add.stats.unwrap_or_default()));
        }
        if let Some(remove) = line.remove {
            self.removes.push(decode_path(table, &remove.path)?);
        }
        if let Some(txn) = line.txn {
            match txn.app_id.as_str() {
                SEQ => self.seq = Some(txn.version),
                EPOCH => self.epoch = Some(txn.version),
                _ => self.others.push((txn.app_id, txn.version)),
            }
        }
        self.protocol = line.protocol.or(self.protocol.take());
        self.metadata = line.meta_data.or(self.metadata.take());
        if let Some(info) = line.commit_info {
            self.at_ms = info.timestamp;
            self.note = info.stillhouse.or(self.note.take());
        }
        if let Some(note) = &self.note
            && note.format > NOTE_FORMAT
        {
            let message =
                format!("table `{table}`, version {version}: expected format {NOTE_FORMAT}, found {}", note.format);
            return Err(Error::new(Kind::FixSettings, message).hint("a newer stillhouse wrote it; use that version"));
        }
        Ok(())
    }
}

/// Paths in logs and checkpoints are percent-encoded, relative to the table.
pub(crate) fn decode_path(table: &str, path: &str) -> Result<String, Error> {
    let decoded = Path::from_url_path(path).map_err(|e| {
        Error::fix_data(format!("table `{table}`: expected the path of a data file, found `{path}`")).caused_by(e)
    })?;
    Ok(decoded.to_string())
}

/// The other way round. Names of ours need no encoding; those of others may.
pub(crate) fn encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'=') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A file as the log or a checkpoint names it; rows and objects come from its statistics.
pub(crate) fn data_file(path: String, size: u64, modified_at_ms: i64, stats: String) -> DataFile {
    #[derive(Default, Deserialize)]
    struct Bounds {
        #[serde(rename = "_object")]
        object: Option<i64>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Stats {
        num_records: u64,
        min_values: Bounds,
        max_values: Bounds,
    }
    let known: Stats = serde_json::from_str(&stats).unwrap_or_default();
    DataFile {
        path,
        size,
        rows: known.num_records,
        object_min: known.min_values.object.unwrap_or(i64::MIN),
        object_max: known.max_values.object.unwrap_or(i64::MAX),
        stats,
        modified_at_ms,
    }
}

/// How long files that were removed are named in checkpoints, for other engines: by our own tables' settings.
const RETENTION: &str = "delta.deletedFileRetentionDuration";

fn settings(table: &str) -> [(&'static str, &'static str); 2] {
    // Only the newest version of `_receipts` and `_runs` is ever read.
    let retention = if table == RECEIPTS || table == RUNS { "interval 0 seconds" } else { "interval 1 days" };
    [("delta.enableExpiredLogCleanup", "false"), (RETENTION, retention)]
}

impl Metadata {
    /// Whether the table has all of our settings.
    pub fn is_configured(&self, table: &str) -> bool {
        settings(table).iter().all(|(name, value)| self.configuration.get(*name).is_some_and(|found| found == value))
    }

    /// With all of our settings; what others set stays.
    pub fn configured(mut self, table: &str) -> Self {
        self.configuration.extend(settings(table).map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }
}

/// One commit in the making.
#[derive(Debug)]
pub(crate) struct Commit {
    actions: Vec<Action>,
    now_ms: i64,
    /// Whether rows come or go by it.
    data_change: bool,
}

impl Commit {
    /// A commit that only puts rows into other files.
    pub fn merging<M: Serialize>(note: &Note<M>, now: i64) -> Result<Self, Error> {
        Ok(Self { data_change: false, ..Self::new("OPTIMIZE", note, now)? })
    }

    /// When it is made; milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Takes files in and out whose rows stay what they are.
    pub fn moving(&mut self, moves: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        let data_change = std::mem::replace(&mut self.data_change, false);
        let moved = moves(self);
        self.data_change = data_change;
        moved
    }

    /// Begins with commitInfo: `operation` is what `history` shows.
    pub fn new<M: Serialize>(operation: &str, note: &Note<M>, now: i64) -> Result<Self, Error> {
        let note = serde_json::to_value(note).map_err(|e| Error::bug("commitInfo: not writable").caused_by(e))?;
        let now_ms = now.div_euclid(1000);
        let info = CommitInfo {
            timestamp: Some(now_ms),
            operation: Some(operation.to_owned()),
            engine_info: Some(concat!("stillhouse/", env!("CARGO_PKG_VERSION")).to_owned()),
            info: HashMap::from([("stillhouse".to_owned(), note)]),
            ..CommitInfo::default()
        };
        Ok(Self { actions: vec![Action::CommitInfo(info)], now_ms, data_change: true })
    }

    /// Protocol (reader 1, writer 2: every reader opens the table) and columns of a new table.
    pub fn create(&mut self, table: &str, id: &str, schema: &str) -> Result<(), Error> {
        let protocol = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
        let protocol = serde_json::from_value(protocol).map_err(|e| Error::bug("protocol action").caused_by(e))?;
        self.actions.push(Action::Protocol(protocol));
        let metadata = Metadata {
            id: id.to_owned(),
            schema_string: schema.to_owned(),
            partition_columns: Vec::new(),
            configuration: BTreeMap::new(),
            created_time: Some(self.now_ms),
        };
        self.metadata(&metadata.configured(table))
    }

    pub fn metadata(&mut self, metadata: &Metadata) -> Result<(), Error> {
        let value = json!({
            "id": metadata.id,
            "name": null,
            "description": null,
            "format": { "provider": "parquet", "options": {} },
            "schemaString": metadata.schema_string,
            "partitionColumns": metadata.partition_columns,
            "configuration": metadata.configuration,
            "createdTime": metadata.created_time,
        });
        let metadata = serde_json::from_value(value).map_err(|e| Error::bug("metaData action").caused_by(e))?;
        self.actions.push(Action::Metadata(metadata));
        Ok(())
    }

    pub fn txn(&mut self, id: &str, version: i64) {
        self.actions.push(Action::Txn(Transaction::new(id, version)));
    }

    pub fn add(&mut self, file: &DataFile) -> Result<(), Error> {
        let size = i64::try_from(file.size).map_err(|e| Error::bug("a file beyond 2^63 bytes").caused_by(e))?;
        self.actions.push(Action::Add(Add {
            path: file.path.clone(),
            size,
            modification_time: file.modified_at_ms,
            data_change: self.data_change,
            stats: (!file.stats.is_empty()).then(|| file.stats.clone()),
            ..Add::default()
        }));
        Ok(())
    }

    pub fn remove(&mut self, file: &DataFile) -> Result<(), Error> {
        let size = i64::try_from(file.size).map_err(|e| Error::bug("a file beyond 2^63 bytes").caused_by(e))?;
        self.actions.push(Action::Remove(Remove {
            path: file.path.clone(),
            data_change: self.data_change,
            deletion_timestamp: Some(self.now_ms),
            extended_file_metadata: Some(true),
            partition_values: Some(HashMap::new()),
            size: Some(size),
            ..Remove::default()
        }));
        Ok(())
    }

    /// The entry's text: one action a line.
    pub fn into_bytes(self) -> Result<Bytes, Error> {
        let mut text = String::new();
        for action in self.actions {
            let line = serde_json::to_string(&action).map_err(|e| Error::bug("Delta action").caused_by(e))?;
            writeln!(text, "{line}").map_err(|e| Error::bug("writing to a string").caused_by(e))?;
        }
        Ok(Bytes::from(text))
    }
}

/// What the store answered to a put of a log entry. Only `Done` says what happened.
#[derive(Debug)]
pub(crate) enum Put {
    /// The entry is ours.
    Done,
    /// The slot is taken, perhaps by ourselves; or nobody knows.
    LookAgain(object_store::Error),
}

/// Put-if-absent of one log entry.
pub(crate) async fn put_entry(store: &Arc<dyn ObjectStore>, table: &str, version: i64, bytes: Bytes) -> Put {
    let mode = if Safeguard::PutIfAbsent.holds() { PutMode::Create } else { PutMode::Overwrite };
    match store.put_opts(&entry_path(table, version), bytes.into(), mode.into()).await {
        Ok(_) => Put::Done,
        Err(e) => Put::LookAgain(e),
    }
}
