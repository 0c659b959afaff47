//! What an aggregation asks for.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::scan::Scan;
use crate::functions;

/// What an aggregation asks for, as expressions over the columns of the table that is scanned below it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: Arc<dyn PhysicalExpr>,
    pub(super) aggregates: Vec<Aggregate>,
    /// What holds for the rows that count, all of these; the first is to be looked at first.
    pub(super) conditions: Vec<Arc<dyn PhysicalExpr>>,
}

/// An aggregate, with what it aggregates, and of which rows.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) function: Arc<AggregateFunctionExpr>,
    pub(super) arguments: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
}

impl Wanted {
    /// What `aggregation` asks of the files that are scanned below it, if there is nothing but that.
    pub(super) fn of(aggregation: &AggregateExec) -> Result<Option<(Self, Scan)>> {
        let functions = aggregation.aggr_expr().iter().zip(aggregation.filter_expr());
        let aggregates = functions.map(|(function, filter)| Aggregate {
            function: Arc::clone(function),
            arguments: function.expressions(),
            filter: filter.clone(),
        });
        let (key, _) = &aggregation.group_expr().expr()[0];
        let wanted = Self { key: Arc::clone(key), aggregates: aggregates.collect(), conditions: Vec::new() };
        wanted.over_scan(aggregation.input())
    }

    fn over_scan(mut self, mut plan: &Arc<dyn ExecutionPlan>) -> Result<Option<(Self, Scan)>> {
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
        if !self.expressions().all(is_repeatable) {
            return Ok(None);
        }
        Ok(Scan::new(config, parquet).map(|scan| (self, scan)))
    }

    /// Puts `columns`, by which a plan makes its columns from those below it, in the place of its columns.
    fn below(mut self, columns: &[Arc<dyn PhysicalExpr>]) -> Result<Self> {
        let of_aggregates = self.aggregates.iter_mut().flat_map(|one| one.arguments.iter_mut().chain(&mut one.filter));
        for expression in of_aggregates.chain(&mut self.conditions).chain([&mut self.key]) {
            let whole = Arc::clone(expression).transform_up(|part| match part.downcast_ref::<Column>() {
                Some(column) => Ok(Transformed::yes(Arc::clone(&columns[column.index()]))),
                None => Ok(Transformed::no(part)),
            });
            *expression = whole.data()?;
        }
        Ok(self)
    }

    /// Without asking what the statistics of the files tell.
    pub(super) fn decided(mut self, scan: &Scan) -> Self {
        self.conditions.retain(|condition| !scan.proves(condition));
        for filter in self.aggregates.iter_mut().map(|aggregate| &mut aggregate.filter) {
            *filter = filter.take().filter(|filter| !scan.proves(filter)).map(|filter| match scan.disproves(&filter) {
                true => lit(false),
                false => filter,
            });
        }
        self
    }

    fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let of_aggregates = self.aggregates.iter().flat_map(|one| one.arguments.iter().chain(&one.filter));
        of_aggregates.chain(&self.conditions).chain([&self.key])
    }

    /// The columns that are to be read, by their places in the table.
    pub(super) fn columns(&self) -> BTreeSet<usize> {
        self.expressions().flat_map(columns).collect()
    }
}

/// Whether the expression gives the same for the same columns, however often it is asked.
fn is_repeatable(expression: &Arc<dyn PhysicalExpr>) -> bool {
    let mut repeatable = true;
    let walked = expression.apply(|part| {
        repeatable = match part.downcast_ref::<ScalarFunctionExpr>() {
            Some(call) => functions::is_repeatable(call.fun()),
            None => !part.is_volatile_node(),
        };
        Ok(if repeatable { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && repeatable
}

/// The places of the columns that an expression names.
pub(super) fn columns(expression: &Arc<dyn PhysicalExpr>) -> BTreeSet<usize> {
    collect_columns(expression).into_iter().map(|column| column.index()).collect()
}
