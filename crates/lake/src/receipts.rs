//! Reading `_receipts`.

use std::collections::BTreeMap;

use stillhouse_spec::Receipt;

/// Which receipts to read.
#[derive(Debug, Clone, Default)]
pub struct ReceiptQuery {
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those of this key.
    pub key: Option<String>,
    /// Only those of this key number.
    pub key_number: Option<i64>,
    /// Only those of batches after this one.
    pub after_seq: Option<i64>,
    /// Whether to read the whole receipt too; without it [`ReceiptRow::receipt`] is `None` and reading is much cheaper.
    pub whole: bool,
}

/// One row of `_receipts` about an object version.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptRow {
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// The store's tag of the object version.
    pub etag: String,
    /// Bytes.
    pub size: i64,
    /// BLAKE3 of the bytes, hex.
    pub digest: String,
    /// The key's number.
    pub key_number: i64,
    /// The version of the key.
    pub generation: i64,
    /// Everything that was staged for the key, counted.
    pub revision: i64,
    /// The batch's place.
    pub seq: i64,
    /// The epoch in which it was committed.
    pub epoch: i64,
    /// The ledger that committed it.
    pub ledger_id: String,
    /// The batch.
    pub batch: String,
    /// Versions of the data tables that belong together.
    pub vector: BTreeMap<String, i64>,
    /// Records read.
    pub read: i64,
    /// Rows loaded.
    pub loaded: i64,
    /// Records in quarantine.
    pub quarantined: i64,
    /// Records left out by contract.
    pub filtered: i64,
    /// Blank lines.
    pub blank: i64,
    /// Microseconds since 1970.
    pub committed_at: i64,
    /// The whole receipt, if the query asked for it.
    pub receipt: Option<Receipt>,
}
