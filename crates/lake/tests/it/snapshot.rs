//! Readers see whole batches and nothing else.

use std::sync::Arc;

use stillhouse_lake::{Lake, NoObserver};

use crate::kit::{House, LEDGER, NOW, StopAt, expect, load};

#[tokio::test]
async fn a_half_published_batch_is_not_shown() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2), ("event_tags", 2)])]).await;
    let reader = Lake::open_to_read(Arc::clone(&house.store));
    let before = reader.snapshot().await.unwrap();
    let staged = house.stage(2, &[load(1, 2, &[("events", 3)])]).await;
    let stop = StopAt { stop: Some(5), ..StopAt::default() };
    house.lake.publish(&staged, 1, LEDGER, NOW, &stop).await.unwrap_err();
    assert_eq!(stop.passed.lock().unwrap().last().unwrap(), "between:events");
    // A reader that knew the tables before, one that is new, and the publisher's own, which is ahead of the vector.
    for lake in [&reader, &Lake::open_to_read(Arc::clone(&house.store)), &house.lake] {
        let snapshot = lake.snapshot().await.unwrap();
        assert_eq!(snapshot.seq, 1);
        assert_eq!(snapshot.tables["events"].version, 1);
        assert_eq!(snapshot.tables["events"].files, before.tables["events"].files);
    }
    assert_eq!(house.newest().await["events"], [((1, 2), 3)].into());
    house.lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    let after = reader.snapshot().await.unwrap();
    assert_eq!((after.seq, after.tables["events"].version, after.tables["events"].rows()), (2, 2, 3));
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 2, 3)])]));
}

#[tokio::test]
async fn an_empty_lake_is_an_empty_snapshot() {
    let house = House::new().await;
    let snapshot = house.lake.snapshot().await.unwrap();
    assert_eq!(snapshot.seq, 0);
    assert!(snapshot.tables.is_empty());
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    let snapshot = house.lake.snapshot().await.unwrap();
    assert_eq!(snapshot.tables.keys().collect::<Vec<_>>(), ["_receipts"]);
}

#[tokio::test]
async fn a_table_without_a_complete_batch_is_absent() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    let staged = house.stage(2, &[load(2, 1, &[("sessions", 1)])]).await;
    let stop = StopAt { stop: Some(5), ..StopAt::default() };
    house.lake.publish(&staged, 1, LEDGER, NOW, &stop).await.unwrap_err();
    assert_eq!(stop.passed.lock().unwrap().last().unwrap(), "put:sessions");
    assert!(!house.lake.snapshot().await.unwrap().tables.contains_key("sessions"));
}
