//! Refused records as rows of `_quarantine`.

use arrow::array::RecordBatch;
use stillhouse_decode::Reject;
use stillhouse_lake::{QuarantineRow, quarantine_batch};

use crate::targets::Lineage;

/// Rows are handed over when they hold this many bytes or records, so that a file of rejects needs little memory.
const FLUSH_BYTES: usize = 8 << 20;
const FLUSH_ROWS: usize = 65_536;

/// Refused records of one object that are not handed over yet.
#[derive(Default)]
pub struct QuarantineRows {
    rows: Vec<QuarantineRow>,
    bytes: usize,
}

impl QuarantineRows {
    /// One more.
    pub fn push(&mut self, reject: Reject) {
        self.bytes += reject.raw.as_ref().map_or(0, Vec::len) + 200;
        self.rows.push(QuarantineRow { place: reject.place, raw: reject.raw, pii: reject.pii });
    }

    /// Time to hand them over.
    pub fn full(&self) -> bool {
        self.bytes >= FLUSH_BYTES || self.rows.len() >= FLUSH_ROWS
    }

    /// The rows so far, if any, in the schema of `_quarantine`.
    pub fn take(&mut self, lineage: &Lineage) -> Result<Option<RecordBatch>, stillhouse_lake::Error> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        let object = &lineage.version;
        let identity = (object.source.as_str(), object.key.as_str(), object.member.as_str());
        quarantine_batch(identity, lineage.object, lineage.ingested_at, &rows).map(Some)
    }
}
