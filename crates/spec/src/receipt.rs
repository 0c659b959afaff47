//! The receipt: the account of one object version. It is stored for ever, so its form is versioned from the first day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::reading::Reading;

/// The form that this version writes. Readers refuse a higher one.
pub const RECEIPT_FORMAT: u32 = 2;

/// The account of one object version: read = loaded + quarantined + filtered + blank.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`RECEIPT_FORMAT`].
    pub format: u32,
    /// Which object, in which version.
    pub object: ObjectVersion,
    /// Stands for the key in `_object`.
    pub key_number: i64,
    /// Counts the versions of the key.
    pub generation: i64,
    /// Counts everything that was staged for the key.
    pub revision: i64,
    /// The batch that it was committed with.
    pub batch: String,
    /// The place of the batch in the publish queue.
    pub seq: i64,
    /// BLAKE3 of the bytes, hex; of a folder BLAKE3 of the digests of its parts (32 bytes each), in the order of their names.
    pub digest: String,
    /// Bytes read.
    pub bytes: u64,
    /// The four counts.
    pub counts: Counts,
    /// When it was first offered, when reading began and ended; microseconds since 1970.
    pub offered_at: i64,
    /// See `offered_at`. This is the `_ingested_at` of the rows.
    pub started_at: i64,
    /// See `offered_at`.
    pub decoded_at: i64,
    /// What was decided about the format: name (`delimiter`, `header`, `date format of x`, `year of x`, …) to value.
    pub decided: BTreeMap<String, Choice<String>>,
    /// [`crate::Source::fingerprint`] at that time; the text lies in the lake under this name.
    pub source_fingerprint: String,
    /// The version of the program that decoded it.
    pub decoder: String,
    /// For each table of the contract: rows and files.
    pub tables: BTreeMap<String, TableCount>,
    /// Rows for each day (UTC, ISO) of the time column; the empty text counts rows without a time.
    pub days: BTreeMap<String, u64>,
    /// Reasons of refusal with their counts.
    pub reasons: BTreeMap<String, u64>,
    /// Records in quarantine, the first [`REJECTS_IN_RECEIPT_MAX`] of them.
    pub rejects: Vec<RejectPlace>,
    /// Where the original is.
    pub original: Original,
    /// Things worth a look that refuse nothing (a repeated header name, ignored columns).
    pub warnings: Vec<String>,
    /// Rows of the generations from this one on, up to below `generation`, were removed when this one came; equal to
    /// `generation`: none were.
    #[serde(default)]
    pub replaces_from: i64,
    /// What tells equal contents: the digest, and what else the rows depend on (values from the path). Empty in receipts
    /// of format 1.
    #[serde(default)]
    pub content: String,
    /// The same content is in the tables under this version already; this one has no rows of its own, and its counts
    /// are zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
    /// The file was there no more, and its rows were removed: all counts are zero.
    #[serde(default)]
    pub removed: bool,
    /// How it was read, so that refused records can be read again without the original. Absent in receipts of format 1, and
    /// where nothing was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// What was done to refused records since, oldest first. Counts, reasons and days of the receipt have it all in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<Amendment>,
}

/// The object version that holds the rows of another one with the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// Its key.
    pub key: String,
    /// Stands for its key in `_object`.
    pub key_number: i64,
    /// Which of its versions.
    pub generation: i64,
}

/// What was done to refused records of an object after it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// The revision of the receipt that it made.
    pub revision: i64,
    /// When; microseconds since 1970. This is the `_ingested_at` of replayed rows.
    pub at: i64,
    /// What.
    pub what: AmendmentKind,
    /// Ordinals of the records that left the quarantine: ranges, first and last.
    pub records: Vec<(u64, u64)>,
    /// How many these are.
    pub count: u64,
    /// Why they were dropped; for a replay, the source file that it went by ([`Receipt::source_fingerprint`]).
    pub because: String,
    /// What a replay decided about the format.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decided: BTreeMap<String, Choice<String>>,
}

/// See [`Amendment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmendmentKind {
    /// They were read again under the contract of that time, and loaded.
    Replay,
    /// They were given up, and count as filtered.
    Drop,
}

/// The receipts that say what is in the tables now, by key number and generation: of each generation the newest revision,
/// without the generations that a later one replaced.
pub fn standing(receipts: impl IntoIterator<Item = Receipt>) -> Vec<Receipt> {
    let mut newest: BTreeMap<(i64, i64), Receipt> = BTreeMap::new();
    for receipt in receipts {
        let id = (receipt.key_number, receipt.generation);
        if newest.get(&id).is_none_or(|former| former.revision < receipt.revision) {
            newest.insert(id, receipt);
        }
    }
    let mut standing: Vec<Receipt> = Vec::new();
    // From the newest generation of a key down; ranges of replaced generations may lie within one another.
    let mut replaced: Vec<(i64, i64, i64)> = Vec::new();
    for receipt in newest.into_values().rev() {
        let (key, generation) = (receipt.key_number, receipt.generation);
        replaced.retain(|(of, _, _)| *of == key);
        let gone = replaced.iter().any(|(_, from, until)| (*from..*until).contains(&generation));
        replaced.push((key, receipt.replaces_from, generation));
        if !gone {
            standing.push(receipt);
        }
    }
    standing.reverse();
    standing
}

/// How many refused records a receipt names; `_quarantine` has them all.
pub const REJECTS_IN_RECEIPT_MAX: usize = 100;

/// Identity of an object, and of one version of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The source's name.
    pub source: String,
    /// The key, relative to the project folder or bucket; of a folder whose files are one object its path, without a `/`
    /// at the end.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// The store's tag of this version (local: inode, mtime and size); of a folder one that is made of those of its parts.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// Last change, microseconds since 1970.
    pub modified_at: i64,
}

/// With this, tags of folders begin.
pub const FOLDER_TAG: &str = "parts-";

impl ObjectVersion {
    /// Whether it is a folder, whose files are its parts.
    pub fn is_folder(&self) -> bool {
        self.etag.starts_with(FOLDER_TAG)
    }

    /// How people call the object: its key, or for a member of an archive `KEY!MEMBER`.
    pub fn name(&self) -> String {
        if self.member.is_empty() { self.key.clone() } else { format!("{}!{}", self.key, self.member) }
    }
}

/// The four counts of a receipt, in records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records read: the sum of the others.
    pub read: u64,
    /// Rows in the parent table.
    pub loaded: u64,
    /// Records in `_quarantine`.
    pub quarantined: u64,
    /// Records that the contract leaves out on purpose.
    pub filtered: u64,
    /// Blank lines.
    pub blank: u64,
}

impl Counts {
    /// Promise 2: read = loaded + quarantined + filtered + blank.
    pub fn balanced(&self) -> bool {
        self.read == self.loaded + self.quarantined + self.filtered + self.blank
    }

    /// Adds another account.
    pub fn add(&mut self, other: &Counts) {
        self.read += other.read;
        self.loaded += other.loaded;
        self.quarantined += other.quarantined;
        self.filtered += other.filtered;
        self.blank += other.blank;
    }
}

/// Rows and files of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCount {
    /// Rows of this object.
    pub rows: u64,
    /// Data files that hold them; a file may hold rows of other objects too.
    pub files: Vec<String>,
}

/// Where a refused record stands and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectPlace {
    /// Ordinal of the record in the object, from 0; the `_record` it would have had.
    pub record: u64,
    /// Of an object that is a folder: the name of the part that it stands in; `line` and `offset` are counted there. Else
    /// empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// Physical line on which it begins, from 1.
    pub line: u64,
    /// Byte at which it begins, from 0.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// A short, stable word: see the list in `decode`.
    pub reason: String,
    /// What was expected.
    pub expected: String,
    /// What was found, cut to a readable length; empty where the column is PII.
    pub found: String,
}

impl RejectPlace {
    /// How people call the place: `line 8`, or `part-00001.csv line 8`.
    pub fn words(&self) -> String {
        if self.part.is_empty() { format!("line {}", self.line) } else { format!("{} line {}", self.part, self.line) }
    }
}

/// Where the original of an object is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Original {
    /// Where it was read from.
    #[default]
    Source,
}

/// `_object`: key number and generation in one number, so that "all older versions of this key" is one range.
pub fn object_id(key_number: i64, generation: i64) -> i64 {
    (key_number << GENERATION_BITS) | generation
}

/// The key number and generation of an `_object`.
pub fn split_object_id(object: i64) -> (i64, i64) {
    (object >> GENERATION_BITS, object & (GENERATIONS_MAX - 1))
}

/// Bits of `_object` that hold the generation.
pub const GENERATION_BITS: u32 = 20;
/// Generations that a key can have; 43 bits are left for the key number.
pub const GENERATIONS_MAX: i64 = 1 << GENERATION_BITS;
