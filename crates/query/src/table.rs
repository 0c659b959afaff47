//! Tables: a schema and the files that a snapshot names.

use std::sync::Arc;

use arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::path::Path;
use stillhouse_spec::CurrentView;

use crate::one_store::store_url;

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
    /// Its rows.
    pub rows: u64,
}

/// [`TableInput`] for DataFusion: a scan of exactly its files. Nothing is listed.
#[derive(Debug)]
pub(crate) struct LakeTable {
    schema: SchemaRef,
    files: Vec<PartitionedFile>,
    rows: usize,
    bytes: usize,
}

impl LakeTable {
    pub(crate) fn new(input: &TableInput) -> Self {
        let total = |values: &mut dyn Iterator<Item = u64>| usize::try_from(values.sum::<u64>()).unwrap_or(usize::MAX);
        Self {
            schema: nullable(&input.schema),
            files: input.files.iter().map(|file| partitioned(&input.folder, file)).collect(),
            rows: total(&mut input.files.iter().map(|file| file.rows)),
            bytes: total(&mut input.files.iter().map(|file| file.size)),
        }
    }

    pub(crate) fn fields(&self) -> &Fields {
        self.schema.fields()
    }

    /// Row counts help to order joins. They are not offered as exact: `count(*)` reads the files' own footers, so that
    /// an answer never rests on the log alone.
    fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Inexact(self.rows);
        statistics.total_byte_size = Precision::Inexact(self.bytes);
        statistics
    }
}

/// Every column may be null here, whatever the table promises: older files may lack it.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::clone(field).with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn partitioned(folder: &Path, file: &FileInput) -> PartitionedFile {
    let mut one = PartitionedFile::new(String::new(), file.size);
    one.object_meta.location = file.path.split('/').fold(folder.clone(), |path, part| path.join(part));
    one
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
        let options = state.table_options().parquet.clone();
        let source = ParquetSource::new(self.schema.clone()).with_table_parquet_options(options);
        let groups = FileGroup::new(self.files.clone()).split_files(state.config().target_partitions());
        let scan = FileScanConfigBuilder::new(store_url(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(self.statistics())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}
