//! `_runs`: what reports found, when and from what.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use futures::StreamExt as _;

use crate::RUNS;
use crate::commit::{Committed, Rounds, next_version};
use crate::error::Error;
use crate::lake::Lake;
use crate::log::{Commit, Note};
use crate::manifest::DataFile;
use crate::read;
use crate::schema::{delta_schema, runs_schema};
use crate::state::TableState;
use crate::writer::TableWriter;

/// One run of a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunRow {
    /// Unique for ever; a second append of the same id does nothing.
    pub run_id: String,
    /// The report's name.
    pub report: String,
    /// The period, as written (`2021-04`).
    pub period: String,
    /// `COMPLETE`, `PARTIAL` or `EMPTY`.
    pub completeness: String,
    /// Stands for the report, its parameters and its input; the same fingerprint means that the run can be reused.
    pub fingerprint: String,
    /// The snapshot that it read.
    pub snapshot_seq: i64,
    /// JSON: table to version.
    pub tables: String,
    /// JSON: the input receipts.
    pub inputs: String,
    /// Where the result is, relative to the lake.
    pub result_path: String,
    /// BLAKE3 of the result, hex.
    pub result_digest: String,
    /// Microseconds since 1970.
    pub started_at: i64,
    /// Microseconds since 1970.
    pub finished_at: i64,
    /// JSON: anything else.
    pub detail: String,
}

/// Which runs to read.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Only this one.
    pub run_id: Option<String>,
    /// Only those of this report.
    pub report: Option<String>,
    /// Only those with this fingerprint.
    pub fingerprint: Option<String>,
}

impl Lake {
    /// Records a run; does nothing when its id is recorded already. Outside the publish queue: `_runs` belongs to no
    /// batch, and no other table's version goes with it.
    pub async fn append_run(&self, run: &RunRow, now: i64) -> Result<(), Error> {
        let mut rounds = Rounds::default();
        loop {
            let state = self.head(RUNS).await?;
            let by_id = RunQuery { run_id: Some(run.run_id.clone()), ..RunQuery::default() };
            if let Some(state) = &state
                && !self.runs_in(state, &by_id).await?.is_empty()
            {
                return Ok(());
            }
            let commit = self.build_run(state.as_deref(), run, now).await?;
            match self.commit(RUNS, state, commit.into_bytes()?).await? {
                Committed::Done(_) => break,
                Committed::LookAgain(error) => rounds.again(RUNS, error).await?,
            }
        }
        self.checkpoint_where_due([RUNS].into_iter()).await;
        Ok(())
    }

    /// Recorded runs, by time of finishing.
    pub async fn runs(&self, query: &RunQuery) -> Result<Vec<RunRow>, Error> {
        let Some(state) = self.head(RUNS).await? else { return Ok(Vec::new()) };
        self.runs_in(&state, query).await
    }

    async fn runs_in(&self, state: &TableState, query: &RunQuery) -> Result<Vec<RunRow>, Error> {
        let mut found = Vec::new();
        for file in state.files.values().filter(|file| query.allows(file)) {
            let mut rows = read::open(&self.store, RUNS, file, None).await?;
            while let Some(batch) = rows.batches.next().await {
                let batch = batch?;
                found.extend((0..batch.num_rows()).map(|row| read_run(&batch, row)).filter(|run| query.matches(run)));
            }
        }
        found.sort_by(|a, b| (a.finished_at, &a.run_id).cmp(&(b.finished_at, &b.run_id)));
        Ok(found)
    }

    async fn build_run(&self, state: Option<&TableState>, run: &RunRow, now: i64) -> Result<Commit, Error> {
        let mut commit = Commit::new("WRITE", &Note::<()>::fence(0, ""), now)?;
        if state.is_none() {
            commit.create(RUNS, &self.table_id(), &delta_schema(&runs_schema())?)?;
        }
        let stem = self.file_stem("runs", RUNS, next_version(state));
        let mut writer = TableWriter::new(Arc::clone(&self.store), RUNS, runs_schema(), &stem);
        writer.write(&run_rows(std::slice::from_ref(run))?).await?;
        let file = writer.finish(now).await?.ok_or_else(|| Error::bug("a file of one row is empty"))?;
        commit.add(&file)?;
        if let Some(state) = state
            && let Some(tidied) = self.tidy(state, now).await
        {
            commit.tidy(&tidied)?;
        }
        Ok(commit)
    }
}

impl RunQuery {
    fn allows(&self, file: &DataFile) -> bool {
        let text = |column, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| read::may_hold_text(file, column, wanted))
        };
        text("run_id", &self.run_id) && text("report", &self.report) && text("fingerprint", &self.fingerprint)
    }

    fn matches(&self, run: &RunRow) -> bool {
        let is = |wanted: &Option<String>, found: &String| wanted.as_ref().is_none_or(|wanted| wanted == found);
        is(&self.run_id, &run.run_id) && is(&self.report, &run.report) && is(&self.fingerprint, &run.fingerprint)
    }
}

fn run_rows(runs: &[RunRow]) -> Result<RecordBatch, Error> {
    let text = |of: fn(&RunRow) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(runs.iter().map(of))) };
    let instant = |of: fn(&RunRow) -> i64| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter_values(runs.iter().map(of)).with_timezone("UTC"))
    };
    let columns: Vec<ArrayRef> = vec![
        text(|run| &run.run_id),
        text(|run| &run.report),
        text(|run| &run.period),
        text(|run| &run.completeness),
        text(|run| &run.fingerprint),
        Arc::new(Int64Array::from_iter_values(runs.iter().map(|run| run.snapshot_seq))),
        text(|run| &run.tables),
        text(|run| &run.inputs),
        text(|run| &run.result_path),
        text(|run| &run.result_digest),
        instant(|run| run.started_at),
        instant(|run| run.finished_at),
        text(|run| &run.detail),
    ];
    RecordBatch::try_new(runs_schema(), columns).map_err(|e| Error::bug("rows of `_runs`").caused_by(e))
}

fn read_run(batch: &RecordBatch, row: usize) -> RunRow {
    let text = |column: &str| read::text(batch, column, row).unwrap_or_default().to_owned();
    let int = |column: &str| read::int(batch, column, row).unwrap_or_default();
    RunRow {
        run_id: text("run_id"),
        report: text("report"),
        period: text("period"),
        completeness: text("completeness"),
        fingerprint: text("fingerprint"),
        snapshot_seq: int("snapshot_seq"),
        tables: text("tables"),
        inputs: text("inputs"),
        result_path: text("result_path"),
        result_digest: text("result_digest"),
        started_at: int("started_at"),
        finished_at: int("finished_at"),
        detail: text("detail"),
    }
}
