//! Delta tables that something else writes: one version of their log, to be read beside the lake.
//!
//! Their logs are replayed by delta-rs, not by the reader of our own logs: they may have partitions, checkpoints of every
//! kind and entries of any writer. What delta-rs understands and a plain scan of Parquet files does not (deletion vectors,
//! column mapping) is refused here, as is every reader feature that this module does not name. Nothing is written.

use std::collections::HashMap;
use std::path::Path as Folder;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake_core::DeltaTableBuilder;
use deltalake_core::kernel::{LogicalFileView, Snapshot};
use deltalake_core::logstore::{LogStore, LogStoreRef};
use futures::TryStreamExt as _;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use serde::Deserialize;
use url::Url;

use crate::error::{Error, Kind};
use crate::schema::arrow_schema;

/// A Delta table that something else writes, at one version.
#[derive(Debug, Clone)]
pub struct ForeignTable {
    /// The id in its log: another table in the same folder has another one.
    pub id: String,
    /// The Delta version.
    pub version: u64,
    /// Its columns, partition columns among them; all nullable.
    pub schema: SchemaRef,
    /// The files that are live in that version, by path.
    pub files: Vec<ForeignFile>,
    /// The partition columns, which no file holds: a row for each file, in the order of the files.
    pub partitions: RecordBatch,
    /// Where the files are.
    pub store: Arc<dyn ObjectStore>,
}

/// A Parquet file of a foreign table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignFile {
    /// Relative to the table's folder, as it is called there; [`Path::parse`] takes it.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows, if the log tells.
    pub rows: Option<u64>,
}

/// What a reader has to know that is no matter to a scan of whole Parquet files: types that we have, and how the log is
/// kept, which is the business of delta-rs.
const READER_FEATURES: [&str; 3] = ["timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"];

/// The setting by which names of columns in files are not those of the table.
const COLUMN_MAPPING: &str = "delta.columnMapping.mode";

impl ForeignTable {
    /// Reads the log of the table in `folder`: its newest version, or `version`. Messages call the table `name` and the
    /// folder `shown`.
    pub async fn open(name: &str, folder: &Folder, shown: &str, version: Option<u64>) -> Result<Self, Error> {
        let table = Named { name, shown };
        table.check_folder(folder)?;
        let (log, store) = table.stores(folder)?;
        let snapshot = table.snapshot(log.as_ref(), version).await?;
        table.check_protocol(&snapshot)?;
        let delta = serde_json::to_string(&*snapshot.schema()).map_err(|e| table.damaged(&e))?;
        let schema = arrow_schema(&delta).map_err(|e| table.damaged(&e))?;
        let live: Vec<LogicalFileView> =
            snapshot.file_views(log.as_ref(), None).try_collect().await.map_err(|e| table.damaged(&e))?;
        let mut files = live.iter().map(|view| Ok((table.file(view)?, view))).collect::<Result<Vec<_>, Error>>()?;
        // The order in a log depends on checkpoints; the same version shall always be read in the same way.
        files.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        let partitions = table.partitions(&schema, snapshot.metadata().partition_columns(), &files)?;
        let (id, version) = (snapshot.metadata().id().to_owned(), snapshot.version());
        Ok(Self { id, version, schema, files: files.into_iter().map(|(file, _)| file).collect(), partitions, store })
    }

    /// BLAKE3 of the names and sizes of the files, hex.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            hasher.update(format!("{}\n{}\n", file.path, file.size).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Rows in all files, if the log tells those of every one.
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.rows).sum()
    }
}

/// How messages call a table.
struct Named<'a> {
    name: &'a str,
    shown: &'a str,
}

impl Named<'_> {
    fn settings(&self, message: impl AsRef<str>) -> Error {
        Error::new(Kind::FixSettings, format!("table `{}`: {}", self.name, message.as_ref()))
    }

    fn data(&self, message: impl AsRef<str>) -> Error {
        Error::fix_data(format!("table `{}`: {}", self.name, message.as_ref()))
    }

    fn check_folder(&self, folder: &Folder) -> Result<(), Error> {
        let (name, shown) = (self.name, self.shown);
        if !folder.is_dir() {
            return Err(self.settings(format!("there is no folder `{shown}`")).hint(format!(
                "mend `delta` of [tables.{name}] in stillhouse.toml; relative paths start at the project folder"
            )));
        }
        if !folder.join("_delta_log").is_dir() {
            return Err(self.settings(format!("`{shown}` is no Delta table: it has no folder `_delta_log`")).hint(
                format!("let `delta` of [tables.{name}] in stillhouse.toml name the folder in which `_delta_log` lies"),
            ));
        }
        Ok(())
    }

    /// That of delta-rs for the log, and that of the data files.
    fn stores(&self, folder: &Folder) -> Result<(LogStoreRef, Arc<dyn ObjectStore>), Error> {
        let unusable =
            |e: &dyn std::fmt::Display| self.settings(format!("folder `{}` cannot be read: {e}", self.shown));
        let folder = folder.canonicalize().map_err(|e| unusable(&e))?;
        let url = Url::from_directory_path(&folder).map_err(|()| unusable(&"its path cannot be an address"))?;
        let log = DeltaTableBuilder::from_url(url).and_then(|builder| builder.build_storage());
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|e| unusable(&e))?;
        Ok((log.map_err(|e| unusable(&e))?, Arc::new(store)))
    }

    async fn snapshot(&self, log: &dyn LogStore, version: Option<u64>) -> Result<Snapshot, Error> {
        let error = match Snapshot::try_new(log, version).await {
            Ok(snapshot) => return Ok(snapshot),
            Err(error) => error,
        };
        let Some(version) = version else { return Err(self.damaged(&error)) };
        let newest = Snapshot::try_new(log, None).await.map_err(|e| self.damaged(&e))?.version();
        let found = match version > newest {
            true => format!("the newest is {newest}"),
            false => format!("its log no longer tells it; the newest is {newest}"),
        };
        let message = format!("expected version {version}, as `version` says; {found}");
        let hint =
            format!("leave `version` of [tables.{}] in stillhouse.toml out, or name one that is kept", self.name);
        Err(self.settings(message).hint(hint).caused_by(error))
    }

    /// Refuses what a scan of whole files would read wrongly.
    fn check_protocol(&self, snapshot: &Snapshot) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Protocol {
            #[serde(default)]
            reader_features: Vec<String>,
        }
        // The features as they are called; delta-rs hands out types of another crate.
        let protocol = serde_json::to_value(snapshot.protocol()).and_then(serde_json::from_value::<Protocol>);
        let mut features = protocol.map_err(|e| self.damaged(&e))?.reader_features;
        features.retain(|feature| !READER_FEATURES.contains(&feature.as_str()));
        features.sort_unstable();
        if !features.is_empty() {
            return Err(self.refused(&features.join("`, `")));
        }
        let mapping = snapshot.metadata().configuration().get(COLUMN_MAPPING);
        if mapping.is_some_and(|mode| mode != "none") {
            return Err(self.refused("columnMapping"));
        }
        Ok(())
    }

    /// That the table needs what we cannot do.
    fn refused(&self, feature: &str) -> Error {
        let next = match feature {
            "deletionVectors" => {
                "have its owner rewrite the files (`REORG TABLE … APPLY (PURGE)`) and drop the feature, or write a copy without it"
            }
            _ => "have its owner drop the feature, or write a copy of the table without it",
        };
        let message = format!("it needs the Delta feature `{feature}`, which is not read here");
        self.settings(message).hint(next)
    }

    fn file(&self, view: &LogicalFileView) -> Result<ForeignFile, Error> {
        if view.deletion_vector_descriptor().is_some() {
            return Err(self.refused("deletionVectors"));
        }
        let path = view.path().into_owned();
        let is_address = path.split_once(":/").is_some_and(|(scheme, _)| {
            scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        });
        if path.starts_with('/') || is_address {
            return Err(self.settings(format!("its log names a file outside of its folder, `{path}`")).hint(
                "only files in the folder of a table are read; have its owner write a full copy (a shallow clone is none)",
            ));
        }
        // What is left out of the path here would be another file.
        if Path::parse(&path).map_or(true, |parsed| parsed.as_ref() != path) {
            let message = format!("expected the path of a data file in its log, found `{path}`");
            return Err(self.data(message).hint(DAMAGED));
        }
        let size = u64::try_from(view.size());
        let size = size.map_err(|_| self.data(format!("file `{path}`: expected a size, found {}", view.size())))?;
        Ok(ForeignFile { path, size, rows: rows(view) })
    }

    /// The partition columns with a row for each file, in the types of the table.
    fn partitions(
        &self,
        schema: &Schema,
        names: &[String],
        files: &[(ForeignFile, &LogicalFileView)],
    ) -> Result<RecordBatch, Error> {
        let of_files: Vec<HashMap<String, Option<String>>> =
            files.iter().map(|(_, view)| view.partition_values_map()).collect();
        let mut fields = Vec::with_capacity(names.len());
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let field = schema.field_with_name(name).map_err(|e| self.damaged(&e))?;
            // No text is no value, in every type: so Delta says.
            let texts = of_files.iter().map(|values| values.get(name)?.as_deref().filter(|text| !text.is_empty()));
            columns.push(self.typed(field, &texts.collect())?);
            fields.push(field.clone());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(files.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|e| Error::bug("partition columns of a foreign table").caused_by(e))
    }

    fn typed(&self, field: &Field, texts: &StringArray) -> Result<ArrayRef, Error> {
        let (name, kind) = (field.name(), field.data_type());
        if matches!(kind, DataType::Binary) || kind.is_nested() {
            let message = format!("partition column `{name}`: values of type {kind} are not read");
            return Err(self.settings(message).hint("write a copy of the table that is partitioned by other columns"));
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(texts, kind, &strict)
            .map_err(|e| self.data(format!("partition column `{name}`: {e}")).hint(DAMAGED).caused_by(e))
    }

    fn damaged(&self, error: &dyn std::fmt::Display) -> Error {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_end_matches('.');
        self.data(format!("the log in `{}` cannot be read: {first}", self.shown)).hint(DAMAGED)
    }
}

const DAMAGED: &str = "see whether the program that writes the table can still read it, and have its owner restore it";

fn rows(view: &LogicalFileView) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Stats {
        num_records: Option<u64>,
    }
    let known = view.num_records().and_then(|rows| u64::try_from(rows).ok());
    known.or_else(|| serde_json::from_str::<Stats>(&view.stats()?).ok()?.num_records)
}
