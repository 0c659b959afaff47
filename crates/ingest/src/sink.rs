//! From the decoder into the tables: adds the lineage columns, keeps the rejects, counts rows.
//!
//! A small object is kept in memory until it is known to be accepted, because its rows share data files with other
//! objects. A large one is written as it is decoded; its files are its own and go when it is held.

use arrow::array::RecordBatch;
use stillhouse_decode::{Reject, Sink, SinkError};
use stillhouse_lake::with_lineage;
use stillhouse_spec::{REJECTS_IN_RECEIPT_MAX, RejectPlace};

use crate::quarantine::QuarantineRows;
use crate::stage::BatchFiles;
use crate::targets::{Lineage, TargetTables};

/// Where finished batches go.
pub enum Output<'a> {
    /// Kept until the object is accepted: (index of the table, rows).
    Memory(Vec<(usize, RecordBatch)>),
    /// Written at once.
    Files(&'a mut BatchFiles),
}

/// What the decoder talks to.
pub struct ObjectSink<'a> {
    targets: &'a TargetTables,
    lineage: Lineage,
    output: Output<'a>,
    quarantine: QuarantineRows,
    rows: Vec<u64>,
    rejects: Vec<RejectPlace>,
}

/// What an object gave, once it was decoded to its end.
pub struct Decoded {
    /// Batches that were kept in memory; empty when they were written.
    pub kept: Vec<(usize, RecordBatch)>,
    /// Rows for each table of [`TargetTables`].
    pub rows: Vec<u64>,
    /// The first refused records.
    pub rejects: Vec<RejectPlace>,
}

impl<'a> ObjectSink<'a> {
    /// A sink for one object.
    pub fn new(targets: &'a TargetTables, lineage: Lineage, output: Output<'a>) -> Self {
        let rows = vec![0; targets.tables.len()];
        Self { targets, lineage, output, quarantine: QuarantineRows::default(), rows, rejects: Vec::new() }
    }

    /// Hands over what is left.
    pub fn finish(mut self) -> Result<Decoded, SinkError> {
        self.flush_quarantine()?;
        let kept = match self.output {
            Output::Memory(kept) => kept,
            Output::Files(_) => Vec::new(),
        };
        Ok(Decoded { kept, rows: self.rows, rejects: self.rejects })
    }

    fn flush_quarantine(&mut self) -> Result<(), SinkError> {
        let Some(batch) = self.quarantine.take(&self.lineage)? else { return Ok(()) };
        self.put(self.targets.quarantine(), batch)
    }

    fn put(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        self.rows[table] += batch.num_rows() as u64;
        match &mut self.output {
            Output::Memory(kept) => kept.push((table, batch)),
            Output::Files(files) => files.write(table, &batch)?,
        }
        Ok(())
    }
}

impl Sink for ObjectSink<'_> {
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

    fn restart(&mut self) -> Result<(), SinkError> {
        self.rows.fill(0);
        self.rejects.clear();
        self.quarantine = QuarantineRows::default();
        match &mut self.output {
            Output::Memory(kept) => kept.clear(),
            Output::Files(files) => files.restart(),
        }
        Ok(())
    }
}
