//! Rows in, groups with their states out.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use futures::StreamExt;

use super::codes::Codes;
use super::exec::{Key, TallyExec};
use super::numbers::Numbers;

/// The groups of one partition, on their way.
pub(super) struct Tally {
    plan: TallyExec,
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    key_type: DataType,
    groups: Box<dyn GroupValues>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    codes: Codes,
    numbers: Numbers,
    /// The group of each row of a batch.
    rows: Vec<usize>,
    reservation: MemoryReservation,
    /// Rows of a batch that goes out.
    batch_rows: usize,
    ready: VecDeque<RecordBatch>,
    ended: bool,
}

impl Tally {
    pub(super) fn new(
        plan: TallyExec,
        input: SendableRecordBatchStream,
        reservation: MemoryReservation,
        batch_rows: usize,
    ) -> Result<Self> {
        let schema = plan.schema();
        let key = schema.field(0).clone();
        let key_type = key.data_type().clone();
        let groups = new_group_values(Arc::new(Schema::new(vec![key])), &GroupOrdering::None)?;
        let accumulators = plan.accumulators()?;
        let (codes, numbers, rows, ready) = (Codes::default(), Numbers::default(), Vec::new(), VecDeque::new());
        Ok(Self {
            plan,
            input,
            schema,
            key_type,
            groups,
            accumulators,
            codes,
            numbers,
            rows,
            reservation,
            batch_rows,
            ready,
            ended: false,
        })
    }

    /// The next batch of groups. A group may come up again in a later one: the second half of the aggregation puts them
    /// together.
    pub(super) async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some((batch, self)));
            }
            if self.ended {
                return Ok(None);
            }
            match self.input.next().await {
                Some(batch) => {
                    self.add(batch?)?;
                    if self.reservation.try_resize(self.bytes()).is_err() {
                        self.emit()?;
                        self.reservation.try_resize(self.bytes())?;
                    }
                }
                None => {
                    self.ended = true;
                    self.emit()?;
                    self.reservation.free();
                }
            }
        }
    }

    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let batch = self.counted(batch)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.find_groups(&batch)?;
        let total = self.groups.len();
        for (aggregate, accumulator) in self.plan.aggregates.iter().zip(&mut self.accumulators) {
            let arguments = aggregate.arguments.iter();
            let arguments = arguments.map(|argument| argument.evaluate(&batch)?.into_array(batch.num_rows()));
            let arguments = arguments.collect::<Result<Vec<_>>>()?;
            let filter = aggregate.filter.as_ref().map(|filter| truth(filter, &batch)).transpose()?;
            accumulator.update_batch(&arguments, &self.rows, filter.as_ref(), total)?;
        }
        Ok(())
    }

    /// Puts the group of each row into `rows`.
    fn find_groups(&mut self, batch: &RecordBatch) -> Result<()> {
        match &self.plan.key {
            Key::Text(key) => {
                let key = key.evaluate(batch)?.into_array(batch.num_rows())?;
                match key.as_dictionary_opt::<Int32Type>() {
                    Some(key) => self.codes.groups_of(key, &mut *self.groups, &self.key_type, &mut self.rows),
                    None => self.groups.intern(&[key], &mut self.rows),
                }
            }
            Key::Number { key, column } => {
                self.numbers.groups_of(batch.column(*column), key, &mut *self.groups, &mut self.rows)
            }
        }
    }

    /// The rows of `batch` for which the conditions hold.
    fn counted(&self, mut batch: RecordBatch) -> Result<RecordBatch> {
        for condition in &self.plan.conditions {
            if batch.num_rows() == 0 {
                break;
            }
            let holds = truth(condition, &batch)?;
            if holds.null_count() > 0 || holds.true_count() < holds.len() {
                batch = filter_record_batch(&batch, &holds)?;
            }
        }
        Ok(batch)
    }

    /// Makes batches of all groups, and begins anew.
    fn emit(&mut self) -> Result<()> {
        if self.groups.is_empty() {
            return Ok(());
        }
        let mut columns = self.groups.emit(EmitTo::All)?;
        for accumulator in &mut self.accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        self.groups.clear_shrink(0);
        self.codes = Codes::default();
        self.numbers.forget();
        let all = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        let starts = (0..all.num_rows()).step_by(self.batch_rows.max(1));
        self.ready.extend(starts.map(|start| all.slice(start, self.batch_rows.min(all.num_rows() - start))));
        Ok(())
    }

    fn bytes(&self) -> usize {
        let accumulators: usize = self.accumulators.iter().map(|accumulator| accumulator.size()).sum();
        let rows = self.rows.capacity() * size_of::<usize>();
        self.groups.size() + accumulators + rows + self.codes.bytes() + self.numbers.bytes()
    }
}

/// Where a condition holds. What is not known does not hold.
fn truth(condition: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray> {
    let array = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    let holds = array.as_boolean_opt();
    let holds = holds.ok_or_else(|| internal_datafusion_err!("{condition} is no condition"))?;
    Ok(if holds.null_count() > 0 { prep_null_mask_filter(holds) } else { holds.clone() })
}
