//! What an aggregation groups, in terms of the table below it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, Result, TableReference};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, TableScan, TableSource, Volatility};

use crate::functions;
use crate::guard::is_lake_table;

/// What makes two aggregations the same: the rows that they see, and what these are grouped by. All expressions are over
/// the columns of the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Grouping {
    pub(super) table: TableReference,
    /// In the order of their texts.
    pub(super) conditions: Vec<Expr>,
    pub(super) keys: Vec<Expr>,
}

/// The grouping of an aggregation over one table of the lake, and the table; `None` for other nodes.
pub(super) fn grouping(node: &LogicalPlan) -> Result<Option<(Grouping, Arc<dyn TableSource>)>> {
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
            Expr::ScalarFunction(call) => !functions::is_repeatable(&call.func),
            Expr::AggregateFunction(call) => call.func.signature().volatility != Volatility::Immutable,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => true,
            Expr::OuterReferenceColumn(..) | Expr::Placeholder(_) | Expr::ScalarVariable(..) => true,
            _ => false,
        })
    });
    matches!(other, Ok(false))
}

/// An aggregation as expressions over the columns of the table below it.
pub(super) struct OverTable<'a> {
    keys: Vec<Expr>,
    pub(super) aggregates: Vec<Expr>,
    conditions: Vec<Expr>,
    /// `None` if there is more than one table below, or none of the lake.
    scan: Option<&'a TableScan>,
}

pub(super) fn over_table(aggregate: &Aggregate) -> Result<OverTable<'_>> {
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
