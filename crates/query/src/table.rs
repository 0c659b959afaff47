//! Tables: a schema and the files that a snapshot names.

use std::sync::Arc;

use arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::logical_expr::Expr;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use stillhouse_spec::CurrentView;
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::foreign::{ForeignFiles, Layout};
use crate::one_store::store_url;
use crate::tally::FileFacts;

/// A table as a snapshot sees it.
#[derive(Debug, Clone)]
pub struct TableInput {
    /// Its name in SQL.
    pub name: String,
    /// Its columns. A file that lacks one of them has nulls there.
    pub schema: SchemaRef,
    /// The folder that the files' paths are relative to, in the engine's store.
    pub folder: Path,
    /// The files; a table without files is empty.
    pub files: Vec<FileInput>,
    /// The view of its current state, if it has one.
    pub current: Option<CurrentView>,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInput {
    /// Relative to the table's folder.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its rows; 0 where nothing tells.
    pub rows: u64,
}

/// [`TableInput`] for DataFusion: a scan of exactly its files. Nothing is listed.
#[derive(Debug)]
pub(crate) struct LakeTable {
    schema: SchemaRef,
    files: Vec<LakeFile>,
    rows: Precision<usize>,
    bytes: usize,
    /// Of a table that something else writes.
    foreign: Option<Layout>,
}

/// A file, and what is known of it once a query has looked at its footer.
#[derive(Debug)]
struct LakeFile {
    file: PartitionedFile,
    facts: OnceCell<Arc<FileFacts>>,
}

/// Where footers are read from, and where they are kept.
struct Footers {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
}

/// Footers that are read at a time.
const FOOTERS_AT_ONCE: usize = 8;
/// The end of a file that is read first; most footers fit.
const FOOTER_BYTES: usize = 64 << 10;

impl LakeFile {
    /// The file, with what its footer tells. A footer that cannot be read says nothing here: whoever reads the rows says
    /// what is wrong.
    async fn looked_at(&self, footers: &Footers) -> PartitionedFile {
        let facts = self.facts.get_or_try_init(|| async {
            let metadata = footers.read(&self.file).await?;
            FileFacts::new(&metadata).map(Arc::new)
        });
        let mut file = self.file.clone();
        if let Ok(facts) = facts.await {
            file.extensions.insert_arc(Arc::clone(facts));
        }
        file
    }

    /// The file, if it can be read and its columns are what the table says. Facts are left out: they are about files that
    /// hold all columns, in the types of the table.
    async fn checked(&self, layout: &Layout, footers: &Footers) -> Result<PartitionedFile, Error> {
        let place = &self.file.object_meta.location;
        let footer = footers.read(&self.file).await.map_err(|error| layout.lost(place, error))?;
        layout.check(place, &footer)?;
        Ok(self.file.clone())
    }
}

impl Footers {
    async fn read(&self, file: &PartitionedFile) -> Result<Arc<ParquetMetaData>> {
        let footer = DFParquetMetadata::new(self.store.as_ref(), &file.object_meta)
            .with_metadata_size_hint(Some(FOOTER_BYTES))
            .with_file_metadata_cache(Some(Arc::clone(&self.cache)));
        footer.fetch_metadata().await
    }
}

impl LakeTable {
    pub(crate) fn new(input: &TableInput) -> Self {
        let place = |file: &FileInput| file.path.split('/').fold(input.folder.clone(), |path, part| path.join(part));
        Self {
            schema: nullable(&input.schema),
            files: input.files.iter().map(|file| lake_file(place(file), file)).collect(),
            rows: Precision::Inexact(total(input.files.iter().map(|file| file.rows))),
            bytes: total(input.files.iter().map(|file| file.size)),
            foreign: None,
        }
    }

    pub(crate) fn foreign(name: &str, input: &ForeignFiles) -> Result<Self> {
        let schema = nullable(&input.schema);
        let layout = Layout::new(name, &schema, input.partitions.schema_ref());
        let mut files = Vec::with_capacity(input.files.len());
        for (index, file) in input.files.iter().enumerate() {
            let mut one = lake_file(layout.path(file), file);
            one.file.partition_values = layout.values(&input.partitions, index)?;
            files.push(one);
        }
        let known = input.files.iter().all(|file| file.rows > 0);
        let rows = total(input.files.iter().map(|file| file.rows));
        let rows = if known { Precision::Inexact(rows) } else { Precision::Absent };
        let bytes = total(input.files.iter().map(|file| file.size));
        Ok(Self { schema, files, rows, bytes, foreign: Some(layout) })
    }

    pub(crate) fn fields(&self) -> &Fields {
        self.schema.fields()
    }

    /// The files, with what their footers tell if columns are read.
    async fn looked_at(&self, projection: Option<&Vec<usize>>, footers: &Footers) -> Result<Vec<PartitionedFile>> {
        if let Some(layout) = &self.foreign {
            let files: Vec<_> = self.files.iter().map(|file| file.checked(layout, footers)).collect();
            let files = futures::stream::iter(files).buffered(FOOTERS_AT_ONCE).try_collect().await;
            return files.map_err(|error| DataFusionError::External(Box::new(error)));
        }
        if projection.is_some_and(Vec::is_empty) {
            return Ok(self.files.iter().map(|file| file.file.clone()).collect());
        }
        let files: Vec<_> = self.files.iter().map(|file| file.looked_at(footers)).collect();
        Ok(futures::stream::iter(files).buffered(FOOTERS_AT_ONCE).collect().await)
    }

    /// Row counts help to order joins. They are not offered as exact: `count(*)` reads the files' own footers, so that
    /// an answer never rests on the log alone.
    fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = self.rows;
        statistics.total_byte_size = Precision::Inexact(self.bytes);
        statistics
    }
}

/// Every column may be null here, whatever the table promises: older files may lack it.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::clone(field).with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn total(values: impl Iterator<Item = u64>) -> usize {
    usize::try_from(values.sum::<u64>()).unwrap_or(usize::MAX)
}

fn lake_file(place: Path, file: &FileInput) -> LakeFile {
    let mut one = PartitionedFile::new(String::new(), file.size);
    one.object_meta.location = place;
    LakeFile { file: one, facts: OnceCell::new() }
}

#[async_trait]
impl datafusion::catalog::TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters stay above the scan; the physical optimizer hands them to the Parquet reader too, which leaves out files,
    /// row groups and pages that cannot match by their statistics.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            let schema =
                projection.map_or(Ok(self.schema.clone()), |columns| self.schema.project(columns).map(Arc::new));
            return Ok(Arc::new(EmptyExec::new(schema.map_err(DataFusionError::from)?)));
        }
        let runtime = state.runtime_env();
        let footers = Footers {
            store: runtime.object_store(store_url())?,
            cache: runtime.cache_manager.get_file_metadata_cache(),
        };
        let files = self.looked_at(projection, &footers).await?;
        let reader = CachedParquetFileReaderFactory::new(footers.store, footers.cache);
        let mut options = state.table_options().parquet.clone();
        let (read, projection) = match &self.foreign {
            Some(layout) => {
                // Moments as Spark wrote them for long reach further than nanoseconds do.
                options.global.coerce_int96 = Some("us".to_owned());
                (layout.read.clone(), Some(layout.projection(projection)))
            }
            None => (TableSchema::from(&self.schema), projection.cloned()),
        };
        let source = ParquetSource::new(read)
            .with_table_parquet_options(options)
            .with_metadata_size_hint(FOOTER_BYTES)
            .with_parquet_file_reader_factory(Arc::new(reader));
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let scan = FileScanConfigBuilder::new(store_url(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(self.statistics())
            .with_projection_indices(projection)?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}
