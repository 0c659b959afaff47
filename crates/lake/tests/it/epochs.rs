//! Fences, withdrawing and what a rebuilt ledger reads.

use stillhouse_lake::{Error, Kind, NoObserver, Observer, Staged};

use crate::kit::{House, LEDGER, NOW, StopAt, expect, load};

/// Stops a publisher where it first comes to the point.
struct Stop<'a>(&'a str);

impl Observer for Stop<'_> {
    fn at(&self, point: &str) -> Result<(), Error> {
        if point == self.0 { Err(Error::stopped(point)) } else { Ok(()) }
    }
}

/// Publishes until the point, then stops.
pub async fn publish_half(house: &House, staged: &Staged, epoch: i64, point: &str) {
    let error = house.lake.publish(staged, epoch, LEDGER, NOW, &Stop(point)).await.unwrap_err();
    let stopped = Error::stopped(point);
    assert_eq!((error.kind, error.message), (stopped.kind, stopped.message));
}

#[tokio::test]
async fn epochs_count_up_and_name_their_ledger() {
    let house = House::new().await;
    assert_eq!(house.lake.receipts_epoch().await.unwrap(), None);
    assert_eq!(house.lake.raise_epoch("a", NOW, &NoObserver).await.unwrap(), 1);
    assert_eq!(house.lake.receipts_epoch().await.unwrap(), Some((1, "a".to_owned())));
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    assert_eq!(house.lake.receipts_epoch().await.unwrap(), Some((1, "a".to_owned())));
    let other = house.another().await;
    assert_eq!(other.raise_epoch("b", NOW, &NoObserver).await.unwrap(), 2);
    assert_eq!(house.lake.receipts_epoch().await.unwrap(), Some((2, "b".to_owned())));
    // Receipts are not disturbed by rows of epochs.
    assert_eq!(house.lake.receipts(&stillhouse_lake::ReceiptQuery::default()).await.unwrap().len(), 1);
    assert_eq!(house.lake.snapshot().await.unwrap().seq, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_raise_at_once_get_different_epochs() {
    let house = House::new().await;
    let (a, b) = (house.another().await, house.another().await);
    let a = tokio::spawn(async move { a.raise_epoch("a", NOW, &NoObserver).await.unwrap() });
    let b = tokio::spawn(async move { b.raise_epoch("b", NOW, &NoObserver).await.unwrap() });
    let (a, b) = (a.await.unwrap(), b.await.unwrap());
    assert_eq!([a.min(b), a.max(b)], [1, 2]);
    let owner = if a > b { "a" } else { "b" };
    assert_eq!(house.lake.receipts_epoch().await.unwrap(), Some((2, owner.to_owned())));
}

#[tokio::test]
async fn a_fence_stops_the_older_epoch_everywhere() {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house.run(1, &[load(1, 1, &[("events", 1), ("event_tags", 1)])]).await;
    let shown = house.shown().await;
    for point in ["looked:event_tags", "put:event_tags", "between:event_tags", "before-receipt"] {
        let staged = house.stage(2, &[load(2, 1, &[("events", 1)]), load(3, 1, &[("event_tags", 1)])]).await;
        let epoch = house.lake.receipts_epoch().await.unwrap().unwrap().0;
        publish_half(&house, &staged, epoch, point).await;
        let fencer = house.another().await;
        let new = fencer.raise_epoch("new", NOW, &NoObserver).await.unwrap();
        fencer.fence_tables(new, "new", NOW, &NoObserver).await.unwrap();
        let error = house.lake.publish(&staged, epoch, LEDGER, NOW, &NoObserver).await.unwrap_err();
        assert_eq!(error.kind, Kind::Fenced);
        assert_eq!(house.shown().await, shown);
        // The newer epoch rolls it forward from what the log says, or finds that no table has it.
        let pending = fencer.pending_manifests().await.unwrap();
        let present = fencer.batch_present(&staged.manifest.batch_id, 2).await.unwrap();
        if point == "looked:event_tags" {
            assert!(pending.is_empty() && present.is_empty());
            continue;
        }
        assert_eq!(pending, [staged]);
        assert!(present.contains(&"event_tags".to_owned()), "{present:?}");
        assert_eq!(fencer.largest_seq().await.unwrap(), 2);
        fencer.publish(&pending[0], new, "new", NOW, &NoObserver).await.unwrap();
        let expected = expect(&[("event_tags", &[(1, 1, 1), (3, 1, 1)]), ("events", &[(1, 1, 1), (2, 1, 1)])]);
        assert_eq!(house.shown().await, expected);
        assert!(fencer.pending_manifests().await.unwrap().is_empty());
        return;
    }
}

#[tokio::test]
async fn fences_may_be_put_up_again() {
    let house = House::new().await;
    let observer = StopAt::default();
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    let epoch = house.lake.raise_epoch("new", NOW, &observer).await.unwrap();
    house.lake.fence_tables(epoch, "new", NOW, &observer).await.unwrap();
    let version = house.delta("events").await.version();
    house.another().await.fence_tables(epoch, "new", NOW, &observer).await.unwrap();
    assert_eq!(house.delta("events").await.version(), version);
    let error = house.lake.fence_tables(epoch - 1, "old", NOW, &NoObserver).await;
    assert!(epoch == 1 || error.unwrap_err().kind == Kind::Fenced);
    let passed = observer.passed.lock().unwrap().join(" ");
    assert_eq!(passed, "looked:_receipts epoch-in-R fenced:events fenced-all fenced:events fenced-all");
}

#[tokio::test]
async fn the_manifest_is_in_the_first_commit_whichever_table_that_is() {
    for tables in [vec![("_quarantine", 1), ("events", 1)], vec![("zoo", 1)], vec![("event_tags", 1), ("zoo", 2)]] {
        let house = House::new().await;
        house.run(1, &[load(1, 1, &[("events", 1), ("event_tags", 1), ("_quarantine", 1)])]).await;
        let staged = house.stage(2, &[load(2, 1, &tables)]).await;
        publish_half(&house, &staged, 1, &format!("put:{}", tables[0].0)).await;
        assert_eq!(house.lake.pending_manifests().await.unwrap(), [staged]);
    }
}

#[tokio::test]
async fn a_table_made_by_a_publisher_that_was_fenced_out_is_cleared() {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    // Staged, seen by nobody: its ledger is lost before anything was put. Its seq is far ahead.
    let lost = house.stage(9, &[load(2, 1, &[("sessions", 4)])]).await;
    let stale = house.another().await;
    let fencer = house.another().await;
    let new = fencer.raise_epoch("new", NOW, &NoObserver).await.unwrap();
    fencer.fence_tables(new, "new", NOW, &NoObserver).await.unwrap();
    assert!(fencer.pending_manifests().await.unwrap().is_empty());
    // The table was not there, so it could not be fenced: the stale publisher makes it, and is stopped after its rows.
    // (Ours does not come so far, since it looks at `_receipts` before; here `_receipts` and `events` are shown to it as
    // they were before the fence.)
    let receipts = house.path("_receipts/_delta_log/00000000000000000002.json");
    let events = house.path("events/_delta_log/00000000000000000002.json");
    for path in [&receipts, &events] {
        std::fs::rename(path, path.with_extension("away")).unwrap();
    }
    let stop = StopAt { stop: Some(6), ..StopAt::default() };
    stale.publish(&lost, 1, LEDGER, NOW, &stop).await.unwrap_err();
    assert_eq!(stop.passed.lock().unwrap().last().unwrap(), "between:sessions");
    for path in [&receipts, &events] {
        std::fs::rename(path.with_extension("away"), path).unwrap();
    }
    assert_eq!(house.newest().await["sessions"], [((2, 1), 4)].into());
    // Not its batch: what is there is no complete batch's, and goes, though its seq is higher.
    let next = house.stage(2, &[load(3, 1, &[("events", 1), ("sessions", 1)])]).await;
    fencer.publish(&next, new, "new", NOW, &NoObserver).await.unwrap();
    let expected = expect(&[("events", &[(1, 1, 1), (3, 1, 1)]), ("sessions", &[(3, 1, 1)])]);
    assert_eq!(house.shown().await, expected);
    assert_eq!(house.newest().await, expected);
    let error = stale.publish(&lost, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::Fenced);
}

#[tokio::test]
async fn a_table_cleared_where_the_next_batch_does_not_touch_it() {
    let house = House::new().await;
    // A batch that was begun and withdrawn after its table could no longer be fenced.
    let orphan = house.stage(1, &[load(1, 1, &[("sessions", 2)])]).await;
    publish_half(&house, &orphan, 1, "put:sessions").await;
    house.run(2, &[load(2, 1, &[("events", 1)])]).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(2, 1, 1)])]));
    house.run(3, &[load(3, 1, &[("sessions", 1)])]).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(2, 1, 1)]), ("sessions", &[(3, 1, 1)])]));
}

/// At one point, another copy of the ledger commits its own batch to `_quarantine` and is stopped.
struct Beside<'a> {
    house: &'a House,
    half: &'a Staged,
    stop: &'a str,
}

impl Observer for Beside<'_> {
    fn at(&self, point: &str) -> Result<(), Error> {
        if point == "looked:events" {
            let half = Box::pin(publish_half(self.house, self.half, 1, "put:_quarantine"));
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(half));
        }
        Stop(self.stop).at(point)
    }
}

/// Two copies of one ledger have another batch each at the second place of the queue. The first one, which corrects an
/// object, is in `_quarantine` only; the other one in `events` only, and complete if nothing stops it.
async fn two_copies(house: &House, stop: &str) -> Staged {
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house.run(1, &[load(1, 1, &[("_quarantine", 2), ("events", 3)])]).await;
    let half = house.stage(2, &[load(1, 2, &[("_quarantine", 1), ("events", 1)])]).await;
    let other = house.stage(2, &[load(3, 1, &[("events", 1)])]).await;
    let beside = Beside { house, half: &half, stop };
    let published = house.another().await.publish(&other, 1, LEDGER, NOW, &beside).await;
    assert_eq!(published.is_ok(), stop.is_empty());
    for staged in [&half, &other] {
        let stuck = house.lake.publish(staged, 1, LEDGER, NOW, &NoObserver).await;
        assert!(stop.is_empty() && staged == &other || stuck.unwrap_err().kind == Kind::Fenced);
    }
    half
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_copy_of_a_ledger_left_half_done_is_undone_by_a_rebuild() {
    let house = House::new().await;
    let half = two_copies(&house, "").await;
    let shown = expect(&[("_quarantine", &[(1, 1, 2)]), ("events", &[(1, 1, 3), (3, 1, 1)])]);
    assert_eq!(house.shown().await, shown);
    assert_eq!(house.newest().await["_quarantine"], [((1, 2), 1)].into(), "nobody sees that");
    let lake = house.another().await;
    let epoch = lake.raise_epoch("new", NOW, &NoObserver).await.unwrap();
    lake.fence_tables(epoch, "new", NOW, &NoObserver).await.unwrap();
    assert_eq!(lake.undo_strangers(epoch, "new", NOW, &NoObserver).await.unwrap(), 1);
    assert_eq!(lake.undo_strangers(epoch, "new", NOW, &NoObserver).await.unwrap(), 0);
    assert!(lake.pending_manifests().await.unwrap().is_empty());
    assert_eq!(house.newest().await, shown);
    let again = Staged { seq: 3, ..half };
    lake.publish(&again, epoch, "new", NOW, &NoObserver).await.unwrap();
    let expected = expect(&[("_quarantine", &[(1, 2, 1)]), ("events", &[(1, 2, 1), (3, 1, 1)])]);
    assert_eq!(house.shown().await, expected);
    assert_eq!(house.newest().await, expected);
}

/// Stopped in between, the rebuild begins again and undoes the rest: the manifest of a batch went with the first table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_batches_half_done_at_once_are_both_undone() {
    let house = House::new().await;
    two_copies(&house, "before-receipt").await;
    let lake = house.another().await;
    let epoch = lake.raise_epoch("new", NOW, &NoObserver).await.unwrap();
    lake.fence_tables(epoch, "new", NOW, &NoObserver).await.unwrap();
    let stop = Stop("undone:_quarantine");
    lake.undo_strangers(epoch, "new", NOW, &stop).await.unwrap_err();
    let lake = house.another().await;
    let epoch = lake.raise_epoch("newer", NOW, &NoObserver).await.unwrap();
    lake.fence_tables(epoch, "newer", NOW, &NoObserver).await.unwrap();
    assert_eq!(lake.undo_strangers(epoch, "newer", NOW, &NoObserver).await.unwrap(), 1);
    assert!(lake.pending_manifests().await.unwrap().is_empty());
    let shown = expect(&[("_quarantine", &[(1, 1, 2)]), ("events", &[(1, 1, 3)])]);
    assert_eq!(house.shown().await, shown);
    assert_eq!(house.newest().await, shown);
}
