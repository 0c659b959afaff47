//! Run: a report over one snapshot, stored with what it was made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::json;
use stillhouse_query::{Params, Planned, RowStream, Session};
use stillhouse_spec::{AmendmentKind, CurrentView, Period, Query, Receipt, Report, Source};

use crate::chart;
use crate::completeness::{Assessment, SourceState, assess_with, rows_in};
use crate::error::{Error, Kind};
use crate::manifest::{self, MANIFEST_FORMAT, Manifest, QueryManifest};
use crate::notes::notes;
use crate::plan::parameters;
use crate::record::{ForeignVersion, RunFilter, RunRecord, RunStore, TableVersion};
use crate::store;
use crate::view::{Input, Provenance, QueryView, RunView};

/// What runs need, whatever the report.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    /// The tables of one snapshot.
    pub session: &'a Session,
    /// The versions and files of the same snapshot, by table. Tables that are not in the lake yet are not in it.
    pub tables: &'a BTreeMap<String, TableVersion>,
    /// The foreign tables that the session can read, each at the version that it reads.
    pub foreign: &'a BTreeMap<String, ForeignVersion>,
    /// Where the lake is.
    pub store: &'a Arc<dyn ObjectStore>,
    /// The lake's folder in the store.
    pub root: &'a Path,
    /// The place of the snapshot in the queue of batches.
    pub snapshot_seq: i64,
    /// Who keeps `_runs`.
    pub runs: &'a dyn RunStore,
    /// The clock: microseconds since 1970.
    pub clock: &'a (dyn Fn() -> i64 + Sync),
}

/// One report for one period.
#[derive(Debug, Clone)]
pub struct RunRequest<'a> {
    /// The report.
    pub report: &'a Report,
    /// The period; one that the report's kind takes.
    pub period: Period,
    /// The project's time zone.
    pub zone: &'a TimeZone,
    /// Every source of the project; those that do not feed the report are left out.
    pub sources: &'a [SourceState<'a>],
    /// A new random id: letters, digits and `-`.
    pub run_id: &'a str,
}

/// The folder of the results, in the lake's folder.
pub const RESULTS_FOLDER: &str = "_results";

/// Runs the report, or loads the run that already did the same.
///
/// # Errors
/// When a query fails or a result cannot be stored; then there is no row in `_runs`.
pub async fn run(context: RunContext<'_>, request: &RunRequest<'_>) -> Result<RunView, Error> {
    let started_at = (context.clock)();
    let params = parameters(request.report, request.period, request.zone);
    let used = used(context.session, request.report, &params).await?;
    let prepared = prepare(context, request, &params, used, started_at)?;
    if let Some(view) = reuse(context, request.report, &prepared.fingerprint).await? {
        return Ok(view);
    }
    let manifest = execute(context, request, &params, prepared).await?;
    let record = keep(context, manifest).await?;
    let view = load(context.store, context.root, &record).await?;
    context.runs.append(&record).await.map_err(|error| {
        Error::new(Kind::Retry, format!("run `{}` cannot be recorded in `_runs`", record.run_id)).with_source(error)
    })?;
    Ok(view)
}

/// The newest run that did the same, if its files are whole. If they are not, that is no reason to fail: the run is made
/// again.
async fn reuse(context: RunContext<'_>, report: &Report, fingerprint: &str) -> Result<Option<RunView>, Error> {
    let filter =
        RunFilter { run_id: None, report: Some(report.name.to_string()), fingerprint: Some(fingerprint.to_owned()) };
    let former = context
        .runs
        .list(&filter)
        .await
        .map_err(|error| Error::new(Kind::Retry, "the runs of the lake cannot be listed").with_source(error))?;
    for record in former.iter().rev() {
        match load(context.store, context.root, record).await {
            Ok(view) => return Ok(Some(RunView { reused: true, ..view })),
            Err(error) => tracing::warn!(run_id = record.run_id, %error, "a former run cannot be loaded"),
        }
    }
    Ok(None)
}

/// Those of `sources` that feed the report: one of their tables is read by one of its queries.
///
/// # Errors
/// When a query of the report cannot be planned.
pub async fn feeding<'a>(
    session: &Session,
    report: &Report,
    zone: &TimeZone,
    sources: &[SourceState<'a>],
) -> Result<Vec<SourceState<'a>>, Error> {
    let used = used(session, report, &parameters(report, Period::All, zone)).await?;
    Ok(sources.iter().filter(|state| feeds(state.source, &used.tables)).cloned().collect())
}

/// Loads a run with its results.
///
/// # Errors
/// When its files are gone or are not what the run wrote.
pub async fn load(store: &Arc<dyn ObjectStore>, root: &Path, record: &RunRecord) -> Result<RunView, Error> {
    let manifest = read_manifest(store, root, record).await?;
    let folder = run_folder(root, &manifest.report, &manifest.run_id);
    let mut queries = Vec::with_capacity(manifest.queries.len());
    let subtitle = format!("{} · {} · {}", manifest.title, manifest.period, manifest.completeness);
    for query in manifest.queries {
        let path = folder.clone().join(query.file.as_str());
        let result = store::read(store, &path, &query.file_digest).await?;
        let (schema, batches) = (result.schema, result.batches);
        let (name, title, formats) = (query.name, query.title, query.formats);
        let mut view = QueryView { name, title, formats, schema, batches, chart: None };
        view.chart = query.chart.map(|settings| chart::chart(&settings, &view, &subtitle));
        queries.push(view);
    }
    Ok(RunView {
        report: manifest.report,
        title: manifest.title,
        period: manifest.period,
        completeness: manifest.completeness,
        reasons: manifest.reasons,
        run_id: manifest.run_id,
        reused: false,
        notes: manifest.notes,
        inputs: manifest.inputs,
        queries,
        provenance: Provenance {
            fingerprint: manifest.fingerprint,
            report_fingerprint: manifest.report_fingerprint,
            program: manifest.program,
            snapshot_seq: manifest.snapshot_seq,
            tables: manifest.tables.into_iter().map(|(name, table)| (name, table.version)).collect(),
            foreign: manifest.foreign,
            finished_at: manifest.finished_at,
        },
    })
}

async fn read_manifest(store: &Arc<dyn ObjectStore>, root: &Path, record: &RunRecord) -> Result<Manifest, Error> {
    let path = record.manifest.split('/').fold(root.clone(), |path, part| path.join(part));
    let bytes = store::get(store, &path, &record.manifest_digest).await?;
    let damaged = |error| Error::new(Kind::FixData, format!("`{path}` is no manifest of a run")).with_source(error);
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if format > u64::from(MANIFEST_FORMAT) {
        let message =
            format!("run `{}` has format {format}, this program reads up to {MANIFEST_FORMAT}", record.run_id);
        return Err(Error::new(Kind::FixSettings, message).with_hint("use a newer stillhouse"));
    }
    serde_json::from_value(value).map_err(damaged)
}

/// What the queries of a report read.
#[derive(Default)]
struct Used {
    /// The tables, those below a view among them.
    tables: BTreeSet<String>,
    /// The views, with their rules.
    views: BTreeMap<String, CurrentView>,
}

impl Used {
    /// Those of the versions that are of tables that are read.
    fn among<T: Clone>(&self, versions: &BTreeMap<String, T>) -> BTreeMap<String, T> {
        let used = versions.iter().filter(|(name, _)| self.tables.contains(*name));
        used.map(|(name, version)| (name.clone(), version.clone())).collect()
    }
}

/// Plans every query before one of them runs, and tells what they read.
async fn used(session: &Session, report: &Report, params: &Params) -> Result<Used, Error> {
    let mut used = Used::default();
    for query in &report.queries {
        let planned = plan_query(session, query, params).await?;
        used.tables.extend(planned.tables);
        used.views.extend(planned.views);
    }
    Ok(used)
}

/// Plans a query of a report: the tables and columns are there, those of its chart among them, and the same run again would
/// give the same answer.
///
/// # Errors
/// When it is not so; the query's file is named.
pub async fn plan_query(session: &Session, query: &Query, params: &Params) -> Result<Planned, Error> {
    let planned = session.plan(&query.sql, params).await.map_err(|error| Error::from_query(error).of(query))?;
    if let Some(function) = planned.unstable.first() {
        let message = format!("`{function}()` gives another answer each time, so the run could not be repeated");
        let hint = "use `$period_start` or `$period_end` instead";
        return Err(Error::new(Kind::FixSettings, message).with_hint(hint).of(query));
    }
    if let Some(settings) = &query.chart {
        chart::check(settings, &planned.schema).map_err(|error| error.of(query))?;
    }
    Ok(planned)
}

/// Everything about a run that is known before its queries run.
struct Prepared {
    tables: BTreeMap<String, TableVersion>,
    foreign: BTreeMap<String, ForeignVersion>,
    views: BTreeMap<String, CurrentView>,
    inputs: Vec<Input>,
    /// See [`Manifest::sources`].
    sources: BTreeMap<String, BTreeSet<String>>,
    notes: Vec<String>,
    assessment: Assessment,
    fingerprint: String,
    started_at: i64,
}

fn prepare(
    context: RunContext<'_>,
    request: &RunRequest<'_>,
    params: &Params,
    used: Used,
    started_at: i64,
) -> Result<Prepared, Error> {
    let feeding: Vec<SourceState<'_>> =
        request.sources.iter().filter(|state| feeds(state.source, &used.tables)).cloned().collect();
    let today = jiff::Timestamp::from_microsecond(started_at)
        .map_err(|error| Error::new(Kind::Bug, "the clock is out of range").with_source(error))?
        .to_zoned(request.zone.clone())
        .date();
    let whole = |source: &Source| is_read_as_a_whole(source, &used);
    let assessment = assess_with(request.period, today, request.zone, &feeding, &whole);
    let mut inputs = Vec::new();
    let mut receipts = Vec::new();
    for state in &feeding {
        for receipt in &state.receipts {
            let rows = rows_in(receipt, state.source, request.period, request.zone);
            if rows > 0 || whole(state.source) || names_period(state.source, &receipt.object.key, request.period) {
                inputs.push(Input::new(receipt, rows));
                receipts.push(*receipt);
            }
        }
    }
    inputs.sort_by(|a, b| (&a.source, &a.key, &a.member).cmp(&(&b.source, &b.key, &b.member)));
    let notes = notes(receipts.into_iter());
    let (tables, foreign) = (used.among(context.tables), used.among(context.foreign));
    let data = Data::new(&tables, &foreign, &feeding);
    let (sources, fingerprint) = (data.sources(), data.fingerprint(request, params, &used.views, &inputs, &assessment));
    Ok(Prepared { tables, foreign, views: used.views, inputs, sources, notes, assessment, fingerprint, started_at })
}

/// Whether the report reads the current state of the source's table, which any change of any time may decide.
fn is_read_as_a_whole(source: &Source, used: &Used) -> bool {
    source.contract.views().any(|(_, view)| used.views.contains_key(view.name.as_str()))
}

/// Whether a table of the source is among the used ones.
fn feeds(source: &Source, used: &BTreeSet<String>) -> bool {
    source.contract.table_names().any(|name| used.contains(name.as_str()))
}

/// Whether the key itself names a stretch of the period, or nothing of the kind: then its refused records matter even
/// where it has no row of the period.
fn names_period(source: &Source, key: &str, period: Period) -> bool {
    match (source.path.period(key).and_then(Period::days), period.days()) {
        (Some((start, end)), Some((from, to))) => start < to && from < end,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

/// What the tables hold, by what was put into them: files may be merged and versions counted up, and no result changes.
struct Data<'a> {
    /// Every object version with rows or refused records, of the sources that feed the tables.
    objects: Vec<&'a Receipt>,
    /// The files of tables that no source feeds.
    files: BTreeMap<&'a String, &'a BTreeSet<String>>,
    foreign: &'a BTreeMap<String, ForeignVersion>,
}

impl<'a> Data<'a> {
    fn new(
        tables: &'a BTreeMap<String, TableVersion>,
        foreign: &'a BTreeMap<String, ForeignVersion>,
        feeding: &[SourceState<'a>],
    ) -> Self {
        let fed = |table: &str| feeding.iter().any(|state| feeds(state.source, &[table.to_owned()].into()));
        let files = tables.iter().filter(|(name, _)| !fed(name)).map(|(name, table)| (name, &table.files)).collect();
        let mut objects: Vec<&Receipt> = feeding
            .iter()
            .flat_map(|state| state.receipts.iter().copied())
            .filter(|receipt| receipt.counts.read > 0)
            .collect();
        objects.sort_by_key(|receipt| (receipt.key_number, receipt.generation));
        Self { objects, files, foreign }
    }

    /// For each source the source files by which its objects were read, by fingerprint.
    fn sources(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for receipt in &self.objects {
            let used = sources.entry(receipt.object.source.clone()).or_default();
            used.insert(receipt.source_fingerprint.clone());
            let replays = receipt.amendments.iter().filter(|amendment| amendment.what == AmendmentKind::Replay);
            used.extend(replays.map(|replay| replay.because.clone()));
        }
        sources
    }

    fn fingerprint(
        &self,
        request: &RunRequest<'_>,
        params: &Params,
        views: &BTreeMap<String, CurrentView>,
        inputs: &[Input],
        assessment: &Assessment,
    ) -> String {
        let objects = self.objects.iter().map(|receipt| {
            json!([receipt.object.source, receipt.object.key, receipt.object.member, receipt.generation, receipt.batch])
        });
        let mut whole = json!({
            "format": MANIFEST_FORMAT,
            "program": PROGRAM,
            "report": request.report.fingerprint,
            "period": request.period,
            "parameters": manifest::parameters(params),
            "objects": objects.collect::<Vec<_>>(),
            "files": self.files,
            "views": views,
            "inputs": inputs,
            "assessment": assessment,
        });
        if !self.foreign.is_empty() {
            // Where a table lies does not matter, nor what became of it since.
            let foreign = self.foreign.iter().map(|(name, table)| json!([name, table.id, table.version, table.files]));
            whole["foreign"] = foreign.collect();
        }
        blake3::hash(whole.to_string().as_bytes()).to_hex().to_string()
    }
}

/// Another version may compute or print another result.
const PROGRAM: &str = concat!("stillhouse ", env!("CARGO_PKG_VERSION"));

async fn execute(
    context: RunContext<'_>,
    request: &RunRequest<'_>,
    params: &Params,
    prepared: Prepared,
) -> Result<Manifest, Error> {
    let folder = run_folder(context.root, request.report.name.as_str(), request.run_id);
    let mut queries = Vec::with_capacity(request.report.queries.len());
    let statements: Vec<&str> = request.report.queries.iter().map(|query| query.sql.as_str()).collect();
    let mut together = context.session.together(&statements, params).await;
    for (place, query) in request.report.queries.iter().enumerate() {
        let rows = together.stream(place).await.map_err(|error| Error::from_query(error).of(query))?;
        let made = keep_rows(context, query, rows, &folder).await.map_err(|error| error.of(query))?;
        queries.push(made);
    }
    Ok(Manifest {
        format: MANIFEST_FORMAT,
        run_id: request.run_id.to_owned(),
        report: request.report.name.to_string(),
        title: request.report.title.clone(),
        period: request.period.to_string(),
        report_fingerprint: request.report.fingerprint.clone(),
        fingerprint: prepared.fingerprint,
        program: PROGRAM.to_owned(),
        snapshot_seq: context.snapshot_seq,
        started_at: prepared.started_at,
        finished_at: (context.clock)(),
        parameters: manifest::parameters(params),
        tables: prepared.tables,
        foreign: prepared.foreign,
        views: prepared.views,
        inputs: prepared.inputs,
        sources: prepared.sources,
        completeness: prepared.assessment.completeness,
        reasons: prepared.assessment.reasons,
        notes: prepared.notes,
        queries,
    })
}

async fn keep_rows(
    context: RunContext<'_>,
    query: &Query,
    rows: RowStream,
    folder: &Path,
) -> Result<QueryManifest, Error> {
    let file = format!("{}.parquet", query.name);
    let stored = Box::pin(store::write(context.store, &folder.clone().join(file.as_str()), rows)).await?;
    Ok(QueryManifest {
        name: query.name.to_string(),
        title: query.title.clone(),
        source: query.file.clone(),
        sql: query.sql.clone(),
        formats: query.columns.clone(),
        chart: query.chart.clone(),
        file,
        rows: stored.rows,
        digest: stored.digest,
        file_digest: stored.file_digest,
    })
}

/// Writes the manifest, after the results that it names and before the row of `_runs` that names it.
async fn keep(context: RunContext<'_>, manifest: Manifest) -> Result<RunRecord, Error> {
    let path = run_folder(context.root, &manifest.report, &manifest.run_id).join("manifest.json");
    let bytes = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::new(Kind::Bug, "the manifest cannot be written as JSON").with_source(error))?;
    let manifest_digest = blake3::hash(&bytes).to_hex().to_string();
    context.store.put(&path, bytes.into()).await.map_err(|error| store::unwritable(&path, error))?;
    Ok(RunRecord {
        manifest: format!("{RESULTS_FOLDER}/{}/{}/manifest.json", manifest.report, manifest.run_id),
        manifest_digest,
        run_id: manifest.run_id,
        report: manifest.report,
        period: manifest.period,
        completeness: manifest.completeness,
        reasons: manifest.reasons,
        fingerprint: manifest.fingerprint,
        snapshot_seq: manifest.snapshot_seq,
        tables: manifest.tables.into_iter().map(|(name, table)| (name, table.version)).collect(),
        foreign: manifest.foreign,
        inputs: manifest.inputs,
        started_at: manifest.started_at,
        finished_at: manifest.finished_at,
    })
}

fn run_folder(root: &Path, report: &str, run_id: &str) -> Path {
    root.clone().join(RESULTS_FOLDER).join(report).join(run_id)
}
