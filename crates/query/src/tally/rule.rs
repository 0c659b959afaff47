//! Where a tally takes the place of a partial aggregation.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

use super::exec::TallyExec;
use super::wanted::Wanted;

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
    let Some((wanted, scan)) = Wanted::of(aggregation)? else { return Ok(None) };
    let scan = scan.narrowed(&wanted.conditions);
    let wanted = wanted.decided(&scan);
    if !scan.suits(&wanted.key) {
        return Ok(None);
    }
    Ok(Some(Arc::new(TallyExec::new(wanted, scan, aggregation)?)))
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
