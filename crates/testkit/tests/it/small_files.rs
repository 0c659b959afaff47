//! Many small files: few commits, and a number of transactions that does not come to one for each file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt as _;
use jiff::tz::TimeZone;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use stillhouse_ingest::{Archives, Decoders, Ingest, IngestRequest, Settings, Silent, Status, Summary, ingest, plan};
use stillhouse_lake::{Lake, ReceiptQuery};
use stillhouse_ledger::{Hook, HookFuture, Ledger};
use stillhouse_spec::{Period, Source};
use stillhouse_testkit::{Random, TempProject};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SOURCE_TEXT: &str = r#"format = 1
[source]
path = "in/{yyyy}/{MM}/{dd}/*.csv"
type = "csv"
settle = "0 s"
[table]
name = "payments"
[table.columns]
id = { type = "string", required = true }
amount = "int64"
"#;

const FILES: usize = 1000;
const FILES_OF_A_BATCH: usize = 250;

/// Counts transactions by their names.
#[derive(Default)]
struct Counter(Mutex<BTreeMap<&'static str, usize>>);

impl Counter {
    /// What was counted since it was last asked.
    fn take(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hook for Counter {
    fn before(&self, transaction: &'static str) -> HookFuture<'_> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(transaction).or_default() += 1;
        Box::pin(async { Ok(()) })
    }

    fn after(&self, _: &'static str) -> HookFuture<'_> {
        Box::pin(async { Ok(()) })
    }
}

/// Those of which a twin is of the same question to the ledger, and of another one of the same batch.
const TWINS: [(usize, usize); 2] = [(500, 501), (10, 110)];

fn text(number: usize) -> String {
    let number = TWINS.iter().find(|(_, twin)| *twin == number).map_or(number, |(first, _)| *first);
    format!("id,amount\np{number},{number}\nq{number},1\n")
}

async fn site(folder: &TempProject, counter: &Arc<Counter>) -> Arc<Ingest> {
    let files = InMemory::new();
    for number in 0..FILES {
        // In the order in which they are offered, so that it is known which ones share a batch.
        let key = format!("in/2026/{:02}/{:02}/{number:05}.csv", 1 + number / 84, 1 + number % 84 / 3);
        files.put(&Path::from(key), text(number).into()).await.expect("a file in memory can be put");
    }
    let lake: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = Lake::open(lake, Uuid::from_u128(7)).await.expect("memory can hold a lake");
    let ledger = Ledger::open_sqlite(&folder.path("ledger.db"), "ledger-1", 1).await.expect("a ledger opens");
    let hook: Arc<dyn Hook> = Arc::<Counter>::clone(counter);
    let source = Source::parse("payments", SOURCE_TEXT, &|_| None).unwrap_or_else(|problems| panic!("{problems}"));
    let now = AtomicI64::new(1_800_000_000_000_000);
    Arc::new(Ingest {
        store: Arc::new(files),
        ledger: Arc::new(ledger.with_hook(hook)),
        lake: Arc::new(lake),
        source_texts: BTreeMap::from([(source.fingerprint.clone(), SOURCE_TEXT.to_owned())]),
        sources: vec![Arc::new(source)],
        environment: Box::new(|_| None),
        time_zone: TimeZone::UTC,
        clock: Box::new(move || now.fetch_add(1, Ordering::Relaxed)),
        ids: Box::new(Random::ids(1)),
        progress: Arc::new(Silent),
        observer: Arc::new(stillhouse_lake::NoObserver),
        stop: CancellationToken::new(),
        decoders: Decoders::default(),
        rules: Box::new(|_| Err("no contract here says something in SQL".to_owned())),
        spill: std::path::PathBuf::from("."),
        archives: Archives::default(),
        settings: Settings {
            workers: 2,
            group_objects: u32::try_from(FILES_OF_A_BATCH).expect("a small number"),
            ..Settings::default()
        },
    })
}

fn everything() -> IngestRequest {
    IngestRequest { sources: Vec::new(), period: Period::All, reload: Vec::new(), held: false }
}

/// One receipt for each file, and the rows that they promise.
async fn check_receipts(site: &Ingest) {
    let receipts: Vec<_> = site
        .lake
        .receipts_in_pieces(&ReceiptQuery { whole: true, ..ReceiptQuery::default() })
        .await
        .expect("the receipts can be read")
        .try_concat()
        .await
        .expect("the receipts can be read");
    assert_eq!(receipts.len(), FILES);
    assert_eq!(receipts.iter().map(|row| &row.key).collect::<BTreeSet<_>>().len(), FILES);
    let batches: BTreeSet<i64> = receipts.iter().map(|row| row.seq).collect();
    assert_eq!(batches.len(), FILES / FILES_OF_A_BATCH, "commits");
    let twins: Vec<_> = receipts.iter().filter_map(|row| row.receipt.as_ref()?.twin.as_ref()).collect();
    assert_eq!(twins.len(), TWINS.len());
    let snapshot = site.lake.snapshot().await.expect("the lake can be read");
    let version = snapshot.tables["payments"].version;
    let rows = site.lake.object_counts("payments", version).await.expect("the rows can be counted");
    assert_eq!((rows.len(), rows.values().sum::<u64>()), (FILES - TWINS.len(), 2 * (FILES - TWINS.len()) as u64));
}

fn check(summary: &Summary, loaded: usize, same: usize, unchanged: usize) {
    let found = [Status::Loaded, Status::Same, Status::Unchanged].map(|status| summary.count(status));
    assert_eq!(found, [loaded, same, unchanged]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_files_take_few_commits_and_transactions() {
    let (folder, counter) = (TempProject::new(), Arc::new(Counter::default()));
    let site = site(&folder, &counter).await;
    let first = plan(&site, &everything()).await.expect("a plan");
    assert_eq!(first.count(Status::Pending), FILES);
    let planned = counter.take();
    assert!(planned.values().sum::<usize>() < 10, "{planned:?}");

    let summary = ingest(&site, &everything()).await.expect("all files load");
    check(&summary, FILES - TWINS.len(), TWINS.len(), 0);
    assert_eq!(summary.batches_published, (FILES / FILES_OF_A_BATCH) as u64);
    check_receipts(&site).await;
    let loading = counter.take();
    for (name, most) in [("offer", 1), ("stage", 4), ("finish", 4), ("log", 8), ("same_content", 44), ("versions", 6)] {
        assert!(loading[name] <= most, "`{name}` at most {most} times: {loading:?}");
    }
    assert!(loading.values().sum::<usize>() < FILES / 5, "{loading:?}");

    // Nothing to do: as if there were few files.
    check(&ingest(&site, &everything()).await.expect("a second run"), 0, 0, FILES);
    let again = counter.take();
    assert!(again.values().sum::<usize>() < 20, "{again:?}");
    site.ledger.close().await;
}
