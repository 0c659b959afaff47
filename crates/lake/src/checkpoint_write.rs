//! Writing checkpoints: the table at one version, from memory.
//!
//! delta-rs would list the log and read it again, and would keep every removed file for a while in case another engine
//! cleans the table up: both cost more with every commit. Only stillhouse removes files, so tombstones are left out.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::checkpoint::{checkpoint_path, hint_path, read_checkpoint, read_hint};
use crate::error::Error;
use crate::log::{EPOCH, SEQ, encode_path};
use crate::state::TableState;

/// Actions that are turned into columns at a time.
const PIECE: usize = 1024;

/// Writes a checkpoint of the table as it is in `state`, and says so in `_last_checkpoint` once it reads back the same.
/// Returns false when there is one of this or a later version already.
pub(crate) async fn write(store: &Arc<dyn ObjectStore>, state: &TableState) -> Result<bool, Error> {
    let (table, version) = (state.table.as_str(), state.version);
    if read_hint(store, table).await?.is_some_and(|hint| hint.version >= version) {
        return Ok(false);
    }
    let bytes = encode(state).map_err(|mut error| {
        error.message = format!("table `{table}`: no checkpoint: {}", error.message);
        error
    })?;
    let path = checkpoint_path(table, version);
    let size = bytes.len();
    store.put(&path, bytes.into()).await.map_err(|e| Error::store(&path, e))?;
    // The log before it goes some day, so it must hold everything.
    let read = read_checkpoint(store, table, version).await?;
    if (&read.files, read.seq, read.epoch, &read.metadata) != (&state.files, state.seq, state.epoch, &state.metadata) {
        return Err(Error::bug(format!(
            "table `{table}`, checkpoint {version}: it does not read back as it was written"
        )));
    }
    let hint = json!({
        "version": version, "size": state.actions(), "sizeInBytes": size, "numOfAddFiles": state.files.len(),
    });
    let path = hint_path(table);
    store.put(&path, hint.to_string().into()).await.map_err(|e| Error::store(&path, e))?;
    Ok(true)
}

fn encode(state: &TableState) -> Result<Vec<u8>, Error> {
    let arrow = |e: arrow::error::ArrowError| Error::bug("actions as columns").caused_by(e);
    let parquet = |e: parquet::errors::ParquetError| Error::bug("a checkpoint as Parquet").caused_by(e);
    let schema = schema();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_coerce_types(true).build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options).map_err(parquet)?;
    let mut decoder = ReaderBuilder::new(schema).with_batch_size(PIECE).build_decoder().map_err(arrow)?;
    let mut rest = actions_of(state);
    loop {
        let piece: Vec<Value> = rest.by_ref().take(PIECE).collect();
        if piece.is_empty() {
            break;
        }
        decoder.serialize(&piece).map_err(arrow)?;
        if let Some(batch) = decoder.flush().map_err(arrow)? {
            writer.write(&batch).map_err(parquet)?;
        }
    }
    writer.into_inner().map_err(parquet)
}

/// As in log entries, one after the other.
fn actions_of(state: &TableState) -> impl Iterator<Item = Value> + '_ {
    let protocol = json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } });
    let metadata = json!({ "metaData": {
        "id": state.metadata.id,
        "format": { "provider": "parquet", "options": {} },
        "schemaString": state.metadata.schema_string,
        "partitionColumns": [],
        "configuration": state.metadata.configuration,
        "createdTime": state.metadata.created_time,
    } });
    let ours = [(SEQ, state.seq), (EPOCH, state.epoch)].into_iter().filter(|(_, version)| *version > 0);
    let theirs = state.others.iter().map(|(id, version)| (id.as_str(), *version));
    let txns = ours.chain(theirs).map(|(id, version)| json!({ "txn": { "appId": id, "version": version } }));
    let adds = state.files.values().map(|file| {
        json!({ "add": {
            "path": encode_path(&file.path),
            "partitionValues": {},
            "size": file.size,
            "modificationTime": file.modified_at_ms,
            "dataChange": false,
            "stats": (!file.stats.is_empty()).then_some(&file.stats),
        } })
    });
    [protocol, metadata].into_iter().chain(txns).chain(adds)
}

fn group(name: &str, fields: Vec<Field>) -> Field {
    Field::new(name, DataType::Struct(Fields::from(fields)), true)
}

fn field(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true)
}

fn map(name: &str) -> Field {
    let entry = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
    let entries = Field::new("key_value", DataType::Struct(Fields::from(entry)), false);
    field(name, DataType::Map(Arc::new(entries), false))
}

fn texts(name: &str) -> Field {
    field(name, DataType::List(Arc::new(field("element", DataType::Utf8))))
}

/// The columns of a checkpoint, as the Delta protocol names them.
fn schema() -> SchemaRef {
    use DataType::{Boolean, Int32, Int64, Utf8};
    let (path, size, tags) = (field("path", Utf8), field("size", Int64), map("tags"));
    let (values, change) = (map("partitionValues"), field("dataChange", Boolean));
    Arc::new(Schema::new(vec![
        group("txn", vec![field("appId", Utf8), field("version", Int64), field("lastUpdated", Int64)]),
        group(
            "add",
            vec![
                path.clone(),
                values.clone(),
                size.clone(),
                field("modificationTime", Int64),
                change.clone(),
                field("stats", Utf8),
                tags.clone(),
            ],
        ),
        group(
            "remove",
            vec![
                path,
                field("deletionTimestamp", Int64),
                change,
                field("extendedFileMetadata", Boolean),
                values,
                size,
                tags,
            ],
        ),
        group(
            "metaData",
            vec![
                field("id", Utf8),
                field("name", Utf8),
                field("description", Utf8),
                group("format", vec![field("provider", Utf8), map("options")]),
                field("schemaString", Utf8),
                texts("partitionColumns"),
                map("configuration"),
                field("createdTime", Int64),
            ],
        ),
        group(
            "protocol",
            vec![
                field("minReaderVersion", Int32),
                field("minWriterVersion", Int32),
                texts("readerFeatures"),
                texts("writerFeatures"),
            ],
        ),
    ]))
}
