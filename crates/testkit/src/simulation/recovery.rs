//! The end of a history: everybody comes to rest, nothing fails any more, and then the lake must be what the files are.

use std::collections::BTreeSet;

use object_store::ObjectStoreExt as _;
use serde_json::Value;
use stillhouse_ingest::{IngestRequest, Selection};
use stillhouse_ledger::{Phase, State};

use super::actor::{Actor, Task, everything};
use super::audit::{Broken, Ending, broken};
use super::content::{Contract, SOURCES};
use super::house::{House, Slot};
use super::process::Plan;

impl House {
    /// Everybody who hangs goes on, and then all is brought to rest without any fault.
    pub(super) async fn recover(&mut self) -> Result<(), Broken> {
        self.world.trace("== recovery");
        for _ in 0..40 {
            let hanging = (0..2).filter(|slot| matches!(self.slots[*slot], Slot::Running(_))).collect::<Vec<_>>();
            if hanging.is_empty() {
                break;
            }
            let slot = self.one_of(&hanging);
            if let Slot::Running(running) = &mut self.slots[slot] {
                running.process.calm();
            }
            if self.random.below(3) == 0 { self.kill(slot).await? } else { self.resume(slot).await? }
        }
        if self.anybody_hangs() {
            return broken("I4", "two processes wait for one another");
        }
        let lands = self.random.below(3) > 0;
        self.world.settle(lands).await;
        self.auditor.check(&self.truth).await?;
        let place = self.random.below(2);
        self.slots = [Slot::Empty, Slot::Empty];
        self.at = [place, place];
        self.choose_contracts().await;
        if self.doubled || !self.is_speaker(place).await? {
            self.calm_task(Task::Rebuild).await?;
        }
        self.settle_down(place).await
    }

    /// Runs until nothing is left to do; the last run does nothing.
    pub(super) async fn settle_down(&mut self, place: usize) -> Result<(), Broken> {
        let request = |held| IngestRequest { held, ..everything() };
        self.calm_task(Task::Ingest(request(false))).await?;
        self.calm_task(Task::Ingest(request(true))).await?;
        let before = self.auditor.batches();
        self.calm_task(Task::Ingest(request(false))).await?;
        if self.auditor.batches() != before {
            let after = self.auditor.batches();
            return broken("end", format!("a run after everything was loaded made batches {before} to {after}"));
        }
        self.replay_twice().await?;
        let ledger = self.look_at_ledger(place).await?;
        self.auditor.check_ledger(&ledger).await?;
        let unreadable = |error: stillhouse_ledger::Error| Broken { invariant: "driver", message: error.to_string() };
        let held = ledger.list(State::Held, u32::MAX).await.map_err(unreadable)?;
        let held: BTreeSet<String> = held.into_iter().map(|row| row.object.key).collect();
        for state in [State::Offered, State::Claimed, State::Staged] {
            if let Some(row) = ledger.list(state, 1).await.map_err(unreadable)?.first() {
                return broken("I4", format!("`{}` is still {state} at the end", row.object.key));
            }
        }
        ledger.close().await;
        self.audit(&held, true).await?;
        let ending = Ending { contracts: self.contracts.clone(), held };
        self.auditor.check_end(&self.truth, &ending).await
    }

    /// Everything that the contracts can read now comes out of the quarantine, once.
    async fn replay_twice(&mut self) -> Result<(), Broken> {
        let replay = || Task::Replay(Selection::default());
        self.calm_task(replay()).await?;
        self.auditor.check_replayed(&self.truth, &self.contracts)?;
        let before = self.auditor.batches();
        self.calm_task(replay()).await?;
        match self.auditor.batches() {
            after if after == before => Ok(()),
            after => broken("end", format!("a second replay made batches {before} to {after}")),
        }
    }

    /// The product's own audit finds what is to be found, and nothing else. `settled`: nothing is left to load.
    pub(super) async fn audit(&mut self, held: &BTreeSet<String>, settled: bool) -> Result<(), Broken> {
        self.calm_task(Task::Audit).await?;
        let findings: Vec<Value> = serde_json::from_str(&self.said).unwrap_or_else(|_| vec![Value::Null]);
        for finding in findings {
            let key = finding["key"].as_str().unwrap_or_default();
            let is_expected = match finding["difference"].as_str().unwrap_or_default() {
                // Gone, or a twin of what went, and changed since.
                "missing" => {
                    !self.truth.files.contains_key(key) || finding["message"].to_string().contains("had the content")
                }
                "held" => held.contains(key) || !settled,
                "half_done" | "unknown" | "changed" => !settled,
                _ => false,
            };
            if !is_expected {
                return broken("audit", finding.to_string());
            }
        }
        Ok(())
    }

    /// Whether the ledger at `place` speaks for the lake, as far as it knows itself.
    pub(super) async fn is_speaker(&self, place: usize) -> Result<bool, Broken> {
        if self.places[place].restored || !self.places[place].path.exists() {
            return Ok(self.auditor.owner().is_empty());
        }
        let ledger = self.look_at_ledger(place).await?;
        let status = ledger.status().await;
        let id = ledger.ledger_id().to_owned();
        ledger.close().await;
        let owner = self.auditor.owner();
        let is_open =
            status.is_ok_and(|status| status.phase == Phase::Open && status.next_seq > self.auditor.largest_seq());
        Ok(owner.is_empty() || (is_open && id == owner))
    }

    /// Of the two contracts that differ in a column's type, the one that fits what is in the table.
    pub(super) async fn choose_contracts(&mut self) {
        for source in SOURCES {
            let schema = self.schema_text(source).await;
            let contract = match () {
                () if schema.contains(r#"\"name\":\"extra\",\"type\":\"string\""#) => Contract::Text,
                () if schema.contains(r#"\"name\":\"extra\""#) => Contract::Number,
                () => Contract::Mended,
            };
            self.contracts.insert(source, contract);
            self.world.trace(&format!("contract of {source}: {contract:?}"));
        }
    }

    /// The last metaData of a table's log.
    pub(super) async fn schema_text(&self, table: &str) -> String {
        let mut text = String::new();
        for version in 0.. {
            let path = object_store::path::Path::from(format!("{table}/_delta_log/{version:020}.json"));
            let Ok(found) = self.lake.objects.get(&path).await else { break };
            let bytes = found.bytes().await.unwrap_or_default();
            let entry = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(line) = entry.lines().find(|line| line.contains("\"metaData\"")) {
                text = line.to_owned();
            }
        }
        text
    }

    /// A task without faults, by a new process.
    pub(super) async fn calm_task(&mut self, task: Task) -> Result<(), Broken> {
        self.world.trace(&format!("== calm {}", task.name()));
        self.slots[0] = Slot::Empty;
        self.begin(0, task.clone(), Plan::default());
        self.work(0).await?;
        match &self.slots[0] {
            Slot::Idle(Actor { .. }, _) => Ok(()),
            Slot::Empty if matches!(task, Task::Rebuild) => Ok(()),
            _ => broken("I4", format!("{}: does not come to an end in peace", task.name())),
        }
    }
}
