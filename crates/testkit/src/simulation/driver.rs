//! Chooses the steps of a history, runs them one after the other, and asks the auditor.

use stillhouse_ingest::{Kind, Selection};
use stillhouse_spec::Period;

use super::actor::{Failure, Finished, KEEP, LEASE_OVER, Task, everything};
use super::audit::{Broken, broken};
use super::content::{CONTRACTS, Contract, SOURCES};
use super::house::{House, Running, Slot, copy_ledger, delete_ledger};
use super::process::{At, What};

impl House {
    /// A whole history: steps, recovery, end.
    pub(super) async fn live(&mut self) -> Result<(), Broken> {
        let steps = 34 + u64::try_from(self.random.below(16)).expect("a small number");
        for _ in 0..6 {
            self.file_step().await?;
        }
        if self.random.below(8) == 0 {
            self.two_new_ledgers().await?;
        }
        while self.steps < steps {
            self.step().await?;
        }
        self.recover().await
    }

    async fn step(&mut self) -> Result<(), Broken> {
        self.world.clock.advance(i64::try_from(self.random.next_u64() % 100_000_000).expect("some seconds"));
        let hanging = (0..2).filter(|slot| matches!(self.slots[*slot], Slot::Running(_))).collect::<Vec<_>>();
        let free = (0..2).filter(|slot| !hanging.contains(slot)).collect::<Vec<_>>();
        let weights = [
            if hanging.is_empty() { 0 } else { 30 }, // goes on
            if hanging.is_empty() { 0 } else { 5 },  // killed while it hangs
            if hanging.is_empty() { 2 } else { 10 }, // clock
            35,                                      // files
            if free.is_empty() { 0 } else { 55 },    // a task
            3,                                       // ledger lost
            5,                                       // contract
            if hanging.is_empty() { 4 } else { 0 },  // backup or restore
            if hanging.is_empty() { 2 } else { 0 },  // contracts in conflict
            if hanging.is_empty() { 8 } else { 0 },  // a meeting
            if hanging.is_empty() { 2 } else { 0 },  // two copies
            if hanging.is_empty() { 2 } else { 0 },  // vacuum
            if hanging.is_empty() { 2 } else { 0 },  // a version overtaken
            if hanging.is_empty() { 2 } else { 0 },  // a head given up
        ];
        match self.random.weighted(&weights) {
            0 => {
                let slot = self.one_of(&hanging);
                self.resume(slot).await
            }
            1 => {
                let slot = self.one_of(&hanging);
                self.kill(slot).await
            }
            2 => {
                self.world.clock.advance(LEASE_OVER);
                let step = if hanging.is_empty() { "clock forward" } else { "leases run out" };
                self.note(step, "two hours");
                Ok(())
            }
            3 => self.file_step().await,
            4 => {
                let slot = self.one_of(&free);
                self.task_step(slot).await
            }
            5 => {
                let place = self.random.below(2);
                delete_ledger(&self.places[place].path);
                for slot in (0..2).filter(|slot| self.at[*slot] == place) {
                    match &mut self.slots[slot] {
                        Slot::Empty => {}
                        Slot::Idle(actor, _) => actor.process.rob(),
                        Slot::Running(running) => running.process.rob(),
                    }
                }
                self.places[place].restored = false;
                self.note("ledger lost", &place.to_string());
                Ok(())
            }
            6 => {
                let source = SOURCES[self.random.below(2)];
                let contract = CONTRACTS[self.random.below(CONTRACTS.len())];
                self.contracts.insert(source, contract);
                self.note("contract changed", &format!("{source}: {contract:?}"));
                Ok(())
            }
            7 => self.copy_step().await,
            8 => self.quarrel().await,
            9 => self.meeting().await,
            10 => self.two_copies().await,
            11 => self.vacuum_beside().await,
            12 => self.overtaken().await,
            _ => self.given_up().await,
        }
    }

    pub(super) fn one_of(&mut self, slots: &[usize]) -> usize {
        slots[self.random.below(slots.len())]
    }

    /// A process begins a task, and works until it is done, dead or hangs.
    async fn task_step(&mut self, slot: usize) -> Result<(), Broken> {
        self.choose_process(slot).await;
        let task = self.choose_task(slot);
        let plan = self.choose_plan(&task);
        self.note(task.name(), &format!("slot {slot}, ledger {}, {:?}, {}", self.at[slot], plan.trap, plan.permille));
        let disturbed = self.anybody_hangs();
        self.begin(slot, task, plan);
        if let Slot::Running(running) = &mut self.slots[slot] {
            running.disturbed = disturbed;
        }
        self.work(slot).await
    }

    /// A process of former steps or a new one, with its ledger.
    async fn choose_process(&mut self, slot: usize) {
        if self.random.below(3) > 0 && matches!(self.slots[slot], Slot::Idle(..)) {
            return;
        }
        self.slots[slot] = Slot::Empty;
        if self.random.below(8) == 0 {
            self.at[slot] = 1 - self.at[slot];
        }
    }

    fn choose_task(&mut self, slot: usize) -> Task {
        let others = self.anybody_hangs();
        let place = &mut self.places[self.at[slot]];
        if std::mem::take(&mut place.restored) {
            self.slots[slot] = Slot::Empty;
            return Task::Rebuild;
        }
        let rebuilds = if place.fenced {
            100
        } else if others {
            20
        } else {
            5
        };
        let mut request = everything();
        let selection = Selection::default();
        match self.random.weighted(&[60, 8, 6, 6, 5, 14, 5, rebuilds, 16, 4]) {
            0 => {}
            1 => request.held = true,
            2 => request.sources = vec![SOURCES[self.random.below(2)].to_owned()],
            3 => {
                let month = i8::try_from(4 + self.random.below(2)).expect("a month");
                request.period = Period::Month(jiff::civil::date(2021, month, 1));
            }
            4 => {
                let keys: Vec<&String> = self.truth.files.keys().collect();
                if self.random.below(2) == 0 {
                    // All its files, together where a type has changed.
                    request.reload = vec![SOURCES[self.random.below(2)].to_owned()];
                } else if !keys.is_empty() {
                    request.reload = vec![keys[self.random.below(keys.len())].clone()];
                }
            }
            5 => {
                if self.random.below(2) == 0 {
                    // Where a person would ask for it: the contract was mended.
                    self.contracts.values_mut().for_each(|contract| *contract = Contract::Mended.max(*contract));
                    self.slots[slot] = Slot::Empty;
                }
                return Task::Replay(selection);
            }
            6 => return Task::Drop(selection),
            7 => return Task::Rebuild,
            // Which attempts live, a copy of the ledger cannot know.
            8 if !self.doubled => return Task::Maintain,
            8 => {}
            _ => return Task::Report,
        }
        Task::Ingest(request)
    }

    /// Goes on with a process that hangs.
    pub(super) async fn resume(&mut self, slot: usize) -> Result<(), Broken> {
        let Slot::Running(running) = &self.slots[slot] else { return Ok(()) };
        let task = running.task.clone();
        let trap = if self.random.below(6) == 0 { Some((self.choose_point(&task), What::Kill)) } else { None };
        self.go_on(slot, trap).await
    }

    /// Goes on with a process, if it hangs, with a trap for the rest of its way.
    pub(super) async fn go_on(&mut self, slot: usize, trap: Option<(At, What)>) -> Result<(), Broken> {
        let Slot::Running(running) = &mut self.slots[slot] else { return Ok(()) };
        running.process.set_trap(trap);
        running.disturbed = true;
        self.note("goes on", &format!("slot {slot}"));
        self.release(slot);
        self.work(slot).await
    }

    pub(super) async fn kill(&mut self, slot: usize) -> Result<(), Broken> {
        self.note("killed while it hangs", &format!("slot {slot}"));
        if let Slot::Running(running) = &mut self.slots[slot] {
            running.process.kill();
            running.process.fault("killed: while it hangs");
        }
        self.release(slot);
        self.work(slot).await
    }

    fn release(&mut self, slot: usize) {
        if let Slot::Running(running) = &mut self.slots[slot]
            && let Some(hanging) = running.hangs.take()
        {
            let _ = hanging.go.send(());
        }
    }

    /// Waits until the process of the slot is done or hangs; then the auditor looks.
    pub(super) async fn work(&mut self, slot: usize) -> Result<(), Broken> {
        let Slot::Running(mut running) = std::mem::take(&mut self.slots[slot]) else { return Ok(()) };
        loop {
            tokio::select! {
                biased;
                Some(hangs) = running.stalls.recv() => {
                    let waits = hangs.at.starts_with("waits");
                    running.hangs = Some(hangs);
                    let other = &self.slots[1 - slot];
                    let alone = !matches!(other, Slot::Running(_));
                    if waits && (alone || self.random.below(2) == 0) {
                        // Nobody ends what it waits for but time.
                        self.world.clock.advance(LEASE_OVER);
                        self.world.count("step: waits for a lease to run out".to_owned());
                        if let Some(hangs) = running.hangs.take() {
                            let _ = hangs.go.send(());
                        }
                        continue;
                    }
                    self.slots[slot] = Slot::Running(running);
                    return self.auditor.check(&self.truth).await;
                }
                finished = &mut running.handle => {
                    let finished = match finished {
                        Ok(finished) => finished,
                        Err(error) => return broken("driver", format!("a process panicked: {error}")),
                    };
                    return self.finished(slot, *running, finished).await;
                }
            }
        }
    }

    async fn finished(&mut self, slot: usize, running: Running, finished: Finished) -> Result<(), Broken> {
        let Running { process, task, stalls, disturbed, began, .. } = running;
        let Finished { actor, outcome } = finished;
        let said = match &outcome {
            Ok(said) => said.clone(),
            Err(Failure { kind, message }) => format!("{kind:?}: {message}"),
        };
        process.trace(&self.masked(&format!("ends {}: {said}", task.name())));
        self.said = said;
        let is_quiet = process.faults() == 0 && !process.is_dead() && !disturbed;
        let outcome_name = outcome.as_ref().map_or_else(|failure| format!("{:?}", failure.kind), |_| "done".to_owned());
        self.world.count(format!("outcome: {}: {outcome_name}", task.name()));
        let place = self.at[slot];
        match (&task, &outcome) {
            (Task::Rebuild, Ok(_)) => {
                self.places[place].fenced = false;
                self.doubled = false;
            }
            (_, Err(Failure { kind: Kind::Fenced, .. })) => self.places[place].fenced = true,
            _ => {}
        }
        let ledger = actor.as_ref().map(|actor| actor.ingest.ledger.ledger_id().to_owned());
        if let Some(actor) = actor
            && !(process.is_robbed() && outcome.is_err())
            && !process.is_dead()
            && !matches!(task, Task::Rebuild)
            && !matches!(&outcome, Err(Failure { kind: Kind::Fenced, .. }))
        {
            self.slots[slot] = Slot::Idle(actor, stalls);
        }
        self.auditor.check(&self.truth).await?;
        if let (Task::Report, Ok(tables)) = (&task, &outcome) {
            // Who takes longer than maintenance waits may find that what was read is cleared away.
            let is_late = self.world.clock.now() - began >= i64::try_from(KEEP.as_micros()).expect("a minute");
            self.auditor.pin(tables, is_late)?;
        }
        if let (Err(Failure { kind: Kind::Fenced, message }), Some(ledger)) = (&outcome, &ledger)
            && !process.is_robbed()
            && !process.is_dead()
        {
            self.judge_fenced(place, ledger, message).await?;
        }
        if !process.is_dead() {
            self.judge(&task, &outcome, is_quiet && !process.is_robbed(), process.is_misled())?;
        }
        Ok(())
    }

    /// I4: whoever speaks for the lake is never shut out.
    async fn judge_fenced(&self, place: usize, ledger: &str, message: &str) -> Result<(), Broken> {
        let is_own_lease = message.contains("publish lease");
        if is_own_lease || self.doubled || ledger != self.auditor.owner() || !self.is_speaker(place).await? {
            return Ok(());
        }
        broken("I4", format!("the ledger that speaks for the lake is shut out: {message}"))
    }

    /// Some errors are wrong whatever has happened, others where nothing has.
    fn judge(
        &self,
        task: &Task,
        outcome: &Result<String, Failure>,
        is_quiet: bool,
        is_misled: bool,
    ) -> Result<(), Broken> {
        let Err(Failure { kind, message }) = outcome else { return Ok(()) };
        let task = task.name();
        match kind {
            Kind::Bug => broken("driver", format!("{task}: an internal error: {message}")),
            // Two contracts that exclude each other: whoever comes second is told so. And a source without files, that there is
            // nothing to load again.
            Kind::FixData | Kind::FixSettings if message.contains("column `extra`") => Ok(()),
            Kind::FixSettings if message.contains("cannot be loaded again") => Ok(()),
            Kind::FixData if is_misled => Ok(()),
            Kind::FixData => broken("driver", format!("{task}: the lake is said to be damaged: {message}")),
            Kind::Fenced => Ok(()),
            _ if is_quiet => broken("I4", format!("{task}: nothing went wrong, and it fails: {message}")),
            _ => Ok(()),
        }
    }

    /// The ledger is copied, or an older copy takes its place.
    async fn copy_step(&mut self) -> Result<(), Broken> {
        let place = self.random.below(2);
        for slot in 0..2 {
            if self.at[slot] == place
                && let Slot::Idle(actor, _) = std::mem::take(&mut self.slots[slot])
            {
                actor.ingest.ledger.close().await;
            }
        }
        let path = self.places[place].path.clone();
        match self.places[place].copy.take() {
            Some((copy, _)) => {
                copy_ledger(&copy, &path);
                // A person should have it rebuilt; often nobody knows.
                self.places[place].restored = self.random.below(2) == 0;
                self.note("older copy of the ledger put back", &place.to_string());
            }
            None if path.exists() => {
                let ledger = self.look_at_ledger(place).await?;
                let status = ledger
                    .status()
                    .await
                    .map_err(|error| Broken { invariant: "driver", message: error.to_string() })?;
                ledger.close().await;
                let copy = path.with_extension("copy");
                copy_ledger(&path, &copy);
                self.places[place].copy = Some((copy, status.next_seq));
                self.note("ledger copied", &place.to_string());
            }
            None => {}
        }
        Ok(())
    }
}
