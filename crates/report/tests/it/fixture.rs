//! A project, receipts and a lake to report on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, RecordBatch};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use stillhouse_query::{Engine, EngineOptions, FileInput, Session, TableInput};
use stillhouse_report::{
    Error, ForeignVersion, RunContext, RunFilter, RunRecord, RunRequest, RunStore, RunStoreError, RunView, SourceState,
    TableVersion,
};
use stillhouse_spec::{Counts, ObjectVersion, Period, Project, ProjectFiles, Receipt, Report, Source};

/// A project of one source (`spill` and `every` as asked) and one report with the given queries.
pub fn project(source: &str, report: &str, queries: &[(&str, &str)]) -> Project {
    let mut files = BTreeMap::new();
    files.insert("stillhouse.toml".to_owned(), "format = 1\n[project]\nname = \"test\"\n".to_owned());
    files.insert("sources/events.toml".to_owned(), source.to_owned());
    files.insert("reports/activity/report.toml".to_owned(), report.to_owned());
    for (name, sql) in queries {
        files.insert(format!("reports/activity/{name}.sql"), (*sql).to_owned());
    }
    Project::parse(&ProjectFiles { files }, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

pub const MONTHLY: &str = r#"
format = 1
[source]
type = "csv"
path = "data/{yyyy}/{MM}/events.csv"
every = "month"
spill = "1 day"
[table]
name = "events"
time = "time"
[table.columns]
time = "timestamp"
amount = "decimal(12,2)"
tags = "list<string>"
[[child]]
name = "event_tags"
from = "events.tags[]"
item = "tag"
"#;

pub fn source(text: &str) -> Source {
    let report = "format = 1\ntitle = \"T\"\nperiod = { type = \"any\" }\n[queries.n]\ntitle = \"N\"\n";
    project(text, report, &[("n", "select count(*) from events")]).sources.remove(0)
}

/// A receipt of `key` with so many rows on these days.
pub fn receipt(key: &str, days: &[(&str, u64)]) -> Receipt {
    let loaded = days.iter().map(|(_, rows)| rows).sum();
    Receipt {
        format: 1,
        object: ObjectVersion {
            source: "events".to_owned(),
            key: key.to_owned(),
            member: String::new(),
            etag: "e".to_owned(),
            size: 10,
            modified_at: 0,
        },
        key_number: 1,
        generation: 1,
        revision: 1,
        batch: "b1".to_owned(),
        seq: 1,
        digest: blake3::hash(key.as_bytes()).to_hex().to_string(),
        bytes: 10,
        counts: Counts { read: loaded, loaded, ..Counts::default() },
        source_fingerprint: "s".to_owned(),
        decoder: "stillhouse 0".to_owned(),
        days: days.iter().map(|(day, rows)| ((*day).to_owned(), *rows)).collect(),
        ..Receipt::default()
    }
}

/// A lake of Parquet files, with `_runs` in a file of JSON lines.
pub struct Lake {
    pub folder: tempfile::TempDir,
    pub store: Arc<dyn ObjectStore>,
    pub tables: BTreeMap<String, TableVersion>,
    pub foreign: BTreeMap<String, ForeignVersion>,
    inputs: Vec<TableInput>,
    pub runs: Runs,
}

#[derive(Default)]
pub struct Runs(pub Mutex<Vec<RunRecord>>);

#[async_trait]
impl RunStore for Runs {
    async fn append(&self, record: &RunRecord) -> Result<(), RunStoreError> {
        let mut runs = self.0.lock().unwrap();
        if runs.iter().all(|former| former.run_id != record.run_id) {
            runs.push(record.clone());
        }
        Ok(())
    }

    async fn list(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, RunStoreError> {
        let fits = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        let runs = self.0.lock().unwrap();
        let chosen = runs.iter().filter(|run| {
            fits(&filter.run_id, &run.run_id)
                && fits(&filter.report, &run.report)
                && fits(&filter.fingerprint, &run.fingerprint)
        });
        Ok(chosen.cloned().collect())
    }
}

impl Lake {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lake")).unwrap();
        let store = Arc::new(LocalFileSystem::new_with_prefix(folder.path().join("lake")).unwrap());
        Self {
            folder,
            store,
            tables: BTreeMap::new(),
            foreign: BTreeMap::new(),
            inputs: Vec::new(),
            runs: Runs::default(),
        }
    }

    pub async fn add(&mut self, table: &str, file: &str, columns: Vec<(&str, ArrayRef)>) {
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let input = FileInput { path: file.to_owned(), size: bytes.len() as u64, rows: batch.num_rows() as u64 };
        self.store.put(&Path::from(format!("{table}/{file}")), bytes.into()).await.unwrap();
        let version = self.tables.entry(table.to_owned());
        let version = version.or_insert(TableVersion { version: 0, files: BTreeSet::new() });
        version.version += 1;
        version.files.insert(file.to_owned());
        match self.inputs.iter_mut().find(|input| input.name == table) {
            Some(table) => table.files.push(input),
            None => self.inputs.push(TableInput {
                name: table.to_owned(),
                schema: batch.schema(),
                folder: Path::from(table),
                files: vec![input],
                current: None,
            }),
        }
    }

    pub fn declare(&mut self, table: &str, schema: arrow::datatypes::SchemaRef) {
        let (name, folder) = (table.to_owned(), Path::from(table));
        self.inputs.push(TableInput { name, schema, folder, files: Vec::new(), current: None });
    }

    /// Says of a table that it is a foreign one, at that version.
    pub fn foreign(&mut self, table: &str, version: u64) {
        self.tables.remove(table);
        self.foreign.insert(table.to_owned(), foreign(version));
    }

    /// Gives the table the view that the contract of the project asks for.
    pub fn view(&mut self, project: &Project) {
        let parent = &project.sources[0].contract.parent;
        let input = self.inputs.iter_mut().find(|input| input.name == parent.name.as_str()).unwrap();
        input.current.clone_from(&parent.current);
    }

    pub fn session(&self) -> Session {
        let options = EngineOptions {
            memory_bytes: 64 << 20,
            spill_bytes: 1 << 30,
            spill_dir: self.folder.path().join("spill"),
            query_seconds: 60,
            result_rows: 1_000_000,
            partitions: 2,
            store: self.store.clone(),
        };
        Engine::new(options).unwrap().open(self.inputs.clone()).unwrap()
    }

    pub async fn run(
        &self,
        report: &Report,
        period: &str,
        sources: &[SourceState<'_>],
        run_id: &str,
    ) -> Result<RunView, Error> {
        let session = self.session();
        let context = RunContext {
            session: &session,
            tables: &self.tables,
            foreign: &self.foreign,
            store: &self.store,
            root: &Path::default(),
            snapshot_seq: 7,
            runs: &self.runs,
            clock: &|| NOW,
        };
        let period: Period = period.parse().unwrap();
        let request = RunRequest { report, period, zone: &TimeZone::UTC, sources, run_id };
        stillhouse_report::run(context, &request).await
    }
}

/// A version of a foreign table.
pub fn foreign(version: u64) -> ForeignVersion {
    ForeignVersion { folder: "../plans".to_owned(), id: "0b5e".to_owned(), version, files: "f".repeat(64) }
}

/// 2021-06-15T12:00:00Z.
pub const NOW: i64 = 1_623_758_400_000_000;
