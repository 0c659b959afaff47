//! Tables that a batch makes. What is not there cannot be fenced: so they are made empty, and rows go in only after
//! another look at `_receipts`.

use std::sync::Mutex;

use arrow::datatypes::{DataType, Field, Schema};
use stillhouse_lake::{CleanedLog, Error, Kind, ManifestKind, NoObserver, Observer, Staged, delta_schema};

use crate::epochs::publish_half;
use crate::kit::{House, LEDGER, NOW, Shown, expect, load};

/// At one point, another ledger takes the lake over: it fences, rolls forward what it finds, and does its own work.
/// Then the publisher goes on.
struct TakeOver<'a> {
    at: usize,
    house: &'a House,
    /// What the new ledger does where it finds the batch, and where it does not.
    own: &'a [Staged; 2],
    passed: Mutex<Vec<String>>,
    /// Whether the new ledger found the batch, half or whole.
    found: Mutex<Option<bool>>,
}

impl<'a> TakeOver<'a> {
    fn new(house: &'a House, own: &'a [Staged; 2], at: usize) -> Self {
        Self { at, house, own, passed: Mutex::default(), found: Mutex::default() }
    }

    async fn take_over(&self) -> bool {
        let lake = self.house.another().await;
        let epoch = lake.raise_epoch("new", NOW, &NoObserver).await.unwrap();
        lake.fence_tables(epoch, "new", NOW, &NoObserver).await.unwrap();
        let pending = lake.pending_manifests().await.unwrap();
        for staged in &pending {
            lake.publish(staged, epoch, "new", NOW, &NoObserver).await.unwrap();
        }
        let seq = lake.largest_seq().await.unwrap();
        let is_complete = lake.snapshot().await.unwrap().seq == 2;
        assert!(is_complete || !pending.is_empty() || seq < 2, "a seq without its manifest");
        let own = Staged { seq: seq + 1, ..self.own[usize::from(!is_complete)].clone() };
        lake.publish(&own, epoch, "new", NOW, &NoObserver).await.unwrap();
        is_complete
    }
}

impl Observer for TakeOver<'_> {
    fn at(&self, point: &str) -> Result<(), Error> {
        let mut passed = self.passed.lock().unwrap();
        passed.push(point.to_owned());
        if passed.len() == self.at + 1 {
            let take_over = Box::pin(self.take_over());
            let found = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(take_over));
            *self.found.lock().unwrap() = Some(found);
        }
        Ok(())
    }
}

/// The batch under test makes `event_tags` (and `events`, if nothing was loaded before).
async fn check_shut_out(is_first: bool, again: &[(&'static str, i64)], lost: &Shown) {
    let mut stopped_before_rows = 0;
    for at in 0.. {
        let house = House::new().await;
        house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
        if !is_first {
            house.run(1, &[load(1, 1, &[("events", 1)])]).await;
        }
        let staged = house.stage(2, &[load(2, 1, &[("event_tags", 2), ("events", 3)])]).await;
        let next = house.stage(3, &[load(3, 1, &[("events", 1)])]).await;
        let instead = if again.is_empty() { next.clone() } else { house.stage(2, &[load(2, 1, again)]).await };
        let own = [next, instead];
        let observer = TakeOver::new(&house, &own, at);
        let published = house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await;
        let point = observer.passed.lock().unwrap().get(at).cloned();
        let Some(point) = point else { break };
        let found = observer.found.lock().unwrap().unwrap();
        if point == "receipted" {
            published.unwrap();
        } else {
            assert_eq!(published.unwrap_err().kind, Kind::Fenced, "{point}");
        }
        let mut expected = lost.clone();
        if found {
            expected = expect(&[("event_tags", &[(2, 1, 2)]), ("events", &[(2, 1, 3), (3, 1, 1)])]);
        } else {
            stopped_before_rows += 1;
        }
        if !is_first {
            expected.entry("events".into()).or_default().insert((1, 1), 1);
        }
        assert_eq!(house.shown().await, expected, "taken over at {point} ({at})");
        let mut newest = house.newest().await;
        newest.retain(|_, rows| !rows.is_empty());
        assert_eq!(newest, expected, "taken over at {point} ({at})");
    }
    assert_eq!(stopped_before_rows, 3, "before the table was made, after that, and after the second look at it");
}

/// Nobody had begun with the batch, and the new ledger loads other things.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_shut_out_brings_no_rows_into_a_new_table() {
    let lost = expect(&[("events", &[(3, 1, 1)])]);
    check_shut_out(true, &[], &lost).await;
    check_shut_out(false, &[], &lost).await;
}

/// Nobody had begun with the batch, and the new ledger has decoded the same object again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decoded_again_for_a_new_table_is_there_once() {
    let again = [("event_tags", 2), ("events", 3)];
    let lost = expect(&[("event_tags", &[(2, 1, 2)]), ("events", &[(2, 1, 3)])]);
    check_shut_out(true, &again, &lost).await;
    check_shut_out(false, &again, &lost).await;
}

/// A lake in which `sessions` was just made, by a publisher that was then stopped; and its batch.
async fn just_made() -> (House, Staged) {
    let house = House::new().await;
    house.lake.raise_epoch(LEDGER, NOW, &NoObserver).await.unwrap();
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    let staged = house.stage(2, &[load(2, 1, &[("sessions", 2)])]).await;
    publish_half(&house, &staged, 1, "made:sessions").await;
    (house, staged)
}

#[tokio::test]
async fn a_table_that_was_just_made_is_empty_and_nobody_is_shown_it() {
    let (house, staged) = just_made().await;
    let delta = house.delta("sessions").await;
    assert_eq!(delta.version(), Some(0));
    assert_eq!(delta.snapshot().unwrap().log_data().num_files(), 0);
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 1)])]));
    assert!(!house.lake.snapshot().await.unwrap().tables.contains_key("sessions"));
    assert_eq!(house.lake.clean_log("sessions", 0, false).await.unwrap(), CleanedLog::default());
    house.another().await.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    // Rolled forward, it is not made again.
    assert_eq!(house.delta("sessions").await.version(), Some(1));
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 1)]), ("sessions", &[(2, 1, 2)])]));
}

#[tokio::test]
async fn a_table_that_was_just_made_tells_a_new_ledger_of_no_batch() {
    let (house, staged) = just_made().await;
    let lake = house.another().await;
    let epoch = lake.raise_epoch("new", NOW, &NoObserver).await.unwrap();
    lake.fence_tables(epoch, "new", NOW, &NoObserver).await.unwrap();
    assert_eq!(house.delta("sessions").await.version(), Some(1), "fenced like any other table");
    assert_eq!(lake.pending_manifests().await.unwrap(), []);
    assert_eq!(lake.largest_seq().await.unwrap(), 1);
    assert_eq!(lake.batch_present(&staged.manifest.batch_id, 2).await.unwrap(), [""; 0]);
    // The same object, decoded again under the same seq, by a ledger that starts where the lake does.
    let again = house.stage(2, &[load(2, 1, &[("sessions", 2)])]).await;
    lake.publish(&again, epoch, "new", NOW, &NoObserver).await.unwrap();
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 1)]), ("sessions", &[(2, 1, 2)])]));
    let error = house.lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::Fenced);
}

#[tokio::test]
async fn a_table_that_never_had_rows_takes_the_columns_of_its_first_batch() {
    let (house, _) = just_made().await;
    // The batch that made it was withdrawn, since its contract was wrong.
    let other = Schema::new(vec![Field::new("amount", DataType::Utf8, true)]);
    house.lake.check_schema("sessions", &other).await.unwrap().unwrap();
    let refused = house.lake.check_schema("events", &other).await.unwrap().unwrap_err();
    assert_eq!(refused.kind, Kind::FixData);
    let mut staged = house.stage(2, &[load(2, 1, &[])]).await;
    assert_eq!(staged.manifest.kind, ManifestKind::Load);
    let change = crate::kit::change(Vec::new());
    staged.manifest.tables.insert("sessions".into(), change);
    staged.manifest.tables.get_mut("sessions").unwrap().schema = delta_schema(&other).unwrap();
    house.lake.check(&staged.manifest).await.unwrap().unwrap();
    house.publish(&staged).await;
    let sessions = &house.lake.snapshot().await.unwrap().tables["sessions"];
    assert_eq!((sessions.version, sessions.rows()), (1, 0));
    assert_eq!(sessions.schema.as_ref(), &other);
    assert_eq!(house.delta("sessions").await.snapshot().unwrap().schema().fields().count(), 1);
    // From its first rows on, columns have to fit.
    let third = Schema::new(vec![Field::new("amount", DataType::Int64, true)]);
    house.lake.check_schema("sessions", &third).await.unwrap().unwrap();
    house.run(3, &[load(3, 1, &[("sessions", 1)])]).await;
    house.lake.check_schema("sessions", &other).await.unwrap().unwrap_err();
}
