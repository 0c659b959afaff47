//! Random histories of a lake, and what its tables have to hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use stillhouse_lake::{Lake, NoObserver, Staged};

use crate::kit::{House, LEDGER, NOW, Shown, load, rows, schema};

/// One step. Numbers choose among what there is.
#[derive(Debug, Clone)]
pub enum Step {
    /// A new version of a key: rows in two tables, and how many generations it replaces.
    Load { key: i64, events: i64, tags: i64, replaces: i64 },
    /// New versions of two keys in one batch, so that their rows share files.
    Group { key: i64, events: i64 },
    /// Records leave one table, one comes into another.
    Amend { key: i64, first: u64, last: u64 },
    /// Published at once, or after the next batch.
    Compact { tags: bool, later: bool },
    /// An attempt writes a file and is never heard of again; or it lives on.
    Attempt { lives: bool },
    /// A reader keeps what is shown now.
    Pin,
    /// A checkpoint, and the log before it goes.
    Clean,
    /// With readers that began so many batches ago.
    Vacuum { back: usize },
    /// A new process.
    Reopen,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..6_i64, 0..4_i64, 0..3_i64, 0..3_i64)
            .prop_map(|(key, events, tags, replaces)| Step::Load { key, events, tags, replaces }),
        3 => (1..5_i64, 1..4_i64).prop_map(|(key, events)| Step::Group { key, events }),
        2 => (1..6_i64, 0..3_u64, 0..3_u64)
            .prop_map(|(key, first, more)| Step::Amend { key, first, last: first + more }),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(tags, later)| Step::Compact { tags, later }),
        2 => any::<bool>().prop_map(|lives| Step::Attempt { lives }),
        1 => Just(Step::Pin),
        2 => Just(Step::Clean),
        4 => (0..6_usize).prop_map(|back| Step::Vacuum { back }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 4..28)
}

/// A lake and what it has to be.
pub struct World {
    pub house: House,
    /// Table, key, generation to records.
    rows: BTreeMap<(&'static str, i64, i64), BTreeSet<i64>>,
    /// By key.
    generations: BTreeMap<i64, i64>,
    revisions: BTreeMap<i64, i64>,
    pub seq: i64,
    pub now: i64,
    /// Staged compactions whose turn has not come.
    pub waiting: Option<Staged>,
    /// When each vector was published, and the vector.
    pub vectors: Vec<(i64, BTreeMap<String, i64>)>,
    pub pinned: BTreeMap<String, BTreeSet<i64>>,
    pub live: BTreeSet<String>,
    pub dead_files: Vec<String>,
    /// The latest time that a vacuum kept versions from.
    pub kept_after: i64,
    records: u64,
}

impl World {
    pub async fn new() -> Self {
        Self {
            house: House::new().await,
            rows: BTreeMap::new(),
            generations: BTreeMap::new(),
            revisions: BTreeMap::new(),
            seq: 0,
            now: NOW,
            waiting: None,
            vectors: Vec::new(),
            pinned: BTreeMap::new(),
            live: BTreeSet::new(),
            dead_files: Vec::new(),
            kept_after: NOW,
            records: 100,
        }
    }

    pub fn expected(&self) -> Shown {
        let mut shown = Shown::new();
        for ((table, key, generation), records) in &self.rows {
            if !records.is_empty() {
                let count = i64::try_from(records.len()).unwrap();
                shown.entry((*table).to_owned()).or_default().insert((*key, *generation), count);
            }
        }
        shown
    }

    async fn publish(&mut self, staged: &Staged) {
        self.now += 1_000_000;
        let published = self.house.lake.publish(staged, 1, LEDGER, self.now, &NoObserver).await.unwrap();
        self.vectors.push((self.now, published.vector));
    }

    fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    /// Batches that waited have their turn first.
    async fn settle(&mut self) {
        if let Some(staged) = self.waiting.take() {
            self.publish(&staged).await;
        }
    }

    fn replace(&mut self, key: i64, from: i64, until: i64) {
        self.rows.retain(|(_, of, generation), _| *of != key || !(from..until).contains(generation));
    }

    fn insert(&mut self, table: &'static str, key: i64, generation: i64, count: i64) {
        self.rows.insert((table, key, generation), (0..count).collect());
    }

    pub async fn load(&mut self, of: &[(i64, i64, i64)], replaces: i64) {
        let mut loads = Vec::new();
        for (key, events, tags) in of {
            let generation = self.generations.entry(*key).and_modify(|g| *g += 1).or_insert(1);
            *self.revisions.entry(*key).or_default() += 1;
            loads.push(load(*key, *generation, &[("events", *events), ("event_tags", *tags)]));
        }
        let seq = self.next_seq();
        let mut staged = self.house.stage(seq, &loads).await;
        for member in &mut staged.manifest.members {
            // 0: all, 1: none, 2: the last one.
            member.replaces_from = match replaces {
                0 => 0,
                1 => member.generation,
                _ => (member.generation - 1).max(0),
            };
        }
        staged.revisions = of.iter().map(|(key, ..)| (*key, self.revisions[key])).collect();
        self.publish(&staged).await;
        for (member, (key, events, tags)) in staged.manifest.members.iter().zip(of) {
            self.replace(*key, member.replaces_from, member.generation);
            self.insert("events", *key, member.generation, *events);
            self.insert("event_tags", *key, member.generation, *tags);
        }
    }

    async fn amend(&mut self, key: i64, first: u64, last: u64) {
        let Some(generation) = self.generations.get(&key).copied() else { return };
        *self.revisions.entry(key).or_default() += 1;
        self.records += 1;
        let seq = self.next_seq();
        let place = (key, generation, self.revisions[&key]);
        let record = i64::try_from(self.records).unwrap();
        let staged = self.house.stage_amend(seq, place, &[("events", first, last)], &[("event_tags", record)]).await;
        self.publish(&staged).await;
        let range = i64::try_from(first).unwrap()..=i64::try_from(last).unwrap();
        let events = self.rows.entry(("events", key, generation)).or_default();
        events.retain(|record| !range.contains(record));
        self.rows.entry(("event_tags", key, generation)).or_default().insert(record);
    }

    async fn compact(&mut self, table: &str, later: bool) {
        let Some(plan) = self.house.plan(table).await else { return };
        let seq = self.next_seq();
        let staged = self.house.stage_compact(seq, &plan).await;
        if later {
            self.waiting = Some(staged);
        } else {
            self.publish(&staged).await;
        }
    }

    async fn attempt(&mut self, lives: bool) {
        let attempt = crate::kit::id().to_string();
        let stem = format!("{attempt}-0");
        let mut writer = self.house.lake.writer(&"events".parse().unwrap(), schema(), &stem);
        writer.write(&rows(99, 1, 2)).await.unwrap();
        writer.finish(NOW).await.unwrap();
        if lives {
            self.live.insert(attempt);
        } else {
            self.dead_files.push(format!("events/{stem}.parquet"));
        }
    }

    async fn clean(&mut self) {
        let tables = self.vectors.last().map(|(_, vector)| vector.clone()).unwrap_or_default();
        for (table, version) in tables {
            self.house.lake.checkpoint(&table).await.unwrap();
            let pinned = self.pinned.get(&table).and_then(|versions| versions.first().copied());
            self.house.lake.clean_log(&table, pinned.unwrap_or(version), false).await.unwrap();
        }
        if self.seq > 0 {
            self.house.lake.checkpoint("_receipts").await.unwrap();
            self.house.lake.clean_log("_receipts", i64::MAX, false).await.unwrap();
        }
    }

    /// One step other than a vacuum; true when it was one.
    pub async fn step(&mut self, step: &Step) {
        if !matches!(step, Step::Vacuum { .. } | Step::Attempt { .. } | Step::Pin | Step::Clean) {
            self.settle().await;
        }
        match *step {
            Step::Load { key, events, tags, replaces } => self.load(&[(key, events, tags)], replaces).await,
            Step::Group { key, events } => self.load(&[(key, events, 1), (key + 1, events, 0)], 0).await,
            Step::Amend { key, first, last } => self.amend(key, first, last).await,
            Step::Compact { tags, later } => self.compact(if tags { "event_tags" } else { "events" }, later).await,
            Step::Attempt { lives } => self.attempt(lives).await,
            Step::Pin => {
                for (table, version) in self.vectors.last().map(|(_, vector)| vector.clone()).unwrap_or_default() {
                    self.pinned.entry(table).or_default().insert(version);
                }
            }
            Step::Clean => self.clean().await,
            Step::Vacuum { .. } => {}
            Step::Reopen => self.house.lake = self.house.another().await,
        }
    }

    /// Everything that has to be there is there.
    pub async fn check(&self) {
        assert_eq!(self.house.shown().await, self.expected());
        let lake = Lake::open_to_read(Arc::clone(&self.house.store));
        for (table, versions) in &self.pinned {
            for version in versions {
                assert_eq!(lake.check_files(table, *version).await.unwrap(), []);
            }
        }
        let snapshot = lake.snapshot().await.unwrap();
        for (table, state) in &snapshot.tables {
            assert_eq!(lake.check_files(table, state.version).await.unwrap(), []);
        }
    }
}
