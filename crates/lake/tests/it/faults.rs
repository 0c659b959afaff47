//! Crashes, unknown outcomes, two publishers: exactly once all the same.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use stillhouse_lake::{Error, Kind, Lake, NoObserver, Observer, ReceiptQuery, RunQuery, RunRow, Staged};

use crate::kit::{House, LEDGER, Load, NOW, Shown, StopAt, expect, id, load};

/// What stands before the batch under test: a group of two keys and one of another.
async fn before() -> House {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2), ("_quarantine", 1)]), load(2, 1, &[("events", 2)])]).await;
    house.run(2, &[load(3, 1, &[("events", 1), ("event_tags", 1)])]).await;
    house
}

/// A correction: replaces in three tables, rewrites in one, makes a fourth.
fn correction() -> Vec<Load> {
    vec![load(1, 2, &[("events", 3), ("sessions", 1)]), load(3, 2, &[("event_tags", 2)]), load(4, 1, &[("events", 1)])]
}

fn corrected() -> Shown {
    expect(&[("event_tags", &[(3, 2, 2)]), ("events", &[(1, 2, 3), (2, 1, 2), (4, 1, 1)]), ("sessions", &[(1, 2, 1)])])
}

async fn check_settled(house: &House, staged: &Staged) {
    assert_eq!(house.shown().await, corrected());
    let mut newest = house.newest().await;
    newest.retain(|_, rows| !rows.is_empty());
    assert_eq!(newest, corrected(), "newest versions are what the receipts say");
    let receipts = house.lake.receipts(&ReceiptQuery { after_seq: Some(2), ..ReceiptQuery::default() }).await.unwrap();
    assert_eq!(receipts.len(), 3);
    assert!(receipts.iter().all(|row| row.batch == staged.manifest.batch_id));
}

#[tokio::test]
async fn stopped_anywhere_and_published_again_by_another() {
    let mut points = Vec::new();
    for stop in 0.. {
        let house = before().await;
        let unchanged = house.shown().await;
        let staged = house.stage(3, &correction()).await;
        let observer = StopAt { stop: Some(stop), ..StopAt::default() };
        let stopped = house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await;
        points = observer.passed.into_inner().unwrap();
        if stopped.is_ok() {
            break;
        }
        // Readers see the former batches whole until the receipt is there.
        let shown = house.shown().await;
        let receipted = points.last().unwrap() == "receipted";
        assert_eq!(shown, if receipted { corrected() } else { unchanged }, "stopped at {:?}", points.last());
        house.another().await.publish(&staged, 1, LEDGER, NOW + 1, &NoObserver).await.unwrap();
        check_settled(&house, &staged).await;
        // The slow one wakes up.
        house.lake.publish(&staged, 1, LEDGER, NOW + 2, &NoObserver).await.unwrap();
        check_settled(&house, &staged).await;
    }
    assert!(points.len() > 12, "{points:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_on_the_same_head_at_once() {
    for _ in 0..8 {
        let house = before().await;
        let staged = Arc::new(house.stage(3, &correction()).await);
        let mut tasks = Vec::new();
        for _ in 0..3 {
            let (lake, staged) = (house.another().await, Arc::clone(&staged));
            tasks.push(tokio::spawn(async move { lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await }));
        }
        let mut vectors = Vec::new();
        for task in tasks {
            vectors.push(task.await.unwrap().unwrap().vector);
        }
        assert!(vectors.windows(2).all(|pair| pair[0] == pair[1]));
        check_settled(&house, &staged).await;
    }
}

/// While one is between look and put, another goes all the way; then the first goes on.
pub struct Overtake<'a> {
    pub at: usize,
    pub passed: AtomicUsize,
    pub other: &'a Lake,
    pub staged: &'a [Staged],
}

impl Observer for Overtake<'_> {
    fn at(&self, _: &str) -> std::result::Result<(), Error> {
        if self.passed.fetch_add(1, Ordering::SeqCst) == self.at {
            for staged in self.staged {
                let publish = self.other.publish(staged, 1, LEDGER, NOW, &NoObserver);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(publish))?;
            }
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaken_at_every_point() {
    for at in 0..20 {
        let house = before().await;
        let staged = house.stage(3, &correction()).await;
        let other = house.another().await;
        let all = std::slice::from_ref(&staged);
        let observer = Overtake { at, passed: AtomicUsize::new(0), other: &other, staged: all };
        let published = house.lake.publish(&staged, 1, LEDGER, NOW, &observer).await.unwrap();
        assert_eq!(published.vector, house.lake.receipts(&ReceiptQuery::default()).await.unwrap()[4].vector);
        check_settled(&house, &staged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaken_by_this_batch_and_the_next_ones() {
    for at in 0..20 {
        let house = before().await;
        let later = [load(1, 3, &[("events", 1)]), load(5, 1, &[("events", 1)]), load(6, 1, &[("sessions", 1)])];
        let staged = [
            house.stage(3, &correction()).await,
            house.stage(4, &later).await,
            house.stage(5, &[load(5, 2, &[("event_tags", 1)])]).await,
        ];
        let other = house.another().await;
        let observer = Overtake { at, passed: AtomicUsize::new(0), other: &other, staged: &staged };
        let published = house.lake.publish(&staged[0], 1, LEDGER, NOW, &observer).await.unwrap();
        if observer.passed.load(Ordering::SeqCst) <= at {
            break;
        }
        let expected = expect(&[
            ("event_tags", &[(3, 2, 2), (5, 2, 1)]),
            ("events", &[(1, 3, 1), (2, 1, 2), (4, 1, 1)]),
            ("sessions", &[(6, 1, 1)]),
        ]);
        assert_eq!(house.shown().await, expected, "overtaken at {at}");
        let mut newest = house.newest().await;
        newest.retain(|_, rows| !rows.is_empty());
        assert_eq!(newest, expected, "overtaken at {at}");
        let receipts = house.lake.receipts(&ReceiptQuery::default()).await.unwrap();
        assert_eq!(receipts.len(), 10);
        assert!(receipts.iter().any(|row| row.vector == published.vector));
    }
}

#[derive(Debug, Clone, Copy)]
pub enum What {
    Failure,
    Conflict,
    FullDisk,
    Permission,
}

/// Fails some puts into logs: before they take effect, or (`after`) after.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    on: AtomicBool,
    after: bool,
    what: What,
    pub seen: AtomicUsize,
    every: usize,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

impl Faulty {
    fn error(&self) -> object_store::Error {
        let source: Box<dyn std::error::Error + Send + Sync> = match self.what {
            What::FullDisk => std::io::Error::from(std::io::ErrorKind::StorageFull).into(),
            What::Permission => std::io::Error::from(std::io::ErrorKind::PermissionDenied).into(),
            What::Failure | What::Conflict => "by the test".into(),
        };
        match self.what {
            What::Conflict => object_store::Error::AlreadyExists { path: "log".into(), source },
            _ => object_store::Error::Generic { store: "faulty", source },
        }
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let chosen = self.on.load(Ordering::SeqCst)
            && opts.mode == PutMode::Create
            && location.as_ref().contains("_delta_log")
            && self.seen.fetch_add(1, Ordering::SeqCst).is_multiple_of(self.every);
        if chosen && !self.after {
            return Err(self.error());
        }
        let done = self.inner.put_opts(location, payload, opts).await;
        if chosen { Err(self.error()) } else { done }
    }
    async fn put_multipart_opts(&self, path: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, opts).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }
    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

pub async fn faulty_lake(house: &House, after: bool, what: What, every: usize) -> (Lake, Arc<Faulty>) {
    let inner = Arc::clone(&house.store);
    let faulty = Arc::new(Faulty { inner, on: false.into(), after, what, seen: 0.into(), every });
    let lake = Lake::open(Arc::clone(&faulty) as Arc<dyn ObjectStore>, id()).await.unwrap();
    faulty.on.store(true, Ordering::SeqCst);
    (lake, faulty)
}

async fn check_faulty(after: bool, what: What, every: usize) {
    let house = before().await;
    let staged = house.stage(3, &correction()).await;
    let (lake, faulty) = faulty_lake(&house, after, what, every).await;
    lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap();
    assert!(faulty.seen.load(Ordering::SeqCst) >= 5, "puts were counted");
    check_settled(&house, &staged).await;
}

#[tokio::test]
async fn puts_whose_success_is_reported_as_failure() {
    check_faulty(true, What::Failure, 1).await;
    check_faulty(true, What::Failure, 2).await;
}

#[tokio::test]
async fn conflicts_that_are_ones_own_success() {
    check_faulty(true, What::Conflict, 1).await;
    check_faulty(true, What::Conflict, 3).await;
}

#[tokio::test]
async fn epochs_fences_and_runs_of_unknown_outcome() {
    let faults =
        [(true, What::Failure, 1), (true, What::Conflict, 1), (false, What::Conflict, 2), (false, What::Failure, 3)];
    for (after, what, every) in faults {
        let house = before().await;
        let (lake, _) = faulty_lake(&house, after, what, every).await;
        assert_eq!(lake.raise_epoch("new", NOW, &NoObserver).await.unwrap(), 2, "one's own epoch is recognised");
        assert_eq!(house.lake.receipts_epoch().await.unwrap(), Some((2, "new".to_owned())));
        lake.fence_tables(2, "new", NOW, &NoObserver).await.unwrap();
        let versions = ["events", "event_tags"].map(|table| house.delta(table));
        let [events, tags] = versions.map(|delta| async move { delta.await.version() });
        assert_eq!((events.await, tags.await), (Some(3), Some(2)), "one fence each");
        let run = RunRow { run_id: "r".into(), ..RunRow::default() };
        lake.append_run(&run, NOW).await.unwrap();
        assert_eq!(house.lake.runs(&RunQuery::default()).await.unwrap(), [run]);
    }
}

#[tokio::test]
async fn puts_that_fail_now_and_then() {
    check_faulty(false, What::Failure, 2).await;
    check_faulty(false, What::Conflict, 2).await;
}

#[tokio::test]
async fn a_store_that_never_works_says_what_to_do() {
    let house = House::new().await;
    let staged = house.stage(1, &[load(1, 1, &[("events", 2)])]).await;
    let kinds = [(What::Failure, Kind::Retry), (What::FullDisk, Kind::Full), (What::Permission, Kind::FixSettings)];
    for (what, kind) in kinds {
        let (lake, _) = faulty_lake(&house, false, what, 1).await;
        let error = lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
    house.publish(&staged).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 2)])]));
}
