//! What the tables take on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use stillhouse_lake::{Snapshot, TableSnapshot};

/// Files and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Files {
    /// Files.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Files {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// One table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSizes {
    /// Rows that the newest version has.
    pub rows: u64,
    /// Data files that the newest version names.
    pub live: Files,
    /// All data files in the folder: also those that were merged, which `maintain` clears away.
    pub lying: Files,
    /// Entries of the log.
    pub log: Files,
    /// Checkpoints.
    pub checkpoints: Files,
    /// Bytes of the newest checkpoint: what a cold process reads, and the next one about writes.
    pub newest_checkpoint: u64,
}

/// All tables, and the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// By name.
    pub tables: BTreeMap<String, TableSizes>,
    /// The ledger's file.
    pub ledger: u64,
}

impl Sizes {
    pub(super) fn of(lake: &Path, ledger: &Path, snapshot: &Snapshot) -> Self {
        let table = |(name, shown): (&String, &TableSnapshot)| (name.clone(), table_sizes(&lake.join(name), shown));
        Self { tables: snapshot.tables.iter().map(table).collect(), ledger: bytes(ledger) }
    }
}

fn table_sizes(folder: &Path, shown: &TableSnapshot) -> TableSizes {
    let mut sizes = TableSizes { rows: shown.rows(), ..TableSizes::default() };
    shown.files.iter().for_each(|file| sizes.live.add(file.size));
    for (name, bytes) in files(folder) {
        if name.ends_with(".parquet") {
            sizes.lying.add(bytes);
        }
    }
    let mut newest = String::new();
    for (name, bytes) in files(&folder.join("_delta_log")) {
        if name.ends_with(".json") {
            sizes.log.add(bytes);
        } else if name.ends_with(".checkpoint.parquet") {
            sizes.checkpoints.add(bytes);
            if name > newest {
                (newest, sizes.newest_checkpoint) = (name, bytes);
            }
        }
    }
    sizes
}

/// Names and sizes of the files of a folder.
fn files(folder: &Path) -> impl Iterator<Item = (String, u64)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((entry.file_name().into_string().ok()?, metadata.len()))
    })
}

fn bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
