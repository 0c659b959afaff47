//! What a reader sees: whole batches only.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use stillhouse_safeguard::Safeguard;

use crate::error::Error;
use crate::lake::Lake;
use crate::manifest::DataFile;
use crate::schema_history::{SchemaChange, changes};
use crate::state::TableState;
use crate::{RECEIPTS, RUNS};

/// One state of the lake: every table at the version that the newest receipt names.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The last batch in it; 0 when nothing was published yet.
    pub seq: i64,
    /// Data tables at the vector's versions, `_receipts` and `_runs` at their newest. Tables that no complete batch
    /// has touched are absent.
    pub tables: BTreeMap<String, TableSnapshot>,
}

/// One table at one version.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    /// The Delta version.
    pub version: i64,
    /// Its columns, all nullable.
    pub schema: SchemaRef,
    /// The files that are live in that version, by path.
    pub files: Vec<Arc<DataFile>>,
    /// How its columns have changed since it was made, oldest first.
    pub history: Vec<SchemaChange>,
}

impl TableSnapshot {
    fn of(state: &TableState) -> Self {
        Self {
            version: state.version,
            schema: Arc::clone(&state.schema),
            files: state.files.values().cloned().collect(),
            history: changes(&state.metadata.configuration),
        }
    }

    /// Rows in all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

impl Lake {
    /// What is complete now. Tables that did not change since the last snapshot cost nothing but a look.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut snapshot = Snapshot::default();
        if let Some(receipts) = self.head(RECEIPTS).await? {
            if let Some(newest) = self.newest(&receipts).await? {
                snapshot.seq = newest.seq;
                for (table, version) in &newest.vector {
                    let state = if Safeguard::ReadVector.holds() {
                        self.at(table, *version).await?
                    } else {
                        self.head(table).await?.ok_or_else(|| Error::bug(format!("table `{table}` is gone")))?
                    };
                    snapshot.tables.insert(table.clone(), TableSnapshot::of(&state));
                }
            }
            snapshot.tables.insert(RECEIPTS.to_owned(), TableSnapshot::of(&receipts));
        }
        if let Some(runs) = self.head(RUNS).await? {
            snapshot.tables.insert(RUNS.to_owned(), TableSnapshot::of(&runs));
        }
        Ok(snapshot)
    }
}
