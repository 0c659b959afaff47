//! The tables as they are: one snapshot of the lake, opened for queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use object_store::path::Path;
use stillhouse_lake::Snapshot;
use stillhouse_query::{Engine, EngineOptions, FileInput, Session, TableInput};
use stillhouse_report::TableVersion;
use stillhouse_spec::CurrentView;

use crate::app::App;
use crate::failure::Failure;

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
    /// Views by name: the table below, and the rule.
    pub views: BTreeMap<String, (String, CurrentView)>,
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
    /// The newest snapshot; tables of the contracts that the lake does not have yet are empty.
    pub async fn open(app: &App) -> Result<Self, Failure> {
        let snapshot = app.lake.snapshot().await?;
        let inputs = inputs(app, &snapshot);
        let limits = &app.project().limits;
        let engine = Engine::new(EngineOptions {
            memory_bytes: limits.query_memory_bytes,
            spill_bytes: limits.spill_bytes,
            spill_dir: app.folder.resolve(".stillhouse/spill"),
            query_seconds: limits.query_seconds,
            result_rows: limits.result_rows,
            partitions: app.workers(),
            store: std::sync::Arc::clone(app.lake.store()),
        })?;
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
        let (versions, sizes, views) = (versions.collect(), sizes.collect(), views.collect());
        Ok(Self { session: engine.open(inputs)?, seq: snapshot.seq, versions, sizes, views, _engine: engine })
    }
}

/// What queries can name: the tables of the contracts with their views, and the lake's own.
fn inputs(app: &App, snapshot: &Snapshot) -> Vec<TableInput> {
    let mut inputs: BTreeMap<String, TableInput> = BTreeMap::new();
    for source in &app.project().sources {
        let parent = &source.contract.parent;
        for (table, schema) in stillhouse_ingest::TargetTables::new(&source.contract).tables {
            let current = if table == parent.name { parent.current.clone() } else { None };
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
