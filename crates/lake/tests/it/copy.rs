//! A copied lake is the same lake.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::TryStreamExt as _;
use insta::assert_snapshot;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use proptest::prelude::*;
use stillhouse_lake::{Copied, Error, Kind, Lake, NoObserver, ReceiptQuery, RunQuery, RunRow, durable_local};
use stillhouse_spec::Durability;

use crate::history::{World, steps};
use crate::kit::{House, LEDGER, NOW, id, load};

fn quiet(_: &str, _: u64) {}

async fn copy(house: &House, target: &Arc<dyn ObjectStore>) -> Result<Copied, Error> {
    house.lake.copy_to(target, &BTreeMap::new(), &quiet).await
}

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

/// Every row of every table that a lake shows, sorted.
async fn rows(lake: &Lake) -> Vec<String> {
    let snapshot = lake.snapshot().await.unwrap();
    let mut rows = Vec::new();
    for (table, state) in snapshot.tables.iter().filter(|(table, _)| !table.starts_with('_')) {
        let stream = lake.rows(table, state.version, i64::MIN..=i64::MAX, None).await.unwrap();
        let batches: Vec<_> = stream.batches.try_collect().await.unwrap();
        let text = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
        rows.extend(text.lines().map(|line| format!("{table} {line}")));
    }
    rows.sort();
    rows
}

async fn check_same(house: &House, target: &Arc<dyn ObjectStore>) {
    let copy = Lake::open_to_read(Arc::clone(target));
    assert_eq!(rows(&copy).await, rows(&house.lake).await);
    let all = ReceiptQuery { whole: true, ..ReceiptQuery::default() };
    assert_eq!(copy.receipts(&all).await.unwrap(), house.lake.receipts(&all).await.unwrap());
    assert_eq!(copy.runs(&RunQuery::default()).await.unwrap(), house.lake.runs(&RunQuery::default()).await.unwrap());
}

async fn filled() -> House {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house.run(1, &[load(1, 1, &[("events", 3), ("_quarantine", 2)]), load(2, 1, &[("events", 20_000)])]).await;
    house.run(2, &[load(1, 2, &[("events", 4), ("event_tags", 1)])]).await;
    house.lake.keep_text("abc", "name = 1").await.unwrap();
    house.lake.append_run(&RunRow { run_id: "r".into(), ..RunRow::default() }, NOW).await.unwrap();
    house.store.put(&"_results/report/r/manifest.json".into(), "{}".into()).await.unwrap();
    house
}

#[tokio::test]
async fn a_copy_is_whole_and_can_be_brought_up_to_date() {
    let house = filled().await;
    let folder = tempfile::tempdir().unwrap();
    let target = durable_local(&folder.path().join("copy"), Durability::Os).unwrap();
    let seen = AtomicUsize::new(0);
    let count = |_: &str, _: u64| {
        seen.fetch_add(1, Ordering::SeqCst);
    };
    let first = house.lake.copy_to(&target, &BTreeMap::new(), &count).await.unwrap();
    assert_eq!((first.seq, first.unchanged), (2, 0));
    assert_eq!(seen.load(Ordering::SeqCst) as u64, first.objects);
    check_same(&house, &target).await;
    let copy_lake = Lake::open(Arc::clone(&target), id()).await.unwrap();
    assert_eq!(copy_lake.text("abc").await.unwrap().as_deref(), Some("name = 1"));
    assert!(target.head(&"_results/report/r/manifest.json".into()).await.is_ok());
    assert!(target.head(&"_copying".into()).await.is_err());
    assert_eq!(copy_lake.receipts_epoch().await.unwrap(), Some((1, LEDGER.to_owned())));
    // Once more without a change, and after some.
    let second = copy(&house, &target).await.unwrap();
    assert_eq!((second.objects, second.unchanged), (0, first.objects));
    house.run(3, &[load(2, 2, &[("events", 1)])]).await;
    house.lake.checkpoint("events").await.unwrap();
    house.lake.clean_log("events", i64::MAX, false).await.unwrap();
    let third = copy(&house, &target).await.unwrap();
    assert!(third.seq == 3 && third.objects > 0 && third.unchanged > 0, "{third:?}");
    check_same(&house, &target).await;
    // The copy can be worked on.
    let staged = house.stage(4, &[load(5, 1, &[])]).await;
    copy_lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    assert_eq!(copy_lake.snapshot().await.unwrap().seq, 4);
}

#[tokio::test]
async fn a_target_that_is_not_a_copy_is_refused() {
    let house = filled().await;
    let mut messages = String::new();
    let mut refused = async |target: &Arc<dyn ObjectStore>| {
        let error = copy(&house, target).await.unwrap_err();
        assert_eq!(error.kind, Kind::FixSettings, "{error}");
        messages.push_str(&error.message);
        messages.push('\n');
    };
    let foreign = memory();
    foreign.put(&"photos/a.jpg".into(), "x".into()).await.unwrap();
    refused(&foreign).await;
    let file = memory();
    file.put(&"notes.txt".into(), "x".into()).await.unwrap();
    refused(&file).await;
    // Another lake; one whose copy went on by itself; one that another ledger took over; one that is ahead.
    let other = filled().await;
    refused(&other.store).await;
    for which in 0..3 {
        let target = memory();
        copy(&house, &target).await.unwrap();
        let lake = Lake::open(Arc::clone(&target), id()).await.unwrap();
        if which == 0 {
            let staged = house.stage(3, &[load(7, 1, &[])]).await;
            lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
        } else {
            lake.raise_epoch("another", NOW, &NoObserver).await.unwrap();
        }
        if which == 1 {
            refused(&target).await;
        }
        if which == 2 {
            house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
            refused(&target).await;
        }
        if which == 0 {
            refused(&target).await;
            let ours = house.stage(3, &[load(8, 1, &[])]).await;
            house.publish(&ours).await;
            refused(&target).await;
        }
    }
    let messages =
        messages.replace("target of the copy: expected an empty place or an older copy of this lake, found ", "");
    assert_snapshot!(messages, @r"
    `photos`
    `notes.txt`
    another lake
    a newer state of it
    a copy that went its own way at batch 3
    a newer state of it
    a copy for which another ledger speaks
    ");
    let empty = House::new().await;
    assert_eq!(copy(&empty, &memory()).await.unwrap_err().kind, Kind::FixSettings);
}

#[tokio::test]
async fn a_damaged_lake_is_not_copied() {
    let house = filled().await;
    let files = house.lake.files("events", 2).await.unwrap();
    std::fs::write(house.path("events").join(&files[0].path), "short").unwrap();
    let target = memory();
    let error = copy(&house, &target).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData);
    assert_eq!(Lake::open_to_read(Arc::clone(&target)).snapshot().await.unwrap().seq, 0, "nothing is shown of it");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// Stopped after some objects, gone on with after more batches.
    #[test]
    fn an_interrupted_copy_is_gone_on_with(steps in steps(), cut in 0.0..1.0_f64, stop in 0..40_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            world.load(&[(1, 1, 1)], 0).await;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a short list")]
            let cut = (steps.len() as f64 * cut) as usize;
            for step in &steps[..cut] {
                world.step(step).await;
            }
            let target = memory();
            {
                // The task is dropped in the middle, as a process that dies.
                let seen = AtomicUsize::new(0);
                let (sender, stopped) = tokio::sync::oneshot::channel::<()>();
                let sender = std::sync::Mutex::new(Some(sender));
                let progress = |_: &str, _: u64| {
                    if seen.fetch_add(1, Ordering::SeqCst) == stop {
                        drop(sender.lock().unwrap().take());
                    }
                };
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    done = world.house.lake.copy_to(&target, &world.pinned, &progress) => { done.unwrap(); }
                }
            }
            for step in &steps[cut..] {
                world.step(step).await;
            }
            world.house.lake.copy_to(&target, &world.pinned, &quiet).await.unwrap();
            check_same(&world.house, &target).await;
            let copy = Lake::open_to_read(Arc::clone(&target));
            for (table, versions) in &world.pinned {
                for version in versions {
                    assert_eq!(copy.check_files(table, *version).await.unwrap(), []);
                }
            }
        });
    }
}
