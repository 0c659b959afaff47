//! Where a tally takes the place of a partial aggregation.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::{Operator, Volatility};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, conjunction_opt, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;

use super::exec::{Aggregate, Key, TallyExec};
use super::facts::{FileFacts, dictionary_type};
use super::on_values::{Form, OnValues};
use crate::functions::is_ours;

/// Puts a [`TallyExec`] in the place of each partial aggregation by one expression over one column: a text, where all files
/// keep it in dictionaries, or something that is made of a number or a moment. Nothing but filters and projections may
/// stand between aggregation and scan.
#[derive(Debug)]
pub(crate) struct ByDictionary;

impl PhysicalOptimizerRule for ByDictionary {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match tally(&node)? {
            Some(tally) => Ok(Transformed::yes(tally)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "by_dictionary"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn tally(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(aggregation) = node.downcast_ref::<AggregateExec>().filter(|aggregation| fits(aggregation)) else {
        return Ok(None);
    };
    let Some(wanted) = Wanted::of(aggregation).over_scan(aggregation.input())? else { return Ok(None) };
    let Some(scan) = Scan::new(&wanted) else { return Ok(None) };
    let wanted = wanted.decided(&scan);
    let Some(read) = Read::new(&scan, &wanted) else { return Ok(None) };
    let (key, conditions) = (read.key(&wanted.key)?, read.all(&wanted.conditions)?);
    let mut aggregates = Vec::with_capacity(wanted.arguments.len());
    for ((function, arguments), filter) in aggregation.aggr_expr().iter().zip(&wanted.arguments).zip(&wanted.filters) {
        let filter = filter.as_ref().map(|filter| read.one(filter)).transpose()?;
        aggregates.push(Aggregate { function: Arc::clone(function), arguments: read.all(arguments)?, filter });
    }
    let (properties, metrics) = (Arc::clone(aggregation.properties()), ExecutionPlanMetricsSet::new());
    let input = read.scan()?;
    Ok(Some(Arc::new(TallyExec { input, conditions, key, aggregates, properties, metrics })))
}

fn fits(aggregation: &AggregateExec) -> bool {
    let group = aggregation.group_expr();
    let simple = |function: &Arc<AggregateFunctionExpr>| {
        function.groups_accumulator_supported() && function.order_bys().is_empty()
    };
    *aggregation.mode() == AggregateMode::Partial
        && aggregation.limit_options().is_none()
        && group.is_single()
        && group.expr().len() == 1
        && aggregation.aggr_expr().iter().all(simple)
}

/// What an aggregation asks for, as expressions over the columns of what stands below it.
struct Wanted<'a> {
    key: Arc<dyn PhysicalExpr>,
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
    filters: Vec<Option<Arc<dyn PhysicalExpr>>>,
    /// The first is to be looked at first.
    conditions: Vec<Arc<dyn PhysicalExpr>>,
    scan: Option<(&'a FileScanConfig, &'a ParquetSource)>,
}

impl<'a> Wanted<'a> {
    fn of(aggregation: &AggregateExec) -> Self {
        let (key, _) = &aggregation.group_expr().expr()[0];
        Self {
            key: Arc::clone(key),
            arguments: aggregation.aggr_expr().iter().map(|function| function.expressions()).collect(),
            filters: aggregation.filter_expr().to_vec(),
            conditions: Vec::new(),
            scan: None,
        }
    }

    /// The same as expressions over the columns of the table that is scanned below `plan`, if it is only that.
    fn over_scan(mut self, mut plan: &'a Arc<dyn ExecutionPlan>) -> Result<Option<Self>> {
        loop {
            if let Some(filter) = plan.downcast_ref::<FilterExec>().filter(|filter| filter.fetch().is_none()) {
                if let Some(projection) = filter.projection() {
                    let schema = filter.input().schema();
                    let column = |index: &usize| Arc::new(Column::new(schema.field(*index).name(), *index)) as Arc<_>;
                    self = self.below(&projection.iter().map(column).collect::<Vec<_>>())?;
                }
                let conditions = split_conjunction(filter.predicate()).into_iter().cloned();
                self.conditions.splice(0..0, conditions);
                plan = filter.input();
            } else if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
                let columns = projection.expr().iter().map(|column| Arc::clone(&column.expr));
                self = self.below(&columns.collect::<Vec<_>>())?;
                plan = projection.input();
            } else {
                break;
            }
        }
        let Some(source) = plan.downcast_ref::<DataSourceExec>() else { return Ok(None) };
        let Some((config, parquet)) = source.downcast_to_file_source::<ParquetSource>() else { return Ok(None) };
        if let Some(projection) = parquet.projection() {
            self = self.below(&projection.expr_iter().collect::<Vec<_>>())?;
        }
        self.scan = Some((config, parquet));
        let repeatable = self.expressions().all(is_repeatable);
        Ok(repeatable.then_some(self))
    }

    /// Puts `columns`, by which a plan makes its columns from those below it, in the place of its columns.
    fn below(mut self, columns: &[Arc<dyn PhysicalExpr>]) -> Result<Self> {
        let each = self.arguments.iter_mut().flatten().chain(self.filters.iter_mut().flatten());
        for expression in each.chain(&mut self.conditions).chain([&mut self.key]) {
            let whole = Arc::clone(expression).transform_up(|part| match part.downcast_ref::<Column>() {
                Some(column) => Ok(Transformed::yes(Arc::clone(&columns[column.index()]))),
                None => Ok(Transformed::no(part)),
            });
            *expression = whole.data()?;
        }
        Ok(self)
    }

    /// Without asking what the files' statistics tell.
    fn decided(mut self, scan: &Scan<'_>) -> Self {
        self.conditions.retain(|condition| !scan.proves(condition));
        for filter in &mut self.filters {
            *filter = filter.take().filter(|filter| !scan.proves(filter)).map(|filter| match scan.disproves(&filter) {
                true => lit(false),
                false => filter,
            });
        }
        self
    }

    fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let of_aggregates = self.arguments.iter().flatten().chain(self.filters.iter().flatten());
        of_aggregates.chain(&self.conditions).chain([&self.key])
    }
}

/// Whether the expression gives the same for the same columns, however often it is asked.
fn is_repeatable(expression: &Arc<dyn PhysicalExpr>) -> bool {
    let mut repeatable = true;
    let walked = expression.apply(|part| {
        repeatable = match part.downcast_ref::<ScalarFunctionExpr>() {
            Some(call) => call.fun().signature().volatility == Volatility::Immutable || is_ours(call.fun()),
            None => !part.is_volatile_node(),
        };
        Ok(if repeatable { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && repeatable
}

/// A scan of files whose facts are known.
struct Scan<'a> {
    config: &'a FileScanConfig,
    parquet: &'a ParquetSource,
    schema: &'a SchemaRef,
    facts: Vec<Arc<FileFacts>>,
}

impl<'a> Scan<'a> {
    fn new(wanted: &Wanted<'a>) -> Option<Self> {
        let (config, parquet) = wanted.scan?;
        // Filters in the reader are filters that stand nowhere else, and a limit counts rows before they are grouped.
        if parquet.table_parquet_options().global.pushdown_filters || config.limit.is_some() {
            return None;
        }
        let files = config.file_groups.iter().flat_map(FileGroup::iter);
        let facts = files.map(|file| file.extensions.get_arc::<FileFacts>()).collect::<Option<Vec<_>>>()?;
        Some(Self { config, parquet, schema: parquet.table_schema().table_schema(), facts })
    }

    /// Whether the files' statistics say that `condition` holds for every row.
    fn proves(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        !self.facts.is_empty() && self.facts.iter().all(|facts| facts.proves(condition))
    }

    /// Whether they say that it holds for none.
    fn disproves(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        !self.facts.is_empty() && self.facts.iter().all(|facts| facts.disproves(condition))
    }

    fn is_in_dictionaries(&self, column: usize) -> bool {
        let field = self.schema.field(column);
        field.data_type() == &DataType::Utf8 && self.facts.iter().all(|facts| facts.is_in_dictionaries(field.name()))
    }
}

/// The scan as it is to read: only what is needed, and texts as dictionaries.
struct Read<'a> {
    scan: &'a Scan<'a>,
    /// The columns that are read, by their place in the table, and where they stand in the batches.
    places: HashMap<usize, usize>,
    /// Those that are read as dictionaries.
    dictionaries: BTreeSet<usize>,
}

impl<'a> Read<'a> {
    /// If the rows are grouped by a dictionary, or by what is made of a number.
    fn new(scan: &'a Scan<'a>, wanted: &Wanted<'_>) -> Option<Self> {
        let used: BTreeSet<usize> = wanted.expressions().flat_map(columns).collect();
        let dictionaries: BTreeSet<usize> =
            used.iter().copied().filter(|column| scan.is_in_dictionaries(*column)).collect();
        let of_number = |column: &usize| is_number(scan.schema.field(*column).data_type());
        let key = columns(&wanted.key);
        let worth = key.is_subset(&dictionaries) || (!wanted.key.is::<Column>() && key.iter().all(of_number));
        let places = used.into_iter().enumerate().map(|(place, column)| (column, place)).collect();
        (key.len() == 1 && worth).then_some(Self { scan, places, dictionaries })
    }

    fn key(&self, key: &Arc<dyn PhysicalExpr>) -> Result<Key> {
        let column = columns(key).into_iter().next().unwrap_or_default();
        if self.dictionaries.contains(&column) {
            return self.on_values(key, column, Form::Dictionary).map(Key::Text);
        }
        Ok(Key::Number { key: self.alone(key)?, column: self.places[&column] })
    }

    fn all(&self, expressions: &[Arc<dyn PhysicalExpr>]) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        expressions.iter().map(|expression| self.one(expression)).collect()
    }

    /// `expression` over the columns of the batches: what depends on one dictionary alone, on its values.
    fn one(&self, expression: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
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
        let readers = self.scan.config.file_groups.len();
        Ok(Arc::new(OnValues::new(self.alone(expression)?, name, self.places[&column], form, readers)))
    }

    /// An expression over one column, as it sees that column alone.
    fn alone(&self, expression: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let alone = Arc::clone(expression).transform_up(|part| match part.downcast_ref::<Column>() {
            Some(column) => Ok(Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<_>)),
            None => Ok(Transformed::no(part)),
        });
        alone.data()
    }

    fn scan(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let Scan { config, parquet, schema, facts } = self.scan;
        let fields = schema.fields().iter().enumerate().map(|(column, field)| {
            let is_one = self.dictionaries.contains(&column);
            if is_one { Arc::new(Field::clone(field).with_data_type(dictionary_type())) } else { Arc::clone(field) }
        });
        let read = Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()));
        let mut source = ParquetSource::new(read).with_table_parquet_options(parquet.table_parquet_options().clone());
        if let Some(factory) = parquet.parquet_file_reader_factory() {
            source = source.with_parquet_file_reader_factory(Arc::clone(factory));
        }
        if let Some(condition) = self.pruning() {
            source = source.with_predicate(condition);
        }
        let names = self.dictionaries.iter().map(|column| schema.field(*column).name().clone()).collect();
        let mut facts = facts.iter();
        let groups = config.file_groups.iter().map(|group| {
            let files = group.iter().zip(facts.by_ref());
            let files =
                files.map(|(file, facts)| file.clone().with_arrow_schema(facts.schema_with_dictionaries(&names)));
            FileGroup::new(files.collect())
        });
        let groups = groups.collect();
        let mut columns: Vec<usize> = self.places.keys().copied().collect();
        columns.sort_unstable();
        let scan = FileScanConfigBuilder::from((*config).clone())
            .with_source(Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(Some(columns))?
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    /// By what the reader leaves out row groups and pages: comparisons, and whatever is not about a dictionary. Of the
    /// rest the statistics of a column say nothing.
    fn pruning(&self) -> Option<Arc<dyn PhysicalExpr>> {
        let all = self.scan.parquet.filter()?;
        let parts = split_conjunction(&all).into_iter();
        let kept = parts.filter(|part| columns(part).is_disjoint(&self.dictionaries) || compares(part));
        conjunction_opt(kept.cloned())
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

fn columns(expression: &Arc<dyn PhysicalExpr>) -> BTreeSet<usize> {
    collect_columns(expression).into_iter().map(|column| column.index()).collect()
}
