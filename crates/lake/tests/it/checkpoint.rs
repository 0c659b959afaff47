//! Checkpoints change nothing but the time that opening takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use stillhouse_lake::{DataFile, Lake, NoObserver};

use crate::kit::{House, LEDGER, NOW, expect, id, load};

/// Everything that a lake shows, down to the statistics' text.
async fn all(lake: &Lake) -> BTreeMap<String, (i64, String, Vec<Arc<DataFile>>)> {
    let snapshot = lake.snapshot().await.unwrap();
    let table = |(name, table): (String, stillhouse_lake::TableSnapshot)| {
        (name, (table.version, format!("{:?}", table.schema), table.files))
    };
    snapshot.tables.into_iter().map(table).collect()
}

fn fresh(house: &House) -> Lake {
    Lake::open_to_read(Arc::clone(&house.store))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_from_a_checkpoint_is_the_state_from_scratch() {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house.run(1, &[load(1, 1, &[("events", 3), ("event_tags", 1)]), load(2, 1, &[("events", 1)])]).await;
    house.run(2, &[load(1, 2, &[("events", 2)])]).await;
    for table in ["events", "event_tags", "_receipts"] {
        house.lake.checkpoint(table).await.unwrap();
        assert!(house.path(table).join("_delta_log/_last_checkpoint").exists());
    }
    house.run(3, &[load(3, 1, &[("events", 2), ("event_tags", 2)])]).await;
    let with = all(&fresh(&house)).await;
    assert_eq!(with, all(&house.lake).await);
    // Take the checkpoints away from the one, and the log before them from the other.
    let away = |table: &str, name: &str| std::fs::remove_file(house.path(table).join("_delta_log").join(name)).unwrap();
    for table in ["events", "event_tags", "_receipts"] {
        away(table, "_last_checkpoint");
    }
    let without = all(&fresh(&house)).await;
    assert_eq!(with, without);
    house.lake.checkpoint("events").await.unwrap();
    away("events", "00000000000000000000.json");
    away("events", "00000000000000000001.json");
    away("events", "00000000000000000002.json");
    assert_eq!(all(&fresh(&house)).await, without);
    // Publishing goes on from a checkpoint: seq and epoch are in it, and the batch of a seq is looked up in the log.
    let staged = house.stage(4, &[load(3, 2, &[("events", 5)])]).await;
    let lake = Lake::open(Arc::clone(&house.store), id()).await.unwrap();
    lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    let expected = expect(&[("events", &[(1, 2, 2), (2, 1, 1), (3, 2, 5)])]);
    assert_eq!(house.shown().await, expected);
    assert_eq!(house.newest().await["events"], expected["events"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_whose_commit_lies_behind_a_checkpoint_is_still_recognised() {
    let house = House::new().await;
    let staged = house.stage(1, &[load(1, 1, &[("events", 3)])]).await;
    house.publish(&staged).await;
    // The receipt is lost with its table; `events` is known only by its checkpoint.
    house.lake.checkpoint("events").await.unwrap();
    std::fs::remove_dir_all(house.path("_receipts")).unwrap();
    let lake = house.another().await;
    lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    assert_eq!(house.newest().await, expect(&[("events", &[(1, 1, 3)])]));
    assert_eq!(house.delta("events").await.version(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_come_every_hundred_versions_and_a_broken_one_costs_only_time() {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    for seq in 1..=100 {
        house.run(seq, &[load(seq, 1, &[("events", 1)])]).await;
    }
    let hint = house.path("events/_delta_log/_last_checkpoint");
    assert!(std::fs::read_to_string(&hint).unwrap().contains(r#""version":100"#));
    let whole = all(&fresh(&house)).await;
    assert_eq!(whole["events"].2.len(), 100);
    // The vector of an older receipt lies before the checkpoint.
    std::fs::remove_file(house.path("_receipts/_delta_log/_last_checkpoint")).unwrap();
    std::fs::rename(
        house.path("_receipts/_delta_log/00000000000000000100.json"),
        house.path("_receipts/_delta_log/00000000000000000100.away"),
    )
    .unwrap();
    let behind = fresh(&house).snapshot().await.unwrap();
    assert_eq!((behind.seq, behind.tables["events"].version, behind.tables["events"].files.len()), (99, 99, 99));
    std::fs::rename(
        house.path("_receipts/_delta_log/00000000000000000100.away"),
        house.path("_receipts/_delta_log/00000000000000000100.json"),
    )
    .unwrap();
    for damage in ["no Parquet", "gone"] {
        let checkpoint = house.path("events/_delta_log/00000000000000000100.checkpoint.parquet");
        match damage {
            "gone" => std::fs::remove_file(checkpoint).unwrap(),
            text => std::fs::write(checkpoint, text).unwrap(),
        }
        assert_eq!(all(&fresh(&house)).await, whole, "{damage}");
    }
    // A checkpoint that cannot be put fails no publish.
    let checkpoint = house.path("events/_delta_log/00000000000000000100.checkpoint.parquet");
    let _ = std::fs::remove_file(&checkpoint);
    std::fs::remove_file(&hint).unwrap();
    std::fs::create_dir_all(checkpoint.join("in the way")).unwrap();
    house.lake.checkpoint("events").await.unwrap_err();
    let lake = house.another().await;
    lake.publish(&house.stage(101, &[load(101, 1, &[("events", 1)])]).await, 1, LEDGER, NOW, &NoObserver)
        .await
        .unwrap();
    assert_eq!(house.shown().await["events"].len(), 101);
}
