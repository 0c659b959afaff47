//! What a table is at one version, moved forward by reading only the log entries after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use object_store::ObjectStore;
use serde::de::IgnoredAny;

use crate::checkpoint;
use crate::error::{Error, Kind};
use crate::log::{Entry, Metadata, ProtocolLine, read_entry};
use crate::manifest::DataFile;
use crate::schema::arrow_schema;

/// A table at one version.
#[derive(Debug, Clone)]
pub(crate) struct TableState {
    pub table: String,
    pub version: i64,
    /// The last batch that the table has; 0 before the first.
    pub seq: i64,
    /// The id of that batch, unless it was committed before the checkpoint that this state began with.
    pub batch: Option<String>,
    pub epoch: i64,
    pub metadata: Metadata,
    pub schema: SchemaRef,
    /// Live files by path.
    pub files: BTreeMap<String, Arc<DataFile>>,
    /// The version of the checkpoint that this state began with, or that was made since.
    pub checkpoint: Option<i64>,
}

impl TableState {
    /// Step 5a: whoever commits under `epoch` stops at a table that has a newer one.
    pub(crate) fn check_epoch(&self, epoch: i64) -> Result<(), Error> {
        if self.epoch <= epoch {
            return Ok(());
        }
        let message = format!("table `{}`: expected epoch {epoch}, found {}", self.table, self.epoch);
        Err(Error::new(Kind::Fenced, message).hint("another ledger speaks for this lake now"))
    }

    /// The table at its newest version, or at version `at`; `None` when there is no such table.
    pub async fn load(store: &Arc<dyn ObjectStore>, table: &str, at: Option<i64>) -> Result<Option<Self>, Error> {
        let start = match checkpoint::load(store, table, at).await? {
            Some(state) => state,
            None => {
                let Some(first) = read_entry::<IgnoredAny>(store, table, 0).await? else { return Ok(None) };
                Self::first(table, first)?
            }
        };
        let state = start.advance(store, at).await?;
        match at {
            Some(at) if state.version != at => {
                let message = format!("table `{table}`: expected version {at}, found {} as the newest", state.version);
                Err(Error::fix_data(message).hint("log entries are missing; restore the lake from a copy"))
            }
            _ => Ok(Some(state)),
        }
    }

    fn first(table: &str, entry: Entry<IgnoredAny>) -> Result<Self, Error> {
        let Some(metadata) = entry.metadata.clone() else {
            return Err(Error::fix_data(format!(
                "table `{table}`, log entry 0: expected the table's columns, found none"
            )));
        };
        let mut state = Self::empty(table, metadata)?;
        state.apply(0, entry)?;
        Ok(state)
    }

    /// A table before its first entry.
    pub fn empty(table: &str, metadata: Metadata) -> Result<Self, Error> {
        let schema = table_schema(table, &metadata)?;
        Ok(Self {
            table: table.to_owned(),
            version: -1,
            seq: 0,
            batch: None,
            epoch: 0,
            metadata,
            schema,
            files: BTreeMap::new(),
            checkpoint: None,
        })
    }

    /// Reads on, to the newest version or to `until`.
    pub async fn advance(mut self, store: &Arc<dyn ObjectStore>, until: Option<i64>) -> Result<Self, Error> {
        while until.is_none_or(|until| self.version < until) {
            let next = self.version + 1;
            let Some(entry) = read_entry::<IgnoredAny>(store, &self.table, next).await? else { break };
            self.apply(next, entry)?;
        }
        Ok(self)
    }

    /// Takes over the next entry.
    pub fn apply<M>(&mut self, version: i64, entry: Entry<M>) -> Result<(), Error> {
        debug_assert_eq!(version, self.version + 1, "log entries are applied in order");
        if let Some(protocol) = &entry.protocol {
            check_protocol(&self.table, version, protocol)?;
        }
        if let Some(metadata) = entry.metadata {
            self.schema = table_schema(&self.table, &metadata)?;
            self.metadata = metadata;
        }
        for path in &entry.removes {
            self.files.remove(path);
        }
        for file in entry.adds {
            self.files.insert(file.path.clone(), Arc::new(file));
        }
        if let Some(seq) = entry.seq {
            self.seq = seq;
            self.batch = entry.note.and_then(|note| note.batch);
        }
        self.epoch = entry.epoch.unwrap_or(self.epoch);
        self.version = version;
        Ok(())
    }
}

/// Tables that need more than the oldest protocol were changed by somebody else: refuse them before misreading them.
pub(crate) fn check_protocol(table: &str, version: i64, protocol: &ProtocolLine) -> Result<(), Error> {
    if protocol.min_reader_version > 1 || protocol.min_writer_version > 2 {
        let found = format!("{} and {}", protocol.min_reader_version, protocol.min_writer_version);
        let message =
            format!("table `{table}`, version {version}: expected reader and writer version 1 and 2, found {found}");
        return Err(Error::fix_data(message).hint("another program changed this table; only stillhouse may"));
    }
    Ok(())
}

fn table_schema(table: &str, metadata: &Metadata) -> Result<SchemaRef, Error> {
    if !metadata.partition_columns.is_empty() {
        let found = metadata.partition_columns.join("`, `");
        return Err(Error::fix_data(format!("table `{table}`: expected no partition columns, found `{found}`"))
            .hint("another program changed this table; only stillhouse may"));
    }
    arrow_schema(&metadata.schema_string).map_err(|mut error| {
        error.message = format!("table `{table}`: {}", error.message);
        error
    })
}
