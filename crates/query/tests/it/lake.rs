//! A folder of Parquet files and an engine over it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use stillhouse_query::{Engine, EngineOptions, Error, FileInput, Params, QueryResult, Session, TableInput};
use stillhouse_spec::CurrentView;

pub struct Lake {
    pub folder: tempfile::TempDir,
    pub options: EngineOptions,
    tables: Vec<TableInput>,
}

impl Lake {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
        let options = EngineOptions {
            memory_bytes: 64 << 20,
            spill_bytes: 1 << 30,
            spill_dir: folder.path().join("spill"),
            query_seconds: 60,
            result_rows: 1_000_000,
            partitions: 2,
            store,
        };
        Self { folder, options, tables: Vec::new() }
    }

    /// Writes a file and adds it to the table, which has the file's columns unless it is there already.
    pub fn add(&mut self, table: &str, file: &str, batches: &[RecordBatch]) {
        let path = self.folder.path().join(table).join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100_000)).build();
        let schema = batches[0].schema();
        let mut writer =
            ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), schema.clone(), Some(properties)).unwrap();
        for batch in batches {
            writer.write(batch).unwrap();
        }
        writer.close().unwrap();
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let file = FileInput { path: file.to_owned(), size: path.metadata().unwrap().len(), rows };
        self.declare(table, schema);
        self.tables.iter_mut().find(|input| input.name == table).unwrap().files.push(file);
    }

    /// A table with these columns and, so far, no file.
    pub fn declare(&mut self, table: &str, schema: SchemaRef) {
        if self.tables.iter().all(|input| input.name != table) {
            let folder = Path::from(table);
            self.tables.push(TableInput { name: table.to_owned(), schema, folder, files: Vec::new(), current: None });
        }
    }

    /// Gives the table a view of its current state.
    pub fn view(&mut self, table: &str, rule: CurrentView) {
        self.tables.iter_mut().find(|input| input.name == table).unwrap().current = Some(rule);
    }

    pub fn tables(&self) -> Vec<TableInput> {
        self.tables.clone()
    }

    pub fn session(&self) -> Session {
        Engine::new(self.options.clone()).unwrap().open(self.tables.clone()).unwrap()
    }

    pub async fn query(&self, sql: &str) -> Result<QueryResult, Error> {
        self.session().query(sql, &Params::new()).await
    }

    /// The result as a table of text.
    pub async fn shown(&self, sql: &str) -> String {
        shown(&self.query(sql).await.unwrap())
    }

    /// Message and hint of the error.
    pub async fn refused(&self, sql: &str) -> String {
        told(&self.query(sql).await.unwrap_err())
    }
}

pub fn shown(result: &QueryResult) -> String {
    pretty_format_batches(&result.batches).unwrap().to_string()
}

pub fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{:?}: {error}\nhint: {hint}", error.kind()),
        None => format!("{:?}: {error}", error.kind()),
    }
}

pub fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

pub fn schema(fields: Vec<arrow::datatypes::Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}
