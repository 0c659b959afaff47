//! From the decoder into the tables: adds the lineage columns, keeps the rejects, counts rows.
//!
//! A small object is kept in memory until it is known to be accepted, because its rows share data files with other
//! objects. A large one is encoded as it is decoded, by several threads; its files are its own and go when it is held.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use stillhouse_decode::{Reject, RowSink, SharedSink, Sink, SinkError, SinkPart};
use stillhouse_lake::{RowGroups, Workshop, with_lineage};
use stillhouse_spec::{REJECTS_IN_RECEIPT_MAX, RejectPlace};

use crate::quarantine::QuarantineRows;
use crate::stage::BatchFiles;
use crate::targets::{Lineage, TargetTables};

/// Where finished batches go.
enum Output {
    /// Kept as they are: (index of the table, rows).
    Memory(Vec<(usize, RecordBatch)>),
    /// Encoded, for each table.
    Groups { groups: Vec<RowGroups>, pool: Arc<Pool> },
}

/// Workshops that no part uses now, one for each table; there are as many as parts are filled at the same time.
#[derive(Default)]
struct Pool(Mutex<Vec<Vec<Workshop>>>);

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Workshop>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows of one object, or of a part of it.
pub struct ObjectSink<'a> {
    targets: &'a TargetTables,
    lineage: &'a Lineage,
    output: Output,
    quarantine: QuarantineRows,
    rows: Vec<u64>,
    rejects: Vec<RejectPlace>,
}

/// What an object gave, once it was decoded to its end.
#[derive(Default)]
pub struct Decoded {
    /// Batches that were kept in memory; empty when they were written.
    pub kept: Vec<(usize, RecordBatch)>,
    /// Rows for each table of [`TargetTables`].
    pub rows: Vec<u64>,
    /// The first refused records.
    pub rejects: Vec<RejectPlace>,
}

impl Decoded {
    fn nothing(targets: &TargetTables) -> Self {
        Self { rows: vec![0; targets.tables.len()], ..Self::default() }
    }
}

impl<'a> ObjectSink<'a> {
    /// A sink that keeps the rows in memory.
    pub fn new(targets: &'a TargetTables, lineage: &'a Lineage) -> Self {
        Self::with_output(targets, lineage, Output::Memory(Vec::new()))
    }

    fn with_output(targets: &'a TargetTables, lineage: &'a Lineage, output: Output) -> Self {
        let rows = vec![0; targets.tables.len()];
        Self { targets, lineage, output, quarantine: QuarantineRows::default(), rows, rejects: Vec::new() }
    }

    /// What the object gave.
    pub fn into_decoded(mut self) -> Result<Decoded, SinkError> {
        self.flush_quarantine()?;
        let kept = match self.output {
            Output::Memory(kept) => kept,
            Output::Groups { .. } => Vec::new(),
        };
        Ok(Decoded { kept, rows: self.rows, rejects: self.rejects })
    }

    fn flush_quarantine(&mut self) -> Result<(), SinkError> {
        let Some(batch) = self.quarantine.take(self.lineage)? else { return Ok(()) };
        self.put(self.targets.quarantine(), batch)
    }

    fn put(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        self.rows[table] += batch.num_rows() as u64;
        match &mut self.output {
            Output::Memory(kept) => kept.push((table, batch)),
            Output::Groups { groups, .. } => groups[table].write(&batch)?,
        }
        Ok(())
    }
}

impl RowSink for ObjectSink<'_> {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        let schema = &self.targets.tables[table].1;
        let batch = with_lineage(schema, &batch, self.lineage.object, self.lineage.ingested_at)?;
        self.put(table, batch)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        if self.rejects.len() < REJECTS_IN_RECEIPT_MAX {
            self.rejects.push(reject.place.clone());
        }
        self.quarantine.push(reject);
        if self.quarantine.full() { self.flush_quarantine() } else { Ok(()) }
    }
}

impl Sink for ObjectSink<'_> {
    fn restart(&mut self) -> Result<(), SinkError> {
        *self = Self::new(self.targets, self.lineage);
        Ok(())
    }
}

/// A part that takes more memory than this is written before more rows come.
const PART_BYTES: usize = 16 << 20;

impl SinkPart for ObjectSink<'_> {
    fn is_full(&self) -> bool {
        match &self.output {
            Output::Memory(_) => false,
            Output::Groups { groups, .. } => groups.iter().map(RowGroups::memory).sum::<usize>() >= PART_BYTES,
        }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.flush_quarantine()?;
        match &mut self.output {
            Output::Memory(_) => Ok(()),
            Output::Groups { groups, pool } => {
                groups.iter_mut().try_for_each(RowGroups::finish)?;
                let workshops = groups.iter_mut().map(RowGroups::take_workshop).collect();
                pool.lock().push(workshops);
                Ok(())
            }
        }
    }
}

/// An object whose rows are written as they come; several threads may fill it.
pub struct FilesSink<'a> {
    targets: &'a TargetTables,
    lineage: &'a Lineage,
    written: Mutex<Written<'a>>,
    pool: Arc<Pool>,
}

struct Written<'a> {
    files: &'a mut BatchFiles,
    decoded: Decoded,
}

impl<'a> FilesSink<'a> {
    /// Writes into `files`.
    pub fn new(targets: &'a TargetTables, lineage: &'a Lineage, files: &'a mut BatchFiles) -> Self {
        let written = Written { files, decoded: Decoded::nothing(targets) };
        Self { targets, lineage, written: Mutex::new(written), pool: Arc::default() }
    }

    /// Adds one refused record behind all others.
    pub fn refuse(&self, reject: Reject) -> Result<(), SinkError> {
        let mut part = self.part();
        part.reject(reject)?;
        part.finish()?;
        self.append(part)
    }

    /// What the object gave.
    pub fn finish(self) -> Decoded {
        self.written.into_inner().unwrap_or_else(PoisonError::into_inner).decoded
    }

    fn lock(&self) -> MutexGuard<'_, Written<'a>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> SharedSink for FilesSink<'a> {
    type Part = ObjectSink<'a>;

    fn part(&self) -> ObjectSink<'a> {
        let pool = Arc::clone(&self.pool);
        let workshops = pool.lock().pop().unwrap_or_default();
        let workshops = workshops.into_iter().chain(std::iter::repeat_with(Workshop::default));
        let tables = self.targets.tables.iter().zip(workshops);
        let groups = tables.map(|((_, schema), workshop)| RowGroups::with_workshop(schema.clone(), workshop)).collect();
        ObjectSink::with_output(self.targets, self.lineage, Output::Groups { groups, pool })
    }

    fn append(&self, part: ObjectSink<'a>) -> Result<(), SinkError> {
        let mut written = self.lock();
        let Written { files, decoded } = &mut *written;
        if let Output::Groups { groups, .. } = part.output {
            for (table, groups) in groups.into_iter().enumerate().filter(|(_, groups)| groups.rows() > 0) {
                files.append(table, groups)?;
            }
        }
        decoded.rows.iter_mut().zip(&part.rows).for_each(|(rows, more)| *rows += more);
        decoded.rejects.extend(part.rejects);
        decoded.rejects.truncate(REJECTS_IN_RECEIPT_MAX);
        Ok(())
    }

    fn restart(&self) -> Result<(), SinkError> {
        let mut written = self.lock();
        written.files.restart();
        written.decoded = Decoded::nothing(self.targets);
        Ok(())
    }
}
