//! Groups that are computed once and read by several queries.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::{Column, Result};
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use super::Members;
use super::budget::{Booked, Budget};
use super::grouping::Grouping;
use crate::booking::book;

/// Groups that several queries read: the keys, then the aggregates, as columns `c0`, `c1`, …
#[derive(Debug)]
pub(crate) struct SharedGroups {
    pub(super) plan: LogicalPlan,
    /// How many aggregations they are for.
    pub(super) members: usize,
    schema: SchemaRef,
    kept: Mutex<Option<Kept>>,
}

/// The groups, and the memory that is booked for them.
#[derive(Debug)]
struct Kept {
    table: Arc<MemTable>,
    _memory: MemoryReservation,
    _booked: Booked,
}

pub(super) fn column_name(column: usize) -> String {
    format!("c{column}")
}

impl SharedGroups {
    pub(super) fn new(grouping: &Grouping, members: &Members) -> Result<Self> {
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
        Ok(Self { plan, members: members.count, schema: Arc::new(Schema::new(fields)), kept: Mutex::new(None) })
    }

    /// Keeps what `plan` gives, if the budget allows it.
    pub(super) async fn keep(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        state: &dyn CatalogSession,
        budget: &Arc<Budget>,
    ) -> Result<()> {
        let mut booked = budget.book();
        let context = state.task_ctx();
        let memory = MemoryConsumer::new("shared groups").register(context.memory_pool());
        let mut stream = execute_stream(plan, context)?;
        let readers = state.config().target_partitions().max(1);
        let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); readers];
        let mut count = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            book(&memory, &batch)?;
            if !booked.grow_to(memory.size()) {
                return Ok(());
            }
            parts[count % readers].push(batch.with_schema(Arc::clone(&self.schema))?);
            count += 1;
        }
        let table = Arc::new(MemTable::try_new(Arc::clone(&self.schema), parts)?);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Kept { table, _memory: memory, _booked: booked });
        Ok(())
    }

    /// The plan of some of the columns, for a query that has to compute groups that were not kept.
    fn columns(&self, projection: Option<&Vec<usize>>) -> Result<LogicalPlan> {
        let Some(columns) = projection else { return Ok(self.plan.clone()) };
        let columns = columns.iter().map(|column| Expr::Column(Column::new_unqualified(column_name(*column))));
        LogicalPlanBuilder::from(self.plan.clone()).project(columns.collect::<Vec<_>>())?.build()
    }

    fn table(&self) -> Option<Arc<MemTable>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(|kept| Arc::clone(&kept.table))
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

    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.table() {
            Some(table) => table.scan(state, projection, filters, limit).await,
            None => state.create_physical_plan(&self.columns(projection)?).await,
        }
    }
}
