//! Rows in, groups with their states out.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::StreamExt;

use super::groups::{Answers, Groups};
use super::plan::TallyPlan;

/// The groups of one partition of one aggregation, on their way.
pub(super) struct TallyStream {
    plan: TallyPlan,
    input: SendableRecordBatchStream,
    groups: Groups,
    reservation: MemoryReservation,
    /// Rows of a batch that goes out.
    batch_rows: usize,
    ready: VecDeque<RecordBatch>,
    ended: bool,
}

impl TallyStream {
    /// `plan` is one of one member.
    pub(super) fn new(
        plan: &TallyPlan,
        input: SendableRecordBatchStream,
        reservation: MemoryReservation,
        batch_rows: usize,
    ) -> Result<Self> {
        let grouping = plan.groupings.first().ok_or_else(|| internal_datafusion_err!("nothing is to be grouped"))?;
        let (plan, groups, ready) = (plan.clone(), Groups::new(grouping)?, VecDeque::new());
        Ok(Self { plan, input, groups, reservation, batch_rows, ready, ended: false })
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
                    self.groups.add(&mut Answers::new(&self.plan, batch?)?)?;
                    if self.reservation.try_resize(self.groups.bytes()).is_err() {
                        self.emit()?;
                        self.reservation.try_resize(self.groups.bytes())?;
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

    fn emit(&mut self) -> Result<()> {
        self.ready.extend(self.groups.emit(self.batch_rows)?.into_iter().flatten());
        Ok(())
    }
}
