//! The files of a batch while they are written, and the manifest that they become.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use stillhouse_decode::SinkError;
use stillhouse_lake::{
    DataFile, Lake, MANIFEST_FORMAT, Manifest, ManifestKind, Member, RowGroups, TableChange, TableWriter, delta_schema,
};
use tokio::runtime::Handle;

use crate::error::Error;
use crate::targets::TargetTables;

/// Data files of one attempt, one for each table that gets rows. They carry the attempt's id in their names and stay
/// invisible until a commit names them.
///
/// Calls block on the store, so use it on a thread that may block.
pub struct BatchFiles {
    lake: Arc<Lake>,
    runtime: Handle,
    targets: Arc<TargetTables>,
    attempt: String,
    /// Counts the files of the attempt: a restart must not write under a name that was used before.
    files: usize,
    writers: Vec<Option<TableWriter>>,
}

impl BatchFiles {
    /// No files yet; the attempt has used the names of so many.
    pub fn new(lake: Arc<Lake>, runtime: Handle, targets: Arc<TargetTables>, attempt: String, files: usize) -> Self {
        let writers = targets.tables.iter().map(|_| None).collect();
        Self { lake, runtime, targets, attempt, files, writers }
    }

    /// How many names the attempt has used.
    pub fn names(&self) -> usize {
        self.files
    }

    /// Appends rows to a table's file.
    pub fn write(&mut self, table: usize, batch: &RecordBatch) -> Result<(), SinkError> {
        let runtime = self.runtime.clone();
        Ok(runtime.block_on(self.writer(table).write(batch))?)
    }

    /// Appends rows that were encoded elsewhere.
    pub fn append(&mut self, table: usize, groups: RowGroups) -> Result<(), SinkError> {
        let runtime = self.runtime.clone();
        Ok(runtime.block_on(self.writer(table).append(groups))?)
    }

    fn writer(&mut self, table: usize) -> &mut TableWriter {
        let Self { lake, targets, attempt, files, writers, .. } = self;
        writers[table].get_or_insert_with(|| {
            let (name, schema) = &targets.tables[table];
            let stem = format!("{attempt}-{files}");
            *files += 1;
            lake.writer(name, Arc::clone(schema), &stem)
        })
    }

    /// Throws away what was written; the object starts again.
    pub fn restart(&mut self) {
        for writer in self.writers.iter_mut().filter_map(Option::take) {
            self.runtime.block_on(writer.abort());
        }
    }

    /// Makes the files durable; for each table its files.
    pub fn finish(&mut self, now: i64) -> Result<Vec<Vec<DataFile>>, SinkError> {
        let mut files = Vec::new();
        for writer in &mut self.writers {
            let file = match writer.take() {
                Some(writer) => self.runtime.block_on(writer.finish(now))?,
                None => None,
            };
            files.push(file.into_iter().collect());
        }
        Ok(files)
    }
}

/// The manifest of a batch: everything that is needed to roll it forward, whoever does it.
pub fn manifest(
    batch: &str,
    ledger: &str,
    targets: &TargetTables,
    files: Vec<Vec<DataFile>>,
    members: Vec<Member>,
) -> Result<Manifest, Error> {
    let mut tables = BTreeMap::new();
    for ((name, schema), files) in targets.tables.iter().zip(files) {
        if !files.is_empty() {
            tables.insert(
                name.to_string(),
                TableChange { schema: delta_schema(schema)?, files, ..TableChange::default() },
            );
        }
    }
    let (batch_id, ledger_id) = (batch.to_owned(), ledger.to_owned());
    Ok(Manifest { format: MANIFEST_FORMAT, kind: ManifestKind::Load, batch_id, ledger_id, tables, members })
}
