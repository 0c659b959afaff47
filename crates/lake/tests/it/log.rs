//! Logs as others write and damage them, and what delta-rs reads out of ours.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use futures::StreamExt as _;
use insta::assert_snapshot;
use stillhouse_lake::{Kind, Lake, NoObserver};

use crate::kit::{House, LEDGER, NOW, expect, load};

#[tokio::test]
async fn delta_rs_finds_the_same_files_transactions_and_rows() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3), ("event_tags", 1)]), load(2, 1, &[("events", 1)])]).await;
    house.run(2, &[load(1, 2, &[("events", 2)])]).await;
    let snapshot = house.lake.snapshot().await.unwrap();
    for table in ["events", "event_tags", "_receipts"] {
        let delta = house.delta(table).await;
        let state = delta.snapshot().unwrap();
        let ours = &snapshot.tables[table];
        assert_eq!(delta.version(), Some(u64::try_from(ours.version).unwrap()));
        let theirs: BTreeSet<_> = state.log_data().iter().map(|f| (f.path().to_string(), f.size())).collect();
        let files = ours.files.iter().map(|f| (f.path.clone(), i64::try_from(f.size).unwrap()));
        assert_eq!(theirs, files.collect());
        let log = delta.log_store();
        let seq = state.snapshot().transaction_version(log.as_ref(), "stillhouse/seq").await.unwrap();
        let epoch = state.snapshot().transaction_version(log.as_ref(), "stillhouse/epoch").await.unwrap();
        assert_eq!((seq, epoch), (Some(2), Some(1)), "{table}");
        assert_eq!((state.protocol().min_reader_version(), state.protocol().min_writer_version()), (1, 2));
        let rows: usize = state.log_data().iter().map(|file| file.num_records().unwrap()).sum();
        assert_eq!(u64::try_from(rows).unwrap(), ours.rows());
    }
    // The manifest can be read from the table's history; the entry that made the table is no batch's.
    let history: Vec<_> = house.delta("event_tags").await.history(None).collect().await;
    let notes: Vec<_> = history.iter().map(|entry| &entry.as_ref().unwrap().info["stillhouse"]).collect();
    let [_, note, made] = notes[..] else { panic!("{notes:?}") };
    assert!(made.get("batch").is_none() && made.get("manifest").is_none() && made["epoch"] == 1, "{made}");
    assert_eq!((note["seq"].as_i64(), note["manifest"]["members"].as_array().unwrap().len()), (Some(1), 2));
}

#[tokio::test]
async fn actions_that_we_do_not_know_are_left_out() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)])]).await;
    let mut log = std::fs::File::create(house.path("events/_delta_log/00000000000000000002.json")).unwrap();
    writeln!(log, r#"{{"commitInfo":{{"timestamp":1,"operation":"OPTIMIZE","operationMetrics":{{"a":1}}}}}}"#).unwrap();
    writeln!(log, r#"{{"somethingNew":{{"path":"x"}}}}"#).unwrap();
    writeln!(log, r#"{{"domainMetadata":{{"domain":"d","configuration":"","removed":false}}}}"#).unwrap();
    writeln!(log, r#"{{"txn":{{"appId":"somebody","version":7,"lastUpdated":5}}}}"#).unwrap();
    writeln!(log).unwrap();
    drop(log);
    let published = house.run(2, &[load(2, 1, &[("events", 1)])]).await;
    assert_eq!(published.vector["events"], 3);
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 3), (2, 1, 1)])]));
}

async fn refusal(house: &House, entry: &str) -> stillhouse_lake::Error {
    std::fs::write(house.path("events/_delta_log/00000000000000000002.json"), entry).unwrap();
    let staged = house.stage(2, &[load(2, 1, &[("events", 1)])]).await;
    let error = house.lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert!(error.hint.is_some());
    error
}

#[tokio::test]
async fn damaged_and_foreign_logs_are_refused_by_name() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)])]).await;
    let error = refusal(&house, "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n{\"add\":{\"path\":\"a.par").await;
    assert_eq!(error.kind, Kind::FixData);
    assert_snapshot!(error.message, @"table `events`, log entry 2, line 2: expected a Delta action, found something unreadable: EOF while parsing a string at line 1 column 21");
    let protocol = refusal(
        &house,
        r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":[]}}"#,
    )
    .await;
    assert_snapshot!(protocol.message, @"table `events`, version 2: expected reader and writer version 1 and 2, found 3 and 7");
    let vector = r#"{"add":{"path":"a","size":1,"modificationTime":1,"dataChange":true,"partitionValues":{},"deletionVector":{"storageType":"u"}}}"#;
    assert_snapshot!(refusal(&house, vector).await.message, @"table `events`, version 2: expected plain files, found a deletion vector");
    let newer = refusal(&house, r#"{"commitInfo":{"stillhouse":{"format":3,"epoch":1,"ledger_id":"x"}}}"#).await;
    assert_eq!(newer.kind, Kind::FixSettings);
    // The snapshot does not need the damaged version.
    let reader = Lake::open_to_read(Arc::clone(&house.store));
    assert_eq!(reader.snapshot().await.unwrap().tables["events"].rows(), 3);
}

#[tokio::test]
async fn a_missing_data_file_and_a_missing_version_are_told_apart() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)]), load(2, 1, &[("events", 3)])]).await;
    let file = house.lake.snapshot().await.unwrap().tables["events"].files[0].path.clone();
    std::fs::remove_file(house.path("events").join(&file)).unwrap();
    let staged = house.stage(2, &[load(2, 2, &[("events", 1)])]).await;
    let error = house.lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData);
    assert_snapshot!(error.message.replace(&file, "FILE"), @"`events/FILE`: expected a file that the log names, found none");

    std::fs::remove_dir_all(house.path("events/_delta_log")).unwrap();
    let error = Lake::open_to_read(Arc::clone(&house.store)).snapshot().await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData);
}
