//! A lake in a temporary folder, batches with known rows, and an auditor that reads everything back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{AsArray as _, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stillhouse_lake::{
    DataFile, Error, Lake, MANIFEST_FORMAT, Manifest, ManifestKind, Member, NoObserver, Observer, Published, Staged,
    TableChange, TableWriter, delta_schema, durable_local, with_lineage, with_lineage_schema,
};
use stillhouse_spec::{
    Counts, Durability, ObjectVersion, RECEIPT_FORMAT, Receipt, TableCount, object_id, split_object_id,
};
use tempfile::TempDir;
use uuid::Uuid;

pub const LEDGER: &str = "ledger-1";
pub const NOW: i64 = 1_617_235_200_000_000;

static IDS: AtomicU64 = AtomicU64::new(1);

/// An id that no other call gets; tests need no randomness.
pub fn id() -> Uuid {
    Uuid::from_u128(u128::from(IDS.fetch_add(1, Ordering::Relaxed)) << 80)
}

pub struct House {
    pub folder: TempDir,
    pub store: Arc<dyn ObjectStore>,
    pub lake: Lake,
}

/// Contract columns of every test table, as the decoder would give them.
pub fn decoded_schema() -> Schema {
    Schema::new(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("amount", DataType::Int64, true),
        Field::new("_record", DataType::Int64, false),
    ])
}

pub fn schema() -> SchemaRef {
    with_lineage_schema(&decoded_schema())
}

/// `rows` rows of one object version; `amount` is its `_object`, so that a mix-up shows.
pub fn rows(key: i64, generation: i64, rows: i64) -> RecordBatch {
    let object = object_id(key, generation);
    let names: Vec<String> = (0..rows).map(|row| format!("k{key}g{generation}r{row}")).collect();
    let decoded = RecordBatch::try_new(
        Arc::new(decoded_schema()),
        vec![
            Arc::new(StringArray::from(names)),
            Arc::new(Int64Array::from_value(object, usize::try_from(rows).unwrap())),
            Arc::new(Int64Array::from_iter_values(0..rows)),
        ],
    );
    with_lineage(&schema(), &decoded.unwrap(), object, NOW).unwrap()
}

/// One object version of a batch and its rows in each table.
#[derive(Debug, Clone)]
pub struct Load {
    pub key: i64,
    pub generation: i64,
    pub tables: Vec<(&'static str, i64)>,
}

pub fn load(key: i64, generation: i64, tables: &[(&'static str, i64)]) -> Load {
    Load { key, generation, tables: tables.to_vec() }
}

impl House {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = durable_local(&folder.path().join("lake"), Durability::Os).unwrap();
        let lake = Lake::open(Arc::clone(&store), id()).await.unwrap();
        Self { folder, store, lake }
    }

    /// Another process on the same lake.
    pub async fn another(&self) -> Lake {
        Lake::open(Arc::clone(&self.store), id()).await.unwrap()
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join("lake").join(inside)
    }

    /// Writes the files of a batch, all loads of a table into one file, and stages it.
    pub async fn stage(&self, seq: i64, loads: &[Load]) -> Staged {
        let batch_id = id().to_string();
        let mut tables: BTreeMap<String, TableChange> = BTreeMap::new();
        let names: BTreeSet<&str> = loads.iter().flat_map(|load| load.tables.iter().map(|(table, _)| *table)).collect();
        for table in names {
            let mut writer = self.lake.writer(&table.parse().unwrap(), schema(), &format!("{batch_id}-0"));
            for load in loads {
                for (_, count) in load.tables.iter().filter(|(name, _)| *name == table) {
                    writer.write(&rows(load.key, load.generation, *count)).await.unwrap();
                }
            }
            let files: Vec<DataFile> = writer.finish(NOW).await.unwrap().into_iter().collect();
            tables.insert(table.to_owned(), change(files));
        }
        let members = loads.iter().map(member).collect();
        let manifest = manifest(ManifestKind::Load, batch_id, tables, members);
        Staged { seq, manifest, revisions: loads.iter().map(|load| (load.key, load.generation)).collect() }
    }

    pub async fn publish(&self, staged: &Staged) -> Published {
        self.lake.publish(staged, 1, LEDGER, NOW, &NoObserver).await.unwrap()
    }

    /// Stages and publishes.
    pub async fn run(&self, seq: i64, loads: &[Load]) -> Published {
        let staged = self.stage(seq, loads).await;
        self.publish(&staged).await
    }

    /// Rows of the snapshot: table to (key, generation) to number of rows. Fails on a row that is there twice.
    pub async fn shown(&self) -> Shown {
        let lake = Lake::open_to_read(Arc::clone(&self.store));
        let snapshot = lake.snapshot().await.unwrap();
        let mut shown = Shown::new();
        for (table, state) in &snapshot.tables {
            if is_data(table) {
                self.count(&mut shown, table, state.files.iter().map(|file| file.path.clone()));
            }
        }
        shown
    }

    /// Rows of the newest versions, as delta-rs finds them.
    pub async fn newest(&self) -> Shown {
        let mut shown = Shown::new();
        for entry in std::fs::read_dir(self.path("")).unwrap() {
            let table = entry.unwrap().file_name().into_string().unwrap();
            if !is_data(&table) || !self.path(&table).join("_delta_log").exists() {
                continue;
            }
            let delta = self.delta(&table).await;
            let files: Vec<String> =
                delta.snapshot().unwrap().log_data().iter().map(|file| file.path().to_string()).collect();
            self.count(&mut shown, &table, files.into_iter());
        }
        shown
    }

    pub async fn delta(&self, table: &str) -> deltalake_core::DeltaTable {
        let url = url::Url::from_directory_path(self.path(table).canonicalize().unwrap()).unwrap();
        deltalake_core::open_table(url).await.unwrap()
    }

    fn count(&self, shown: &mut Shown, table: &str, files: impl Iterator<Item = String>) {
        let mut seen = BTreeSet::new();
        for file in files {
            for batch in read_parquet(&self.path(table).join(&file)) {
                let int = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone();
                let (objects, records, amounts) = (int("_object"), int("_record"), int("amount"));
                for row in 0..batch.num_rows() {
                    let object = objects.value(row);
                    assert_eq!(object, amounts.value(row), "{table}: a row of another object");
                    assert!(seen.insert((object, records.value(row))), "{table}: row {object} {row} is there twice");
                    let of_table = shown.entry(table.to_owned()).or_default();
                    *of_table.entry(split_object_id(object)).or_default() += 1;
                }
            }
        }
    }
}

/// Table to (key, generation) to number of rows.
pub type Shown = BTreeMap<String, BTreeMap<(i64, i64), i64>>;

/// Key, generation, number of rows.
pub type RowsOf = (i64, i64, i64);

fn is_data(table: &str) -> bool {
    !table.starts_with('_') || table == "_quarantine"
}

/// What [`Shown`] has to be, written short: `"events"`, then (key, generation, rows).
pub fn expect(tables: &[(&str, &[RowsOf])]) -> Shown {
    let table = |rows: &[RowsOf]| rows.iter().map(|(key, generation, n)| ((*key, *generation), *n)).collect();
    tables.iter().map(|(name, rows)| ((*name).to_owned(), table(rows))).collect()
}

pub fn read_parquet(path: &std::path::Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(|batch| batch.unwrap()).collect()
}

/// New files of a table.
pub fn change(files: Vec<DataFile>) -> TableChange {
    TableChange { schema: delta_schema(&schema()).unwrap(), files, ..TableChange::default() }
}

pub fn manifest(
    kind: ManifestKind,
    batch_id: String,
    tables: BTreeMap<String, TableChange>,
    members: Vec<Member>,
) -> Manifest {
    Manifest { format: MANIFEST_FORMAT, batch_id, ledger_id: LEDGER.into(), kind, tables, members }
}

pub fn member(load: &Load) -> Member {
    let loaded = load.tables.iter().map(|(_, rows)| u64::try_from(*rows).unwrap()).max().unwrap_or(0);
    let key = format!("data/{}.csv", load.key);
    let tables = load.tables.iter().map(|(name, rows)| {
        ((*name).to_owned(), TableCount { rows: u64::try_from(*rows).unwrap(), files: Vec::new() })
    });
    let receipt = Receipt {
        format: RECEIPT_FORMAT,
        object: ObjectVersion {
            source: "events".into(),
            key,
            member: String::new(),
            etag: format!("etag-{}", load.generation),
            size: 7,
            modified_at: NOW,
        },
        key_number: load.key,
        generation: load.generation,
        digest: "00".into(),
        bytes: 7,
        counts: Counts { read: loaded, loaded, ..Counts::default() },
        offered_at: NOW,
        started_at: NOW,
        decoded_at: NOW,
        source_fingerprint: "f".into(),
        decoder: "test".into(),
        tables: tables.collect(),
        ..Receipt::default()
    };
    Member { key_number: load.key, generation: load.generation, replaces_from: 0, receipt }
}

/// Remembers the points that a publisher passed, and stops it at one of them.
#[derive(Default)]
pub struct StopAt {
    pub stop: Option<usize>,
    pub passed: Mutex<Vec<String>>,
}

impl Observer for StopAt {
    fn at(&self, point: &str) -> Result<(), Error> {
        let mut passed = self.passed.lock().unwrap();
        passed.push(point.to_owned());
        if self.stop == Some(passed.len() - 1) { Err(Error::stopped(point)) } else { Ok(()) }
    }
}

/// The rows with each value written out.
pub fn written_out(batch: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match field.data_type() {
        DataType::RunEndEncoded(_, values) => (field.name(), cast(column, values.data_type()).unwrap(), true),
        _ => (field.name(), Arc::clone(column), true),
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// One file with `batches`, by a writer of the lake.
pub async fn write_file(house: &House, batches: &[RecordBatch]) -> DataFile {
    let mut writer: TableWriter = house.lake.writer(
        &"events".parse().unwrap(),
        written_out(&batches[0]).schema(),
        &format!("file-{}", id().simple()),
    );
    for batch in batches {
        writer.write(batch).await.unwrap();
    }
    writer.finish(NOW).await.unwrap().unwrap()
}
