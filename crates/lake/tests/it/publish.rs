//! Step 5 without faults: rows, receipts, vectors, replacing.

use insta::assert_snapshot;
use stillhouse_lake::{Kind, NoObserver, ReceiptQuery};

use crate::kit::{House, LEDGER, NOW, StopAt, expect, load};

#[tokio::test]
async fn batches_are_shown_whole_and_receipted() {
    let house = House::new().await;
    assert!(house.shown().await.is_empty());
    let published = house.run(1, &[load(1, 1, &[("events", 3), ("event_tags", 5)])]).await;
    assert_eq!(published.vector, [("event_tags".to_owned(), 1), ("events".to_owned(), 1)].into());
    house.run(2, &[load(2, 1, &[("events", 4), ("_quarantine", 1)])]).await;
    let expected =
        expect(&[("_quarantine", &[(2, 1, 1)]), ("event_tags", &[(1, 1, 5)]), ("events", &[(1, 1, 3), (2, 1, 4)])]);
    assert_eq!(house.shown().await, expected);

    let receipts = house.lake.receipts(&ReceiptQuery { whole: true, ..ReceiptQuery::default() }).await.unwrap();
    assert_eq!(receipts.len(), 2);
    let second = &receipts[1];
    assert_eq!((second.seq, second.key_number, second.generation, second.revision), (2, 2, 1, 1));
    assert_eq!(second.vector.get("events"), Some(&2));
    // `event_tags` was not touched, and is in the vector all the same.
    assert_eq!(second.vector.get("event_tags"), Some(&1));
    let whole = second.receipt.as_ref().unwrap();
    assert_eq!((whole.seq, &whole.batch, whole.revision), (2, &second.batch, 1));
    assert!(whole.counts.balanced());
}

#[tokio::test]
async fn receipts_can_be_asked_for_by_key_and_age() {
    let house = House::new().await;
    for seq in 1..=4 {
        house.run(seq, &[load(seq, 1, &[("events", 1)])]).await;
    }
    let seqs = async |query: ReceiptQuery| -> Vec<i64> {
        house.lake.receipts(&query).await.unwrap().iter().map(|row| row.seq).collect()
    };
    assert_eq!(seqs(ReceiptQuery { key_number: Some(3), ..ReceiptQuery::default() }).await, [3]);
    assert_eq!(seqs(ReceiptQuery { key: Some("data/2.csv".into()), ..ReceiptQuery::default() }).await, [2]);
    assert_eq!(seqs(ReceiptQuery { source: Some("other".into()), ..ReceiptQuery::default() }).await, [0_i64; 0]);
    assert_eq!(seqs(ReceiptQuery { after_seq: Some(2), ..ReceiptQuery::default() }).await, [3, 4]);
}

#[tokio::test]
async fn a_correction_removes_the_old_rows_from_every_table() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3), ("event_tags", 2), ("_quarantine", 1)])]).await;
    house.run(2, &[load(2, 1, &[("events", 2), ("event_tags", 2), ("_quarantine", 1)])]).await;
    // The new generation has rows in one table only.
    house.run(3, &[load(1, 2, &[("events", 4)])]).await;
    let expected =
        expect(&[("_quarantine", &[(2, 1, 1)]), ("event_tags", &[(2, 1, 2)]), ("events", &[(1, 2, 4), (2, 1, 2)])]);
    assert_eq!(house.shown().await, expected);
    assert_eq!(house.shown().await["events"], house.newest().await["events"]);
    // Forgetting is a generation without rows.
    house.run(4, &[load(2, 2, &[])]).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 2, 4)])]));
}

#[tokio::test]
async fn files_that_hold_other_keys_are_rewritten() {
    let house = House::new().await;
    let group = [load(1, 1, &[("events", 3)]), load(2, 1, &[("events", 20_000)]), load(4, 1, &[("events", 2)])];
    house.run(1, &group).await;
    house.run(2, &[load(3, 1, &[("events", 1)])]).await;
    let observer = StopAt::default();
    let staged = house.stage(3, &[load(2, 2, &[("events", 5)]), load(4, 2, &[("events", 6)])]).await;
    house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await.unwrap();
    assert!(observer.passed.lock().unwrap().contains(&"rewritten:events".to_owned()));
    let expected = expect(&[("events", &[(1, 1, 3), (2, 2, 5), (3, 1, 1), (4, 2, 6)])]);
    assert_eq!(house.shown().await, expected);
    let files = &house.lake.snapshot().await.unwrap().tables["events"].files;
    let rewritten = files.iter().find(|file| file.path.contains("-events-v3-")).unwrap();
    assert_eq!((rewritten.rows, rewritten.object_min, rewritten.object_max), (3, (1 << 20) + 1, (1 << 20) + 1));
    // Key 1 lies between: a file whose range only seems to hold the key is left alone.
    house.run(4, &[load(5, 2, &[("events", 1)])]).await;
    assert_eq!(house.lake.snapshot().await.unwrap().tables["events"].files.len(), 4);
}

#[tokio::test]
async fn publishing_again_changes_nothing() {
    let house = House::new().await;
    let first = house.stage(1, &[load(1, 1, &[("events", 3)])]).await;
    let published = house.publish(&first).await;
    assert_eq!(house.publish(&first).await, published);
    assert_eq!(house.another().await.publish(&first, 1, LEDGER, NOW, &NoObserver).await.unwrap(), published);
    let second = house.run(2, &[load(2, 1, &[("events", 1)])]).await;
    // A slow publisher of the first batch hears of the newest vector.
    assert_eq!(house.publish(&first).await.vector, second.vector);
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 3), (2, 1, 1)])]));
}

#[tokio::test]
async fn a_seq_under_another_batch_stops_the_publisher() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)])]).await;
    let other = house.stage(1, &[load(2, 1, &[("events", 3)])]).await;
    let error = house.lake.publish(&other, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::Fenced);

    // Also where only a data table has it yet.
    let half = house.stage(2, &[load(3, 1, &[("events", 1)])]).await;
    let stop = StopAt { stop: Some(2), ..StopAt::default() };
    house.lake.publish(&half, 1, LEDGER, NOW, &stop).await.unwrap_err();
    assert_eq!(stop.passed.lock().unwrap().last().unwrap(), "between:events");
    let other = house.stage(2, &[load(4, 1, &[("events", 1)])]).await;
    let error = house.lake.publish(&other, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::Fenced);
    let message = error.message.replace(&half.manifest.batch_id, "HALF").replace(&other.manifest.batch_id, "OTHER");
    assert_snapshot!(message, @"table `events`, seq 2: expected batch `OTHER`, found `HALF`");
}

/// An older copy of the ledger counts the same places of the queue again; what it stages there must not pass as done.
#[tokio::test]
async fn a_lower_seq_under_another_batch_stops_the_publisher_too() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)])]).await;
    house.run(2, &[load(2, 1, &[("events", 3)])]).await;
    let other = house.stage(1, &[load(3, 1, &[("events", 3)])]).await;
    let error = house.lake.publish(&other, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::Fenced);
    assert!(error.hint.unwrap().contains("ledger rebuild"));
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 3), (2, 1, 3)])]));
}

/// A table that is away for a moment (a wrong mount, half a restore) must not be taken for an empty one.
#[tokio::test]
async fn a_table_that_is_older_than_the_receipts_or_gone_stops_the_publisher() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3), ("event_tags", 2)])]).await;
    std::fs::rename(house.path("event_tags"), house.path("_away")).unwrap();
    let staged = house.stage(2, &[load(2, 1, &[("events", 1)])]).await;
    let other = house.another().await;
    let error = other.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixSettings);
    assert_snapshot!(error.message, @"table `event_tags`: expected version 1 or a later one, found no such table");
    std::fs::rename(house.path("_away"), house.path("event_tags")).unwrap();
    house.publish(&staged).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 3), (2, 1, 1)]), ("event_tags", &[(1, 1, 2)])]));
}

#[tokio::test]
async fn points_are_passed_in_the_order_of_the_protocol() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3), ("_quarantine", 1)])]).await;
    let observer = StopAt::default();
    let staged = house.stage(2, &[load(2, 1, &[("events", 1), ("event_tags", 1)])]).await;
    house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await.unwrap();
    assert_snapshot!(observer.passed.lock().unwrap().join(" "), @"looked:_quarantine between:_quarantine looked:event_tags made:event_tags looked:event_tags put:event_tags between:event_tags looked:events put:events between:events before-receipt looked:_receipts receipted");
}

#[tokio::test]
async fn a_batch_without_rows_is_a_receipt() {
    let house = House::new().await;
    let published = house.run(1, &[load(1, 1, &[])]).await;
    assert!(published.vector.is_empty());
    assert_eq!(house.lake.receipts(&ReceiptQuery::default()).await.unwrap().len(), 1);
    assert_eq!(house.lake.snapshot().await.unwrap().seq, 1);
}
