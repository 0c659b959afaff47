//! What a batch is: the files it adds and the object versions it settles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stillhouse_spec::Receipt;

use crate::error::{Error, Kind};

/// The form of [`Manifest`] that this version writes. A higher one is refused.
pub const MANIFEST_FORMAT: u32 = 1;

/// A Parquet file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Relative to the table's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// The smallest `_object` in the file; `i64::MIN` when it is not known.
    pub object_min: i64,
    /// The largest `_object` in the file; `i64::MAX` when it is not known.
    pub object_max: i64,
    /// Statistics as Delta writes them: JSON text, empty when there are none.
    pub stats: String,
    /// When it was written, milliseconds since 1970.
    pub modified_at_ms: i64,
}

/// Everything needed to publish a batch, or to go on publishing it after a crash or the loss of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: u32,
    /// Unique for ever.
    pub batch_id: String,
    /// The ledger in whose queue the batch was staged.
    pub ledger_id: String,
    /// For each table that gets rows: its columns and files.
    pub tables: BTreeMap<String, TableChange>,
    /// The object versions that the batch settles.
    pub members: Vec<Member>,
}

impl Manifest {
    /// Reads what [`Manifest::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_str(text)
            .map_err(|e| Error::bug(format!("manifest of a batch: not readable: {e}")).caused_by(e))?;
        if manifest.format > MANIFEST_FORMAT {
            return Err(Error::new(
                Kind::FixSettings,
                format!(
                    "manifest of batch `{}`: expected format {MANIFEST_FORMAT}, found {}",
                    manifest.batch_id, manifest.format
                ),
            )
            .hint("a newer stillhouse wrote it; use that version"));
        }
        Ok(manifest)
    }

    /// The text that the ledger keeps.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|e| Error::bug("manifest of a batch: not writable").caused_by(e))
    }
}

/// What a batch adds to one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableChange {
    /// The table's columns as the batch has them: a Delta schema (see [`crate::delta_schema`]).
    pub schema: String,
    /// The files with its rows.
    pub files: Vec<DataFile>,
}

/// One object version of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The key's number, which the ledger gave.
    pub key_number: i64,
    /// The generation; above 1, rows of lower generations of the key are removed.
    pub generation: i64,
    /// The receipt; `batch`, `seq` and `revision` are filled in when it is published.
    pub receipt: Receipt,
}

/// A batch with its place in the publish queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// The place; strictly increasing.
    pub seq: i64,
    /// What it adds.
    pub manifest: Manifest,
    /// For each member: key number and revision, as the ledger counted them when it was staged.
    pub revisions: Vec<(i64, i64)>,
}

impl Staged {
    /// The revision of a member, by its key number.
    pub fn revision(&self, key_number: i64) -> Result<i64, Error> {
        let found = self.revisions.iter().find(|(key, _)| *key == key_number);
        found
            .map(|(_, revision)| *revision)
            .ok_or_else(|| Error::bug(format!("batch `{}`: no revision for key {key_number}", self.manifest.batch_id)))
    }
}

/// What came of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The data tables' versions that belong together.
    pub vector: BTreeMap<String, i64>,
    /// The version of `_receipts` in which the batch is complete (or a later one).
    pub receipts_version: i64,
}
