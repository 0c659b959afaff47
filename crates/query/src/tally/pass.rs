//! Several aggregations over the same files in one pass.

use std::panic::resume_unwind;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tokio::task::JoinSet;

use super::exec::TallyExec;
use super::groups::{Answers, Groups};
use super::plan::TallyPlan;
use super::scan::Read;
use super::wanted::Wanted;
use crate::booking::book;

/// The tally of a plan that has exactly one.
pub(crate) fn tally_of(plan: &Arc<dyn ExecutionPlan>) -> Option<TallyExec> {
    let mut found = Vec::new();
    let walked = plan.apply(|node| {
        found.extend(node.downcast_ref::<TallyExec>().cloned());
        Ok(TreeNodeRecursion::Continue)
    });
    walked.ok()?;
    if found.len() == 1 { found.pop() } else { None }
}

/// The plan with these batches, by partition, in the place of what its tally gives.
pub(crate) fn with_tallied(
    plan: Arc<dyn ExecutionPlan>,
    tallied: &[Vec<RecordBatch>],
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        if !node.is::<TallyExec>() {
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::yes(MemorySourceConfig::try_new_exec(tallied, node.schema(), None)? as Arc<_>))
    })
    .data()
}

/// Those that read the same files, by their places.
pub(crate) fn of_same_files(tallies: &[&TallyExec]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for (place, tally) in tallies.iter().enumerate() {
        match sets.iter_mut().find(|set| tallies[set[0]].scan.is_of_same_files(&tally.scan)) {
            Some(set) => set.push(place),
            None => sets.push(vec![place]),
        }
    }
    sets
}

/// Groups and states, by partition, and the memory that is booked for them.
pub(crate) type Tallied = (Vec<Vec<RecordBatch>>, Vec<MemoryReservation>);

/// What each of `tallies`, which read the same files, gives; `None` for one whose groups take more than `bytes_max`.
pub(crate) async fn in_one_pass(
    tallies: &[&TallyExec],
    context: &Arc<TaskContext>,
    bytes_max: usize,
) -> Result<Vec<Option<Tallied>>> {
    let (plan, places, input) = planned(tallies)?;
    let partitions = input.output_partitioning().partition_count();
    let pass = Arc::new(Pass { plan, bytes_max, context: Arc::clone(context) });
    let mut tasks = JoinSet::new();
    for partition in 0..partitions {
        let (pass, rows) = (Arc::clone(&pass), input.execute(partition, Arc::clone(context))?);
        tasks.spawn(async move { pass.part(rows).await });
    }
    let mut parts: Vec<PartTallied> = Vec::new();
    while let Some(part) = tasks.join_next().await {
        let part = part.map_err(|error| match error.try_into_panic() {
            Ok(panicked) => resume_unwind(panicked),
            Err(error) => internal_datafusion_err!("{error}"),
        })?;
        parts.push(part?);
    }
    Ok(places.into_iter().map(|place| put_together(&mut parts, place)).collect())
}

/// What is counted, where each tally stands in it, and the plan that reads the rows.
type Planned = (TallyPlan, Vec<(usize, usize)>, Arc<dyn ExecutionPlan>);

fn planned(tallies: &[&TallyExec]) -> Result<Planned> {
    let first = tallies.first().ok_or_else(|| internal_datafusion_err!("a pass for nobody"))?;
    let wanted: Vec<&Wanted> = tallies.iter().map(|tally| &tally.wanted).collect();
    let read = Read::new(&first.scan, &wanted);
    let schemas = tallies.iter().map(|tally| (&tally.wanted, tally.schema()));
    let (plan, places) = TallyPlan::new(&schemas.collect::<Vec<_>>(), &read)?;
    let predicates = tallies.iter().map(|tally| read.pruning(&tally.scan)).collect::<Option<Vec<_>>>();
    let input = read.plan(read.any(&predicates.unwrap_or_default())?)?;
    Ok((plan, places, input))
}

/// What a partition gives, by grouping and member.
type PartTallied = Vec<Vec<Option<Part>>>;

/// Groups and states of one member, and the memory that is booked for them.
type Part = (Vec<RecordBatch>, MemoryReservation);

fn put_together(parts: &mut [PartTallied], (grouping, member): (usize, usize)) -> Option<Tallied> {
    let each = parts.iter_mut().map(|part| part.get_mut(grouping)?.get_mut(member)?.take());
    each.collect::<Option<Vec<_>>>().map(|parts| parts.into_iter().unzip())
}

/// A pass, as far as all partitions have it in common.
struct Pass {
    plan: TallyPlan,
    bytes_max: usize,
    context: Arc<TaskContext>,
}

impl Pass {
    async fn part(&self, mut rows: SendableRecordBatchStream) -> Result<PartTallied> {
        let mut all = Vec::with_capacity(self.plan.groupings.len());
        for grouping in &self.plan.groupings {
            let reservation = MemoryConsumer::new("tally").register(self.context.memory_pool());
            all.push(Some((Groups::new(grouping)?, reservation)));
        }
        while let Some(batch) = rows.next().await {
            let mut answers = Answers::new(&self.plan, batch?)?;
            for place in &mut all {
                let Some((groups, reservation)) = place else { continue };
                // What fails here need not fail for who asks: here it is asked of the rows of all.
                let added = groups.add(&mut answers);
                let bytes = groups.bytes();
                if added.is_err() || bytes > self.bytes_max || reservation.try_resize(bytes).is_err() {
                    *place = None;
                }
            }
            if all.iter().all(Option::is_none) {
                break;
            }
        }
        all.into_iter().map(|place| self.emitted(place)).collect()
    }

    fn emitted(&self, place: Option<(Groups, MemoryReservation)>) -> Result<Vec<Option<Part>>> {
        let Some((mut groups, reservation)) = place else { return Ok(Vec::new()) };
        let members = groups.emit(self.context.session_config().batch_size())?;
        reservation.free();
        let booked = members.into_iter().map(|batches| {
            let own = reservation.new_empty();
            let fits = batches.iter().all(|batch| book(&own, batch).is_ok());
            fits.then_some((batches, own))
        });
        Ok(booked.collect())
    }
}
