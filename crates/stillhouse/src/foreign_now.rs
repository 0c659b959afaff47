//! Foreign tables as they are now, each at one version for as long as a command runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStore;
use stillhouse_lake::{Error, Kind, Snapshot};
use stillhouse_query::{FileInput, ForeignFiles, ForeignInput, Unreadable, nearest};
use stillhouse_report::ForeignVersion;
use stillhouse_spec::ForeignTable;

use crate::app::App;

/// Which foreign tables a command opens.
#[derive(Debug, Clone, Copy)]
pub enum Foreign<'a> {
    /// None: it asks nothing of them.
    None,
    /// All of them.
    All,
    /// Those that one of these queries may name.
    NamedIn(&'a [&'a str]),
}

/// A foreign table of the settings, and what was found.
pub struct ForeignNow {
    /// What the settings say.
    pub settings: ForeignTable,
    /// The version that is read, or why none can be.
    pub found: Result<stillhouse_lake::ForeignTable, Unreadable>,
}

impl Foreign<'_> {
    /// A query that names a table holds its name, in whatever case.
    fn has(self, table: &str) -> bool {
        match self {
            Foreign::None => false,
            Foreign::All => true,
            Foreign::NamedIn(texts) => {
                let table = table.to_ascii_lowercase();
                texts.iter().any(|text| text.to_ascii_lowercase().contains(&table))
            }
        }
    }
}

/// Opens those that are wanted. That one cannot be read is no failure before somebody asks for it.
pub async fn open(app: &App, snapshot: &Snapshot, wanted: Foreign<'_>) -> Vec<ForeignNow> {
    let mut tables = Vec::new();
    for settings in app.project().foreign.iter().filter(|table| wanted.has(table.name.as_str())) {
        let found = open_one(app, snapshot, settings).await;
        tables.push(ForeignNow { settings: settings.clone(), found });
    }
    tables
}

async fn open_one(
    app: &App,
    snapshot: &Snapshot,
    settings: &ForeignTable,
) -> Result<stillhouse_lake::ForeignTable, Unreadable> {
    let (name, shown) = (settings.name.as_str(), settings.folder.to_string());
    let folder = app.folder.resolve(settings.folder.expose());
    if let Some(own) = own_table(app, snapshot, &folder) {
        let kind = stillhouse_query::Kind::FixSettings;
        let message = format!("table `{name}`: `{shown}` is the table `{own}` of this lake");
        return Err(Unreadable { kind, message, hint: format!("ask for `{own}`, which queries know anyway") });
    }
    let opened = stillhouse_lake::ForeignTable::open(name, &folder, &shown, settings.version).await;
    let table = opened.map_err(|error| unreadable(app, error))?;
    let columns: Vec<String> = table.schema.fields().iter().map(|field| field.name().clone()).collect();
    if let Some(missing) = settings.pii.iter().find(|column| !columns.contains(column)) {
        let message = format!("table `{name}`: `pii` of [tables.{name}] names `{missing}`, which is no column of it");
        let kind = stillhouse_query::Kind::FixSettings;
        return Err(Unreadable { kind, message, hint: nearest("columns", missing, &columns) });
    }
    Ok(table)
}

/// The table of the lake that lies in the folder.
fn own_table(app: &App, snapshot: &Snapshot, folder: &std::path::Path) -> Option<String> {
    let lake = app.folder.resolve(app.project().lake.path.expose()).canonicalize().ok()?;
    let inside = folder.canonicalize().ok()?.strip_prefix(lake).ok()?.to_str()?.to_owned();
    snapshot.tables.contains_key(&inside).then_some(inside)
}

fn unreadable(app: &App, error: Error) -> Unreadable {
    use stillhouse_query::Kind as Query;
    let kind = match error.kind {
        Kind::FixSettings => Query::FixSettings,
        Kind::Retry => Query::Retry,
        Kind::Bug => Query::Bug,
        _ => Query::FixData,
    };
    // The library below may quote the folder, which may come from the environment.
    let message = app.project().mask(&error.message).into_owned();
    Unreadable { kind, message, hint: error.hint.unwrap_or_else(|| "try again".to_owned()) }
}

/// The tables as queries get them.
pub fn inputs(tables: &[ForeignNow]) -> Vec<ForeignInput> {
    let files = |table: &stillhouse_lake::ForeignTable| ForeignFiles {
        schema: Arc::clone(&table.schema),
        files: table
            .files
            .iter()
            .map(|file| FileInput { path: file.path.clone(), size: file.size, rows: file.rows.unwrap_or(0) })
            .collect(),
        partitions: table.partitions.clone(),
    };
    let input = |table: &ForeignNow| ForeignInput {
        name: table.settings.name.to_string(),
        files: table.found.as_ref().map(files).map_err(Clone::clone),
    };
    tables.iter().map(input).collect()
}

/// Where their files are.
pub fn stores(tables: &[ForeignNow]) -> BTreeMap<String, Arc<dyn ObjectStore>> {
    let found = tables.iter().filter_map(|table| Some((table, table.found.as_ref().ok()?)));
    found.map(|(table, found)| (table.settings.name.to_string(), Arc::clone(&found.store))).collect()
}

/// The versions that are read, for what runs remember.
pub fn versions(tables: &[ForeignNow]) -> BTreeMap<String, ForeignVersion> {
    let found = tables.iter().filter_map(|table| Some((table, table.found.as_ref().ok()?)));
    let version = |(table, found): (&ForeignNow, &stillhouse_lake::ForeignTable)| {
        let folder = table.settings.folder.to_string();
        let version = ForeignVersion { folder, id: found.id.clone(), version: found.version, files: found.digest() };
        (table.settings.name.to_string(), version)
    };
    found.map(version).collect()
}
