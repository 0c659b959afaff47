//! Which files and columns are read, and in which form.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileGroupPartitioner, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal, binary};
use datafusion::physical_expr::{PhysicalExpr, conjunction_opt, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use object_store::path::Path;

use super::facts::{FileFacts, dictionary_type};
use super::on_values::{Form, OnValues};
use super::plan::Key;
use super::wanted::{Wanted, columns};

/// A scan of files whose facts are known.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    config: FileScanConfig,
    parquet: ParquetSource,
    schema: SchemaRef,
    /// Those of which the statistics do not say that no row counts.
    files: Vec<(PartitionedFile, Arc<FileFacts>)>,
}

impl Scan {
    pub(super) fn new(config: &FileScanConfig, parquet: &ParquetSource) -> Option<Self> {
        // Filters in the reader are filters that stand nowhere else, and a limit counts rows before they are grouped.
        if parquet.table_parquet_options().global.pushdown_filters || config.limit.is_some() {
            return None;
        }
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for file in config.file_groups.iter().flat_map(FileGroup::iter) {
            let facts = file.extensions.get_arc::<FileFacts>()?;
            if seen.insert(file.path()) {
                let whole = PartitionedFile { range: None, ..file.clone() };
                files.push((whole, facts));
            }
        }
        let schema = Arc::clone(parquet.table_schema().table_schema());
        Some(Self { config: config.clone(), parquet: parquet.clone(), schema, files })
    }

    /// Without the files of which the statistics say that `conditions` hold for none of their rows.
    pub(super) fn narrowed(mut self, conditions: &[Arc<dyn PhysicalExpr>]) -> Self {
        self.files.retain(|(_, facts)| !conditions.iter().any(|condition| facts.disproves(condition)));
        self
    }

    /// Whether both read the same files.
    pub(super) fn is_of_same_files(&self, other: &Self) -> bool {
        self.partitions() == other.partitions() && self.schema == other.schema && self.paths().eq(other.paths())
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.path())
    }

    pub(super) fn partitions(&self) -> usize {
        self.config.file_groups.len()
    }

    /// Whether the files' statistics say that `condition` holds for every row.
    pub(super) fn proves(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        self.files.iter().all(|(_, facts)| facts.proves(condition))
    }

    /// Whether they say that it holds for none.
    pub(super) fn disproves(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        self.files.iter().all(|(_, facts)| facts.disproves(condition))
    }

    fn is_in_dictionaries(&self, column: usize) -> bool {
        let field = self.schema.field(column);
        field.data_type() == &DataType::Utf8
            && self.files.iter().all(|(_, facts)| facts.is_in_dictionaries(field.name()))
    }

    /// The columns that lie in dictionaries, of those.
    fn dictionaries(&self, columns: &BTreeSet<usize>) -> BTreeSet<usize> {
        columns.iter().copied().filter(|column| self.is_in_dictionaries(*column)).collect()
    }

    /// Whether `key` is one expression over one column: a dictionary, or a number of which it makes something.
    pub(super) fn suits(&self, key: &Arc<dyn PhysicalExpr>) -> bool {
        let of_number = |column: &usize| is_number(self.schema.field(*column).data_type());
        let used = columns(key);
        let worth = self.dictionaries(&used).len() == 1 || (!key.is::<Column>() && used.iter().all(of_number));
        used.len() == 1 && worth
    }

    /// The files in as many groups as there were, of about the same size.
    fn groups(&self, dictionaries: &HashSet<String>) -> Vec<FileGroup> {
        let files = self.files.iter();
        let files =
            files.map(|(file, facts)| file.clone().with_arrow_schema(facts.schema_with_dictionaries(dictionaries)));
        let all = [FileGroup::new(files.collect())];
        let divided = FileGroupPartitioner::new()
            .with_target_partitions(self.partitions())
            .with_repartition_file_min_size(0)
            .repartition_file_groups(&all);
        let mut groups = divided.unwrap_or_else(|| all.into());
        groups.resize(self.partitions(), FileGroup::default());
        groups
    }
}

/// The scan as it is to be read: only what is needed, and texts as dictionaries.
pub(super) struct Read<'a> {
    scan: &'a Scan,
    /// The columns that are read, by their place in the table, and where they stand in the batches.
    places: HashMap<usize, usize>,
    /// Those that are read as dictionaries.
    dictionaries: BTreeSet<usize>,
    /// What was made so far: equal expressions are evaluated once for a dictionary.
    on_values: RefCell<Vec<Arc<OnValues>>>,
}

impl<'a> Read<'a> {
    /// For all that is wanted.
    pub(super) fn new(scan: &'a Scan, wanted: &[&Wanted]) -> Self {
        let used: BTreeSet<usize> = wanted.iter().flat_map(|wanted| wanted.columns()).collect();
        let dictionaries = scan.dictionaries(&used);
        let places = used.into_iter().enumerate().map(|(place, column)| (column, place)).collect();
        Self { scan, places, dictionaries, on_values: RefCell::default() }
    }

    pub(super) fn key(&self, key: &Arc<dyn PhysicalExpr>) -> Result<Key> {
        let column = columns(key).into_iter().next().unwrap_or_default();
        if self.dictionaries.contains(&column) {
            return Ok(Key::Text(self.on_values(key, column, Form::Dictionary)?));
        }
        Ok(Key::Number { key: self.alone(key)?, column: self.places[&column] })
    }

    /// `expression` over the columns of the batches: what depends on one dictionary alone, on its values.
    pub(super) fn one(&self, expression: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let used = columns(expression);
        if let (1, Some(column)) = (used.len(), used.first())
            && self.dictionaries.contains(column)
        {
            return self.on_values(expression, *column, Form::Rows);
        }
        if let Some(column) = expression.downcast_ref::<Column>() {
            return Ok(Arc::new(Column::new(column.name(), self.places[&column.index()])));
        }
        let parts = expression.children().into_iter().map(|part| self.one(part)).collect::<Result<Vec<_>>>()?;
        if parts.is_empty() { Ok(Arc::clone(expression)) } else { Arc::clone(expression).with_new_children(parts) }
    }

    fn on_values(
        &self,
        expression: &Arc<dyn PhysicalExpr>,
        column: usize,
        form: Form,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let name = self.scan.schema.field(column).name();
        let new = OnValues::new(self.alone(expression)?, name, self.places[&column], form, self.scan.partitions());
        let mut known = self.on_values.borrow_mut();
        if let Some(same) = known.iter().find(|one| ***one == new) {
            return Ok(Arc::clone(same) as _);
        }
        let new = Arc::new(new);
        known.push(Arc::clone(&new));
        Ok(new)
    }

    /// An expression over one column, as it sees that column alone.
    fn alone(&self, expression: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let alone = Arc::clone(expression).transform_up(|part| match part.downcast_ref::<Column>() {
            Some(column) => Ok(Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<_>)),
            None => Ok(Transformed::no(part)),
        });
        alone.data()
    }

    /// The plan that reads; `predicate` is what the reader may leave out row groups and pages by.
    pub(super) fn plan(&self, predicate: Option<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Scan { config, parquet, schema, .. } = self.scan;
        let fields = schema.fields().iter().enumerate().map(|(column, field)| {
            let is_one = self.dictionaries.contains(&column);
            if is_one { Arc::new(Field::clone(field).with_data_type(dictionary_type())) } else { Arc::clone(field) }
        });
        let read = Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()));
        let mut source = ParquetSource::new(read).with_table_parquet_options(parquet.table_parquet_options().clone());
        if let Some(factory) = parquet.parquet_file_reader_factory() {
            source = source.with_parquet_file_reader_factory(Arc::clone(factory));
        }
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let names = self.dictionaries.iter().map(|column| schema.field(*column).name().clone()).collect();
        let mut columns: Vec<usize> = self.places.keys().copied().collect();
        columns.sort_unstable();
        let scan = FileScanConfigBuilder::from(config.clone())
            .with_source(Arc::new(source))
            .with_file_groups(self.scan.groups(&names))
            .with_projection_indices(Some(columns))?
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    /// By what the reader leaves out rows that `scan` needs not: comparisons, and whatever is not about a dictionary. Of
    /// the rest the statistics of a column say nothing.
    pub(super) fn pruning(&self, scan: &Scan) -> Option<Arc<dyn PhysicalExpr>> {
        let all = scan.parquet.filter()?;
        let parts = split_conjunction(&all).into_iter();
        let kept = parts.filter(|part| columns(part).is_disjoint(&self.dictionaries) || compares(part));
        conjunction_opt(kept.cloned())
    }

    /// What holds where one of those holds.
    pub(super) fn any(&self, predicates: &[Arc<dyn PhysicalExpr>]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let mut different: Vec<&Arc<dyn PhysicalExpr>> = Vec::new();
        predicates.iter().for_each(|one| {
            if !different.contains(&one) {
                different.push(one);
            }
        });
        let mut rest = different.into_iter().cloned();
        let Some(first) = rest.next() else { return Ok(None) };
        rest.try_fold(first, |all, one| binary(all, Operator::Or, one, &self.scan.schema)).map(Some)
    }
}

fn compares(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let Some(binary) = condition.downcast_ref::<BinaryExpr>() else { return false };
    let sides = [binary.left(), binary.right()];
    let plain = sides.iter().all(|side| side.is::<Column>() || side.is::<Literal>());
    plain && matches!(binary.op(), Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

/// Whole numbers and moments of 64 bits.
fn is_number(kind: &DataType) -> bool {
    matches!(kind, DataType::Int64 | DataType::Timestamp(..))
}
