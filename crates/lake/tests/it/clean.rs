//! Logs are cleaned up, and nobody who comes late takes their beginning for the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stillhouse_lake::{CleanedLog, Error, Kind, Lake, NoObserver, Observer, ReceiptQuery, RunRow, Staged};

use crate::kit::{House, LEDGER, NOW, StopAt, load};

fn entries(house: &House, table: &str) -> Vec<i64> {
    let names = std::fs::read_dir(house.path(table).join("_delta_log")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<i64> = names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
    versions.sort_unstable();
    versions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_and_runs_keep_a_few_hundred_entries() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)])]).await;
    let (stale, reader) = (house.another().await, Lake::open_to_read(Arc::clone(&house.store)));
    stale.snapshot().await.unwrap();
    reader.snapshot().await.unwrap();
    for seq in 2..=502 {
        house.run(seq, &[load(seq, 1, &[])]).await;
    }
    let left = entries(&house, "_receipts");
    assert_eq!((left[0], left.len()), (200, 302));
    assert_eq!(house.delta("_receipts").await.version(), Some(501));
    // Who knew the table before, and who is new.
    for lake in [&stale, &reader, &house.another().await] {
        assert_eq!(lake.snapshot().await.unwrap().seq, 502);
        assert_eq!(lake.receipts(&ReceiptQuery::default()).await.unwrap().len(), 502);
        assert_eq!(lake.largest_seq().await.unwrap(), 502);
    }
    let staged = house.stage(503, &[load(503, 1, &[("events", 1)])]).await;
    stale.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    assert_eq!(house.another().await.snapshot().await.unwrap().seq, 503);
    for number in 0..401 {
        let run = RunRow { run_id: format!("run-{number}"), ..RunRow::default() };
        house.lake.append_run(&run, NOW).await.unwrap();
    }
    assert_eq!(entries(&house, "_runs")[0], 100);
}

/// Between a look and a put of one publisher, another one goes on for so long that the log is cleaned up.
struct Overtaken<'a> {
    at: &'static str,
    done: AtomicBool,
    other: &'a Lake,
    staged: &'a [Staged],
}

impl Observer for Overtaken<'_> {
    fn at(&self, point: &str) -> Result<(), Error> {
        if point == self.at && !self.done.swap(true, Ordering::SeqCst) {
            for staged in self.staged {
                let publish = self.other.publish(staged, 1, LEDGER, NOW, &NoObserver);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(publish))?;
            }
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_into_a_place_that_was_cleaned_up_counts_for_nothing() {
    for at in ["looked:_receipts", "looked:events"] {
        let house = House::new().await;
        house.run(1, &[load(1, 1, &[("events", 2)])]).await;
        let mut staged = Vec::new();
        for seq in 2..=502 {
            let rows: &[(&'static str, i64)] = if seq <= 150 { &[("events", 1)] } else { &[] };
            staged.push(house.stage(seq, &[load(seq, 1, rows)]).await);
        }
        let slow = house.another().await;
        let other = house.another().await;
        let observer = Overtaken { at, done: AtomicBool::new(false), other: &other, staged: &staged };
        let published = {
            let first = &staged[0];
            // The log of `events` goes too, as maintenance would have it.
            let clean = CleanOnce { inner: &observer, lake: &other };
            slow.publish(first, 1, LEDGER, NOW, &clean).await.unwrap()
        };
        assert_eq!(published.vector["events"], 150, "{at}: the vector of now");
        assert_eq!(slow.snapshot().await.unwrap().seq, 502);
        // It lands in the place after what is really the last.
        let next = house.stage(503, &[load(503, 1, &[("events", 7)])]).await;
        let published = slow.publish(&next, 1, LEDGER, NOW, &NoObserver).await.unwrap();
        assert_eq!(published.vector["events"], 151);
        let shown = house.shown().await;
        assert_eq!((shown["events"].len(), shown["events"][&(503, 1)]), (151, 7));
        assert_eq!(house.another().await.receipts(&ReceiptQuery::default()).await.unwrap().len(), 503);
        assert_eq!(house.newest().await, shown);
    }
}

struct CleanOnce<'a> {
    inner: &'a Overtaken<'a>,
    lake: &'a Lake,
}

impl Observer for CleanOnce<'_> {
    fn at(&self, point: &str) -> Result<(), Error> {
        let before = self.inner.done.load(Ordering::SeqCst);
        self.inner.at(point)?;
        if !before && self.inner.done.load(Ordering::SeqCst) {
            let clean = self.lake.clean_log("events", i64::MAX, false);
            let cleaned = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(clean))?;
            assert!(cleaned.entries >= 100, "{cleaned:?}");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_data_table_goes_up_to_what_the_receipts_name() {
    let house = House::new().await;
    for seq in 1..=6 {
        house.run(seq, &[load(seq, 1, &[("events", 1)])]).await;
    }
    let lake = &house.lake;
    assert_eq!(lake.clean_log("events", 9, false).await.unwrap(), CleanedLog::default(), "no checkpoint, no cleaning");
    lake.checkpoint("events").await.unwrap();
    house.run(7, &[load(1, 2, &[("events", 4)])]).await;
    // Half a batch more, and a checkpoint of it: the receipts do not name that version.
    let staged = house.stage(8, &[load(8, 1, &[("events", 1), ("sessions", 1)])]).await;
    let stop = StopAt { stop: Some(3), ..StopAt::default() };
    lake.publish(&staged, 1, LEDGER, NOW, &stop).await.unwrap_err();
    lake.checkpoint("events").await.unwrap();
    let planned = lake.clean_log("events", i64::MAX, true).await.unwrap();
    assert_eq!((planned.entries, planned.checkpoints, planned.begins_with), (6, 0, Some(6)));
    assert_eq!(entries(&house, "events").len(), 9);
    assert_eq!(lake.clean_log("events", 5, false).await.unwrap(), CleanedLog::default());
    assert_eq!(lake.clean_log("events", i64::MAX, false).await.unwrap(), planned);
    assert_eq!(entries(&house, "events"), [6, 7, 8]);
    let fresh = house.another().await;
    assert_eq!(fresh.snapshot().await.unwrap().tables["events"].version, 7);
    assert_eq!(
        fresh.pending_manifests().await.unwrap(),
        std::slice::from_ref(&staged),
        "the half batch can be rolled forward"
    );
    fresh.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    assert_eq!(house.shown().await["events"].len(), 7);
    assert_eq!(house.shown().await["events"], house.newest().await["events"]);
}

/// Who was slow puts an entry into a slot that was emptied; who has not looked for as long does not read on from it.
#[tokio::test]
async fn nobody_reads_what_lies_in_a_place_that_was_cleaned_up() {
    let house = House::new().await;
    for seq in 1..=4 {
        house.run(seq, &[load(seq, 1, &[("events", 1)])]).await;
    }
    let reader = house.another().await;
    assert_eq!(reader.snapshot().await.unwrap().tables["events"].version, 4);
    let entry = |version: i64| house.path(&format!("events/_delta_log/{version:020}.json"));
    let slow = std::fs::read(entry(2)).unwrap();
    house.run(5, &[load(5, 1, &[("events", 1)])]).await;
    house.run(6, &[load(6, 1, &[("events", 1)])]).await;
    house.lake.checkpoint("events").await.unwrap();
    house.lake.clean_log("events", i64::MAX, false).await.unwrap();
    assert_eq!(entries(&house, "events"), [6]);
    std::fs::write(entry(5), slow).unwrap();
    assert_eq!(reader.snapshot().await.unwrap().tables["events"].rows(), 6);
    let seventh = house.stage(7, &[load(7, 1, &[("events", 1)])]).await;
    reader.publish(&seventh, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    assert_eq!(house.shown().await["events"].len(), 7);
    assert_eq!(house.newest().await, house.shown().await);
    // The next clean-up takes it away.
    house.lake.clean_log("events", i64::MAX, false).await.unwrap();
    assert_eq!(entries(&house, "events"), [6, 7]);
}

/// A log without its beginning is a damaged table, and never a new one.
#[tokio::test]
async fn a_log_without_beginning_and_checkpoint_is_refused() {
    let house = House::new().await;
    for seq in 1..=3 {
        house.run(seq, &[load(seq, 1, &[("events", 1)])]).await;
    }
    std::fs::remove_file(house.path("events/_delta_log/00000000000000000000.json")).unwrap();
    let staged = house.stage(4, &[load(4, 1, &[("events", 1)])]).await;
    let error = house.another().await.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData);
    insta::assert_snapshot!(error.message, @"table `events`: expected its newest version, found only later entries of its log");
    // Whoever knows the table goes on.
    house.publish(&staged).await;
    assert_eq!(house.lake.snapshot().await.unwrap().tables["events"].rows(), 4);
}

#[tokio::test]
async fn checkpoints_are_read_by_delta_rs() {
    let house = House::new().await;
    for seq in 1..=4 {
        house.run(seq, &[load(seq, 1, &[("events", seq)])]).await;
    }
    house.run(5, &[load(2, 2, &[("events", 9)])]).await;
    let before: Vec<String> = paths(&house).await;
    house.lake.checkpoint("events").await.unwrap();
    house.lake.clean_log("events", i64::MAX, false).await.unwrap();
    assert_eq!(entries(&house, "events"), [5]);
    let delta = house.delta("events").await;
    let state = delta.snapshot().unwrap();
    assert_eq!(paths(&house).await, before);
    let log = delta.log_store();
    let seq = state.snapshot().transaction_version(log.as_ref(), "stillhouse/seq").await.unwrap();
    assert_eq!((seq, state.protocol().min_writer_version()), (Some(5), 2));
    assert_eq!(state.metadata().configuration()["delta.deletedFileRetentionDuration"], "interval 1 days");
    let rows: usize = state.log_data().iter().map(|file| file.num_records().unwrap()).sum();
    assert_eq!(rows, 17);
    assert_eq!(state.schema().fields().len(), 5);
}

async fn paths(house: &House) -> Vec<String> {
    let delta = house.delta("events").await;
    let mut paths: Vec<String> =
        delta.snapshot().unwrap().log_data().iter().map(|file| file.path().to_string()).collect();
    paths.sort();
    paths
}
