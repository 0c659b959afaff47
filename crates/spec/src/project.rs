//! A project: the folder that a user keeps in git, as valid types.

use crate::report::Report;
use crate::source::Source;

/// Everything that the project files say.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// IANA time zone of periods and of "last month".
    pub time_zone: String,
    /// Where the lake is.
    pub lake: LakeSettings,
    /// Where the ledger is.
    pub ledger: LedgerSettings,
    /// Ceilings.
    pub limits: Limits,
    /// The sources, by name.
    pub sources: Vec<Source>,
    /// The reports, by name.
    pub reports: Vec<Report>,
}

/// Where the lake is and how safe its writes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeSettings {
    /// Folder, relative to the project folder unless absolute. Default `lake`.
    pub path: String,
    /// What "written" means.
    pub durability: Durability,
}

/// What "written" means on a local disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Safe after a power cut: files and folders are synchronised before a commit counts. The default.
    Fsync,
    /// Safe after a crash of the program; the operating system decides when bytes reach the disk.
    Os,
}

/// Where the ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// SQLite file, relative to the project folder unless absolute. Default `.stillhouse/ledger.db`.
    pub path: String,
}

/// Ceilings that the user sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory for queries, in bytes; beyond it they spill to disk. Default 128 MB.
    pub query_memory_bytes: u64,
    /// A query that runs longer is stopped. Default 600 s.
    pub query_seconds: u64,
    /// A result with more rows is an error, not a cut. Default 1,000,000.
    pub result_rows: u64,
    /// Disk that spilling queries may use, in bytes. Default 20 GB.
    pub spill_bytes: u64,
    /// Objects decoded at the same time. Default: number of processors, at most 4.
    pub workers: usize,
}

/// The text of every project file, by path relative to the project folder with `/`: `stillhouse.toml`,
/// `sources/NAME.toml`, `reports/NAME/report.toml`, `reports/NAME/QUERY.sql`.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    /// Path to text.
    pub files: std::collections::BTreeMap<String, String>,
}
