//! Results of reports, into one database.

use std::collections::BTreeMap;

use stillhouse_publish::{
    Database, Entry, ResultRows, ResultsTable, Wanted, Writing, prepare_results, remove_others, result_columns, wanted,
    write_period,
};
use stillhouse_report::{QueryView, RunRecord, RunView};
use stillhouse_spec::{Publication, Published};

use super::outcome::{Done, Status};
use crate::app::App;
use crate::failure::Failure;
use crate::report_runs::{load, recorded};
use crate::surroundings;

/// Brings the tables of results up to date; what became of each.
pub async fn publish(
    app: &App,
    database: &mut dyn Database,
    group: &[&Publication],
    again: bool,
    views: &[RunView],
) -> Result<Vec<Done>, Failure> {
    let mut runs = Runs::new(app, views, recorded(app).await?);
    let entries = database.entries().await?;
    if !again && group.iter().all(|publication| runs.is_there(&entries, publication)) {
        return Ok(group.iter().map(|_| Done::unchanged()).collect());
    }
    let mut writing = database.begin().await?;
    // Only now that nobody else writes: the newest runs are to be the last that are published.
    runs.records = recorded(app).await?;
    let mut done = Vec::with_capacity(group.len());
    for publication in group {
        done.push(one(app, writing.as_mut(), &mut runs, publication, again).await?);
    }
    writing.commit().await?;
    Ok(done)
}

fn names(publication: &Publication) -> (&str, &str) {
    match &publication.what {
        Published::Results { report, query } => (report.as_str(), query.as_str()),
        Published::Table { .. } => unreachable!("only results are grouped here"),
    }
}

async fn one(
    app: &App,
    writing: &mut dyn Writing,
    runs: &mut Runs<'_>,
    publication: &Publication,
    again: bool,
) -> Result<Done, Failure> {
    let entries = writing.entries().await?;
    let all = runs.wanted(&entries, publication);
    let missing = all.iter().filter(|wanted| again || !wanted.is_there);
    let Some(newest) = missing.max_by_key(|wanted| runs.place(&wanted.run_id)) else {
        let removed = remove_others(writing, &publication.name, &all).await?;
        return Ok(if removed > 0 {
            Done { status: Status::Published, rows: Some(0), ..Done::unchanged() }
        } else {
            Done::unchanged()
        });
    };
    let (_, query) = names(publication);
    let table = ResultsTable {
        name: publication.name.clone(),
        project: app.project().name.clone(),
        shows: publication.what.to_string(),
    };
    // A run that is older than the query has no result of it; the newest run has.
    let schema = runs.load(&newest.run_id).await?.queries.iter().find(|view| view.name == query);
    let columns = match schema {
        Some(view) => result_columns(&view.schema)?,
        None => return Ok(Done::unchanged()),
    };
    let anew = prepare_results(writing, &table, &columns, again).await?;
    remove_others(writing, &table.name, &all).await?;
    let mut done = Done { status: Status::Published, rows: Some(0), remarks: Vec::new() };
    for wanted in all.iter().filter(|wanted| anew || !wanted.is_there) {
        let view = runs.load(&wanted.run_id).await?;
        let result = rows(wanted, view, query);
        let written = write_period(writing, &table, &columns, &result, surroundings::now_micros()).await?;
        done.rows = done.rows.map(|rows| rows + written.rows);
        done.remarks.extend(written.remarks.into_iter().map(|remark| format!("{}: {remark}", wanted.period)));
    }
    Ok(done)
}

/// A run that was made before the report had the query has no rows of it.
fn rows<'w>(wanted: &'w Wanted, view: &RunView, query: &str) -> ResultRows<'w> {
    let found = view.queries.iter().find(|view| view.name == query);
    let batches = found.map(|QueryView { batches, .. }| batches.clone()).unwrap_or_default();
    ResultRows { wanted, completeness: view.completeness.to_string(), batches }
}

/// The recorded runs, and those that were shown just now.
struct Runs<'a> {
    app: &'a App,
    views: &'a [RunView],
    records: Vec<RunRecord>,
    /// The run that was read last: the queries of a report follow one another.
    last: Option<RunView>,
}

impl<'a> Runs<'a> {
    fn new(app: &'a App, views: &'a [RunView], records: Vec<RunRecord>) -> Self {
        Self { app, views, records, last: None }
    }

    fn wanted(&self, entries: &[Entry], publication: &Publication) -> Vec<Wanted> {
        let (report, _) = names(publication);
        // Oldest first, so the newest stay.
        let own = self.records.iter().filter(|record| record.report == report);
        let newest: BTreeMap<_, _> = own.map(|record| (record.period.clone(), record.run_id.clone())).collect();
        let own = self.views.iter().filter(|view| view.report == report);
        let shown = own.map(|view| (view.period.clone(), view.run_id.clone())).collect();
        wanted(entries, &publication.name, &newest, &shown)
    }

    fn is_there(&self, entries: &[Entry], publication: &Publication) -> bool {
        let all = self.wanted(entries, publication);
        let periods = |entry: &&Entry| entry.table.eq_ignore_ascii_case(&publication.name);
        all.iter().all(|wanted| wanted.is_there) && entries.iter().filter(periods).count() == all.len()
    }

    /// Where the run stands among the recorded ones.
    fn place(&self, run_id: &str) -> Option<usize> {
        self.records.iter().position(|record| record.run_id == run_id)
    }

    async fn load(&mut self, run_id: &str) -> Result<&RunView, Failure> {
        if let Some(view) = self.views.iter().find(|view| view.run_id == run_id) {
            return Ok(view);
        }
        if self.last.as_ref().is_none_or(|view| view.run_id != run_id) {
            let record = self.records.iter().find(|record| record.run_id == run_id);
            let record = record.ok_or_else(|| {
                Failure::failed(format!("run `{run_id}` is not recorded any more"))
                    .hint("make it again: `stillhouse report run`")
            })?;
            self.last = Some(load(self.app, record).await?);
        }
        Ok(self.last.as_ref().expect("it was loaded above"))
    }
}
