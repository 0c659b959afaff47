//! What a batch is: the files it adds and the object versions it settles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use stillhouse_safeguard::Safeguard;
use stillhouse_spec::{Receipt, object_id};

use crate::error::{Error, Kind};
use crate::is_data_table;

/// The form of [`Manifest`] that this version writes. A higher one is refused; format 1 knew only loads.
pub const MANIFEST_FORMAT: u32 = 2;

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
    /// What the batch does.
    #[serde(default)]
    pub kind: ManifestKind,
    /// For each table that gets rows or loses some by name: what happens to it.
    pub tables: BTreeMap<String, TableChange>,
    /// The object versions that the batch settles; none in a compaction.
    pub members: Vec<Member>,
}

/// What a batch does to the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// Brings object versions in, and takes the rows of those that they replace out of every table.
    #[default]
    Load,
    /// Takes refused records of loaded object versions out, perhaps brings rows of theirs in; the generation stays.
    Amend,
    /// Merges files of one table; its rows stay what they are. Without effect if a source is gone by then.
    Compact,
}

impl Manifest {
    /// Reads what [`Manifest::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_str(text)
            .map_err(|e| Error::bug(format!("manifest of a batch: not readable: {e}")).caused_by(e))?;
        manifest.check_format()?;
        Ok(manifest)
    }

    pub(crate) fn check_format(&self) -> Result<(), Error> {
        if self.format <= MANIFEST_FORMAT {
            return Ok(());
        }
        let (batch, found) = (&self.batch_id, self.format);
        let message = format!("manifest of batch `{batch}`: expected format {MANIFEST_FORMAT}, found {found}");
        Err(Error::new(Kind::FixSettings, message).hint("a newer stillhouse wrote it; use that version"))
    }

    /// Names become parts of paths in logs and folders; only plain ones are the same everywhere. And each kind of batch
    /// has what it needs and nothing else.
    pub(crate) fn check_form(&self) -> Result<(), Error> {
        let batch = &self.batch_id;
        let wrong = |message: String| Err(Error::bug(format!("batch `{batch}`{message}")));
        if !is_plain(batch) {
            return wrong(": expected an id of letters, digits, `-`, `_` and `.`".to_owned());
        }
        match (self.kind, self.members.is_empty(), self.tables.len()) {
            // It could never get its receipt.
            (ManifestKind::Load | ManifestKind::Amend, true, _) => {
                return wrong(": expected members, found none".into());
            }
            (ManifestKind::Compact, false, _) => return wrong(": a compaction has no members".into()),
            (ManifestKind::Compact, true, tables) if tables != 1 => {
                return wrong(format!(": a compaction is about one table, found {tables}"));
            }
            _ => {}
        }
        let mut keys = BTreeSet::new();
        for member in &self.members {
            let (key, generation) = (member.key_number, member.generation);
            if generation < 1 || !(0..=generation).contains(&member.replaces_from) {
                let from = member.replaces_from;
                return wrong(format!(", key {key}: generation {generation} cannot replace from {from} on"));
            }
            // Revisions are counted by key.
            if !keys.insert(key) {
                return wrong(format!(", key {key}: expected one version of it, found two"));
            }
        }
        self.tables.iter().try_for_each(|(table, change)| {
            change.check_form(table, self.kind).or_else(|problem| wrong(format!(", table `{table}`: {problem}")))
        })
    }

    /// The text that the ledger keeps.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|e| Error::bug("manifest of a batch: not writable").caused_by(e))
    }
}

/// Only letters, digits and three marks.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// What a batch does to one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableChange {
    /// The table's columns as the batch has them: a Delta schema (see [`crate::delta_schema`]).
    pub schema: String,
    /// The files with its rows.
    pub files: Vec<DataFile>,
    /// Rows that leave the table, beside those of replaced generations. Only in [`ManifestKind::Amend`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out: Vec<RecordsOut>,
    /// Live files whose rows `files` hold now. Only in [`ManifestKind::Compact`]. If one of them is gone when the batch
    /// has its turn, it is gone for good, and nothing happens to the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<String>,
}

impl TableChange {
    fn check_form(&self, table: &str, kind: ManifestKind) -> Result<(), String> {
        if !is_data_table(table) {
            return Err("expected a data table".to_owned());
        }
        if let Some(file) = self.files.iter().find(|file| !is_plain(&file.path)) {
            return Err(format!("expected a plain file name, found `{}`", file.path));
        }
        if !self.out.is_empty() && kind != ManifestKind::Amend {
            return Err("only an amendment takes records out".to_owned());
        }
        if self.merged.is_empty() == (kind == ManifestKind::Compact) {
            return Err("a compaction, and nothing else, names the files that it merges".to_owned());
        }
        let backwards = |(first, last): &(u64, u64)| first > last;
        if let Some(out) = self.out.iter().find(|out| out.records.iter().any(backwards)) {
            return Err(format!("records of object {}: expected ranges, first and last", out.object));
        }
        Ok(())
    }
}

/// Records of one object that leave a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsOut {
    /// Their `_object`.
    pub object: i64,
    /// Their `_record`: ranges, first and last.
    pub records: Vec<(u64, u64)>,
}

/// One object version of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The key's number, which the ledger gave.
    pub key_number: i64,
    /// The generation.
    pub generation: i64,
    /// Rows of the generations from this one on, up to below `generation`, are removed by a load: 0 for all older ones,
    /// `generation` for none.
    #[serde(default)]
    pub replaces_from: i64,
    /// The receipt; `batch`, `seq`, `revision` and `replaces_from` are filled in when it is published.
    pub receipt: Receipt,
}

impl Member {
    /// `_object` of the generations that this one replaces; `None` when there can be none.
    pub(crate) fn replaced(&self) -> Option<RangeInclusive<i64>> {
        let from = if Safeguard::ReplacesRange.holds() { self.replaces_from.max(1) } else { 1 }; // the first generation
        (from < self.generation)
            .then(|| object_id(self.key_number, from)..=object_id(self.key_number, self.generation) - 1)
    }
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
