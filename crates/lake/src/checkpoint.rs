//! Reading checkpoints, whoever wrote them.
//!
//! Reading them ourselves keeps every file's statistics text as it was committed and costs no eager snapshot of
//! delta-rs (0.07 ms a file).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, StructArray};
use arrow::datatypes::{Int32Type, Int64Type};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::log::{EPOCH, Metadata, ProtocolLine, SEQ, data_file, decode_path};
use crate::manifest::DataFile;
use crate::object::ObjectReader;
use crate::state::{TableState, check_protocol};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Hint {
    pub version: i64,
    parts: Option<u32>,
}

/// The newest checkpoint (at or before `at`) that can be read. One that cannot is as good as none: what comes before it
/// tells the same, as long as that is kept.
pub(crate) async fn load(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    at: Option<i64>,
) -> Result<Option<TableState>, Error> {
    let Some(hint) = read_hint(store, table).await? else { return Ok(None) };
    let is_early = |version: i64| at.is_none_or(|at| version <= at);
    if is_early(hint.version)
        && let Some(state) = try_read(store, table, hint).await?
    {
        return Ok(Some(state));
    }
    let mut others = list(store, table).await?;
    others.retain(|other| is_early(other.version) && *other != hint);
    others.sort_unstable();
    for other in others.into_iter().rev() {
        if let Some(state) = try_read(store, table, other).await? {
            return Ok(Some(state));
        }
    }
    Ok(None)
}

async fn try_read(store: &Arc<dyn ObjectStore>, table: &str, hint: Hint) -> Result<Option<TableState>, Error> {
    match read(store, table, hint).await {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind == Kind::Retry => Err(error),
        Err(error) => {
            tracing::warn!(table, version = hint.version, %error, "checkpoint not readable; looking for an older one");
            Ok(None)
        }
    }
}

/// The checkpoint of one file that was written for this version.
pub(crate) async fn read_checkpoint(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    version: i64,
) -> Result<TableState, Error> {
    read(store, table, Hint { version, parts: None }).await
}

pub(crate) fn hint_path(table: &str) -> Path {
    Path::from(format!("{table}/_delta_log/_last_checkpoint"))
}

pub(crate) fn checkpoint_path(table: &str, version: i64) -> Path {
    Path::from(format!("{table}/_delta_log/{version:020}.checkpoint.parquet"))
}

/// What `_last_checkpoint` says, if it can be read.
pub(crate) async fn read_hint(store: &Arc<dyn ObjectStore>, table: &str) -> Result<Option<Hint>, Error> {
    let path = hint_path(table);
    match store.get(&path).await {
        Ok(found) => {
            let bytes = found.bytes().await.map_err(|e| Error::store(&path, e))?;
            Ok(serde_json::from_slice(&bytes).ok())
        }
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(e) => Err(Error::store(&path, e)),
    }
}

/// Checkpoints of one file. Others are only found by `_last_checkpoint`.
async fn list(store: &Arc<dyn ObjectStore>, table: &str) -> Result<Vec<Hint>, Error> {
    let folder = Path::from(format!("{table}/_delta_log"));
    let found: Vec<_> = store.list(Some(&folder)).try_collect().await.map_err(|e| Error::store(&folder, e))?;
    let versions = found.iter().filter_map(|meta| {
        let version = meta.location.filename()?.strip_suffix(".checkpoint.parquet")?.parse().ok()?;
        Some(Hint { version, parts: None })
    });
    Ok(versions.collect())
}

async fn read(store: &Arc<dyn ObjectStore>, table: &str, hint: Hint) -> Result<TableState, Error> {
    let stem = format!("{table}/_delta_log/{:020}.checkpoint", hint.version);
    let paths: Vec<String> = match hint.parts {
        None => vec![format!("{stem}.parquet")],
        Some(parts) => (1..=parts).map(|part| format!("{stem}.{part:010}.{parts:010}.parquet")).collect(),
    };
    let mut found = Found::default();
    for path in paths {
        let path = Path::from(path);
        let error = |e| Error::parquet(&path, e);
        let size = store.head(&path).await.map_err(|e| missing_part(table, hint.version, &path, e))?.size;
        let reader = ObjectReader { store: Arc::clone(store), path: path.clone(), size };
        let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(error)?;
        let wanted = ["protocol", "metaData", "txn", "add.path", "add.size", "add.modificationTime", "add.stats"];
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
        let mut batches = builder.with_projection(mask).build().map_err(error)?;
        while let Some(batch) = batches.next().await {
            found.take(table, hint.version, &batch.map_err(error)?)?;
        }
    }
    let metadata = found.metadata.ok_or_else(|| incomplete(table, hint.version, "metaData"))?;
    let mut state = TableState::empty(table, metadata)?;
    state.files = found.files;
    state.version = hint.version;
    state.checkpoint = Some(hint.version);
    state.seq = found.txns.remove(SEQ).unwrap_or(0);
    state.epoch = found.txns.remove(EPOCH).unwrap_or(0);
    state.others = found.txns;
    Ok(state)
}

/// A checkpoint that is not there is one that cannot be read, not a store to ask again.
fn missing_part(table: &str, version: i64, path: &Path, error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => incomplete(table, version, path.as_ref()).caused_by(error),
        error => Error::store(path, error),
    }
}

fn incomplete(table: &str, version: i64, column: &str) -> Error {
    Error::fix_data(format!("table `{table}`, checkpoint {version}: expected `{column}`, found none"))
}

#[derive(Default)]
struct Found {
    metadata: Option<Metadata>,
    txns: BTreeMap<String, i64>,
    files: BTreeMap<String, Arc<DataFile>>,
}

impl Found {
    fn take(&mut self, table: &str, version: i64, batch: &RecordBatch) -> Result<(), Error> {
        let missing = |column: &str| incomplete(table, version, column);
        if let Some(protocol) = batch.column_by_name("protocol").and_then(|c| c.as_struct_opt()) {
            for row in rows(protocol) {
                let number = |name: &str| {
                    let column = protocol.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
                    column.is_valid(row).then(|| column.value(row))
                };
                let min_reader_version = number("minReaderVersion").ok_or_else(|| missing("protocol"))?;
                let min_writer_version = number("minWriterVersion").ok_or_else(|| missing("protocol"))?;
                check_protocol(table, version, &ProtocolLine { min_reader_version, min_writer_version })?;
            }
        }
        if let Some(metadata) = batch.column_by_name("metaData").and_then(|c| c.as_struct_opt()) {
            for row in rows(metadata) {
                self.metadata = Some(read_metadata(metadata, row).ok_or_else(|| missing("metaData"))?);
            }
        }
        if let Some(txn) = batch.column_by_name("txn").and_then(|c| c.as_struct_opt()) {
            for row in rows(txn) {
                let id = text(txn, "appId", row).ok_or_else(|| missing("txn.appId"))?;
                self.txns.insert(id, number(txn, "version", row).ok_or_else(|| missing("txn.version"))?);
            }
        }
        let add = batch.column_by_name("add").and_then(|c| c.as_struct_opt()).ok_or_else(|| missing("add"))?;
        for row in rows(add) {
            let path = decode_path(table, &text(add, "path", row).ok_or_else(|| missing("add.path"))?)?;
            let size = number(add, "size", row).and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or_else(|| missing("add.size"))?;
            let modified = number(add, "modificationTime", row).ok_or_else(|| missing("add.modificationTime"))?;
            let file = data_file(path.clone(), size, modified, text(add, "stats", row).unwrap_or_default());
            self.files.insert(path, Arc::new(file));
        }
        Ok(())
    }
}

fn read_metadata(metadata: &StructArray, row: usize) -> Option<Metadata> {
    let mut configuration = BTreeMap::new();
    if let Some(map) = metadata.column_by_name("configuration").and_then(|c| c.as_map_opt())
        && map.is_valid(row)
    {
        let entries = map.value(row);
        for entry in 0..entries.len() {
            let value = text_at(entries.column(1), entry).unwrap_or_default();
            configuration.insert(text_at(entries.column(0), entry)?, value);
        }
    }
    let mut partition_columns = Vec::new();
    if let Some(list) = metadata.column_by_name("partitionColumns").and_then(|c| c.as_list_opt::<i32>())
        && list.is_valid(row)
    {
        let names = list.value(row);
        partition_columns.extend((0..names.len()).filter_map(|index| text_at(&names, index)));
    }
    Some(Metadata {
        id: text(metadata, "id", row)?,
        schema_string: text(metadata, "schemaString", row)?,
        partition_columns,
        configuration,
        created_time: number(metadata, "createdTime", row),
    })
}

fn rows(array: &StructArray) -> impl Iterator<Item = usize> + '_ {
    (0..array.len()).filter(|row| array.is_valid(*row))
}

fn number(array: &StructArray, column: &str, row: usize) -> Option<i64> {
    let column = array.column_by_name(column)?.as_primitive_opt::<Int64Type>()?;
    column.is_valid(row).then(|| column.value(row))
}

fn text(array: &StructArray, column: &str, row: usize) -> Option<String> {
    text_at(array.column_by_name(column)?, row)
}

/// Whichever of Arrow's three forms of text the file's own schema asks for.
fn text_at(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let text = if let Some(array) = array.as_string_opt::<i32>() {
        array.value(row)
    } else if let Some(array) = array.as_string_view_opt() {
        array.value(row)
    } else {
        array.as_string_opt::<i64>()?.value(row)
    };
    Some(text.to_owned())
}
