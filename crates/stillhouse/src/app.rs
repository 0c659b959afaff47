//! Everything that commands work with, opened once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use stillhouse_ingest::{Archives, Decoders, Ingest, Settings};
use stillhouse_lake::Lake;
use stillhouse_ledger::Ledger;
use stillhouse_spec::Project;
use tokio_util::sync::CancellationToken;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress_bars::progress;
use crate::project_folder::ProjectFolder;
use crate::surroundings;

/// More workers than this have to be asked for: each needs memory of its own.
const WORKERS_MAX: usize = 4;

/// An opened project.
pub struct App {
    /// The project and where it lies.
    pub folder: ProjectFolder,
    /// Where results and remarks go.
    pub printer: Printer,
    /// The objects of the sources.
    pub store: Arc<dyn ObjectStore>,
    /// The tables.
    pub lake: Arc<Lake>,
}

impl App {
    /// Opens the project that the command line names, and its lake.
    pub async fn open(cli: &Cli) -> Result<Self, Failure> {
        let folder = ProjectFolder::open(&cli.directory)?;
        let store = LocalFileSystem::new_with_prefix(&folder.root)
            .map_err(|error| Failure::failed("the project folder cannot be read").because(&error))?;
        let lake = open_lake(&folder).await?;
        Ok(Self { folder, printer: Printer::new(cli), store: Arc::new(store), lake })
    }

    /// What the project says.
    pub fn project(&self) -> &Project {
        &self.folder.project
    }

    /// Opens the ledger; makes it on first use.
    pub async fn ledger(&self) -> Result<Arc<Ledger>, Failure> {
        let (id, now) = (surroundings::new_id(), surroundings::now_micros());
        let place = self.project().ledger.path.expose();
        if place.contains("://") {
            return Ok(Arc::new(Ledger::open_url(place, &id, now).await?));
        }
        let path = self.folder.resolve(place);
        make_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(Arc::new(Ledger::open_sqlite(&path, &id, now).await?))
    }

    /// Everything that ingest needs.
    pub async fn ingest(&self, stop: CancellationToken) -> Result<Arc<Ingest>, Failure> {
        let project = self.project();
        Ok(Arc::new(Ingest {
            store: Arc::clone(&self.store),
            ledger: self.ledger().await?,
            lake: Arc::clone(&self.lake),
            sources: project.sources.iter().cloned().map(Arc::new).collect(),
            source_texts: self.source_texts(),
            environment: Box::new(surroundings::variable),
            time_zone: self.time_zone(),
            clock: Box::new(surroundings::now_micros),
            ids: Box::new(surroundings::new_id),
            progress: progress(self.printer),
            observer: Arc::new(stillhouse_lake::NoObserver),
            stop,
            decoders: Decoders::default(),
            rules: Box::new(crate::row_rules::compile),
            spill: self.folder.resolve(".stillhouse/spill"),
            archives: Archives::default(),
            settings: Settings { workers: self.workers(), ..Settings::default() },
        }))
    }

    /// How many things are done at once: as the project says, else one for each processor, at most four.
    pub fn workers(&self) -> usize {
        self.project().limits.workers.unwrap_or_else(|| surroundings::processors().min(WORKERS_MAX))
    }

    /// The project's time zone.
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        self.project().zone()
    }

    /// Today in the project's time zone.
    pub fn today(&self) -> jiff::civil::Date {
        let now = jiff::Timestamp::from_microsecond(surroundings::now_micros()).unwrap_or_default();
        now.to_zoned(self.time_zone()).date()
    }

    fn source_texts(&self) -> BTreeMap<String, String> {
        let sources = self.project().sources.iter();
        sources
            .filter_map(|s| Some((s.fingerprint.clone(), self.folder.source_text(s.name.as_str())?.to_owned())))
            .collect()
    }
}

async fn open_lake(folder: &ProjectFolder) -> Result<Arc<Lake>, Failure> {
    let path = folder.resolve(folder.project.lake.path.expose());
    make_folder(&path)?;
    let store = stillhouse_lake::durable_local(&path, folder.project.lake.durability)?;
    Ok(Arc::new(Lake::open(store, surroundings::new_uuid()).await?))
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path)
        .map_err(|error| Failure::failed(format!("folder `{}` cannot be made", path.display())).because(&error))
}
