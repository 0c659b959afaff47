//! Amendments and compactions that are stopped anywhere: rolled forward by another publisher, with the ledger or without.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::DataType;
use stillhouse_lake::{Lake, NoObserver, ReceiptQuery, Staged};

use crate::faults::{Overtake, What, faulty_lake};
use crate::kit::{House, LEDGER, NOW, Shown, StopAt, expect, load};
use crate::schema::as_texts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Takes records out of two tables, brings some into a third and into one that is new.
    Amend,
    /// Merges three files, one of them mixed.
    Compact,
    /// Is void: a source is gone.
    Void,
    /// Brings all rows anew, with another type for a column.
    Retype,
}

const ALL: [Which; 4] = [Which::Amend, Which::Compact, Which::Void, Which::Retype];

/// What stands before the batch under test, that batch, and the rows after it.
async fn before(which: Which) -> (House, Staged, Shown) {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house
        .run(1, &[load(1, 1, &[("events", 2), ("_quarantine", 4)]), load(2, 1, &[("events", 3), ("_quarantine", 2)])])
        .await;
    house.run(2, &[load(3, 1, &[("events", 1), ("event_tags", 1)])]).await;
    house.run(3, &[load(1, 2, &[("events", 2), ("_quarantine", 4)])]).await;
    match which {
        Which::Amend => {
            let out = [("_quarantine", 1, 2), ("events", 1, 1)];
            let into = [("events", 9), ("sessions", 2), ("_quarantine", 2)];
            let staged = house.stage_amend(4, (1, 2, 3), &out, &into).await;
            let after = expect(&[
                ("_quarantine", &[(1, 2, 3), (2, 1, 2)]),
                ("event_tags", &[(3, 1, 1)]),
                ("events", &[(1, 2, 2), (2, 1, 3), (3, 1, 1)]),
                ("sessions", &[(1, 2, 1)]),
            ]);
            (house, staged, after)
        }
        Which::Compact => {
            let plan = house.plan("events").await.unwrap();
            assert!(plan.sources.len() >= 3);
            let staged = house.stage_compact(4, &plan).await;
            let after = house.shown().await;
            (house, staged, after)
        }
        Which::Void => {
            let plan = house.plan("events").await.unwrap();
            let staged = house.stage_compact(5, &plan).await;
            house.run(4, &[load(3, 2, &[("events", 5)])]).await;
            let after = house.shown().await;
            (house, staged, after)
        }
        Which::Retype => {
            let loads = [load(1, 3, &[("events", 2)]), load(2, 2, &[("events", 3)]), load(3, 2, &[("events", 1)])];
            let mut staged = house.stage(4, &loads).await;
            as_texts(&mut staged);
            (house, staged, expect(&[("events", &[(1, 3, 2), (2, 2, 3), (3, 2, 1)])]))
        }
    }
}

async fn check_settled(house: &House, staged: &Staged, which: Which, after: &Shown) {
    assert_eq!(&house.shown().await, after, "{which:?}");
    let mut newest = house.newest().await;
    newest.retain(|_, rows| !rows.is_empty());
    assert_eq!(&newest, after, "{which:?}: newest versions are what the receipts say");
    let lake = Lake::open_to_read(std::sync::Arc::clone(&house.store));
    assert_eq!(lake.snapshot().await.unwrap().seq, staged.seq);
    let query = ReceiptQuery { after_seq: Some(staged.seq - 1), ..ReceiptQuery::default() };
    let receipts = lake.receipts(&query).await.unwrap();
    let (members, files) = match which {
        Which::Amend => (1, 0),
        Which::Compact => (0, 1),
        Which::Void => (0, 3),
        Which::Retype => (3, 1),
    };
    assert_eq!(receipts.len(), members);
    assert!(which != Which::Amend || receipts.iter().all(|row| (row.generation, row.revision) == (2, 3)));
    let amount = lake.snapshot().await.unwrap().tables["events"].schema.field_with_name("amount").unwrap().clone();
    assert_eq!(amount.data_type() == &DataType::Utf8, which == Which::Retype);
    assert!(which == Which::Amend || house.files("events").await == files, "{which:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_anywhere_and_published_again_by_another() {
    for which in ALL {
        let mut points = Vec::new();
        for stop in 0.. {
            let (house, staged, after) = before(which).await;
            let unchanged = house.shown().await;
            let observer = StopAt { stop: Some(stop), ..StopAt::default() };
            let stopped = house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await;
            points = observer.passed.into_inner().unwrap();
            if stopped.is_ok() {
                break;
            }
            let receipted = points.last().unwrap() == "receipted";
            assert_eq!(house.shown().await, if receipted { after.clone() } else { unchanged }, "{which:?} {points:?}");
            house.another().await.publish(&staged, 1, LEDGER, NOW + 1, &NoObserver).await.unwrap();
            check_settled(&house, &staged, which, &after).await;
            // The slow one wakes up.
            house.lake.publish(&staged, 1, LEDGER, NOW + 2, &NoObserver).await.unwrap();
            check_settled(&house, &staged, which, &after).await;
        }
        assert!(points.len() > 8, "{points:?}");
        assert_eq!(points.iter().any(|point| point == "rewritten:events"), which == Which::Amend);
    }
}

/// The ledger is lost with it: the log has everything, or nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_anywhere_and_found_in_the_log() {
    for which in ALL {
        let (mut found, mut lost) = (0, 0);
        for stop in 0.. {
            let (house, staged, after) = before(which).await;
            let unchanged = house.shown().await;
            let observer = StopAt { stop: Some(stop), ..StopAt::default() };
            if house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await.is_ok() {
                break;
            }
            let lake = house.another().await;
            let epoch = lake.raise_epoch("new", NOW, &NoObserver).await.unwrap();
            lake.fence_tables(epoch, "new", NOW, &NoObserver).await.unwrap();
            let is_complete = lake.snapshot().await.unwrap().seq == staged.seq;
            let pending = lake.pending_manifests().await.unwrap();
            let present = lake.batch_present(&staged.manifest.batch_id, staged.seq).await.unwrap();
            assert_eq!(pending.is_empty() && !is_complete, present.is_empty());
            for pending in &pending {
                assert_eq!(pending, &staged);
                lake.publish(pending, epoch, "new", NOW + 1, &NoObserver).await.unwrap();
                found += 1;
            }
            if is_complete || !pending.is_empty() {
                check_settled(&house, &staged, which, &after).await;
            } else {
                assert_eq!(house.shown().await, unchanged);
                lost += 1;
            }
            // The old publisher is shut out.
            house.lake.publish(&staged, 1, LEDGER, NOW + 2, &NoObserver).await.unwrap_err();
        }
        assert!(lost > 0 && (found > 0 || which == Which::Void), "{which:?}: {found} found, {lost} lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaken_at_every_point() {
    for which in ALL {
        for at in 0.. {
            let (house, staged, after) = before(which).await;
            let other = house.another().await;
            let all = std::slice::from_ref(&staged);
            let observer = Overtake { at, passed: AtomicUsize::new(0), other: &other, staged: all };
            house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await.unwrap();
            check_settled(&house, &staged, which, &after).await;
            if observer.passed.load(Ordering::SeqCst) <= at {
                break;
            }
        }
    }
}

/// Another publisher goes on with a batch that replaces what is being merged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaken_by_a_correction_of_what_is_merged() {
    for at in 0.. {
        let (house, compaction, _) = before(Which::Compact).await;
        let correction = house.stage(5, &[load(2, 2, &[("events", 7)])]).await;
        let other = house.another().await;
        let all = [compaction.clone(), correction.clone()];
        let observer = Overtake { at, passed: AtomicUsize::new(0), other: &other, staged: &all };
        house.lake.publish(&compaction, 1, LEDGER, NOW, &observer).await.unwrap();
        let ended = observer.passed.load(Ordering::SeqCst) <= at;
        house.lake.publish(&correction, 1, LEDGER, NOW, &NoObserver).await.unwrap();
        let shown = house.shown().await;
        assert_eq!(shown["events"], [((1, 2), 2), ((2, 2), 7), ((3, 1), 1)].into());
        assert_eq!(house.newest().await["events"], shown["events"]);
        if ended {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_of_unknown_outcome() {
    let faults =
        [(true, What::Failure, 1), (true, What::Conflict, 1), (false, What::Conflict, 2), (false, What::Failure, 2)];
    for which in ALL {
        for (done, what, every) in faults {
            let (house, staged, after) = before(which).await;
            let (lake, faulty) = faulty_lake(&house, done, what, every).await;
            lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
            assert!(faulty.seen.load(Ordering::SeqCst) >= 1, "puts were counted");
            check_settled(&house, &staged, which, &after).await;
        }
    }
}
