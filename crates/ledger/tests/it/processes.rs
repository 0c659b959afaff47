//! Real processes on one SQLite ledger, and one that is killed in the middle of its work.
//!
//! The test starts its own binary again with [`WORK`] set; that runs [`the_worker_process`] only.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stillhouse_ledger::{ClaimLimits, Hook, HookFuture, Ledger, Staged, State};

use crate::place::{LEASE, Place, claim, object, offers, request, versions};

/// The address of the ledger to work on, and the name of the worker.
const WORK: &str = "STILLHOUSE_TEST_LEDGER";
const NAME: &str = "STILLHOUSE_TEST_WORKER";

const OBJECTS: u64 = 150;
const LIMITS: ClaimLimits = ClaimLimits { small_bytes: 10, group_count_max: 3, group_bytes_max: 1_000 };

/// Claims, stages and publishes what it gets, and says each batch that it has staged or finished.
#[test]
#[ignore = "started by the tests of this file as a process of its own"]
fn the_worker_process() {
    let (Ok(url), Ok(name)) = (std::env::var(WORK), std::env::var(NAME)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open_url(&url, "unused", 1).await.unwrap();
        work(&ledger, &name, 10).await;
    });
}

async fn work(ledger: &Ledger, name: &str, now: i64) {
    for turn in 0.. {
        let batch = format!("{name}-{turn}");
        let jobs = versions(&claim(ledger, LIMITS, &batch, now).await);
        if jobs.is_empty() {
            return;
        }
        let staged = ledger.stage(&request(&batch, &batch, &jobs), now).await.unwrap();
        let Staged::Done { seq, .. } = staged else { panic!("{staged:?}") };
        println!("staged {seq}");
        publish(ledger, name, now).await;
    }
}

async fn publish(ledger: &Ledger, name: &str, now: i64) {
    if !ledger.take_publish_lease(name, now, LEASE).await.unwrap() {
        return;
    }
    while let Some(head) = ledger.queue_head().await.unwrap() {
        if ledger.finish(&head.batch_id, head.seq, name, now).await.unwrap() {
            println!("finished {}", head.seq);
        }
    }
    ledger.release_publish_lease(name).await.unwrap();
}

fn start(place: &Place, name: &str) -> Child {
    let mut worker = Command::new(std::env::current_exe().unwrap());
    worker.args(["--exact", "processes::the_worker_process", "--ignored", "--nocapture", "--test-threads=1"]);
    worker.env(WORK, &place.url).env(NAME, name).stdout(Stdio::piped()).spawn().unwrap()
}

async fn offered() -> (Place, Ledger) {
    let place = Place::sqlite();
    let ledger = place.working().await;
    let objects: Vec<_> = (0..OBJECTS).map(|number| object(&format!("{number}.csv"), "e", number % 10)).collect();
    ledger.offer(&offers(&objects), 1).await.unwrap();
    (place, ledger)
}

/// Every object is complete under its first generation, and nothing waits.
async fn check_complete(ledger: &Ledger) {
    let counts = ledger.counts().await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(State::Complete, OBJECTS)]);
    assert_eq!(ledger.queue_head().await.unwrap(), None);
    for row in ledger.list(State::Complete, 1_000).await.unwrap() {
        assert_eq!(row.version.generation, 1);
    }
}

#[tokio::test]
async fn processes_share_the_work_and_double_nothing() {
    let (place, ledger) = offered().await;
    let workers: Vec<_> = ["one", "two", "three"].map(|name| start(&place, name)).into_iter().collect();
    let mut said = Vec::new();
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        said.extend(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned));
    }
    publish(&ledger, "last", 20).await;
    check_complete(&ledger).await;
    for row in ledger.list(State::Complete, 1_000).await.unwrap() {
        assert_eq!(row.attempts_count, 1, "nothing was claimed twice: {row:?}");
    }
    for what in ["staged ", "finished "] {
        let seqs: Vec<_> = said.iter().filter_map(|line| line.strip_prefix(what)).collect();
        assert_eq!(seqs.len(), seqs.iter().collect::<BTreeSet<_>>().len(), "{what}: {seqs:?}");
    }
}

#[tokio::test]
async fn a_killed_process_leaves_a_ledger_that_others_go_on_with() {
    for lines_until_killed in [1, 4, 9] {
        let (place, ledger) = offered().await;
        let mut victim = start(&place, "victim");
        let mut said = BufReader::new(victim.stdout.take().unwrap()).lines();
        let done =
            said.by_ref().filter(|line| line.as_ref().is_ok_and(|line| line.contains("ed "))).take(lines_until_killed);
        assert_eq!(done.count(), lines_until_killed);
        victim.kill().unwrap(); // SIGKILL
        victim.wait().unwrap();

        // While its leases last, the rest goes on without it; afterwards its part is taken over.
        work(&ledger, "other", 20).await;
        let left = ledger.counts().await.unwrap().get(&State::Claimed).copied().unwrap_or(0);
        assert!(left <= 3, "at most the victim's last claim is left, found {left}");
        let later = 30 + LEASE;
        work(&ledger, "later", later).await;
        publish(&ledger, "later", later).await;
        check_complete(&ledger).await;
    }
}

/// The address of the ledger to move to, and at which call of the hook to die.
const MOVE: &str = "STILLHOUSE_TEST_MOVE_TO";
const DIE: &str = "STILLHOUSE_TEST_DIE_AT";

/// Dies as if killed, at the n-th call.
struct Dies(AtomicUsize);

impl Dies {
    fn call(&self) -> HookFuture<'_> {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 0 {
            std::process::abort();
        }
        Box::pin(async { Ok(()) })
    }
}

impl Hook for Dies {
    fn before(&self, _: &'static str) -> HookFuture<'_> {
        self.call()
    }

    fn after(&self, _: &'static str) -> HookFuture<'_> {
        self.call()
    }
}

#[test]
#[ignore = "started by the tests of this file as a process of its own"]
fn the_moving_process() {
    let (Ok(from), Ok(to), Ok(die)) = (std::env::var(WORK), std::env::var(MOVE), std::env::var(DIE)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let hook = Arc::new(Dies(AtomicUsize::new(die.parse().unwrap()))) as Arc<dyn Hook>;
        let source = Ledger::open_url(&from, "unused", 1).await.unwrap().with_hook(Arc::clone(&hook));
        let target = Ledger::open_url(&to, "unused", 1).await.unwrap().with_hook(hook);
        source.move_to(&target, 2).await.unwrap();
        println!("moved");
    });
}

#[tokio::test]
async fn a_move_that_is_killed_anywhere_is_finished_by_the_same_command() {
    for die_at in 0..=6 {
        let (from, ledger) = offered().await;
        claim(&ledger, LIMITS, "before", 1).await;
        ledger.close().await;
        let to = Place::sqlite();
        let start = |die_at: usize| {
            let mut moving = Command::new(std::env::current_exe().unwrap());
            moving.args(["--exact", "processes::the_moving_process", "--ignored", "--nocapture", "--test-threads=1"]);
            moving.env(WORK, &from.url).env(MOVE, &to.url).env(DIE, die_at.to_string());
            moving.stderr(Stdio::null()).output().unwrap()
        };
        assert_eq!(start(die_at).status.success(), die_at == 6, "six calls of the hook, no more and no less");

        let here = from.open().await.counts().await.is_ok();
        let there = to.open().await.counts().await;
        let open = there.is_ok_and(|counts| !counts.is_empty());
        assert_eq!((here, open), (die_at <= 2, die_at >= 5), "died at {die_at}");
        assert!(start(99).status.success());
        assert!(from.open().await.counts().await.is_err());
        let moved = to.open().await;
        assert!(moved.heartbeat("before", 2, LEASE).await.unwrap());
        work(&moved, "after", 20).await;
        work(&moved, "later", 3 + 2 * LEASE).await;
        publish(&moved, "later", 3 + 2 * LEASE).await;
        check_complete(&moved).await;
    }
}
