//! The tables' logs, read by the letter: every version of every table that ever was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::simulation::world::Folder;

/// One version of a table.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// Live files with their sizes.
    pub files: Arc<BTreeMap<String, u64>>,
    pub seq: i64,
    pub epoch: i64,
}

/// All versions of a table.
#[derive(Debug, Default)]
pub(super) struct TableLog {
    pub versions: Vec<Version>,
}

impl TableLog {
    pub fn at(&self, version: i64) -> Option<&Version> {
        usize::try_from(version).ok().and_then(|version| self.versions.get(version))
    }

    /// The newest version; -1 when there is none.
    pub fn newest(&self) -> i64 {
        i64::try_from(self.versions.len()).expect("few versions") - 1
    }

    /// Reads what is new, also what was cleaned away since. Entries are put once, and only once.
    pub fn read_on(&mut self, folder: &Folder, table: &str) -> Result<(), String> {
        loop {
            let version = self.versions.len();
            let path = format!("{table}/_delta_log/{version:020}.json");
            let Some((bytes, puts)) = folder.archived(&path) else { return Ok(()) };
            if puts > 1 {
                return Err(format!("`{table}`: the log entry of version {version} was written {puts} times"));
            }
            let next = self.next(&bytes).map_err(|error| format!("`{table}` version {version}: {error}"))?;
            self.versions.push(next);
        }
    }

    fn next(&self, bytes: &[u8]) -> Result<Version, String> {
        let before = self.versions.last();
        let mut files = before.map(|version| (*version.files).clone()).unwrap_or_default();
        let (mut seq, mut epoch) = before.map_or((0, 0), |version| (version.seq, version.epoch));
        let (mut adds, mut removes) = (BTreeMap::new(), BTreeSet::new());
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            let text = |action: &str, field: &str| line[action][field].as_str().map(str::to_owned);
            if let Some(path) = text("add", "path") {
                adds.insert(path, line["add"]["size"].as_u64().ok_or("a file without size")?);
            }
            removes.extend(text("remove", "path"));
            let number = line["txn"]["version"].as_i64();
            match (line["txn"]["appId"].as_str(), number) {
                (Some("stillhouse/seq"), Some(number)) => seq = rising("seq", seq, number)?,
                (Some("stillhouse/epoch"), Some(number)) => epoch = rising("epoch", epoch, number)?,
                _ => {}
            }
        }
        for path in &removes {
            files.remove(path).ok_or_else(|| format!("removes `{path}`, which is not live"))?;
        }
        for (path, size) in adds {
            if removes.contains(&path) || files.insert(path.clone(), size).is_some() {
                return Err(format!("adds `{path}`, which is live"));
            }
        }
        Ok(Version { files: Arc::new(files), seq, epoch })
    }
}

fn rising(what: &str, before: i64, now: i64) -> Result<i64, String> {
    if now < before { Err(format!("{what} falls from {before} to {now}")) } else { Ok(now) }
}

/// The folders that have a log, or had one.
pub(super) fn tables(folder: &Folder) -> BTreeSet<String> {
    let paths = folder.archived_paths();
    paths.iter().filter_map(|path| path.split_once("/_delta_log/")).map(|(table, _)| table.to_owned()).collect()
}
