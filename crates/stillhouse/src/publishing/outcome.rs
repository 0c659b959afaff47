//! What became of publications, for people and for programs.

use serde::Serialize;
use serde_json::Value;
use stillhouse_spec::Publication;

use crate::app::App;
use crate::failure::{Exit, Failure, lines};
use crate::printer::complain;
use crate::text::{count, plural};

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was written.
    Published,
    /// It was there already.
    Unchanged,
    /// It is as it was before.
    Failed,
}

/// What was done for one publication.
#[derive(Debug)]
pub struct Done {
    pub status: Status,
    /// The rows that were written.
    pub rows: Option<u64>,
    pub remarks: Vec<String>,
}

impl Done {
    /// Nothing, because it was there already.
    pub fn unchanged() -> Self {
        Self { status: Status::Unchanged, rows: None, remarks: Vec::new() }
    }
}

/// One publication and what became of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The database, as the user wrote it.
    pub to: String,
    /// The table in the database.
    pub table: String,
    /// What it shows, in words.
    pub shows: String,
    /// What became of it.
    pub status: Status,
    /// The rows that were written; of results those of all periods that were.
    pub rows: Option<u64>,
    /// Worth knowing for readers of the database.
    pub remarks: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What became of all of them.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// In the order of the databases.
    pub all: Vec<Outcome>,
    /// Why databases were not written.
    failures: Vec<Failure>,
}

impl Outcomes {
    /// Adds what became of the publications of one database.
    pub(super) fn take(&mut self, app: &App, group: &[&Publication], done: Result<Vec<Done>, Failure>) {
        let mut error = None;
        let done = done.unwrap_or_else(|failure| {
            let to = group.first().map(|publication| publication.to.to_string()).unwrap_or_default();
            let failure = of_database(app, &to, failure);
            error = Some(failure.message.clone());
            self.failures.push(failure);
            group.iter().map(|_| Done { status: Status::Failed, rows: None, remarks: Vec::new() }).collect()
        });
        for (publication, Done { status, rows, remarks }) in group.iter().zip(done) {
            let (to, table, shows) =
                (publication.to.to_string(), publication.name.clone(), publication.what.to_string());
            self.all.push(Outcome { to, table, shows, status, rows, remarks, error: error.clone() });
        }
    }

    /// Adds others behind these.
    pub fn extend(&mut self, others: Outcomes) {
        self.all.extend(others.all);
        self.failures.extend(others.failures);
    }

    /// For programs.
    pub fn json(&self) -> Vec<Value> {
        self.all.iter().map(|outcome| serde_json::json!(outcome)).collect()
    }

    /// Says why databases were not written.
    pub fn complain(&self) {
        for failure in &self.failures {
            complain(lines(failure));
        }
    }

    /// Whatever else was done: a database that was not written is a failure.
    pub fn exit(&self, otherwise: Exit) -> Exit {
        if self.failures.is_empty() { otherwise } else { Exit::Failed }
    }

    /// A line for each database, below it a line for each table. Databases that hold everything already are left out
    /// unless `all` are wanted.
    pub fn text(&self, all: bool) -> String {
        let mut text = String::new();
        let mut rest = self.all.as_slice();
        while let Some(first) = rest.first() {
            let end = rest.iter().position(|outcome| outcome.to != first.to).unwrap_or(rest.len());
            let (group, others) = rest.split_at(end);
            rest = others;
            if all || group.iter().any(|outcome| outcome.status != Status::Unchanged) {
                text.push_str(&database(group, all));
            }
        }
        text
    }
}

/// The failure, with the database and the next step. What other libraries say may quote what the environment put in.
fn of_database(app: &App, to: &str, failure: Failure) -> Failure {
    let mask = |text: &str| app.project().mask(text).into_owned();
    let again = app.folder.command("publish");
    let then = format!("then publish again: `{again}`; the tables of the lake and the reports are not touched by this");
    Failure {
        exit: Exit::Failed,
        message: format!("`{to}` was not published, it is as it was: {}", mask(&failure.message)),
        place: None,
        causes: failure.causes.iter().map(|cause| mask(cause)).collect(),
        hint: Some(failure.hint.map_or_else(|| then.clone(), |hint| format!("{}; {then}", mask(&hint)))),
    }
}

fn database(group: &[Outcome], all: bool) -> String {
    let states = [Status::Published, Status::Unchanged, Status::Failed].map(|status| {
        let number = group.iter().filter(|outcome| outcome.status == status).count() as u64;
        (number > 0).then(|| format!("{} {}", count(number), word(status)))
    });
    let states: Vec<String> = states.into_iter().flatten().collect();
    let to = group.first().map(|outcome| outcome.to.as_str()).unwrap_or_default();
    let mut text = format!("{to}  {}\n", states.join(", "));
    for outcome in group.iter().filter(|outcome| all || outcome.status != Status::Unchanged) {
        let rows = outcome.rows.map(|rows| format!("  {}", plural(rows, "row"))).unwrap_or_default();
        text.push_str(&format!("  {}  {}{rows}\n", word(outcome.status), outcome.table));
        for remark in &outcome.remarks {
            text.push_str(&format!("    note: {remark}\n"));
        }
    }
    text
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Published => "published",
        Status::Unchanged => "unchanged",
        Status::Failed => "failed",
    }
}
