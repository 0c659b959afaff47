//! Publications carried out: what the lake holds goes into the databases that the project names.
//!
//! A failure here never undoes a load or a run: the lake is the truth, and a database catches up with the next run.

mod outcome;
mod results;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stillhouse_publish::Database;
use stillhouse_report::RunView;
use stillhouse_spec::{Publication, Published};

use crate::app::App;
use crate::failure::Failure;

pub use self::outcome::Outcomes;

/// What to publish.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// Only these tables and reports; all when there is none.
    pub names: &'a [String],
    /// What is there already, too.
    pub again: bool,
}

impl Request<'_> {
    fn wants(&self, publication: &Publication) -> bool {
        let of_report = match &publication.what {
            Published::Table { table, .. } => table.as_str(),
            Published::Results { report, .. } => report.as_str(),
        };
        self.names.is_empty() || self.names.iter().any(|name| name == of_report || *name == publication.name)
    }
}

/// Publishes tables of the lake. All tables of one database are of one snapshot.
pub async fn tables(app: &App, request: Request<'_>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (path, group) in by_database(app, request, |what| matches!(what, Published::Table { .. })) {
        let done = async {
            let mut database = open(&path)?;
            let done = tables::publish(app, database.as_mut(), &group, request.again).await;
            closed(database, done).await
        };
        outcomes.take(app, &group, done.await);
    }
    outcomes
}

/// Publishes results of reports: those of `views`, which were shown just now, and whatever was recorded since the last
/// time.
pub async fn results(app: &App, request: Request<'_>, views: &[RunView]) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (path, group) in by_database(app, request, |what| matches!(what, Published::Results { .. })) {
        let done = async {
            let mut database = open(&path)?;
            let done = results::publish(app, database.as_mut(), &group, request.again, views).await;
            closed(database, done).await
        };
        outcomes.take(app, &group, done.await);
    }
    outcomes
}

/// The wanted publications of that kind, by the file that they go into.
fn by_database<'a>(
    app: &'a App,
    request: Request<'_>,
    is_kind: impl Fn(&Published) -> bool,
) -> BTreeMap<PathBuf, Vec<&'a Publication>> {
    let mut groups: BTreeMap<PathBuf, Vec<&Publication>> = BTreeMap::new();
    for publication in &app.project().publications {
        if is_kind(&publication.what) && request.wants(publication) {
            groups.entry(app.folder.resolve(publication.to.expose_path())).or_default().push(publication);
        }
    }
    groups
}

fn open(path: &Path) -> Result<Box<dyn Database>, Failure> {
    if let Some(name) = network(path) {
        return Err(Failure::failed(format!("expected a file on a local disk, found the network file system {name}"))
            .hint("SQLite's locks do not hold there; publish to a local file and copy it, or put the program there"));
    }
    Ok(stillhouse_publish::open_sqlite(path))
}

/// The network file system that a file is on, or will be: its folder may have to be made yet.
pub fn network(path: &Path) -> Option<&'static str> {
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir())?;
    stillhouse_ledger::network_file_system(folder).ok().flatten()
}

/// An error of the work counts more than one of closing.
async fn closed<T>(database: Box<dyn Database>, done: Result<T, Failure>) -> Result<T, Failure> {
    let closed = database.close().await;
    let done = done?;
    closed?;
    Ok(done)
}
