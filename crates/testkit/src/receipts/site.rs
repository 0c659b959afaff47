//! A lake and its ledger in a folder, and files that come, are loaded and go again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt as _;
use jiff::tz::TimeZone;
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use stillhouse_ingest::{Archives, Decoders, Ingest, IngestRequest, Settings, Silent, Status};
use stillhouse_lake::{Lake, ReceiptQuery};
use stillhouse_ledger::Ledger;
use stillhouse_spec::{Durability, Period, Source};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::figures::Sizes;
use super::watch::Watch;
use crate::random::Random;

/// The one source, and its table.
const SOURCE: &str = "payments";
const FOLDER: &str = "in";
/// Everything is said, so that nothing has to be guessed from files of two lines.
const SOURCE_TEXT: &str = r#"format = 1
[source]
path = "in/*.csv"
type = "csv"
settle = "0 s"
[csv]
delimiter = ","
header = true
[table]
name = "payments"
time = "day"
[table.columns]
id = { type = "string", required = true }
day = "date"
amount = "int64"
"#;

/// Where a site is and how it works.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where lake and ledger are; made if need be.
    pub folder: PathBuf,
    /// What "written" means for the lake. The ledger always synchronises.
    pub durability: Durability,
    /// Objects of a batch at most: so many receipts come with a commit.
    pub per_commit: u32,
}

impl Plan {
    /// The lake's folder.
    pub fn lake(&self) -> PathBuf {
        self.folder.join("lake")
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger.db")
    }
}

/// An opened lake with its ledger.
pub struct Site {
    ingest: Arc<Ingest>,
    files: Arc<InMemory>,
    pub(super) watch: Arc<Watch>,
    plan: Plan,
}

/// What the lake's own receipts say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Receipts of object versions.
    pub receipts: u64,
    /// Batches that they came with.
    pub commits: u64,
    /// The number that no file had yet.
    pub next: u64,
}

impl Site {
    /// Opens lake and ledger as the program does, or makes them.
    pub async fn open(plan: &Plan) -> Self {
        std::fs::create_dir_all(&plan.folder).unwrap_or_else(|e| panic!("{}: {e}", plan.folder.display()));
        let mut random = Random::new(now_micros().unsigned_abs() ^ u64::from(std::process::id()) << 52);
        let store = stillhouse_lake::durable_local(&plan.lake(), plan.durability).expect("a folder for the lake");
        let handle = Uuid::from_u128(u128::from(random.next_u64()) << 64 | u128::from(random.next_u64()));
        let lake = Lake::open(store, handle).await.expect("the folder can hold a lake");
        let ledger = Ledger::open_sqlite(&plan.ledger(), &random.id(), now_micros()).await.expect("a ledger opens");
        let source = Source::parse(SOURCE, SOURCE_TEXT, &|_| None)
            .unwrap_or_else(|problems| panic!("the source of the receipts: {problems}"));
        let (files, watch) = (Arc::new(InMemory::new()), Arc::new(Watch::default()));
        let ingest = Ingest {
            store: Arc::<InMemory>::clone(&files),
            ledger: Arc::new(ledger),
            lake: Arc::new(lake),
            source_texts: BTreeMap::from([(source.fingerprint.clone(), SOURCE_TEXT.to_owned())]),
            sources: vec![Arc::new(source)],
            environment: Box::new(|_| None),
            time_zone: TimeZone::UTC,
            clock: Box::new(now_micros),
            ids: Box::new(Random::ids(random.next_u64())),
            progress: Arc::new(Silent),
            observer: Arc::<Watch>::clone(&watch),
            stop: CancellationToken::new(),
            decoders: Decoders::default(),
            rules: Box::new(|_| Err("no contract here says something in SQL".to_owned())),
            spill: std::path::PathBuf::from("."),
            archives: Archives::default(),
            settings: Settings { group_objects: plan.per_commit, ..Settings::default() },
        };
        Self { ingest: Arc::new(ingest), files, watch, plan: plan.clone() }
    }

    /// Puts files with these numbers and has them loaded by one call of `ingest()`; then they are gone again. Files that
    /// are there no more cost nothing: the source keeps their rows.
    pub async fn load(&self, first: u64, count: u64) {
        self.put(first, count).await;
        self.ingest(count).await;
        self.remove(first, count).await;
    }

    pub(super) async fn put(&self, first: u64, count: u64) {
        for number in first..first + count {
            self.files.put(&key(number), text(number).into()).await.expect("a file in memory can be put");
        }
    }

    pub(super) async fn ingest(&self, count: u64) {
        let request = IngestRequest { sources: Vec::new(), period: Period::All, reload: Vec::new(), held: false };
        let summary = stillhouse_ingest::ingest(&self.ingest, &request).await;
        let summary = summary.unwrap_or_else(|error| panic!("{}: {error}", self.plan.folder.display()));
        let others: Vec<_> = summary.objects.iter().filter(|object| object.status != Status::Loaded).collect();
        assert!(others.is_empty(), "expected that all are loaded, found {:?}", others.first());
        assert_eq!(summary.objects.len() as u64, count, "files of one call that are loaded");
    }

    pub(super) async fn remove(&self, first: u64, count: u64) {
        for number in first..first + count {
            self.files.delete(&key(number)).await.expect("a file in memory can be deleted");
        }
    }

    /// Reads all receipts.
    pub async fn count(&self) -> Counted {
        let readable = "the receipts can be read";
        let mut pieces = self.ingest.lake.receipts_in_pieces(&ReceiptQuery::default()).await.expect(readable);
        let (mut counted, mut batches) = (Counted { next: 1, ..Counted::default() }, BTreeSet::new());
        while let Some(piece) = pieces.try_next().await.expect(readable) {
            for row in piece {
                counted.receipts += 1;
                counted.next = counted.next.max(number(&row.key) + 1);
                batches.insert(row.seq);
            }
        }
        counted.commits = batches.len() as u64;
        counted
    }

    /// What the tables take on the disk.
    pub async fn sizes(&self) -> Sizes {
        let snapshot = self.ingest.lake.snapshot().await.expect("the lake can be read");
        Sizes::of(&self.plan.lake(), &self.plan.ledger(), &snapshot)
    }

    /// Closes the ledger: its file is whole then.
    pub async fn close(self) {
        self.ingest.ledger.close().await;
    }
}

fn key(number: u64) -> Key {
    Key::from(format!("{FOLDER}/{number:09}.csv"))
}

fn number(key: &str) -> u64 {
    let digits = Path::new(key).file_stem().and_then(|stem| stem.to_str());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("not a file of ours: `{key}`"))
}

/// One to three rows; no two files have the same content.
fn text(number: u64) -> String {
    let mut text = String::from("id,day,amount\n");
    for row in 0..=number % 3 {
        let _ = writeln!(text, "p{number}-{row},2026-{:02}-{:02},{}", 1 + number % 12, 1 + number % 28, number % 997);
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "the product's clock, as in the binary: what is measured lives in real time"
)]
fn now_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
