//! Random operations on a ledger and on a model that is simple enough to be believed; answers and contents must agree.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stillhouse_ledger::{ClaimLimits, Kind, Ledger, Offered, Staged, State, VersionId, WithdrawTo};

use crate::place::{Place, object, offers, refused, request};

/// Few, so that operations meet.
const KEYS: usize = 2;
const WORKERS: usize = 3;
const LEASE: i64 = 10;
const LIMITS: [ClaimLimits; 2] = [
    ClaimLimits { small_bytes: 0, group_count_max: 1, group_bytes_max: 0 },
    ClaimLimits { small_bytes: 10, group_count_max: 2, group_bytes_max: 100 },
];

#[derive(Debug, Clone)]
enum Op {
    Offer { key: usize, content: u8 },
    Reoffer { key: usize },
    RetryHeld { key: Option<usize> },
    Claim { worker: usize, group: bool },
    Heartbeat { worker: usize },
    Release { worker: usize },
    Fail { worker: usize, nth: usize, retry: Option<i64> },
    Hold { worker: usize, nth: usize },
    Stage { worker: usize, all: bool },
    TakeLease { publisher: usize },
    ReleaseLease { publisher: usize },
    Finish { publisher: usize },
    AdoptEpoch { publisher: usize },
    Withdraw { publisher: usize, held: bool },
    Wait { time: i64 },
}

fn op() -> impl Strategy<Value = Op> {
    let (key, worker, publisher, nth) = (0..KEYS, 0..WORKERS, 0..2_usize, 0..2_usize);
    prop_oneof![
        9 => (key.clone(), 0..3_u8).prop_map(|(key, content)| Op::Offer { key, content }),
        1 => key.clone().prop_map(|key| Op::Reoffer { key }),
        1 => proptest::option::of(key).prop_map(|key| Op::RetryHeld { key }),
        8 => (worker.clone(), any::<bool>()).prop_map(|(worker, group)| Op::Claim { worker, group }),
        2 => worker.clone().prop_map(|worker| Op::Heartbeat { worker }),
        1 => worker.clone().prop_map(|worker| Op::Release { worker }),
        2 => (worker.clone(), nth.clone(), proptest::option::of(0..20_i64))
            .prop_map(|(worker, nth, retry)| Op::Fail { worker, nth, retry }),
        1 => (worker.clone(), nth).prop_map(|(worker, nth)| Op::Hold { worker, nth }),
        8 => (worker, any::<bool>()).prop_map(|(worker, all)| Op::Stage { worker, all }),
        4 => publisher.clone().prop_map(|publisher| Op::TakeLease { publisher }),
        1 => publisher.clone().prop_map(|publisher| Op::ReleaseLease { publisher }),
        6 => publisher.clone().prop_map(|publisher| Op::Finish { publisher }),
        1 => publisher.clone().prop_map(|publisher| Op::AdoptEpoch { publisher }),
        1 => (publisher, any::<bool>()).prop_map(|(publisher, held)| Op::Withdraw { publisher, held }),
        3 => (1..4_i64).prop_map(|time| Op::Wait { time }),
        1 => (LEASE..2 * LEASE).prop_map(|time| Op::Wait { time }),
    ]
}

/// One object version of the model.
#[derive(Debug, Clone)]
struct Row {
    content: u8,
    state: State,
    offered_at: i64,
    ready_at: i64,
    token: String,
    attempts: u32,
}

#[derive(Debug, Clone)]
struct Batch {
    seq: i64,
    id: String,
    members: Vec<VersionId>,
    epoch: i64,
}

#[derive(Debug, Default)]
struct Model {
    now: i64,
    /// Key number of each key, in the order of their first offers.
    numbers: BTreeMap<usize, i64>,
    rows: BTreeMap<VersionId, Row>,
    revisions: BTreeMap<i64, i64>,
    queue: Vec<Batch>,
    next_seq: i64,
    epoch: i64,
    lease: Option<(String, i64)>,
    /// The last claim of each worker: its token and members. Workers do not forget what they have lost.
    claims: BTreeMap<usize, (String, Vec<VersionId>)>,
    count: usize,
}

impl Model {
    fn newest(&self, key_number: i64) -> i64 {
        let of_key = self.rows.keys().filter(|version| version.key_number == key_number);
        of_key.map(|version| version.generation).max().unwrap_or(0)
    }

    fn is_newest(&self, version: VersionId) -> bool {
        self.newest(version.key_number) == version.generation
    }

    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}-{}", self.count)
    }

    /// The next generation of a key; idle lower ones are superseded.
    fn add(&mut self, key_number: i64, row: Row) -> VersionId {
        let version = VersionId::new(key_number, self.newest(key_number) + 1);
        for (lower, row) in &mut self.rows {
            let idle = matches!(row.state, State::Offered | State::Held | State::Failed);
            if lower.key_number == key_number && idle {
                row.state = State::Superseded;
            }
        }
        self.rows.insert(version, row);
        version
    }

    fn row(&self, content: u8) -> Row {
        let (now, token) = (self.now, String::new());
        Row { content, state: State::Offered, offered_at: now, ready_at: now, token, attempts: 0 }
    }

    fn offer(&mut self, key: usize, content: u8) -> (bool, VersionId) {
        let next = i64::try_from(self.numbers.len()).unwrap() + 1;
        let key_number = *self.numbers.entry(key).or_insert(next);
        let newest = VersionId::new(key_number, self.newest(key_number));
        if self.rows.get(&newest).is_some_and(|row| row.content == content) {
            return (false, newest);
        }
        let row = self.row(content);
        (true, self.add(key_number, row))
    }

    fn reoffer(&mut self, key: usize) -> Option<VersionId> {
        let key_number = *self.numbers.get(&key)?;
        let newest = VersionId::new(key_number, self.newest(key_number));
        let known = self.rows[&newest].clone();
        if known.state == State::Offered {
            return Some(newest);
        }
        let row = Row { offered_at: known.offered_at, ..self.row(known.content) };
        Some(self.add(key_number, row))
    }

    fn retry_held(&mut self, key: Option<usize>) -> u64 {
        let only = key.map(|key| self.numbers.get(&key).copied().unwrap_or(-1));
        let mut count = 0;
        for version in self.rows.keys().copied().collect::<Vec<_>>() {
            let wanted = only.is_none_or(|key_number| key_number == version.key_number) && self.is_newest(version);
            let row = self.rows.get_mut(&version).unwrap();
            if wanted && matches!(row.state, State::Held | State::Failed) {
                (row.state, row.ready_at) = (State::Offered, self.now);
                count += 1;
            }
        }
        count
    }

    fn claim(&mut self, token: &str, limits: ClaimLimits) -> Vec<VersionId> {
        let ready = |row: &Row| matches!(row.state, State::Offered | State::Claimed) && row.ready_at <= self.now;
        let all: Vec<_> = self.rows.iter().filter(|(_, row)| ready(row)).map(|(version, _)| *version).collect();
        let (mut taken, overtaken): (Vec<_>, Vec<_>) = all.into_iter().partition(|version| self.is_newest(*version));
        for version in overtaken {
            self.rows.get_mut(&version).unwrap().state = State::Superseded;
        }
        taken.sort_by_key(|version| (self.rows[version].offered_at, version.key_number));
        // All objects of the model are small or all are large, by the limits.
        taken.truncate(if limits.small_bytes == 0 { 1 } else { 2 });
        for version in &taken {
            let row = self.rows.get_mut(version).unwrap();
            (row.state, row.ready_at, row.token) = (State::Claimed, self.now + LEASE, token.to_owned());
            row.attempts += 1;
        }
        taken
    }

    fn held(&self, token: &str) -> Vec<VersionId> {
        let held = self.rows.iter().filter(|(_, row)| row.state == State::Claimed && row.token == token);
        held.map(|(version, _)| *version).collect()
    }

    fn end(&mut self, token: &str, version: VersionId, state: State, ready_at: i64) -> bool {
        if !self.held(token).contains(&version) {
            return false;
        }
        let newest = self.is_newest(version);
        let row = self.rows.get_mut(&version).unwrap();
        (row.state, row.ready_at) = (if newest { state } else { State::Superseded }, ready_at);
        true
    }

    fn stage(&mut self, batch: &str, token: &str, members: &[VersionId]) -> Staged {
        let held = self.held(token);
        let (mut superseded, mut lost) = (vec![], vec![]);
        for version in members {
            let settled = |(other, row): (&VersionId, &Row)| {
                let higher = other.key_number == version.key_number && other.generation > version.generation;
                higher && matches!(row.state, State::Staged | State::Complete)
            };
            if !held.contains(version) {
                lost.push(*version);
            } else if self.rows.iter().any(settled) {
                superseded.push(*version);
            }
        }
        if !superseded.is_empty() || !lost.is_empty() {
            for version in &superseded {
                self.rows.get_mut(version).unwrap().state = State::Superseded;
            }
            return refused(&superseded, &lost);
        }
        let seq = self.next_seq;
        self.next_seq += 1;
        self.queue.push(Batch { seq, id: batch.to_owned(), members: members.to_vec(), epoch: self.epoch });
        let staged = members.iter().map(|version| {
            self.rows.get_mut(version).unwrap().state = State::Staged;
            let revision = self.revisions.entry(version.key_number).or_insert(0);
            *revision += 1;
            stillhouse_ledger::StagedMember { version: *version, revision: *revision }
        });
        Staged::Done { seq, members: staged.collect() }
    }

    fn has_lease(&self, token: &str) -> bool {
        self.lease.as_ref().is_some_and(|(holder, _)| holder == token)
    }

    fn take_lease(&mut self, token: &str) -> bool {
        let free = self.lease.as_ref().is_none_or(|(holder, until)| holder == token || *until <= self.now);
        if free {
            self.lease = Some((token.to_owned(), self.now + LEASE));
        }
        free
    }

    fn finish(&mut self) {
        for version in self.queue.remove(0).members {
            for (lower, row) in &mut self.rows {
                if lower.key_number == version.key_number && lower.generation < version.generation {
                    assert_ne!(row.state, State::Staged, "a lower generation stands before a higher one");
                    row.state = State::Superseded;
                }
            }
            self.rows.get_mut(&version).unwrap().state = State::Complete;
        }
    }

    fn withdraw(&mut self, held: bool) -> Vec<VersionId> {
        let mut next = Vec::new();
        let mut members = self.queue.remove(0).members;
        members.sort();
        for version in members {
            let old = self.rows.get_mut(&version).unwrap();
            old.state = State::Superseded;
            let row = Row {
                state: if held { State::Held } else { State::Offered },
                ready_at: self.now,
                token: String::new(),
                ..old.clone()
            };
            if self.is_newest(version) {
                next.push(self.add(version.key_number, row));
            }
        }
        next
    }
}

/// Runs one operation on both; the answers must be the same.
async fn step(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    match op {
        Op::Offer { key, content } => {
            let offered = ledger.offer(&offers(&[object_of(key, content)]), now).await.unwrap().remove(0);
            let new = matches!(offered, Offered::New(_));
            assert_eq!((new, offered.version()), model.offer(key, content));
        }
        Op::Reoffer { key } => {
            let done = ledger.reoffer("events", &key_of(key), "", now).await.unwrap();
            assert_eq!(done, model.reoffer(key));
        }
        Op::RetryHeld { key } => {
            let name = key.map(key_of);
            let done = ledger.retry_held("events", name.as_deref(), now).await.unwrap();
            assert_eq!(done, model.retry_held(key));
        }
        Op::Claim { worker, group } => {
            let (token, limits) = (model.name("token"), LIMITS[usize::from(group)]);
            let jobs = ledger.claim(limits, &token, &format!("attempt of {token}"), now, LEASE).await.unwrap();
            let versions: Vec<_> = jobs.iter().map(|job| job.version).collect();
            assert_eq!(versions, model.claim(&token, limits));
            if !versions.is_empty() {
                model.claims.insert(worker, (token, versions));
            }
        }
        Op::Wait { time } => model.now += time,
        Op::Heartbeat { .. } | Op::Release { .. } | Op::Fail { .. } | Op::Hold { .. } | Op::Stage { .. } => {
            step_of_worker(ledger, model, op).await;
        }
        _ => step_of_publisher(ledger, model, op).await,
    }
}

async fn step_of_worker(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    let (Op::Heartbeat { worker }
    | Op::Release { worker }
    | Op::Fail { worker, .. }
    | Op::Hold { worker, .. }
    | Op::Stage { worker, .. }) = op
    else {
        unreachable!("{op:?} is no worker's")
    };
    let Some((token, members)) = model.claims.get(&worker).cloned() else { return };
    match op {
        Op::Heartbeat { .. } => {
            let held = model.held(&token);
            assert_eq!(ledger.heartbeat(&token, now, LEASE).await.unwrap(), !held.is_empty());
            for version in held {
                model.rows.get_mut(&version).unwrap().ready_at = now + LEASE;
            }
        }
        Op::Release { .. } => {
            let held = model.held(&token);
            assert_eq!(ledger.release(&token, now).await.unwrap(), held.len() as u64);
            for version in held {
                model.end(&token, version, State::Offered, now);
            }
        }
        Op::Fail { nth, retry, .. } => {
            let version = members[nth % members.len()];
            let retry = retry.map(|wait| now + wait);
            let done = ledger.fail(&token, version, "error", retry, now).await.unwrap();
            let state = if retry.is_some() { State::Offered } else { State::Failed };
            assert_eq!(done, model.end(&token, version, state, retry.unwrap_or(0)));
        }
        Op::Hold { nth, .. } => {
            let version = members[nth % members.len()];
            let done = ledger.hold(&token, version, "reason", now).await.unwrap();
            assert_eq!(done, model.end(&token, version, State::Held, 0));
        }
        _ => {
            let Op::Stage { all, .. } = op else { unreachable!("the last one") };
            let members = if all { &members[..] } else { &members[..1] };
            let batch = model.name("batch");
            let staged = ledger.stage(&request(&batch, &token, members), now).await.unwrap();
            assert_eq!(staged, model.stage(&batch, &token, members));
            if matches!(staged, Staged::Done { .. }) {
                model.claims.remove(&worker);
            }
        }
    }
}

async fn step_of_publisher(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    let token = |publisher: usize| format!("publisher-{publisher}");
    match op {
        Op::TakeLease { publisher } => {
            let token = token(publisher);
            let taken = ledger.take_publish_lease(&token, now, LEASE).await.unwrap();
            assert_eq!(taken, model.take_lease(&token));
        }
        Op::ReleaseLease { publisher } => {
            let token = token(publisher);
            let mine = model.has_lease(&token);
            assert_eq!(ledger.release_publish_lease(&token).await.unwrap(), mine);
            if mine {
                model.lease = None;
            }
        }
        Op::Finish { publisher } => {
            let Some(head) = model.queue.first().cloned() else { return };
            let done = ledger.finish(&head.id, head.seq, &token(publisher), now).await;
            if model.has_lease(&token(publisher)) {
                assert!(done.unwrap());
                model.finish();
            } else {
                assert_eq!(done.unwrap_err().kind(), Kind::Fenced);
            }
        }
        Op::AdoptEpoch { publisher } => {
            let done = ledger.adopt_epoch(model.epoch + 1, &token(publisher)).await;
            assert_eq!(done.is_ok(), model.has_lease(&token(publisher)));
            model.epoch += i64::from(done.is_ok());
        }
        Op::Withdraw { publisher, held } => {
            let Some(head) = model.queue.first().cloned() else { return };
            let to = if held { WithdrawTo::Held { reason: "reason".into() } } else { WithdrawTo::Offered };
            let done = ledger.withdraw(&head.id, &token(publisher), &to, now).await;
            match done {
                Ok(next) => assert_eq!(next, model.withdraw(held)),
                Err(error) if error.kind() == Kind::Fenced => assert!(!model.has_lease(&token(publisher))),
                Err(error) => assert!(model.epoch <= head.epoch, "{error}"),
            }
        }
        other => unreachable!("{other:?} is no publisher's"),
    }
}

fn key_of(key: usize) -> String {
    format!("{key}.csv")
}

fn object_of(key: usize, content: u8) -> stillhouse_spec::ObjectVersion {
    object(&key_of(key), &content.to_string(), 10)
}

/// What the ledger holds is what the model holds, and the invariants of the protocol that concern it are true.
async fn check_contents(ledger: &Ledger, model: &Model) {
    let mut keys = BTreeMap::new();
    for (key, key_number) in &model.numbers {
        let history = ledger.history("events", &key_of(*key)).await.unwrap().remove(0);
        assert_eq!(history.key_number, *key_number);
        assert_eq!(history.revision, model.revisions.get(key_number).copied().unwrap_or(0));
        let generations: Vec<_> = history.versions.iter().map(|row| row.version.generation).collect();
        assert_eq!(generations, (1..=model.newest(*key_number)).collect::<Vec<_>>(), "generations count from 1");
        for row in &history.versions {
            let expected = &model.rows[&row.version];
            let found = (row.state, row.attempts_count, row.object.etag.as_str());
            assert_eq!(found, (expected.state, expected.attempts, &*expected.content.to_string()), "{row:?}");
        }
        let running = history.attempts.iter().filter(|attempt| attempt.ended_at.is_none()).count();
        let claimed = history.versions.iter().filter(|row| row.state == State::Claimed).count();
        assert_eq!(running, claimed, "an attempt runs for each claim, and for nothing else");
        keys.insert(*key_number, history.versions);
    }
    for versions in keys.values() {
        let of = |state| versions.iter().filter(move |row| row.state == state).map(|row| row.version.generation);
        assert!(of(State::Complete).count() <= 1, "one version of a key has the rows: {versions:?}");
        let complete = of(State::Complete).max().unwrap_or(0);
        assert!(of(State::Staged).all(|staged| staged > complete), "what is staged is newer: {versions:?}");
    }
    assert_eq!(ledger.queue_count().await.unwrap(), model.queue.len() as u64);
    let head = ledger.queue_head().await.unwrap().map(|head| (head.seq, head.batch_id));
    assert_eq!(head, model.queue.first().map(|batch| (batch.seq, batch.id.clone())));
    assert!(model.queue.is_sorted_by(|a, b| a.seq < b.seq));
    let status = ledger.status().await.unwrap();
    assert_eq!((status.epoch, status.next_seq), (model.epoch, model.next_seq));
}

/// Runs `cases` random sequences, each on a ledger of its own.
pub fn check(cases: u32, mut place: impl FnMut() -> Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let place = std::cell::RefCell::new(&mut place);
    let run = |ops: Vec<Op>| {
        let place = (place.borrow_mut())();
        runtime.block_on(async {
            let ledger = place.working().await;
            let mut model = Model { now: 1, next_seq: 1, epoch: 1, ..Model::default() };
            for op in ops {
                step(&ledger, &mut model, op).await;
                check_contents(&ledger, &model).await;
            }
            ledger.close().await;
        });
        Ok(())
    };
    TestRunner::new(config).run(&proptest::collection::vec(op(), 20..100), run).unwrap();
}

#[test]
fn sqlite_follows_the_model() {
    check(100, Place::sqlite);
}
