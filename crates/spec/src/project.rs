//! A project: the folder that a user keeps in git, as valid types.

use std::borrow::Cow;
use std::fmt;

use jiff::tz::TimeZone;

use crate::foreign::ForeignTable;
use crate::publish::Publication;
use crate::report::Report;
use crate::secret::{Filled, Secret};
use crate::source::Source;

/// Everything that the project files say. [`Project::parse`] is the only door.
#[derive(Clone, PartialEq)]
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
    /// Tables that something else writes, in the order of the file.
    pub foreign: Vec<ForeignTable>,
    /// The sources, by name.
    pub sources: Vec<Source>,
    /// The reports, by name.
    pub reports: Vec<Report>,
    /// What is copied into databases: those of sources, then those of reports.
    pub publications: Vec<Publication>,
    filled: Filled,
}

impl Project {
    pub(crate) fn new(
        name: String,
        time_zone: String,
        lake: LakeSettings,
        ledger: LedgerSettings,
        limits: Limits,
    ) -> Self {
        let (foreign, sources, reports, publications) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let filled = Filled::default();
        Self { name, time_zone, lake, ledger, limits, foreign, sources, reports, publications, filled }
    }

    pub(crate) fn with_filled(self, filled: Filled) -> Self {
        Self { filled, ..self }
    }

    /// The time zone of periods.
    pub fn zone(&self) -> TimeZone {
        crate::period::zone(&self.time_zone).expect("`parse` takes only names of the database")
    }

    /// `text` without what the environment put into the project; see [`Filled::mask`].
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.filled.mask(text)
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, time_zone, lake, ledger, limits, foreign, sources, reports, publications, filled: _ } = self;
        let parts = (name, time_zone, lake, ledger, limits, foreign, sources, reports, publications);
        let text = if f.alternate() { format!("Project{parts:#?}") } else { format!("Project{parts:?}") };
        f.write_str(&self.mask(&text))
    }
}

/// Where the lake is and how safe its writes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeSettings {
    /// Folder, relative to the project folder unless absolute. Default `lake`.
    pub path: Secret,
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
    pub path: Secret,
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
    /// Objects decoded at the same time. `None`: the number of processors, at most 4.
    pub workers: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_memory_bytes: 128 << 20,
            query_seconds: 600,
            result_rows: 1_000_000,
            spill_bytes: 20 << 30,
            workers: None,
        }
    }
}

/// The text of every project file, by path relative to the project folder with `/`: `stillhouse.toml`,
/// `sources/NAME.toml`, `reports/NAME/report.toml`, `reports/NAME/QUERY.sql`.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    /// Path to text.
    pub files: std::collections::BTreeMap<String, String>,
}
