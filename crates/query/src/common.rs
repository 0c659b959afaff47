//! What several queries ask for in common is computed once.
//!
//! The queries of a report group the same rows by the same key again and again: users by e-mail for the most active ones,
//! for their companies, for their domains. [`Together`] looks at all of them before one runs. Aggregations that have
//! table, conditions and group keys in common become one that computes the aggregates of all of them, and whose groups
//! stay in memory until the last of these queries has read them ([`SharedGroups`]).
//!
//! **Invariant:** a query gives the same rows as it would alone. Only what is equal is shared, nothing that is similar.
//! **Invariant:** sharing never makes a query fail: when the groups do not fit, each query runs alone.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, Result, TableReference};
use datafusion::datasource::{MemTable, TableType, provider_as_source};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScan, TableSource, Volatility};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use tokio::sync::OnceCell;

use crate::functions::is_ours;
use crate::guard::is_lake_table;
use crate::session::book;

/// Plans of several queries, rewritten so that they share what they have in common. `None` for a query that shares
/// nothing. `memory_bytes` is what all queries may use.
pub(crate) fn shared(plans: &[LogicalPlan], memory_bytes: usize) -> Result<Vec<Option<LogicalPlan>>> {
    let mut groupings: HashMap<Grouping, Members> = HashMap::new();
    for plan in plans {
        plan.apply(|node| {
            if let Some((grouping, source)) = grouping(node)? {
                let LogicalPlan::Aggregate(aggregate) = node else { return Ok(TreeNodeRecursion::Continue) };
                let members = groupings.entry(grouping).or_insert_with(|| Members::new(source));
                members.add(aggregate)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    groupings.retain(|_, members| members.count > 1);
    let mut tables = HashMap::new();
    for (number, (grouping, members)) in groupings.into_iter().enumerate() {
        let groups = SharedGroups::new(&grouping, &members, memory_bytes / SHARE_OF_MEMORY)?;
        let name = TableReference::bare(format!("_shared_{number}"));
        tables.insert(grouping, (name, Arc::new(groups), members.aggregates));
    }
    plans.iter().map(|plan| rewritten(plan, &tables)).collect()
}

/// Groups that are kept for several queries take at most this part of the queries' memory, each.
const SHARE_OF_MEMORY: usize = 8;

/// What makes two aggregations the same: the rows that they see, and what these are grouped by. All expressions are over
/// the columns of the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Grouping {
    table: TableReference,
    /// In the order of their texts.
    conditions: Vec<Expr>,
    keys: Vec<Expr>,
}

/// The aggregations of a grouping.
struct Members {
    source: Arc<dyn TableSource>,
    count: usize,
    /// Those of all members, over the columns of the table.
    aggregates: Vec<Expr>,
}

impl Members {
    fn new(source: Arc<dyn TableSource>) -> Self {
        Self { source, count: 0, aggregates: Vec::new() }
    }

    fn add(&mut self, aggregate: &Aggregate) -> Result<()> {
        self.count += 1;
        for expression in over_table(aggregate)?.aggregates {
            if !self.aggregates.contains(&expression) {
                self.aggregates.push(expression);
            }
        }
        Ok(())
    }
}

type Tables = HashMap<Grouping, (TableReference, Arc<SharedGroups>, Vec<Expr>)>;

/// The plan with shared groups in the place of its aggregations, if it has such.
fn rewritten(plan: &LogicalPlan, tables: &Tables) -> Result<Option<LogicalPlan>> {
    let new = plan.clone().transform_up(|node| {
        let Some((grouping, _)) = grouping(&node)? else { return Ok(Transformed::no(node)) };
        let (Some((name, groups, aggregates)), LogicalPlan::Aggregate(aggregate)) = (tables.get(&grouping), &node)
        else {
            return Ok(Transformed::no(node));
        };
        let wanted = over_table(aggregate)?.aggregates;
        let places = wanted.iter().map(|one| aggregates.iter().position(|other| other == one));
        let Some(places) = places.collect::<Option<Vec<_>>>() else { return Ok(Transformed::no(node)) };
        let columns = (0..grouping.keys.len()).chain(places.into_iter().map(|place| grouping.keys.len() + place));
        let fields = aggregate.schema.iter();
        let columns = columns.zip(fields).map(|(column, (qualifier, field))| {
            let column = Expr::Column(Column::new(Some(name.clone()), column_name(column)));
            column.alias_qualified(qualifier.cloned(), field.name())
        });
        let source = provider_as_source(Arc::clone(groups) as Arc<_>);
        let read = LogicalPlanBuilder::scan(name.clone(), source, None)?.project(columns.collect::<Vec<_>>())?;
        Ok(Transformed::yes(read.build()?))
    })?;
    Ok(new.transformed.then_some(new.data))
}

fn column_name(column: usize) -> String {
    format!("c{column}")
}

/// The grouping of an aggregation over one table of the lake, and the table; `None` for other nodes.
fn grouping(node: &LogicalPlan) -> Result<Option<(Grouping, Arc<dyn TableSource>)>> {
    let LogicalPlan::Aggregate(aggregate) = node else { return Ok(None) };
    let over = over_table(aggregate)?;
    let Some(scan) = over.scan else { return Ok(None) };
    let mut all = over.keys.iter().chain(&over.conditions).chain(&over.aggregates);
    if over.keys.is_empty()
        || over.keys.iter().any(|key| matches!(key, Expr::GroupingSet(_)))
        || !all.all(is_repeatable)
    {
        return Ok(None);
    }
    let mut conditions = over.conditions;
    conditions.sort_by_cached_key(Expr::to_string);
    conditions.dedup();
    let grouping = Grouping { table: scan.table_name.clone(), conditions, keys: over.keys };
    Ok(Some((grouping, Arc::clone(&scan.source))))
}

/// Whether the expression depends on nothing but the columns that it names.
fn is_repeatable(expression: &Expr) -> bool {
    let other = expression.exists(|part| {
        Ok(match part {
            Expr::ScalarFunction(call) => {
                call.func.signature().volatility != Volatility::Immutable && !is_ours(&call.func)
            }
            Expr::AggregateFunction(call) => call.func.signature().volatility != Volatility::Immutable,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => true,
            Expr::OuterReferenceColumn(..) | Expr::Placeholder(_) | Expr::ScalarVariable(..) => true,
            _ => false,
        })
    });
    matches!(other, Ok(false))
}

/// An aggregation as expressions over the columns of the table below it.
struct OverTable<'a> {
    keys: Vec<Expr>,
    aggregates: Vec<Expr>,
    conditions: Vec<Expr>,
    /// `None` if there is more than one table below, or none of the lake.
    scan: Option<&'a TableScan>,
}

fn over_table(aggregate: &Aggregate) -> Result<OverTable<'_>> {
    let bare = |expressions: &[Expr]| expressions.iter().cloned().map(Expr::unalias).collect::<Vec<_>>();
    let mut over = OverTable {
        keys: bare(&aggregate.group_expr),
        aggregates: bare(&aggregate.aggr_expr),
        conditions: Vec::new(),
        scan: None,
    };
    let mut plan = aggregate.input.as_ref();
    loop {
        plan = match plan {
            LogicalPlan::Filter(filter) => {
                over.conditions.extend(split_conjunction(&filter.predicate).into_iter().cloned());
                filter.input.as_ref()
            }
            LogicalPlan::Projection(projection) => {
                over.below(&projection.schema, &bare(&projection.expr))?;
                projection.input.as_ref()
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let columns: Vec<Expr> = alias.input.schema().columns().into_iter().map(Expr::Column).collect();
                over.below(&alias.schema, &columns)?;
                alias.input.as_ref()
            }
            LogicalPlan::TableScan(scan) if is_lake_table(scan) && scan.fetch.is_none() => {
                over.conditions.extend(scan.filters.iter().cloned());
                over.scan = Some(scan);
                return Ok(over);
            }
            _ => return Ok(over),
        }
    }
}

impl OverTable<'_> {
    /// Puts `columns`, by which a plan with that schema makes its columns, in the place of its columns.
    fn below(&mut self, schema: &DFSchema, columns: &[Expr]) -> Result<()> {
        let all = self.keys.iter_mut().chain(&mut self.aggregates).chain(&mut self.conditions);
        for expression in all {
            let whole = expression.clone().transform_up(|part| match &part {
                Expr::Column(column) => match schema.maybe_index_of_column(column) {
                    Some(index) => Ok(Transformed::yes(columns[index].clone())),
                    None => Ok(Transformed::no(part)),
                },
                _ => Ok(Transformed::no(part)),
            });
            *expression = whole.data()?;
        }
        Ok(())
    }
}

/// Groups that several queries read: the keys, then the aggregates, as columns `c0`, `c1`, …
#[derive(Debug)]
pub(crate) struct SharedGroups {
    plan: LogicalPlan,
    schema: SchemaRef,
    bytes_max: usize,
    groups: OnceCell<Option<Kept>>,
}

/// The groups, and the memory that is booked for them.
#[derive(Debug)]
struct Kept {
    table: MemTable,
    _memory: MemoryReservation,
}

impl SharedGroups {
    fn new(grouping: &Grouping, members: &Members, bytes_max: usize) -> Result<Self> {
        let mut rows = LogicalPlanBuilder::scan(grouping.table.clone(), Arc::clone(&members.source), None)?;
        if let Some(condition) = conjunction(grouping.conditions.iter().cloned()) {
            rows = rows.filter(condition)?;
        }
        let groups = rows.aggregate(grouping.keys.clone(), members.aggregates.clone())?;
        let columns = groups.schema().columns().into_iter().enumerate();
        let columns = columns.map(|(number, column)| Expr::Column(column).alias(column_name(number)));
        let columns: Vec<Expr> = columns.collect();
        let plan = groups.project(columns)?.build()?;
        let fields = plan.schema().fields().iter().map(|field| Field::clone(field)).collect::<Vec<_>>();
        Ok(Self { plan, schema: Arc::new(Schema::new(fields)), bytes_max, groups: OnceCell::new() })
    }

    /// Computes the groups. When they do not fit, that is known from then on.
    async fn compute(&self, state: &dyn CatalogSession) -> Result<Option<Kept>> {
        match self.try_compute(state).await {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn try_compute(&self, state: &dyn CatalogSession) -> Result<Kept> {
        let plan = state.create_physical_plan(&self.plan).await?;
        let context = state.task_ctx();
        let memory = MemoryConsumer::new("shared groups").register(context.memory_pool());
        let mut stream = execute_stream(plan, context)?;
        let readers = state.config().target_partitions().max(1);
        let mut parts = vec![Vec::new(); readers];
        let mut count = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            book(&memory, &batch)?;
            if memory.size() > self.bytes_max {
                return Err(DataFusionError::ResourcesExhausted("shared groups are too many".to_owned()));
            }
            parts[count % readers].push(batch.with_schema(Arc::clone(&self.schema))?);
            count += 1;
        }
        Ok(Kept { table: MemTable::try_new(Arc::clone(&self.schema), parts)?, _memory: memory })
    }
}

#[async_trait]
impl TableProvider for SharedGroups {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    /// The first query that reads the groups computes them, within its own limits.
    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.groups.get_or_try_init(|| self.compute(state)).await? {
            Some(kept) => kept.table.scan(state, projection, filters, limit).await,
            None => Err(DataFusionError::ResourcesExhausted("shared groups are too many".to_owned())),
        }
    }
}
