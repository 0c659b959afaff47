//! Sources: where data comes from, and in which shape.

use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::name::SourceName;
use crate::period::Grain;
use crate::template::PathTemplate;

/// A folder or bucket path with a format and a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The file name under `sources/` without `.toml`.
    pub name: SourceName,
    /// Which objects belong to it, relative to the project folder.
    pub path: PathTemplate,
    /// How the objects are written.
    pub format: InputFormat,
    /// How often an object is expected; completeness follows from it.
    pub cadence: Option<Cadence>,
    /// A file that changed less than this many milliseconds ago is still being written and is left for the next run.
    pub settle_ms: u64,
    /// A longer record is refused, and kept by offset and length.
    pub max_record_bytes: u64,
    /// How the text is encoded; means nothing for Parquet.
    pub encoding: TextEncoding,
    /// What becomes of a compressed file that is broken.
    pub on_broken: OnBroken,
    /// A compressed file that becomes longer is held.
    pub max_unpacked_bytes: u64,
    /// What a new version of a file does to the rows of the former ones.
    pub on_change: OnChange,
    /// What becomes of a file whose content is in the tables already.
    pub on_same_content: OnSameContent,
    /// What becomes of the rows of a file that is there no more.
    pub on_missing: OnMissing,
    /// The tables.
    pub contract: Contract,
    /// A digest (BLAKE3, hex) of the source file as the user wrote it, secrets not filled in.
    pub fingerprint: String,
}

/// What a new version of a file does to the rows of the former ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnChange {
    /// They go when its own come, in one commit.
    #[default]
    Replace,
    /// They stay: each version holds only what is new.
    Append,
    /// The new version is held until somebody asks for it; then it replaces them.
    Hold,
}

/// What becomes of a file whose content is in the tables already, under its own or another name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSameContent {
    /// It gets a receipt that names the twin, and no rows.
    #[default]
    Skip,
    /// It is loaded like any other.
    Load,
}

/// What becomes of the rows of a file that is there no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// They stay: inputs are often cleared away once they are loaded.
    #[default]
    Keep,
    /// They go.
    Remove,
}

/// How often an object arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    /// One object (or set of objects) for each of these; the path template names at least its parts.
    pub every: Grain,
    /// An object may hold rows of this many days before and after its own period.
    pub spill_days: u32,
}

/// How the objects are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputFormat {
    /// Delimited text.
    Csv(CsvOptions),
    /// JSON: one object a line, an array of objects, or objects one behind the other.
    Json(JsonOptions),
    /// Apache Parquet.
    Parquet,
}

impl InputFormat {
    /// The year of dates that state none, if the settings say one.
    pub fn year(&self) -> Option<i16> {
        match self {
            InputFormat::Csv(csv) => csv.year,
            InputFormat::Json(json) => json.year,
            InputFormat::Parquet => None,
        }
    }

    /// The word of the settings.
    pub fn name(&self) -> &'static str {
        match self {
            InputFormat::Csv(_) => "csv",
            InputFormat::Json(_) => "json",
            InputFormat::Parquet => "parquet",
        }
    }
}

/// What the user said about JSON files. `None` is detected for each object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonOptions {
    /// How records follow each other.
    pub layout: Option<JsonLayout>,
    /// The year of dates that state none.
    pub year: Option<i16>,
}

/// How the records of a JSON file follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonLayout {
    /// Each line is one record (JSON Lines, NDJSON).
    Lines,
    /// The file is one array, whose items are the records.
    Array,
    /// Objects one behind the other, over several lines or many on a line.
    Values,
}

/// How the text of the objects is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextEncoding {
    /// By the mark at the beginning, or by what the bytes look like; UTF-8 where neither tells.
    #[default]
    Auto,
    /// UTF-8.
    Utf8,
    /// UTF-16, in the order of its mark; without one, little end first.
    Utf16,
    /// UTF-16, little end first.
    Utf16le,
    /// UTF-16, big end first.
    Utf16be,
    /// Windows-1252, of which Latin-1 is a part.
    Windows1252,
}

/// What becomes of a compressed file that breaks off or whose checksum is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBroken {
    /// It is held, and nothing of it is loaded.
    #[default]
    Hold,
    /// The records before the break are loaded; the receipt says where it breaks off.
    Load,
}

/// The default of `max_unpacked_bytes`: 1 TB (2^40).
pub const MAX_UNPACKED_BYTES_DEFAULT: u64 = 1 << 40;

/// What the user said about the CSV dialect. `None` is detected for each object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvOptions {
    /// The byte between fields: ASCII, not a quote or a line end.
    pub delimiter: Option<u8>,
    /// The byte around quoted fields.
    pub quote: Option<QuoteStyle>,
    /// How a quote inside a quoted field is written.
    pub escape: Option<EscapeStyle>,
    /// Whether the first record names the columns.
    pub header: Option<HeaderStyle>,
    /// Physical lines to leave out before anything else.
    pub skip_lines: u64,
    /// Lines that begin with this byte are left out.
    pub comment: Option<u8>,
    /// The year of dates that state none.
    pub year: Option<i16>,
}

/// Whether and how fields are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuoteStyle {
    /// This byte around a field.
    Byte(u8),
    /// Quotes have no meaning.
    None,
}

/// How a quote inside a quoted field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EscapeStyle {
    /// Twice (RFC 4180).
    Doubled,
    /// After a backslash, as Spark and MySQL write it; a doubled quote is understood as well.
    Backslash,
}

/// Whether the first record names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeaderStyle {
    /// It does.
    Present,
    /// It is data.
    Absent,
}

/// The default of `settle`: two seconds.
pub const SETTLE_MS_DEFAULT: u64 = 2000;

/// The default of `max_record_bytes`: 64 MB (64 × 1024 × 1024).
pub const MAX_RECORD_BYTES_DEFAULT: u64 = 64 << 20;
