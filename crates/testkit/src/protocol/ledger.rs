//! A ledger: its rows, and its transactions. Each transaction is one step, and names the ledger that it is meant for.

use std::rc::Rc;

use super::batch::{Batch, Kind, Member};
use super::lake::{Account, Vector};
use super::rows::{GENERATIONS, KEYS, REMOVED};
use super::run::Run;
use super::safeguard::Safeguard;

/// The state of an object version.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum JobState {
    #[default]
    Absent,
    Offered,
    Claimed,
    Staged,
    Complete,
    Superseded,
}

/// An object version. `by`: the attempt or batch that it is claimed, staged or complete under.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Job {
    pub state: JobState,
    pub content: u8,
    pub replaces_from: u8,
    pub by: u8,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    /// The newest generation that was offered.
    pub generation: u8,
    /// The last revision that was staged.
    pub revision: u8,
    jobs: [Job; GENERATIONS as usize],
}

impl Key {
    pub fn job(&self, generation: u8) -> Job {
        generation.checked_sub(1).map_or(Job::default(), |place| self.jobs[usize::from(place)])
    }

    fn job_mut(&mut self, generation: u8) -> &mut Job {
        assert!((1..=GENERATIONS).contains(&generation), "the run needs more generations than the model has");
        &mut self.jobs[usize::from(generation) - 1]
    }

    pub fn newest(&self) -> Job {
        self.job(self.generation)
    }

    /// The jobs with their generations.
    pub fn jobs(&self) -> impl Iterator<Item = (u8, &Job)> {
        (1..).zip(&self.jobs)
    }

    /// The highest generation that is staged or complete.
    fn settled(&self) -> u8 {
        let settled = self.jobs().filter(|(_, job)| matches!(job.state, JobState::Staged | JobState::Complete));
        settled.map(|(generation, _)| generation).max().unwrap_or(0)
    }

    /// The next generation. Older ones that nobody works on are over.
    pub fn offer(&mut self, content: u8, replaces_from: Option<u8>) -> u8 {
        self.generation += 1;
        let generation = self.generation;
        self.jobs
            .iter_mut()
            .filter(|job| job.state == JobState::Offered)
            .for_each(|job| job.state = JobState::Superseded);
        *self.job_mut(generation) =
            Job { state: JobState::Offered, content, replaces_from: replaces_from.unwrap_or(generation), by: 0 };
        generation
    }

    pub fn claim(&mut self, generation: u8, by: u8) {
        let job = self.job_mut(generation);
        (job.state, job.by) = (JobState::Claimed, by);
    }
}

/// How far a rebuild has come.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Phase {
    #[default]
    Open,
    /// Never opened.
    New,
    /// The lake was nobody's when it was looked at.
    Opening,
    /// Emptied, under a new id.
    Begun,
    /// `_receipts` has the epoch; tables before this place are fenced.
    Fencing(usize),
    /// Receipts and half published batches are imported.
    Restored,
    /// What is in the lake does not fit together; trying again finds the same.
    Failed,
}

/// A ledger.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ledger {
    pub id: u8,
    pub phase: Phase,
    pub epoch: u8,
    pub next_seq: u8,
    pub keys: [Key; KEYS],
    pub queue: Vec<Rc<Batch>>,
    /// For readers that believe in it; kept only by runs without `VectorInR`.
    pub vector: Option<(Vector, u8)>,
}

impl Ledger {
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Gives a batch its place in the queue, whole or not at all; whether it did.
    pub fn stage(&mut self, batch: &Batch, same_ledger: bool, run: &Run) -> bool {
        let fits = |member: &Member| match batch.kind {
            Kind::Load => self.holds(batch, member, run) && self.is_next(member, run),
            Kind::Amend => self.keys[member.key()].revision == member.revision || !run.has(Safeguard::AmendRevision),
            Kind::Compact => true,
        };
        let reached = self.is_open() && (same_ledger || !run.has(Safeguard::LedgerId));
        if !reached || !batch.members().all(fits) {
            if reached {
                self.release(batch, run);
            }
            return false;
        }
        let mut staged = Batch { seq: self.next_seq, ..batch.clone() };
        self.next_seq += 1;
        for member in staged.members.iter_mut().flatten() {
            let key = &mut self.keys[member.key()];
            key.revision += 1;
            member.revision = key.revision;
            if batch.kind == Kind::Load {
                let job = key.job_mut(member.generation);
                (job.state, job.by) = (JobState::Staged, batch.id);
            }
        }
        self.queue.push(Rc::new(staged));
        true
    }

    fn holds(&self, batch: &Batch, member: &Member, run: &Run) -> bool {
        let job = self.keys[member.key()].job(member.generation);
        if run.has(Safeguard::StageToken) {
            return job.state == JobState::Claimed && job.by == batch.id;
        }
        matches!(job.state, JobState::Offered | JobState::Claimed | JobState::Staged)
    }

    fn is_next(&self, member: &Member, run: &Run) -> bool {
        let settled = self.keys[member.key()].settled();
        // The token alone tells two attempts at one generation apart where it is taken away.
        let same = settled == member.generation && !run.has(Safeguard::StageToken);
        settled < member.generation || same || !run.has(Safeguard::StageOrder)
    }

    /// A claim whose batch was refused goes back; members that a newer one has overtaken are over.
    fn release(&mut self, batch: &Batch, run: &Run) {
        let held: Vec<Member> = batch.members().filter(|member| self.holds(batch, member, run)).copied().collect();
        for member in held.iter().filter(|_| batch.kind == Kind::Load) {
            let key = &mut self.keys[member.key()];
            let overtaken = key.settled() >= member.generation || key.generation > member.generation;
            let job = key.job_mut(member.generation);
            (job.state, job.by) = (if overtaken { JobState::Superseded } else { JobState::Offered }, 0);
        }
    }

    /// Takes a batch that has its receipt out of the queue.
    pub fn finish(&mut self, id: u8, run: &Run) {
        let place = if run.has(Safeguard::FinishToken) {
            self.queue.iter().position(|batch| batch.id == id)
        } else {
            (!self.queue.is_empty()).then_some(0)
        };
        let Some(place) = place else { return };
        let batch = self.queue.remove(place);
        for member in batch.members().filter(|_| batch.kind == Kind::Load) {
            self.complete(member.key(), member.generation, member.replaces_from, batch.id);
        }
    }

    /// Complete; what it replaces is over, and so is older work that nobody has finished.
    fn complete(&mut self, key: usize, generation: u8, replaces_from: u8, by: u8) {
        let key = &mut self.keys[key];
        for lower in 1..generation {
            let job = key.job_mut(lower);
            let over = match job.state {
                JobState::Absent | JobState::Staged => false,
                JobState::Complete => lower >= replaces_from,
                JobState::Offered | JobState::Claimed | JobState::Superseded => true,
            };
            if over {
                job.state = JobState::Superseded;
            }
        }
        let job = key.job_mut(generation);
        (job.state, job.by) = (JobState::Complete, by);
    }

    /// Takes the head out of the queue, which no table has. What it would have loaded is offered under a new generation.
    pub fn withdraw(&mut self, run: &Run) {
        let batch = self.queue.remove(0);
        for member in batch.members() {
            if run.has(Safeguard::RevisionBack) {
                self.keys[member.key()].revision -= 1;
                let later = self.queue.iter_mut().flat_map(|batch| Rc::make_mut(batch).members.iter_mut().flatten());
                later.filter(|later| later.key() == member.key()).for_each(|later| later.revision -= 1);
            }
            if batch.kind == Kind::Amend {
                continue;
            }
            let key = &mut self.keys[member.key()];
            key.job_mut(member.generation).state = JobState::Superseded;
            if key.generation == member.generation {
                key.offer(member.content, Some(member.replaces_from.min(member.generation)));
            }
        }
    }

    /// Takes over what the receipts say.
    pub fn import(&mut self, account: &Account) {
        for receipt in &account.receipts {
            let key = &mut self.keys[usize::from(receipt.key)];
            key.generation = key.generation.max(receipt.generation);
            key.revision = key.revision.max(receipt.revision);
            *key.job_mut(receipt.generation) = Job {
                state: JobState::Superseded,
                content: receipt.content,
                replaces_from: receipt.replaces_from,
                by: receipt.batch,
            };
        }
        for receipt in account.standing() {
            self.keys[usize::from(receipt.key)].job_mut(receipt.generation).state = JobState::Complete;
        }
    }

    /// Puts a half published batch back into the queue. `false`: the ledger cannot hold it beside what it has.
    pub fn restore(&mut self, batch: &Rc<Batch>) -> bool {
        if self.queue.iter().any(|other| other.seq == batch.seq) {
            return false;
        }
        for member in batch.members() {
            let key = &mut self.keys[member.key()];
            key.generation = key.generation.max(member.generation);
            key.revision = key.revision.max(member.revision);
            if batch.kind != Kind::Load {
                continue;
            }
            let job = key.job_mut(member.generation);
            if matches!(job.state, JobState::Complete | JobState::Superseded) {
                return false;
            }
            let (content, replaces_from) = (member.content, member.replaces_from);
            *job = Job { state: JobState::Staged, content, replaces_from, by: batch.id };
        }
        self.queue.push(Rc::clone(batch));
        self.queue.sort_by_key(|batch| batch.seq);
        true
    }

    /// Whether a removal can be offered: something of the key is in the tables or on the way there.
    pub fn can_remove(&self, key: usize) -> bool {
        let key = &self.keys[key];
        key.newest().content != REMOVED && key.settled() > 0
    }

    /// The attempts and batches whose files may still be committed, as far as the ledger knows: one bit for each id.
    pub fn live(&self) -> u32 {
        let claimed = self.keys.iter().flat_map(Key::jobs).filter(|(_, job)| job.state == JobState::Claimed);
        let claimed = claimed.map(|(_, job)| job.by);
        claimed.chain(self.queue.iter().map(|batch| batch.id)).fold(0, |live, id| live | 1 << id)
    }
}
