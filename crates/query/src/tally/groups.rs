//! Groups with their states, as rows come.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{DataType, Int32Type, Schema};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::codes::Codes;
use super::numbers::Numbers;
use super::plan::{Counted, Grouping, Key, Member, TallyPlan};

/// Rows of a batch that count, and what they say to the questions of the plan.
pub(super) struct Answers<'p> {
    pub(super) batch: RecordBatch,
    questions: &'p [Arc<dyn PhysicalExpr>],
    answers: Vec<Option<BooleanArray>>,
}

impl<'p> Answers<'p> {
    /// Leaves out the rows for which the conditions of the plan do not hold.
    pub(super) fn new(plan: &'p TallyPlan, mut batch: RecordBatch) -> Result<Self> {
        for condition in &plan.conditions {
            if batch.num_rows() == 0 {
                break;
            }
            let holds = truth(condition, &batch)?;
            if holds.true_count() < holds.len() {
                batch = filter_record_batch(&batch, &holds)?;
            }
        }
        Ok(Self { batch, questions: &plan.questions, answers: vec![None; plan.questions.len()] })
    }

    fn answer(&mut self, question: usize) -> Result<&BooleanArray> {
        let answer = &mut self.answers[question];
        if answer.is_none() {
            *answer = Some(truth(&self.questions[question], &self.batch)?);
        }
        answer.as_ref().ok_or_else(|| internal_datafusion_err!("a question has no answer"))
    }

    /// The rows that say yes to all; `None` if all rows do.
    fn all_answers(&mut self, questions: &[usize]) -> Result<Option<BooleanArray>> {
        let mut all: Option<BooleanArray> = None;
        for question in questions {
            let one = self.answer(*question)?;
            all = Some(match all {
                Some(before) => and(&before, one)?,
                None => one.clone(),
            });
        }
        Ok(all.filter(|all| all.true_count() < all.len()))
    }
}

/// Where a condition holds. What is not known does not hold.
fn truth(condition: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray> {
    let array = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    let holds = array.as_boolean_opt();
    let holds = holds.ok_or_else(|| internal_datafusion_err!("{condition} is no condition"))?;
    Ok(if holds.null_count() > 0 { prep_null_mask_filter(holds) } else { holds.clone() })
}

/// The groups of one key, with the states of all its members.
pub(super) struct Groups {
    key: Key,
    key_type: DataType,
    values: Box<dyn GroupValues>,
    codes: Codes,
    numbers: Numbers,
    /// The group of each row of a batch.
    rows: Vec<usize>,
    states: Vec<States>,
}

/// The states of one member.
struct States {
    member: Member,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// The groups of which a row counts here; none are noted where all rows do.
    seen: Vec<bool>,
}

impl Groups {
    pub(super) fn new(grouping: &Grouping) -> Result<Self> {
        let first =
            grouping.members.first().ok_or_else(|| internal_datafusion_err!("nobody asked for these groups"))?;
        let field = first.schema.field(0).clone();
        let key_type = field.data_type().clone();
        let values = new_group_values(Arc::new(Schema::new(vec![field])), &GroupOrdering::None)?;
        let states = grouping.members.iter().map(States::new).collect::<Result<_>>()?;
        let (codes, numbers) = (Codes::default(), Numbers::default());
        Ok(Self { key: grouping.key.clone(), key_type, values, codes, numbers, rows: Vec::new(), states })
    }

    pub(super) fn add(&mut self, answers: &mut Answers<'_>) -> Result<()> {
        let members = self.states.iter();
        let counts =
            members.map(|states| answers.all_answers(&states.member.conditions)).collect::<Result<Vec<_>>>()?;
        let nobody = |counts: &Option<BooleanArray>| counts.as_ref().is_some_and(|counts| counts.true_count() == 0);
        if answers.batch.num_rows() == 0 || counts.iter().all(nobody) {
            return Ok(());
        }
        self.find(&answers.batch)?;
        let total = self.values.len();
        // Also those of whom no row counts: their states keep up with the groups.
        for (states, counts) in self.states.iter_mut().zip(counts) {
            states.add(answers, &self.rows, counts.as_ref(), total)?;
        }
        Ok(())
    }

    /// Puts the group of each row into `rows`.
    fn find(&mut self, batch: &RecordBatch) -> Result<()> {
        match &self.key {
            Key::Text(key) => {
                let key = key.evaluate(batch)?.into_array(batch.num_rows())?;
                match key.as_dictionary_opt::<Int32Type>() {
                    Some(key) => self.codes.groups_of(key, &mut *self.values, &self.key_type, &mut self.rows),
                    None => self.values.intern(&[key], &mut self.rows),
                }
            }
            Key::Number { key, column } => {
                self.numbers.groups_of(batch.column(*column), key, &mut *self.values, &mut self.rows)
            }
        }
    }

    /// All groups that somebody counted, for each member, in batches of so many rows; begins anew.
    pub(super) fn emit(&mut self, batch_rows: usize) -> Result<Vec<Vec<RecordBatch>>> {
        if self.values.is_empty() {
            return Ok(vec![Vec::new(); self.states.len()]);
        }
        let total = self.values.len();
        let keys = self.values.emit(EmitTo::All)?;
        self.values.clear_shrink(0);
        self.codes = Codes::default();
        self.numbers.forget();
        let key = keys.first().ok_or_else(|| internal_datafusion_err!("groups without a key"))?;
        let members = self.states.iter_mut();
        members.map(|states| Ok(pieces(&states.emit(Arc::clone(key), total)?, batch_rows))).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        let states: usize = self.states.iter().map(States::bytes).sum();
        let rows = self.rows.capacity() * size_of::<usize>();
        self.values.size() + states + rows + self.codes.bytes() + self.numbers.bytes()
    }
}

impl States {
    fn new(member: &Member) -> Result<Self> {
        let accumulators = member.aggregates.iter().map(|aggregate| aggregate.function.create_groups_accumulator());
        let accumulators = accumulators.collect::<Result<_>>()?;
        Ok(Self { member: member.clone(), accumulators, seen: Vec::new() })
    }

    /// Adds the rows of those groups, as far as they count; there are `total` groups.
    fn add(
        &mut self,
        answers: &mut Answers<'_>,
        rows: &[usize],
        counts: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        if !self.member.conditions.is_empty() {
            self.see(rows, counts, total);
        }
        for (aggregate, accumulator) in self.member.aggregates.iter().zip(&mut self.accumulators) {
            let filter = match (aggregate.filter, counts) {
                (Some(question), Some(counts)) => Some(and(answers.answer(question)?, counts)?),
                (Some(question), None) => Some(answers.answer(question)?.clone()),
                (None, counts) => counts.cloned(),
            };
            accumulator.update_batch(&aggregate.arguments(&answers.batch)?, rows, filter.as_ref(), total)?;
        }
        Ok(())
    }

    fn see(&mut self, rows: &[usize], counts: Option<&BooleanArray>, total: usize) {
        self.seen.resize(total, false);
        match counts {
            None => rows.iter().for_each(|group| self.seen[*group] = true),
            Some(counts) => counts.values().set_indices().for_each(|row| self.seen[rows[row]] = true),
        }
    }

    fn emit(&mut self, key: ArrayRef, total: usize) -> Result<RecordBatch> {
        let mut columns = vec![key];
        for accumulator in &mut self.accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        let all = RecordBatch::try_new(Arc::clone(&self.member.schema), columns)?;
        if self.member.conditions.is_empty() {
            return Ok(all);
        }
        self.seen.resize(total, false);
        Ok(filter_record_batch(&all, &BooleanArray::from(std::mem::take(&mut self.seen)))?)
    }

    fn bytes(&self) -> usize {
        self.accumulators.iter().map(|accumulator| accumulator.size()).sum::<usize>() + self.seen.capacity()
    }
}

impl Counted {
    fn arguments(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        self.arguments.iter().map(|argument| argument.evaluate(batch)?.into_array(batch.num_rows())).collect()
    }
}

fn pieces(all: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let starts = (0..all.num_rows()).step_by(rows.max(1));
    starts.map(|start| all.slice(start, rows.min(all.num_rows() - start))).collect()
}
