//! The tables as they are: one snapshot of the lake, opened for queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use object_store::path::Path;
use stillhouse_lake::{SchemaChange, Snapshot};
use stillhouse_query::{Engine, EngineOptions, FileInput, Params, RowStream, Session, TableInput, mounted, nearest};
use stillhouse_report::{ForeignVersion, TableVersion};
use stillhouse_spec::CurrentView;

use crate::app::App;
use crate::failure::Failure;
use crate::foreign_now::{self, Foreign, ForeignNow};

/// The columns that say where a row came from.
const LINEAGE: [&str; 3] = ["_object", "_record", "_ingested_at"];

/// How far the limits of the project hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceilings {
    /// All of them do.
    AsSet,
    /// A result may have any number of rows, because nobody keeps them.
    AnyRows,
    /// So may it, and take any time: a table is read from end to end. Rows come in the order of the files, so that the
    /// same snapshot always gives the same.
    WholeTables,
}

/// One snapshot of the lake, opened for queries. Keep the engine as long as the session.
pub struct TablesNow {
    /// Queries over the snapshot.
    pub session: Session,
    /// The place of the snapshot in the queue of batches; 0 before the first.
    pub seq: i64,
    /// The versions and files of the same snapshot, by table.
    pub versions: BTreeMap<String, TableVersion>,
    /// Rows and bytes by table.
    pub sizes: BTreeMap<String, TableSize>,
    /// The columns, by table.
    schemas: BTreeMap<String, SchemaRef>,
    /// How the columns of the tables have changed.
    pub histories: BTreeMap<String, Vec<SchemaChange>>,
    /// Views by name: the table below, and the rule.
    pub views: BTreeMap<String, (String, CurrentView)>,
    /// The foreign tables that were opened.
    pub foreign: Vec<ForeignNow>,
    /// The versions of those that can be read.
    pub foreign_versions: BTreeMap<String, ForeignVersion>,
    _engine: Engine,
}

/// How large a table is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSize {
    /// Live rows.
    pub rows: u64,
    /// Live files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl TablesNow {
    /// The newest snapshot, and all foreign tables; tables of the contracts that the lake does not have yet are empty.
    pub async fn open(app: &App) -> Result<Self, Failure> {
        Self::open_with(app, Ceilings::AsSet, Foreign::All).await
    }

    /// The same with other limits, or fewer foreign tables.
    pub async fn open_with(app: &App, ceilings: Ceilings, foreign: Foreign<'_>) -> Result<Self, Failure> {
        let snapshot = app.lake.snapshot().await?;
        let inputs = inputs(app, &snapshot);
        let foreign = foreign_now::open(app, &snapshot, foreign).await;
        let engine = engine(app, ceilings, &foreign)?;
        let versions = snapshot.tables.iter().map(|(name, table)| {
            let files = table.files.iter().map(|file| file.path.clone()).collect();
            (name.clone(), TableVersion { version: table.version, files })
        });
        let sizes = inputs.iter().map(|input| {
            let size = TableSize {
                rows: input.files.iter().map(|file| file.rows).sum(),
                files: input.files.len() as u64,
                bytes: input.files.iter().map(|file| file.size).sum(),
            };
            (input.name.clone(), size)
        });
        let views = inputs.iter().filter_map(|input| {
            let rule = input.current.clone()?;
            Some((rule.name.to_string(), (input.name.clone(), rule)))
        });
        let histories = snapshot.tables.iter().map(|(name, table)| (name.clone(), table.history.clone())).collect();
        let schemas = inputs.iter().map(|input| (input.name.clone(), Arc::clone(&input.schema)));
        let of_foreign = foreign.iter().filter_map(|table| {
            let schema = &table.found.as_ref().ok()?.schema;
            Some((table.settings.name.to_string(), Arc::clone(schema)))
        });
        let schemas = schemas.chain(of_foreign).collect();
        let (versions, sizes, views) = (versions.collect(), sizes.collect(), views.collect());
        Ok(Self {
            session: engine.open_with_foreign(inputs, foreign_now::inputs(&foreign))?,
            seq: snapshot.seq,
            versions,
            sizes,
            schemas,
            histories,
            views,
            foreign_versions: foreign_now::versions(&foreign),
            foreign,
            _engine: engine,
        })
    }

    /// The columns of a table, with or without those of our own.
    pub fn schema(&self, table: &str, lineage: bool) -> SchemaRef {
        let Some(schema) = self.schemas.get(table) else { return Arc::new(Schema::empty()) };
        let wanted = schema.fields().iter().filter(|field| lineage || !field.name().starts_with('_'));
        Arc::new(Schema::new(wanted.cloned().collect::<Vec<_>>()))
    }
}

fn engine(app: &App, ceilings: Ceilings, foreign: &[ForeignNow]) -> Result<Engine, stillhouse_query::Error> {
    let limits = &app.project().limits;
    Engine::new(EngineOptions {
        memory_bytes: limits.query_memory_bytes,
        spill_bytes: limits.spill_bytes,
        spill_dir: app.folder.resolve(".stillhouse/spill"),
        query_seconds: if ceilings == Ceilings::WholeTables { u64::MAX } else { limits.query_seconds },
        result_rows: if ceilings == Ceilings::AsSet { limits.result_rows } else { u64::MAX },
        partitions: if ceilings == Ceilings::WholeTables { 1 } else { app.workers() },
        store: mounted(Arc::clone(app.lake.store()), foreign_now::stores(foreign)),
    })
}

/// Which columns of a table.
#[derive(Debug, Clone, Copy)]
pub enum Columns<'a> {
    /// Those of its contract; of the lake's own tables and of foreign ones all.
    Own,
    /// Those that say where a row came from as well.
    All,
    /// These, in this order.
    Named(&'a [String]),
}

impl TablesNow {
    /// All rows of a table or view.
    pub async fn rows(&self, table: &str, columns: Columns<'_>) -> Result<RowStream, Failure> {
        self.session.expect_table(table)?;
        let all = format!("select * from {}", quoted(table));
        let schema = self.session.plan(&all, &Params::new()).await?.schema;
        let known = || schema.fields().iter().map(|field| field.name());
        let has_lineage = !table.starts_with('_') && !self.foreign_versions.contains_key(table);
        let is_own = |name: &&String| !has_lineage || !LINEAGE.contains(&name.as_str());
        let names: Vec<&String> = match columns {
            Columns::All => known().collect(),
            Columns::Own => known().filter(is_own).collect(),
            Columns::Named(names) => names.iter().collect(),
        };
        if let Some(missing) = names.iter().find(|name| known().all(|known| known != **name)) {
            return Err(no_column(missing, known()));
        }
        let names: Vec<String> = names.into_iter().map(|name| quoted(name)).collect();
        let some = format!("select {} from {}", names.join(", "), quoted(table));
        Ok(self.session.stream(&some, &Params::new()).await?)
    }
}

/// That there is no column of that name, and which one was meant.
pub fn no_column<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Failure {
    let known: Vec<String> = known.cloned().collect();
    Failure::usage(format!("there is no column `{name}`")).hint(nearest("columns", name, &known))
}

/// A name as SQL has it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What queries can name: the tables of the contracts with their views, and the lake's own.
fn inputs(app: &App, snapshot: &Snapshot) -> Vec<TableInput> {
    let mut inputs: BTreeMap<String, TableInput> = BTreeMap::new();
    for source in &app.project().sources {
        for (table, schema) in stillhouse_ingest::TargetTables::new(&source.contract).tables {
            let view = source.contract.views().find(|(of, _)| **of == table);
            let current = view.map(|(_, view)| view.clone());
            let name = table.to_string();
            let folder = Path::from(name.as_str());
            inputs.insert(name.clone(), TableInput { name, schema, folder, files: Vec::new(), current });
        }
    }
    for (name, table) in &snapshot.tables {
        let contract = inputs.remove(name);
        let files = table.files.iter();
        let files = files.map(|file| FileInput { path: file.path.clone(), size: file.size, rows: file.rows }).collect();
        let schema = match &contract {
            Some(contract) => with_new_columns(&table.schema, &contract.schema),
            None => table.schema.clone(),
        };
        let current = contract.and_then(|contract| contract.current);
        let folder = Path::from(name.as_str());
        inputs.insert(name.clone(), TableInput { name: name.clone(), schema, folder, files, current });
    }
    inputs.into_values().collect()
}

/// The columns as they are in the lake, whatever the contract calls them by now; behind them those that the contract has
/// got since, which no row has yet.
fn with_new_columns(lake: &SchemaRef, contract: &SchemaRef) -> SchemaRef {
    let known = |name: &str| lake.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
    let new = contract.fields().iter().filter(|field| !known(field.name()));
    Arc::new(Schema::new(lake.fields().iter().chain(new).cloned().collect::<Vec<_>>()))
}
