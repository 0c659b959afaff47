//! Runs of reports: over what is loaded now, or as they were.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use stillhouse_ledger::State;
use stillhouse_report::{
    RunContext, RunFilter, RunRecord, RunRequest, RunStore, RunView, SourceState, StoppedObject, covered,
};
use stillhouse_spec::{Period, Receipt, Report, Source, standing};

use crate::app::App;
use crate::failure::Failure;
use crate::foreign_now::Foreign;
use crate::lake_runs::LakeRuns;
use crate::surroundings;
use crate::tables_now::{Ceilings, TablesNow};

/// What every run of one command shares: one snapshot, and how the sources stand.
pub struct Reporter<'a> {
    app: &'a App,
    tables: TablesNow,
    runs: LakeRuns,
    receipts: Vec<Receipt>,
    stopped: BTreeMap<String, Vec<StoppedObject>>,
}

impl<'a> Reporter<'a> {
    /// Opens the newest snapshot, and the foreign tables that a report may name.
    pub async fn open(app: &'a App) -> Result<Self, Failure> {
        let reports = app.project().reports.iter();
        let queries: Vec<&str> = reports.flat_map(|report| &report.queries).map(|query| query.sql.as_str()).collect();
        let tables = TablesNow::open_with(app, Ceilings::AsSet, Foreign::NamedIn(&queries)).await?;
        let seq = tables.seq;
        let known = crate::receipts::read(app).await?.into_iter().filter(|receipt| receipt.seq <= seq);
        let receipts = standing(known).into_iter().filter(counts).collect();
        let runs = LakeRuns::new(Arc::clone(&app.lake));
        Ok(Self { app, tables, runs, receipts, stopped: stopped(app).await? })
    }

    /// Runs `report` for every period that `asked` means to it.
    pub async fn run(&self, report: &Report, asked: Period) -> Result<Vec<RunView>, Failure> {
        let zone = self.app.time_zone();
        let sources = self.sources();
        self.app.lake.keep_text(&report.fingerprint, &report.text).await?;
        let mut views = Vec::new();
        for period in stillhouse_report::periods(report.period.kind, asked, |grain| covered(grain, &sources)) {
            let run_id = surroundings::new_id();
            let request = RunRequest { report, period, zone: &zone, sources: &sources, run_id: &run_id };
            views.push(stillhouse_report::run(self.context(&Path::default()), &request).await?);
        }
        Ok(views)
    }

    fn context<'b>(&'b self, root: &'b Path) -> RunContext<'b> {
        RunContext {
            session: &self.tables.session,
            tables: &self.tables.versions,
            foreign: &self.tables.foreign_versions,
            store: self.app.lake.store(),
            root,
            snapshot_seq: self.tables.seq,
            runs: &self.runs,
            clock: &surroundings::now_micros,
        }
    }

    fn sources(&self) -> Vec<SourceState<'_>> {
        let sources = self.app.project().sources.iter();
        let state = |source: &'a Source| {
            let name = source.name.as_str();
            SourceState {
                source,
                receipts: self.receipts.iter().filter(|receipt| receipt.object.source == name).collect(),
                stopped: self.stopped.get(name).cloned().unwrap_or_default(),
            }
        };
        sources.map(state).collect()
    }
}

/// A file that was touched and not changed, or that is there no more, is not an input.
fn counts(receipt: &Receipt) -> bool {
    let touched = receipt.twin.as_ref().is_some_and(|twin| twin.key_number == receipt.key_number);
    !touched && !receipt.removed
}

/// Objects that are known and not loaded in their newest version, by source.
async fn stopped(app: &App) -> Result<BTreeMap<String, Vec<StoppedObject>>, Failure> {
    let ledger = app.ledger().await?;
    let mut stopped: BTreeMap<String, Vec<StoppedObject>> = BTreeMap::new();
    for state in [State::Held, State::Failed, State::Offered, State::Claimed, State::Staged] {
        for row in ledger.list(state, u32::MAX).await? {
            let (reason, _) = stillhouse_ingest::reason(row.reason.as_deref());
            let word = if matches!(state, State::Held | State::Failed) { state.as_str() } else { "waiting" };
            stopped.entry(row.object.source).or_default().push(StoppedObject {
                key: row.object.key,
                state: word.to_owned(),
                reason,
            });
        }
    }
    Ok(stopped)
}

/// Every recorded run, oldest first.
pub async fn recorded(app: &App) -> Result<Vec<RunRecord>, Failure> {
    let runs = LakeRuns::new(Arc::clone(&app.lake));
    runs.list(&RunFilter::default())
        .await
        .map_err(|error| Failure::failed("the runs cannot be read").because(error.as_ref()))
}

/// A recorded run with its results.
pub async fn load(app: &App, record: &RunRecord) -> Result<RunView, Failure> {
    Ok(stillhouse_report::load(app.lake.store(), &Path::default(), record).await?)
}
