//! `_receipts` and `_runs` merge their own files.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use stillhouse_lake::{NoObserver, ReceiptQuery, RunQuery, RunRow};

use crate::kit::{House, LEDGER, NOW, StopAt, load, read_parquet};

/// Sorted texts of `receipt` and `kind`, as an independent reader of the newest version finds them.
async fn rows_of(house: &House, table: &str, column: &str) -> Vec<String> {
    use arrow::array::AsArray as _;
    let delta = house.delta(table).await;
    let files: Vec<String> = delta.snapshot().unwrap().log_data().iter().map(|file| file.path().to_string()).collect();
    let mut rows = Vec::new();
    for file in files {
        for batch in read_parquet(&house.path(table).join(file)) {
            let values = batch.column_by_name(column).unwrap().as_string::<i32>();
            rows.extend(values.iter().map(|value| value.unwrap_or_default().to_owned()));
        }
    }
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_merge_their_files_and_lose_nothing() {
    let house = House::new().await;
    house.lake.raise_epoch("first", NOW, &NoObserver).await.unwrap();
    for seq in 1..=40 {
        house.run(seq, &[load(2 * seq, 1, &[]), load(2 * seq + 1, 1, &[])]).await;
    }
    assert_eq!(house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap(), 2);
    for seq in 41..=100 {
        let staged = house.stage(seq, &[load(2 * seq, 1, &[]), load(2 * seq + 1, 1, &[])]).await;
        house.lake.publish(&staged, 2, LEDGER, NOW + seq, &NoObserver).await.unwrap();
    }
    assert!(house.files("_receipts").await <= 36, "{}", house.files("_receipts").await);
    let lake = house.another().await;
    let receipts = lake.receipts(&ReceiptQuery { whole: true, ..ReceiptQuery::default() }).await.unwrap();
    let seqs: Vec<(i64, i64)> = receipts.iter().map(|row| (row.seq, row.key_number)).collect();
    assert_eq!(seqs, (2..=201).map(|key| (key / 2, key)).collect::<Vec<_>>());
    let pieces: Vec<_> = lake.receipts_in_pieces(&ReceiptQuery::default()).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 1);
    let seqs: Vec<i64> = pieces.iter().flatten().map(|row| row.seq).collect();
    assert!(seqs.len() == 200 && seqs.is_sorted(), "{seqs:?}");
    assert_eq!(lake.receipts_epoch().await.unwrap(), Some((2, LEDGER.to_owned())));
    assert_eq!(lake.snapshot().await.unwrap().seq, 100);
    let kinds = rows_of(&house, "_receipts", "kind").await;
    assert_eq!((kinds.len(), kinds.iter().filter(|kind| *kind == "epoch").count()), (202, 2));
    let distinct: BTreeSet<String> = rows_of(&house, "_receipts", "receipt").await.into_iter().collect();
    assert_eq!(distinct.len(), 201);
    // A slow publisher of an early batch finds it in a merged file.
    let query = ReceiptQuery { after_seq: Some(2), key_number: Some(7), ..ReceiptQuery::default() };
    assert_eq!(lake.receipts(&query).await.unwrap().len(), 1);
    let configured = house.delta("_receipts").await.snapshot().unwrap().metadata().configuration().clone();
    assert_eq!(configured["delta.deletedFileRetentionDuration"], "interval 0 seconds");
}

#[tokio::test]
async fn a_publisher_that_stops_at_a_merge_costs_only_a_file() {
    let house = House::new().await;
    for seq in 1..=32 {
        house.run(seq, &[load(seq, 1, &[])]).await;
    }
    let staged = house.stage(33, &[load(33, 1, &[("events", 1)])]).await;
    let mut merged = 0;
    for stop in 0.. {
        let observer = StopAt { stop: Some(stop), ..StopAt::default() };
        let stopped = house.another().await.publish(&staged, 1, LEDGER, NOW, &observer).await;
        let passed = observer.passed.into_inner().unwrap();
        let last = passed.last().map_or("", String::as_str);
        merged += usize::from(last == "rewritten:_receipts");
        let expected = if stopped.is_ok() || last == "receipted" { 33 } else { 32 };
        assert_eq!(house.lake.receipts(&ReceiptQuery::default()).await.unwrap().len(), expected);
        if stopped.is_ok() {
            break;
        }
    }
    assert_eq!(merged, 1);
    assert_eq!(house.files("_receipts").await, 2);
}

/// Housekeeping never stands in the way of a commit.
#[tokio::test]
async fn a_damaged_file_is_not_merged_and_stops_no_commit() {
    let house = House::new().await;
    for seq in 1..=32 {
        house.run(seq, &[load(seq, 1, &[])]).await;
    }
    let files = house.lake.snapshot().await.unwrap().tables["_receipts"].files.clone();
    std::fs::write(house.path("_receipts").join(&files[5].path), "no Parquet").unwrap();
    house.run(33, &[load(33, 1, &[])]).await;
    assert_eq!(house.files("_receipts").await, 33);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_all_there_after_merges() {
    let house = House::new().await;
    let run = |number: i64| RunRow { run_id: format!("run-{number:03}"), finished_at: number, ..RunRow::default() };
    for number in 0..70 {
        house.lake.append_run(&run(number), NOW).await.unwrap();
        house.another().await.append_run(&run(number / 2), NOW).await.unwrap();
    }
    assert_eq!(house.lake.runs(&RunQuery::default()).await.unwrap(), (0..70).map(run).collect::<Vec<_>>());
    assert!(house.files("_runs").await <= 33);
    assert_eq!(rows_of(&house, "_runs", "run_id").await.len(), 70);
}
