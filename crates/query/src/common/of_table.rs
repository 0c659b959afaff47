//! All shared groupings of one table.

use std::sync::{Arc, Weak};
use std::time::Duration;

use datafusion::catalog::Session as CatalogSession;
use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use tokio::sync::OnceCell;

use super::budget::Budget;
use super::groups::SharedGroups;
use crate::tally::{TallyExec, in_one_pass, of_same_files, tally_of, with_tallied};

/// The groupings of one table, which are computed together.
#[derive(Debug)]
pub(crate) struct OfTable {
    /// Those that some query still wants to read.
    groups: Vec<Weak<SharedGroups>>,
    budget: Arc<Budget>,
    computed: OnceCell<()>,
}

/// A grouping whose first half is a tally.
struct Tallied {
    groups: Arc<SharedGroups>,
    plan: Arc<dyn ExecutionPlan>,
    tally: TallyExec,
}

impl OfTable {
    pub(super) fn new(groups: Vec<Weak<SharedGroups>>, budget: Arc<Budget>) -> Self {
        Self { groups, budget, computed: OnceCell::new() }
    }

    /// Computes them all, once. What fails, does not fit or takes longer than `longest` is not kept, and the queries that
    /// want it compute it themselves.
    pub(crate) async fn compute(&self, state: &dyn CatalogSession, longest: Duration) {
        let computed = self.computed.get_or_init(|| async {
            let _ = tokio::time::timeout(longest, self.try_compute(state)).await;
        });
        computed.await;
    }

    async fn try_compute(&self, state: &dyn CatalogSession) {
        let mut tallied = Vec::new();
        for groups in self.groups.iter().filter_map(Weak::upgrade) {
            let Ok(plan) = state.create_physical_plan(&groups.plan).await else { continue };
            match tally_of(&plan) {
                Some(tally) => tallied.push(Tallied { groups, plan, tally }),
                // Several aggregations have all in common, so one computes for all.
                None if groups.members > 1 => _ = groups.keep(plan, state, &self.budget).await,
                None => {}
            }
        }
        let tallies: Vec<&TallyExec> = tallied.iter().map(|one| &one.tally).collect();
        for set in of_same_files(&tallies) {
            let members: Vec<&Tallied> = set.into_iter().map(|place| &tallied[place]).collect();
            // What is asked for once, and of files that nobody else reads, shares nothing.
            if members.iter().map(|tallied| tallied.groups.members).sum::<usize>() > 1 {
                let _ = self.pass(&members, state).await;
            }
        }
    }

    async fn pass(&self, members: &[&Tallied], state: &dyn CatalogSession) -> Result<()> {
        let tallies: Vec<&TallyExec> = members.iter().map(|tallied| &tallied.tally).collect();
        let given = in_one_pass(&tallies, &state.task_ctx(), self.budget.of_one()).await?;
        for (tallied, given) in members.iter().zip(given) {
            if let Some((batches, _memory)) = given {
                let plan = with_tallied(Arc::clone(&tallied.plan), &batches)?;
                let _ = tallied.groups.keep(plan, state, &self.budget).await;
            }
        }
        Ok(())
    }
}
