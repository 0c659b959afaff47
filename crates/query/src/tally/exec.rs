//! The first half of an aggregation, by dictionary.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, apply_expression_roots};
use futures::TryStreamExt;

use super::plan::TallyPlan;
use super::scan::{Read, Scan};
use super::stream::TallyStream;
use super::wanted::Wanted;

/// Aggregates rows by one expression over one column. Gives groups and states as
/// DataFusion's `AggregateExec` in its partial mode does.
#[derive(Debug, Clone)]
pub(crate) struct TallyExec {
    /// What is asked of which files; what follows is made of it.
    pub(super) wanted: Wanted,
    pub(super) scan: Scan,
    /// The scan; nothing stands between it and this.
    input: Arc<dyn ExecutionPlan>,
    plan: TallyPlan,
    /// Those of the `AggregateExec` in whose place this is.
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TallyExec {
    /// In the place of `aggregation`, which wants this.
    pub(super) fn new(wanted: Wanted, scan: Scan, aggregation: &AggregateExec) -> Result<Self> {
        let read = Read::new(&scan, &[&wanted]);
        let (plan, _) = TallyPlan::new(&[(&wanted, aggregation.schema())], &read)?;
        let input = read.plan(read.pruning(&scan))?;
        let (properties, metrics) = (Arc::clone(aggregation.properties()), ExecutionPlanMetricsSet::new());
        Ok(Self { wanted, scan, input, plan, properties, metrics })
    }
}

impl DisplayAs for TallyExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind {
            DisplayFormatType::TreeRender => write!(f, "{}", self.plan),
            _ => write!(f, "TallyExec: {}", self.plan),
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
        apply_expression_roots(self.plan.expressions(), f)
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
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let tally = TallyStream::new(&self.plan, input, reservation, context.session_config().batch_size())?;
        let batches = futures::stream::try_unfold(tally, |tally| tally.next());
        let batches = batches.inspect_ok(move |batch| {
            batch.record_output(&metrics);
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
