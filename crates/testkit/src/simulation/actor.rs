//! A process of the product in a history, and what it is told to do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use stillhouse_ingest::{Archives, Decoders, Ingest, IngestRequest, MaintainRequest, Selection, Settings};
use stillhouse_lake::{Lake, RunRow};
use stillhouse_ledger::Ledger;
use stillhouse_spec::Period;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::content::{Contract, Policies, SOURCES, source, source_text};
use super::process::{Process, Watched};
use super::store::FaultStore;
use super::world::Folder;
use crate::random::Random;

/// How long a claim or a publish lease is valid: longer than any step, so that only the driver ends it.
pub(super) const LEASE: Duration = Duration::from_secs(3600);

/// How long maintenance leaves to readers what is in no table any more.
pub(super) const KEEP: Duration = Duration::from_secs(60);

/// Then every lease has run out, in microseconds.
pub(super) const LEASE_OVER: i64 = 2 * 3_600_000_000;

/// Everything there is, and nothing twice.
pub(super) fn everything() -> IngestRequest {
    IngestRequest { sources: Vec::new(), period: Period::All, reload: Vec::new(), held: false }
}

/// What a process finds when it starts.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub lake: Arc<Folder>,
    pub files: Arc<Folder>,
    pub ledger: PathBuf,
    pub contracts: BTreeMap<&'static str, Contract>,
    pub policies: BTreeMap<&'static str, Policies>,
    /// Of its random numbers.
    pub seed: u64,
    /// A batch holds at most so many objects.
    pub group_objects: u32,
}

/// A process that lives between two steps.
pub(super) struct Actor {
    pub process: Arc<Process>,
    pub ingest: Arc<Ingest>,
}

/// What a process is told to do.
#[derive(Debug, Clone)]
pub(super) enum Task {
    Ingest(IngestRequest),
    Replay(Selection),
    Drop(Selection),
    Rebuild,
    Maintain,
    /// Pins the versions that a report was made from.
    Report,
    /// The product's own audit; answers its findings as JSON.
    Audit,
}

impl Task {
    /// The kind of step that this is.
    pub fn name(&self) -> &'static str {
        match self {
            Task::Ingest(request) if request.held => "ingest --held",
            Task::Ingest(request) if SOURCES.iter().any(|source| request.reload.iter().any(|one| one == source)) => {
                "ingest --reload SOURCE"
            }
            Task::Ingest(request) if !request.reload.is_empty() => "ingest --reload",
            Task::Ingest(request) if !request.sources.is_empty() => "ingest one source",
            Task::Ingest(request) if request.period != Period::All => "ingest one month",
            Task::Ingest(_) => "ingest",
            Task::Replay(_) => "quarantine replay",
            Task::Drop(_) => "quarantine drop",
            Task::Rebuild => "ledger rebuild",
            Task::Maintain => "maintain",
            Task::Report => "report run",
            Task::Audit => "audit",
        }
    }
}

/// Why a task did not succeed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub kind: stillhouse_ingest::Kind,
    pub message: String,
}

impl From<stillhouse_ingest::Error> for Failure {
    fn from(error: stillhouse_ingest::Error) -> Self {
        let mut message = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(source) = next {
            let text = source.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            next = source.source();
        }
        Self { kind: error.kind(), message }
    }
}

/// How a task ended. Without an actor, the process did not come to life.
pub(super) struct Finished {
    pub actor: Option<Actor>,
    pub outcome: Result<String, Failure>,
}

/// Random ids; the world hears of those that a rebuild may give to its ledger.
fn ids(process: &Arc<Process>, seed: u64) -> impl Fn() -> String + Send + Sync + 'static {
    let (process, ids) = (Arc::clone(process), Random::ids(seed));
    move || {
        let id = ids();
        if process.rebuilds() {
            process.world.add_claimant(&id);
        }
        id
    }
}

impl Actor {
    /// Starts a process: opens lake and ledger, and reads the project.
    pub async fn start(process: Arc<Process>, around: Surroundings) -> Result<Self, Failure> {
        let watched = || Arc::new(Watched(Arc::clone(&process)));
        let store = |folder, name| Arc::new(FaultStore { process: Arc::clone(&process), folder, name });
        let (world, clock) = (Arc::clone(&process.world), Arc::clone(&process.world));
        let mut random = Random::new(around.seed);
        let handle = Uuid::from_u128(u128::from(random.next_u64()) << 64 | u128::from(random.next_u64()));
        let lake = Lake::open(store(Arc::clone(&around.lake), "lake"), handle).await;
        let lake = lake.map_err(stillhouse_ingest::Error::from)?;
        process.trace(&format!("opens {}", around.ledger.file_name().unwrap_or_default().display()));
        let ledger = Ledger::open_sqlite_with(&around.ledger, &random.id(), world.now(), 1).await;
        let ledger = ledger.map_err(stillhouse_ingest::Error::from)?.with_hook(watched());
        let names = || around.contracts.iter().map(|(name, contract)| (*name, around.policies[name], *contract));
        let ids = ids(&process, random.next_u64());
        let ingest = Ingest {
            store: store(Arc::clone(&around.files), "files"),
            ledger: Arc::new(ledger),
            lake: Arc::new(lake),
            sources: names().map(|(name, policies, contract)| source(name, policies, contract)).collect(),
            source_texts: names()
                .map(|(name, policies, contract)| source_text(name, policies, contract))
                .map(|text| (blake3::hash(text.as_bytes()).to_hex().to_string(), text))
                .collect(),
            environment: Box::new(|_| None),
            time_zone: TimeZone::UTC,
            clock: Box::new(move || clock.now()),
            ids: Box::new(ids),
            progress: watched(),
            observer: watched(),
            stop: CancellationToken::new(),
            decoders: Decoders::default(),
            rules: Box::new(|_| Err("no contract here says something in SQL".to_owned())),
            spill: std::path::PathBuf::from("."),
            archives: Archives::default(),
            settings: Settings {
                workers: 1,
                lease: LEASE,
                poll: Duration::ZERO,
                group_objects: around.group_objects,
                ..Settings::default()
            },
        };
        Ok(Self { process, ingest: Arc::new(ingest) })
    }

    pub async fn run(&self, task: &Task) -> Result<String, Failure> {
        let ingest = &self.ingest;
        let said = match task {
            Task::Ingest(request) => {
                let summary = stillhouse_ingest::ingest(ingest, request).await?;
                let mut said = format!("{} batches", summary.batches_published);
                for object in &summary.objects {
                    said.push_str(&format!("; {} {:?}", object.key, object.status));
                }
                said
            }
            Task::Replay(selection) => {
                let done = stillhouse_ingest::replay(ingest, selection).await?;
                format!("{} loaded", done.iter().map(|object| object.loaded).sum::<u64>())
            }
            Task::Drop(selection) => {
                let done = stillhouse_ingest::drop_refused(ingest, selection, "of no use").await?;
                format!("{} dropped", done.iter().map(|object| object.dropped).sum::<u64>())
            }
            Task::Rebuild => {
                self.process.rebuild();
                format!("{:?}", stillhouse_ingest::rebuild(ingest).await?)
            }
            Task::Report => {
                let snapshot = ingest.lake.snapshot().await.map_err(stillhouse_ingest::Error::from)?;
                let own = |table: &&String| **table != stillhouse_lake::RECEIPTS && **table != stillhouse_lake::RUNS;
                let tables = snapshot.tables.iter().filter(|(table, _)| own(table));
                let tables: BTreeMap<&String, i64> = tables.map(|(table, shown)| (table, shown.version)).collect();
                let run = RunRow {
                    run_id: (ingest.ids)(),
                    tables: serde_json::to_string(&tables).unwrap_or_default(),
                    snapshot_seq: snapshot.seq,
                    ..RunRow::default()
                };
                let recorded = ingest.lake.append_run(&run, self.process.world.now()).await;
                recorded.map_err(stillhouse_ingest::Error::from)?;
                run.tables
            }
            Task::Audit => {
                let audit = stillhouse_ingest::audit(ingest).await?;
                serde_json::to_string(&audit.findings).unwrap_or_default()
            }
            Task::Maintain => {
                let keep_attempts = Duration::from_secs(3600);
                let request =
                    MaintainRequest { file_bytes: 64 << 10, keep: KEEP, keep_attempts, folder: None, dry_run: false };
                format!("{:?}", stillhouse_ingest::maintain(ingest, &request).await?)
            }
        };
        Ok(said)
    }
}
