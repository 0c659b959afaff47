//! Meetings of two processes that hardly ever come about by chance.

use std::collections::BTreeSet;

use stillhouse_ingest::{IngestRequest, Selection};

use super::actor::{LEASE_OVER, Task, everything};
use super::audit::Broken;
use super::content::{Contract, Quality, SOURCES};
use super::house::{House, Slot, copy_ledger, delete_ledger};
use super::process::{At, Plan, What};

fn ingest() -> Task {
    Task::Ingest(everything())
}

/// Where a maintenance has seen that the queue is empty.
const DRAINED: &str = "transaction-after queue_head";

fn stall(point: &'static str) -> Plan {
    Plan::new(0, Some((At::Named(point, 1), What::Stall)))
}

/// What is to be killed at every point.
pub(super) fn tasks() -> [Task; 3] {
    [ingest(), Task::Replay(Selection::default()), Task::Maintain]
}

impl House {
    /// Two ledgers are new, and so is the lake.
    pub(super) async fn two_new_ledgers(&mut self) -> Result<(), Broken> {
        self.at = [0, 1];
        self.note("two new ledgers", "");
        if self.random.below(2) == 0 {
            return self.taken_over_at_the_first_table().await;
        }
        let point = At::Nth(1 + self.random.next_u64() % 12);
        let point = *self.random.pick(&[&point, &At::Named("looked:_receipts", 1)]);
        self.run(0, ingest(), Plan::new(0, Some((point, What::Stall)))).await?;
        self.run(1, ingest(), Plan::default()).await
    }

    /// The first ledger is shut out while it makes its tables: what is not there cannot be fenced.
    async fn taken_over_at_the_first_table(&mut self) -> Result<(), Broken> {
        let points = [&"looked:_quarantine", &"looked:event", &"looked:orders", &"made:", &"put:", &"between:"];
        let point = *self.random.pick(&points);
        self.run(0, ingest(), stall(point)).await?;
        self.take_over(1).await?;
        if self.random.below(2) == 0 {
            let source = *self.random.pick(&[&SOURCES[0], &SOURCES[1]]);
            let request = IngestRequest { sources: vec![source.to_owned()], ..everything() };
            self.run(1, Task::Ingest(request), Plan::default()).await?;
        }
        self.go_on(0, None).await
    }

    /// Two batches are in the queue whose contracts exclude each other: one of them has to be withdrawn.
    pub(super) async fn quarrel(&mut self) -> Result<(), Broken> {
        let mut free = Vec::new();
        for source in SOURCES {
            if !self.schema_text(source).await.contains("extra") {
                free.push(source);
            }
        }
        if free.is_empty() {
            return self.file_step().await;
        }
        let source = free[self.random.below(free.len())];
        self.note("contracts in conflict", source);
        let place = self.gather().await?;
        // A file of each fate, so that there is something to load and something to replay.
        self.contracts.insert(source, Contract::First);
        self.add_file(source, Quality::SomeBad).await;
        self.run(0, ingest(), Plan::default()).await?;
        if self.hangs(0) {
            return Ok(());
        }
        self.slots[0] = Slot::Empty;
        // Both have looked at the tables, which can still take either batch.
        self.contracts.insert(source, Contract::Number);
        self.add_file(source, Quality::Good).await;
        self.run(0, ingest(), stall("transaction-before stage")).await?;
        self.contracts.insert(source, Contract::Text);
        let replays = self.random.below(2) == 0;
        self.add_file(source, Quality::SomeBad).await;
        self.run(
            1,
            if replays { Task::Replay(Selection::default()) } else { ingest() },
            stall("transaction-before stage"),
        )
        .await?;
        let winner = if replays { 0 } else { self.random.below(2) };
        self.go_on(winner, None).await?;
        let traps = [
            None,
            Some("staged"),
            Some("withdraw-decided"),
            Some("epoch-in-R"),
            Some("transaction-after adopt_epoch"),
            Some("fenced:"),
            Some("taken"),
            Some("looked:_receipts"),
            Some("looked:_receipts"),
        ];
        let trap = traps[self.random.below(traps.len())].map(|name| {
            let what = if self.random.below(2) == 0 { What::Kill } else { What::Stall };
            (At::Named(name, 1), what)
        });
        self.go_on(1 - winner, trap).await?;
        let may_be_robbed = self.hangs(1 - winner) && !self.hangs(winner);
        if may_be_robbed && self.random.below(2) == 0 {
            // Another ledger takes over before the withdrawal has an epoch of its own.
            self.slots[winner] = Slot::Empty;
            self.at[winner] = 1 - place;
            self.take_over(winner).await?;
            self.go_on(1 - winner, None).await?;
        }
        Ok(())
    }

    /// One process hangs where it matters, something happens, and a second one comes to where it matters. Then the first
    /// goes on, or chance decides.
    pub(super) async fn meeting(&mut self) -> Result<(), Broken> {
        self.note("meeting", "");
        let place = self.gather().await?;
        let key = self.new_key("events");
        self.write_new(&key, Quality::SomeBad).await;
        self.hang(0).await?;
        if !self.hangs(0) {
            return Ok(());
        }
        match self.random.below(4) {
            0 if self.truth.files.contains_key(&key) => {
                self.write_new(&key, Quality::Good).await;
            }
            1 => {
                // One that was loaded long ago: its rows are in files that somebody may be merging.
                let keys: Vec<String> = self.truth.files.keys().cloned().collect();
                let key = keys[self.random.below(keys.len())].clone();
                self.write_new(&key, Quality::Good).await;
            }
            2 => self.add_file("events", Quality::Good).await,
            _ => {}
        }
        if self.random.below(2) == 0 {
            self.two_hours();
        }
        if self.random.below(5) == 0 {
            self.at[1] = 1 - place;
            self.note(Task::Rebuild.name(), "slot 1");
            self.take_over(1).await?;
        }
        self.hang(1).await?;
        if self.random.below(3) > 0 && self.hangs(0) {
            return self.resume(0).await;
        }
        Ok(())
    }

    /// A file is corrected and loaded while somebody still works on what it was before.
    pub(super) async fn overtaken(&mut self) -> Result<(), Broken> {
        self.note("version overtaken", "");
        self.gather().await?;
        let key = self.new_key("events");
        self.write_new(&key, Quality::SomeBad).await;
        self.run(0, ingest(), stall("transaction-before stage")).await?;
        self.write_new(&key, Quality::Good).await;
        // The newer version is in the queue, and perhaps in some tables.
        let point = *self.random.pick(&[&"staged", &"taken", &"put:", &"before-receipt", &"finished"]);
        self.run(1, ingest(), stall(point)).await?;
        self.go_on(0, None).await?;
        self.go_on(1, None).await
    }

    /// Somebody is about to commit the head of the queue, and somebody else reads nonsense and takes it out.
    pub(super) async fn given_up(&mut self) -> Result<(), Broken> {
        if self.doubled {
            return self.file_step().await;
        }
        self.note("head given up", "");
        self.gather().await?;
        self.add_file("events", Quality::SomeBad).await;
        let points = [&"looked:_quarantine", &"looked:event", &"put:", &"between:", &"before-receipt"];
        let point = *self.random.pick(&points);
        self.run(0, ingest(), stall(point)).await?;
        self.two_hours();
        let zeros = Plan::zeros("taken", 1 + self.random.next_u64() % 3);
        self.run(1, ingest(), zeros).await?;
        self.go_on(0, None).await
    }

    /// Somebody copies the folder with the ledger, and both copies go on with the same lake.
    pub(super) async fn two_copies(&mut self) -> Result<(), Broken> {
        let place = self.random.below(2);
        let from = &self.places[place];
        if !from.path.exists() || from.restored || from.fenced || self.doubled {
            return self.file_step().await;
        }
        self.note("two copies of a ledger", &place.to_string());
        for slot in &mut self.slots {
            if let Slot::Idle(actor, _) = std::mem::take(slot) {
                actor.ingest.ledger.close().await;
            }
        }
        copy_ledger(&self.places[place].path, &self.places[1 - place].path);
        let to = &mut self.places[1 - place];
        (to.restored, to.fenced, to.copy) = (false, false, None);
        self.doubled = true;
        for _ in 0..2 {
            self.add_file("events", Quality::Good).await;
        }
        self.at = [place, 1 - place];
        match self.random.below(3) {
            0 => self.one_copy_counts_on().await,
            1 => self.both_copies_are_half_in().await,
            _ => {
                self.hang(0).await?;
                self.hang(1).await?;
                if self.hangs(0) { self.resume(0).await } else { Ok(()) }
            }
        }
    }

    /// One copy gives several places of the queue while the other one is about to commit to the next.
    async fn one_copy_counts_on(&mut self) -> Result<(), Broken> {
        self.run(0, ingest(), stall("looked:")).await?;
        for _ in 0..2 {
            self.add_file("events", Quality::SomeBad).await;
            if !self.hangs(1) {
                self.run(1, ingest(), Plan::default()).await?;
            }
        }
        self.go_on(0, None).await
    }

    /// Each copy has another batch at the same place of the queue, and commits it to other tables first.
    async fn both_copies_are_half_in(&mut self) -> Result<(), Broken> {
        self.run(1, ingest(), stall("looked:event")).await?;
        self.add_file("events", Quality::SomeBad).await;
        self.run(0, ingest(), stall("put:_quarantine")).await?;
        let trap = [None, Some((At::Named("before-receipt", 1), What::Kill))][self.random.below(2)];
        self.go_on(1, trap).await?;
        self.go_on(0, None).await
    }

    /// Somebody clears away what nothing needs, and somebody else needs it.
    pub(super) async fn vacuum_beside(&mut self) -> Result<(), Broken> {
        if self.doubled {
            return self.file_step().await;
        }
        self.note("vacuum beside others", "");
        let place = self.gather().await?;
        self.contracts.values_mut().for_each(|contract| *contract = Contract::First);
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(self.new_key("events"));
            self.write_new(&keys[keys.len() - 1], Quality::SomeBad).await;
            self.run(0, ingest(), Plan::default()).await?;
        }
        if self.hangs(0) {
            return Ok(());
        }
        self.slots[0] = Slot::Empty;
        match self.random.below(4) {
            0 => self.vacuum_after_writing().await,
            1 => self.vacuum_after_take_over(1 - place).await,
            2 => self.vacuum_while_publishing(&keys[0]).await,
            _ => self.vacuum_while_rewriting(&keys[0]).await,
        }
    }

    /// Files are written and not staged yet.
    async fn vacuum_after_writing(&mut self) -> Result<(), Broken> {
        let task = self.random.below(3);
        let task = self.something_to_do(task).await;
        self.run(0, task, stall("transaction-before stage")).await?;
        self.two_hours();
        self.run(1, Task::Maintain, Plan::default()).await?;
        self.go_on(0, None).await
    }

    /// The same, by a ledger that has taken over while the other one was about to clear away.
    async fn vacuum_after_take_over(&mut self, place: usize) -> Result<(), Broken> {
        if !self.about_to_vacuum().await? {
            return Ok(());
        }
        self.at[1] = place;
        self.take_over(1).await?;
        let task = self.something_to_do(0).await;
        self.run(1, task, stall("transaction-before stage")).await?;
        self.go_on(0, None).await?;
        self.go_on(1, None).await
    }

    /// A batch that replaces rows is in some tables and not in others: readers still need what it took out.
    async fn vacuum_while_publishing(&mut self, key: &str) -> Result<(), Broken> {
        self.run(0, Task::Maintain, stall(DRAINED)).await?;
        if self.truth.files.contains_key(key) {
            self.write_new(key, Quality::Good).await;
        }
        let point = *self.random.pick(&[&"put:", &"put:events", &"before-receipt"]);
        self.run(1, ingest(), stall(point)).await?;
        self.two_hours();
        self.go_on(0, None).await?;
        self.go_on(1, None).await
    }

    /// A batch writes the rows that it leaves anew, and is about to commit the files.
    async fn vacuum_while_rewriting(&mut self, key: &str) -> Result<(), Broken> {
        if !self.about_to_vacuum().await? {
            return Ok(());
        }
        if self.truth.files.contains_key(key) {
            self.write_new(key, Quality::Good).await;
        }
        self.run(1, ingest(), stall("rewritten:events")).await?;
        self.go_on(0, None).await?;
        self.go_on(1, None).await
    }

    /// What can be merged is merged, and a maintenance that sees that hangs before it looks for what it may delete. Answers
    /// whether it came so far.
    async fn about_to_vacuum(&mut self) -> Result<bool, Broken> {
        self.run(0, Task::Maintain, Plan::default()).await?;
        if self.hangs(0) {
            return Ok(false);
        }
        self.run(0, Task::Maintain, stall(DRAINED)).await?;
        Ok(true)
    }

    /// Two new processes meet at a ledger that speaks for the lake, if there is one.
    async fn gather(&mut self) -> Result<usize, Broken> {
        self.slots = [Slot::Empty, Slot::Empty];
        let mut place = self.at[0];
        if !self.is_speaker(place).await? && self.is_speaker(1 - place).await? {
            place = 1 - place;
        }
        self.at = [place, place];
        Ok(place)
    }

    fn two_hours(&mut self) {
        self.note("leases run out", "two hours");
        self.world.clock.advance(LEASE_OVER);
    }

    async fn something_to_do(&mut self, which: usize) -> Task {
        match which {
            0 => {
                self.add_file("events", Quality::Good).await;
                ingest()
            }
            1 => {
                self.contracts.values_mut().for_each(|contract| *contract = Contract::Mended.max(*contract));
                Task::Replay(Selection::default())
            }
            _ => Task::Maintain,
        }
    }

    /// A task that is stopped at a point that it comes to, if it does.
    async fn hang(&mut self, slot: usize) -> Result<(), Broken> {
        let task = match self.random.below(6) {
            0 => Task::Replay(Selection::default()),
            1 if !self.doubled => Task::Maintain,
            _ => ingest(),
        };
        let point = At::Named(self.choose_name(&task), 1 + u64::from(self.random.below(4) == 0));
        self.note(task.name(), &format!("slot {slot}, ledger {}, {point:?}", self.at[slot]));
        self.run(slot, task, Plan::new(0, Some((point, What::Stall)))).await
    }

    /// A project whose next `task` has something to do: new, corrected and refused records, small files to merge.
    async fn prepare(&mut self) -> Result<(), Broken> {
        for quality in [Quality::SomeBad, Quality::Good, Quality::Good, Quality::SomeBad] {
            self.add_file("events", quality).await;
            self.add_file("orders", quality).await;
            self.calm_task(ingest()).await?;
        }
        self.world.clock.advance(LEASE_OVER);
        Ok(())
    }

    /// The process is killed at the n-th point of a task and the ledger is lost; then the lake is enough. Answers whether
    /// the task has so many points.
    pub(super) async fn lose_the_ledger(&mut self, task: Task, point: u64) -> Result<bool, Broken> {
        self.prepare().await?;
        let key = self.truth.files.keys().next().cloned().unwrap_or_default();
        self.write_new(&key, Quality::SomeBad).await;
        self.add_file("events", Quality::Good).await;
        if matches!(task, Task::Replay(_)) {
            self.contracts.values_mut().for_each(|contract| *contract = Contract::Mended);
        }
        self.slots[0] = Slot::Empty;
        self.run(0, task, Plan::new(0, Some((At::Nth(point), What::Kill)))).await?;
        if matches!(self.slots[0], Slot::Idle(..)) {
            return Ok(false);
        }
        delete_ledger(&self.places[0].path);
        self.calm_task(Task::Rebuild).await?;
        self.audit(&BTreeSet::new(), false).await?;
        self.choose_contracts().await;
        self.settle_down(0).await?;
        Ok(true)
    }

    async fn add_file(&mut self, source: &str, quality: Quality) {
        let key = self.new_key(source);
        self.write_new(&key, quality).await;
    }

    /// A ledger is made anew; whoever goes on with it is a new process.
    async fn take_over(&mut self, slot: usize) -> Result<(), Broken> {
        self.run(slot, Task::Rebuild, Plan::default()).await?;
        self.slots[slot] = Slot::Empty;
        Ok(())
    }

    /// A task until it is done, dead or hangs. Others interfere: that it fails is no fault.
    async fn run(&mut self, slot: usize, task: Task, plan: Plan) -> Result<(), Broken> {
        self.begin(slot, task, plan);
        if let Slot::Running(running) = &mut self.slots[slot] {
            running.disturbed = true;
        }
        self.work(slot).await
    }
}
