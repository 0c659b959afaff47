//! The first half of an aggregation, by dictionary.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::GroupsAccumulator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, apply_expression_roots};
use futures::TryStreamExt;

use super::stream::Tally;

/// Aggregates rows by one expression over one column. Gives groups and states as
/// DataFusion's `AggregateExec` in its partial mode does.
#[derive(Debug, Clone)]
pub(super) struct TallyExec {
    /// The scan; nothing stands between it and this.
    pub(super) input: Arc<dyn ExecutionPlan>,
    /// What holds for the rows that count: all of these.
    pub(super) conditions: Vec<Arc<dyn PhysicalExpr>>,
    /// What rows are grouped by.
    pub(super) key: Key,
    pub(super) aggregates: Vec<Aggregate>,
    /// Those of the `AggregateExec` in whose place this is.
    pub(super) properties: Arc<PlanProperties>,
    pub(super) metrics: ExecutionPlanMetricsSet,
}

/// What rows are grouped by: an expression over one column.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// Over a text, read as a dictionary; gives a dictionary where it can.
    Text(Arc<dyn PhysicalExpr>),
    /// Over a number or a moment.
    Number {
        /// Sees the column alone.
        key: Arc<dyn PhysicalExpr>,
        /// The place of the column in the batches.
        column: usize,
    },
}

impl Key {
    fn expression(&self) -> &Arc<dyn PhysicalExpr> {
        match self {
            Key::Text(key) | Key::Number { key, .. } => key,
        }
    }
}

/// An aggregate over the columns of the scan.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) function: Arc<AggregateFunctionExpr>,
    pub(super) arguments: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
}

impl TallyExec {
    pub(super) fn accumulators(&self) -> Result<Vec<Box<dyn GroupsAccumulator>>> {
        self.aggregates.iter().map(|aggregate| aggregate.function.create_groups_accumulator()).collect()
    }

    fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let of_aggregates = self.aggregates.iter().flat_map(|one| one.arguments.iter().chain(&one.filter));
        self.conditions.iter().chain([self.key.expression()]).chain(of_aggregates)
    }
}

impl DisplayAs for TallyExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.aggregates.iter().map(|aggregate| aggregate.function.name()).collect();
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        let (key, names, conditions) = (self.key.expression(), names.join(", "), conditions.join(" AND "));
        match kind {
            DisplayFormatType::TreeRender => write!(f, "by={key}"),
            _ => write!(f, "TallyExec: by=[{key}], aggr=[{names}], predicate=[{conditions}]"),
        }
    }
}

impl ExecutionPlan for TallyExec {
    fn name(&self) -> &'static str {
        "TallyExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.expressions(), f)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut new = Self::clone(&self);
        new.metrics = ExecutionPlanMetricsSet::new();
        if let Some(input) = children.pop() {
            new.input = input;
        }
        Ok(Arc::new(new))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let reservation = MemoryConsumer::new(format!("Tally[{partition}]")).register(context.memory_pool());
        let rows = context.session_config().batch_size();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let schema: SchemaRef = self.schema();
        let tally = Tally::new(self.clone(), input, reservation, rows)?;
        let batches = futures::stream::try_unfold(tally, |tally| tally.next());
        let batches = batches.inspect_ok(move |batch| {
            batch.record_output(&metrics);
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
