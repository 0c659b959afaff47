//! Random operations on a ledger and on its [`Model`]; answers and contents must agree.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use stillhouse_ledger::{
    AmendRequest, BatchKind, Change, ClaimLimits, Kind, Ledger, Offer, Offered, StageMember, StageRequest, Staged,
    State, VersionId, WithdrawTo,
};

use crate::model::{LEASE, Model};
use crate::place::{Place, object, stage_amend, stage_compact};

/// Few, so that operations meet.
const KEYS: usize = 2;
const WORKERS: usize = 3;
const LIMITS: [ClaimLimits; 2] = [
    ClaimLimits { small_bytes: 0, group_count_max: 1, group_bytes_max: 0 },
    ClaimLimits { small_bytes: 10, group_count_max: 2, group_bytes_max: 100 },
];

/// What a worker says of the members of its batch.
#[derive(Debug, Clone, Copy)]
enum Twins {
    /// What it was told when it asked, or after it was refused.
    AsFound,
    /// Nothing: it is to be refused if there are any.
    None,
    /// Nothing, and it loads all the same.
    Load,
    /// What it was told for the last batch that it asked for.
    Stale,
}

#[derive(Debug, Clone)]
enum Op {
    Offer {
        key: usize,
        version: u8,
        change: u8,
    },
    OfferRemoved {
        key: usize,
    },
    Reoffer {
        key: usize,
    },
    ReofferOrphans,
    RetryHeld {
        key: Option<usize>,
    },
    Claim {
        worker: usize,
        group: bool,
    },
    Heartbeat {
        worker: usize,
    },
    Release {
        worker: usize,
    },
    Fail {
        worker: usize,
        nth: usize,
        retry: Option<i64>,
    },
    Hold {
        worker: usize,
        nth: usize,
    },
    Stage {
        worker: usize,
        all: bool,
        twins: Twins,
    },
    StageAmend {
        keys: Vec<usize>,
        late: i64,
    },
    StageCompact,
    TakeLease {
        publisher: usize,
    },
    ReleaseLease {
        publisher: usize,
    },
    Finish {
        publisher: usize,
    },
    AdoptEpoch {
        publisher: usize,
    },
    Withdraw {
        publisher: usize,
        held: bool,
    },
    Wait {
        time: i64,
    },
    /// Claims and stages.
    Load {
        worker: usize,
        group: bool,
        twins: Twins,
    },
    /// Takes the lease and finishes.
    Publish {
        publisher: usize,
    },
    /// Takes the lease, takes a new epoch over, and withdraws.
    GiveUp {
        publisher: usize,
        held: bool,
    },
}

impl Op {
    /// What it consists of. Random single operations seldom make anything whole.
    fn parts(self) -> Vec<Op> {
        match self {
            Op::Load { worker, group, twins } => {
                vec![Op::Claim { worker, group }, Op::Stage { worker, all: true, twins }]
            }
            Op::Publish { publisher } => vec![Op::TakeLease { publisher }, Op::Finish { publisher }],
            Op::GiveUp { publisher, held } => {
                vec![Op::TakeLease { publisher }, Op::AdoptEpoch { publisher }, Op::Withdraw { publisher, held }]
            }
            single => vec![single],
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    let (key, worker, publisher, nth) = (0..KEYS, 0..WORKERS, 0..2_usize, 0..2_usize);
    let twins = prop_oneof![
        6 => Just(Twins::AsFound), 2 => Just(Twins::None), 1 => Just(Twins::Load), 2 => Just(Twins::Stale)
    ];
    let simple = prop_oneof![
        9 => (key.clone(), 0..4_u8, 0..6_u8).prop_map(|(key, version, change)| Op::Offer { key, version, change }),
        3 => key.clone().prop_map(|key| Op::OfferRemoved { key }),
        2 => key.clone().prop_map(|key| Op::Reoffer { key }),
        5 => Just(Op::ReofferOrphans),
        1 => proptest::option::of(key.clone()).prop_map(|key| Op::RetryHeld { key }),
        3 => (worker.clone(), any::<bool>()).prop_map(|(worker, group)| Op::Claim { worker, group }),
        1 => worker.clone().prop_map(|worker| Op::Heartbeat { worker }),
        1 => worker.clone().prop_map(|worker| Op::Release { worker }),
        1 => (worker.clone(), nth.clone(), proptest::option::of(0..20_i64))
            .prop_map(|(worker, nth, retry)| Op::Fail { worker, nth, retry }),
        1 => (worker.clone(), nth).prop_map(|(worker, nth)| Op::Hold { worker, nth }),
        4 => (worker.clone(), any::<bool>(), twins.clone())
            .prop_map(|(worker, all, twins)| Op::Stage { worker, all, twins }),
        3 => (proptest::collection::btree_set(key, 1..3), prop_oneof![3 => Just(0), 1 => Just(1_i64)])
            .prop_map(|(keys, late)| Op::StageAmend { keys: keys.into_iter().collect(), late }),
        1 => Just(Op::StageCompact),
    ];
    prop_oneof![
        37 => simple,
        9 => (worker, any::<bool>(), twins).prop_map(|(worker, group, twins)| Op::Load { worker, group, twins }),
        9 => publisher.clone().prop_map(|publisher| Op::Publish { publisher }),
        1 => (publisher.clone(), any::<bool>()).prop_map(|(publisher, held)| Op::GiveUp { publisher, held }),
        1 => publisher.clone().prop_map(|publisher| Op::TakeLease { publisher }),
        2 => publisher.clone().prop_map(|publisher| Op::ReleaseLease { publisher }),
        1 => publisher.clone().prop_map(|publisher| Op::Finish { publisher }),
        1 => (publisher, any::<bool>()).prop_map(|(publisher, held)| Op::Withdraw { publisher, held }),
        2 => (1..4_i64).prop_map(|time| Op::Wait { time }),
        1 => (LEASE..2 * LEASE).prop_map(|time| Op::Wait { time }),
    ]
}

/// Runs one operation on both; the answers must be the same.
async fn step(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    match op {
        Op::Offer { .. } | Op::OfferRemoved { .. } | Op::Reoffer { .. } | Op::ReofferOrphans | Op::RetryHeld { .. } => {
            step_of_discovery(ledger, model, op).await;
        }
        Op::Claim { worker, group } => {
            let (token, limits) = (model.name("token"), LIMITS[usize::from(group)]);
            let jobs = ledger.claim(limits, &token, &format!("attempt of {token}"), now, LEASE).await.unwrap();
            let versions: Vec<_> = jobs.iter().map(|job| job.version).collect();
            assert_eq!(versions, model.claim(&token, limits));
            for job in jobs {
                let row = &model.rows[&job.version];
                let found = (job.replaces_from, job.asked, job.removed, job.attempts_count);
                assert_eq!(found, (row.replaces_from, row.asked, row.removed, row.attempts));
            }
            if !versions.is_empty() {
                model.claims.insert(worker, (token, versions));
            }
        }
        Op::Wait { time } => model.now += time,
        Op::Stage { worker, all, twins } => step_stage(ledger, model, worker, all, twins).await,
        Op::Heartbeat { .. } | Op::Release { .. } | Op::Fail { .. } | Op::Hold { .. } => {
            step_of_worker(ledger, model, op).await;
        }
        _ => step_of_publisher(ledger, model, op).await,
    }
}

async fn step_of_discovery(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    match op {
        Op::Offer { key, version, change } => {
            let change = match change {
                0..=2 => Change::Replace,
                3..=4 => Change::Append,
                _ => Change::Hold { reason: "reason".into() },
            };
            let offer = Offer { object: object_of(key, version), change };
            let offered = ledger.offer(std::slice::from_ref(&offer), now).await.unwrap().remove(0);
            let new = matches!(offered, Offered::New(_));
            assert_eq!((new, offered.version()), model.offer(key, &offer.object.etag, &offer.change));
        }
        Op::OfferRemoved { key } => {
            let gone = [("events".to_owned(), key_of(key), String::new())];
            let done = ledger.offer_removed(&gone, now).await.unwrap();
            assert_eq!(done, Vec::from_iter(model.offer_removed(key)));
        }
        Op::Reoffer { key } => {
            let done = ledger.reoffer("events", &key_of(key), "", now).await.unwrap();
            assert_eq!(done, model.reoffer(key));
        }
        Op::ReofferOrphans => {
            assert_eq!(ledger.reoffer_orphans(now).await.unwrap(), model.reoffer_orphans());
            assert!(ledger.reoffer_orphans(now).await.unwrap().is_empty());
        }
        Op::RetryHeld { key } => {
            let name = key.map(key_of);
            let done = ledger.retry_held("events", name.as_deref(), now).await.unwrap();
            assert_eq!(done, model.retry_held(key));
        }
        other => unreachable!("{other:?} is not discovery's"),
    }
}

async fn step_of_worker(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    let (Op::Heartbeat { worker } | Op::Release { worker } | Op::Fail { worker, .. } | Op::Hold { worker, .. }) = op
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
        _ => {
            let Op::Hold { nth, .. } = op else { unreachable!("the last one") };
            let version = members[nth % members.len()];
            let done = ledger.hold(&token, version, "reason", now).await.unwrap();
            assert_eq!(done, model.end(&token, version, State::Held, 0));
        }
    }
}

async fn step_stage(ledger: &Ledger, model: &mut Model, worker: usize, all: bool, twins: Twins) {
    let Some((token, versions)) = model.claims.get(&worker).cloned() else { return };
    let versions = if all { &versions[..] } else { &versions[..1] };
    let mut members: Vec<_> = versions.iter().map(|version| member_of(model, *version)).collect();
    match twins {
        Twins::None => {}
        Twins::Load => members.iter_mut().for_each(|member| member.skip_same = false),
        Twins::AsFound => {
            let contents: Vec<_> = members.iter().map(|member| (member.version, member.content.clone())).collect();
            let found = ledger.same_content("events", &contents).await.unwrap();
            assert_eq!(found, model.same_content(&members));
            members.iter_mut().zip(found).for_each(|(member, twin)| member.twin = twin);
        }
        Twins::Stale => {
            // Any version with this content, as if it had been found at some time.
            for member in members.iter_mut().filter(|member| !member.content.is_empty()) {
                let same = |row: &crate::model::Row| row.content.as_ref() == Some(&member.content);
                let mut rows = model.rows.iter().rev();
                let found = rows.find(|(version, row)| **version != member.version && same(row));
                member.twin = found.map(|(version, _)| *version);
            }
        }
    }
    let batch = model.name("batch");
    let manifest = format!("manifest of {batch}");
    let request = StageRequest { batch_id: batch.clone(), token: token.clone(), members, manifest };
    let staged = ledger.stage(&request, model.now).await.unwrap();
    assert_eq!(staged, model.stage(&batch, &token, &request.members), "{request:?}");
    if matches!(staged, Staged::Done { .. }) {
        model.claims.remove(&worker);
    }
}

async fn step_of_publisher(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    let token = |publisher: usize| format!("publisher-{publisher}");
    match op {
        Op::StageAmend { keys, late } => {
            let newest = |key| {
                let key_number = *model.numbers.get(&key)?;
                let complete = |(version, row): &(&VersionId, &crate::model::Row)| {
                    version.key_number == key_number && row.state == State::Complete
                };
                let version = model.rows.iter().filter(complete).map(|(version, _)| *version).next();
                let version = version.unwrap_or(VersionId::new(key_number, 1));
                Some((version, model.revisions.get(&key_number).copied().unwrap_or(0) - late))
            };
            let members: Vec<_> = keys.into_iter().filter_map(newest).collect();
            if members.is_empty() {
                return;
            }
            let batch_id = model.name("amend");
            let request = AmendRequest { batch_id, members, manifest: "amends".to_owned() };
            let staged = stage_amend(ledger, &request, now).await.unwrap();
            assert_eq!(staged, model.stage_amend(&request.batch_id, &request.members));
        }
        Op::StageCompact => {
            let batch = model.name("compact");
            assert_eq!(stage_compact(ledger, &batch, "merges", now).await.unwrap(), model.stage_compact(&batch));
        }
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
        Op::AdoptEpoch { publisher } => {
            let done = ledger.adopt_epoch(model.epoch + 1, &token(publisher)).await;
            assert_eq!(done.is_ok(), model.has_lease(&token(publisher)));
            model.epoch += i64::from(done.is_ok());
        }
        _ => step_of_head(ledger, model, op).await,
    }
}

async fn step_of_head(ledger: &Ledger, model: &mut Model, op: Op) {
    let now = model.now;
    let token = |publisher: usize| format!("publisher-{publisher}");
    let Some(head) = model.queue.first().cloned() else { return };
    match op {
        Op::Finish { publisher } => {
            let done = ledger.finish(&head.id, head.seq, &token(publisher), now).await;
            if model.has_lease(&token(publisher)) {
                assert!(done.unwrap());
                model.finish();
            } else {
                assert_eq!(done.unwrap_err().kind(), Kind::Fenced);
            }
        }
        Op::Withdraw { publisher, held } => {
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

/// All versions of all files but the last have one content.
fn object_of(key: usize, version: u8) -> stillhouse_spec::ObjectVersion {
    object(&key_of(key), &format!("etag-{version}"), 10)
}

/// What a worker finds when it reads the object.
fn member_of(model: &Model, version: VersionId) -> StageMember {
    let content = match &*model.rows[&version].etag {
        "etag-3" => "other",
        "removed" => "",
        _ => "one",
    };
    StageMember { version, content: content.to_owned(), twin: None, skip_same: true }
}

/// What the ledger holds is what the model holds, and the invariants of the protocol that concern it are true.
async fn check_contents(ledger: &Ledger, model: &Model) {
    for (key, key_number) in &model.numbers {
        let history = ledger.history("events", &key_of(*key)).await.unwrap().remove(0);
        assert_eq!(history.key_number, *key_number);
        assert_eq!(history.revision, model.revisions.get(key_number).copied().unwrap_or(0));
        let generations: Vec<_> = history.versions.iter().map(|row| row.version.generation).collect();
        assert_eq!(generations, model.generations(*key_number), "generations count from 1");
        for row in &history.versions {
            let expected = &model.rows[&row.version];
            let found = (row.state, row.attempts_count, &row.object.etag, row.replaces_from);
            let fields = (expected.state, expected.attempts, &expected.etag, expected.replaces_from);
            assert_eq!(found, fields, "{row:?}");
            let found = (&row.content, row.twin, row.removed, row.asked);
            assert_eq!(found, (&expected.content, expected.twin, expected.removed, expected.asked), "{row:?}");
        }
        let running = history.attempts.iter().filter(|attempt| attempt.ended_at.is_none()).count();
        let claimed = history.versions.iter().filter(|row| row.state == State::Claimed).count();
        assert_eq!(running, claimed, "an attempt runs for each claim, and for nothing else");
        let of = |state| history.versions.iter().filter(move |row| row.state == state);
        let complete = of(State::Complete).map(|row| row.version.generation).max().unwrap_or(0);
        assert!(of(State::Staged).all(|row| row.version.generation > complete), "what is staged is newer");
    }
    let newest = ledger.newest("events").await.unwrap();
    let keys: Vec<_> = newest.iter().map(|row| row.object.key.clone()).collect();
    assert_eq!(keys, model.numbers.keys().map(|key| key_of(*key)).collect::<Vec<_>>());
    assert!(newest.iter().all(|row| model.is_newest(row.version)));
    assert_eq!(ledger.live_attempts().await.unwrap(), model.live_attempts());
    check_queue(ledger, model).await;
    check_lake(model);
}

async fn check_queue(ledger: &Ledger, model: &Model) {
    assert_eq!(ledger.queue_count().await.unwrap(), model.queue.len() as u64);
    let head = ledger.queue_head().await.unwrap();
    let members = |head: &stillhouse_ledger::QueueEntry| head.members.len();
    let head = head.map(|head| (head.seq, members(&head), head.kind, head.batch_id));
    let first = model.queue.first();
    assert_eq!(head, first.map(|batch| (batch.seq, batch.members.len(), batch.kind, batch.id.clone())));
    assert!(model.queue.is_sorted_by(|a, b| a.seq < b.seq));
    let status = ledger.status().await.unwrap();
    assert_eq!((status.epoch, status.next_seq), (model.epoch, model.next_seq));
}

/// The states agree with what the tables have by the receipts.
fn check_lake(model: &Model) {
    let complete = model.rows.iter().filter(|(_, row)| row.state == State::Complete);
    let with_rows = complete.clone().filter(|(_, row)| row.twin.is_none() && !row.removed);
    let with_rows: Vec<_> = with_rows.map(|(version, _)| *version).collect();
    assert_eq!(model.lake.keys().copied().collect::<Vec<_>>(), with_rows, "complete is what has rows");

    for (version, row) in complete {
        let Some(twin) = row.twin.filter(|twin| model.has_rows(*twin)) else { continue };
        assert_eq!(model.rows[&twin].content, row.content, "{version} has the content of its twin");
    }
    let loads = model.queue.iter().any(|batch| batch.kind == BatchKind::Load);
    let contents: BTreeSet<_> = model.lake.values().collect();
    if !model.doubled && !loads {
        assert_eq!(contents.len(), model.lake.len(), "a content is there once: {:?}", model.lake);
    }
}

/// A ledger that is made anew from the receipts has the same versions with a receipt in the same states.
async fn check_rebuilt(ledger: Ledger, model: &Model) {
    let rebuilt = ledger.begin_rebuild("ledger-2", model.now).await.unwrap();
    for receipts in model.receipts.chunks(3).rev() {
        rebuilt.import_receipts(receipts, model.now).await.unwrap();
    }
    rebuilt.open_for_work(model.epoch + 1, model.next_seq, model.now).await.unwrap();
    let with_receipt: BTreeSet<_> = model.receipts.iter().map(|receipt| receipt.version).collect();
    for (version, expected) in &model.rows {
        let found = rebuilt.version(*version).await.unwrap();
        assert_eq!(found.is_some(), with_receipt.contains(version), "{version}");
        let Some(row) = found else { continue };
        let found = (row.state, &row.object.etag, row.replaces_from, &row.content, row.twin, row.removed);
        let fields = (expected.state, &expected.etag, expected.replaces_from, &expected.content, expected.twin);
        assert_eq!(found, (fields.0, fields.1, fields.2, fields.3, fields.4, expected.removed), "{version}");
    }
    rebuilt.close().await;
}

/// Runs `cases` random sequences, each on a ledger of its own.
pub fn check(cases: u32, mut place: impl FnMut() -> Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // Always the same sequences: whether everything was met at the end must not depend on luck.
    let rng_seed = RngSeed::Fixed(1);
    let config = Config { cases, rng_seed, failure_persistence: None, max_shrink_iters: 1_000, ..Config::default() };
    let place = std::cell::RefCell::new(&mut place);
    let seen = std::cell::RefCell::new(BTreeMap::new());
    let run = |ops: Vec<Op>| {
        let place = (place.borrow_mut())();
        runtime.block_on(async {
            let ledger = place.working().await;
            let mut model = Model { now: 1, next_seq: 1, epoch: 1, ..Model::default() };
            for op in ops {
                for part in op.parts() {
                    step(&ledger, &mut model, part).await;
                }
                check_contents(&ledger, &model).await;
            }
            check_rebuilt(ledger, &model).await;
            for (what, times) in model.seen {
                *seen.borrow_mut().entry(what).or_insert(0) += times;
            }
        });
        Ok(())
    };
    TestRunner::new(config).run(&proptest::collection::vec(op(), 40..160), run).unwrap();
    let seen = seen.into_inner();
    eprintln!("{seen:?}");
    assert!(cases < 100 || seen.values().all(|times| *times > 0), "never happened: {seen:?}");
}

#[test]
fn sqlite_follows_the_model() {
    check(100, Place::sqlite);
}
