//! Vacuum: deletes files that no kept version references and that nobody can reference any more.
//!
//! No clock decides that a data file may go. The files are listed **first**, then the ledger is asked which attempts
//! live, then the logs are read: a file that was listed belongs to an attempt that the ledger knows of, and one that was
//! published in the meantime is found in the logs. In any other order it deletes what is being committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt as _};
use serde::de::IgnoredAny;
use stillhouse_safeguard::Safeguard;
use uuid::Uuid;

use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::leftovers::leftovers;
use crate::log::read_entry;
use crate::observe::Observer;
use crate::state::TableState;
use crate::{RECEIPTS, RUNS, is_data_table};

/// Files as they were listed. To be made before the ledger is asked which attempts live.
#[derive(Debug, Clone)]
pub struct FileListing {
    /// Table to objects in its folder, the log left out.
    tables: BTreeMap<String, Vec<ObjectMeta>>,
    probes: Vec<ObjectMeta>,
}

/// What may go, and what has to stay.
#[derive(Debug, Clone)]
pub struct Vacuum {
    /// The files, listed before `live` was asked for.
    pub listing: FileListing,
    /// Ids of attempts whose stage may still succeed, and of batches in the queue. What the ledger does not know is dead:
    /// a batch that is not staged yet is safe only if its stage is refused once a vacuum has begun.
    pub live: BTreeSet<String>,
    /// Table to versions that somebody keeps.
    pub pinned: BTreeMap<String, BTreeSet<i64>>,
    /// Versions that were the newest ones at this time or later stay, for readers; microseconds since 1970.
    pub keep_after: i64,
    /// The lake's folder, where it is a local one: half-written files in it go too.
    pub folder: Option<PathBuf>,
    /// Only say what would go.
    pub dry_run: bool,
    /// Microseconds since 1970.
    pub now: i64,
}

/// Why a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its rows are elsewhere or gone in every version that is kept, or were never committed.
    Unreferenced,
    /// It was written for a version of its table that another commit has taken.
    Overtaken,
    /// Half of an upload.
    HalfWritten,
    /// A trace of asking the store whether it honours put-if-absent.
    Probe,
}

/// A file that went, or would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VacuumedFile {
    /// Relative to the lake.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// Why.
    pub why: Why,
}

/// What a vacuum did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Files that went.
    pub files: Vec<VacuumedFile>,
    /// Files in folders of tables that no version references and whose names are not ours: path and bytes. They stay.
    pub unknown: Vec<(String, u64)>,
    /// Why nothing of a table went.
    pub problems: Vec<String>,
}

impl Vacuumed {
    /// Bytes of all files that went.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Half-written files and probes of others may be in use: only those that are older than this go.
const IN_USE_MICROS: i64 = 3_600_000_000;

impl Lake {
    /// Lists the files of all tables, for [`Lake::vacuum`].
    pub async fn list_files(&self) -> Result<FileListing, Error> {
        let mut tables = BTreeMap::new();
        for table in self.data_tables(None).await?.into_iter().chain([RECEIPTS, RUNS].map(str::to_owned)) {
            let folder = Path::from(table.as_str());
            let listed = self.store.list_with_delimiter(Some(&folder)).await.map_err(|e| Error::store(&folder, e))?;
            let mut objects = listed.objects;
            objects.sort_unstable_by(|a, b| a.location.cmp(&b.location));
            tables.insert(table, objects);
        }
        let folder = Path::from("_probe");
        let probes = self.store.list(Some(&folder)).try_collect().await.map_err(|e| Error::store(&folder, e))?;
        Ok(FileListing { tables, probes })
    }

    /// Deletes what may go; stops at `vacuum-listed` before it deletes anything.
    pub async fn vacuum(&self, vacuum: &Vacuum, observer: &dyn Observer) -> Result<Vacuumed, Error> {
        let mut live = vacuum.live.clone();
        // A ledger that was lost does not know the batch that it had half published; the logs do.
        live.extend(self.pending_manifests().await?.into_iter().map(|staged| staged.manifest.batch_id));
        let mut vacuumed = Vacuumed::default();
        for (table, objects) in &vacuum.listing.tables {
            match self.kept_files(table, vacuum).await {
                Ok(kept) => objects.iter().for_each(|object| kept.judge(table, object, &live, &mut vacuumed)),
                Err(error) if error.kind == Kind::FixData => vacuumed.problems.push(error.message),
                Err(error) => return Err(error),
            }
        }
        let unused_before = vacuum.keep_after.min(vacuum.now - IN_USE_MICROS);
        for probe in &vacuum.listing.probes {
            if probe.last_modified.timestamp_micros() < unused_before {
                let (path, bytes) = (probe.location.to_string(), probe.size);
                vacuumed.files.push(VacuumedFile { path, bytes, why: Why::Probe });
            }
        }
        observer.at("vacuum-listed")?;
        if !vacuum.dry_run {
            for file in &vacuumed.files {
                let path = Path::from(file.path.as_str());
                match self.store.delete(&path).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(e) => return Err(Error::store(&path, e)),
                }
            }
        }
        if let Some(folder) = vacuum.folder.clone() {
            let found = leftovers(folder, unused_before, vacuum.dry_run).await?;
            let file = |(path, bytes)| VacuumedFile { path, bytes, why: Why::HalfWritten };
            vacuumed.files.extend(found.into_iter().map(file));
        }
        Ok(vacuumed)
    }

    /// What the kept versions of a table reference: those from the newest receipt's on (of `_receipts` and `_runs`: the
    /// newest), those since `keep_after`, and pinned ones.
    async fn kept_files(&self, table: &str, vacuum: &Vacuum) -> Result<Kept, Error> {
        let shown = if is_data_table(table) { self.shown(table).await?.map(|state| state.version) } else { None };
        let Some(head) = self.head(table).await? else { return Ok(Kept::default()) };
        let mut files: BTreeSet<String> = head.files.keys().cloned().collect();
        let from = match (is_data_table(table), shown) {
            (true, None) => 0, // no complete batch has it: all that was ever committed stays
            (true, Some(shown)) if Safeguard::VacuumVector.holds() => shown,
            (true, Some(_)) => head.version,
            (false, _) => head.version,
        };
        // Going back, a version adds to what is kept the files that the one after it took out.
        let keep_after_ms = vacuum.keep_after.div_euclid(1000);
        for version in (0..=head.version).rev() {
            let Some(entry) = read_entry::<IgnoredAny>(&self.store, table, version).await? else { break };
            // The version was the newest one at the time in question.
            if version <= from && entry.at_ms.is_some_and(|at| at <= keep_after_ms) {
                break;
            }
            files.extend(entry.removes);
        }
        for version in vacuum.pinned.get(table).into_iter().flatten() {
            let pinned = TableState::load(&self.store, table, Some(*version)).await?;
            files.extend(pinned.into_iter().flat_map(|state| state.files.into_keys()));
        }
        Ok(Kept { files, version: Some(head.version) })
    }

    /// Files in the folder of a table that no version from the newest receipt's on references: path and bytes. Some of them
    /// are being written, some belong to older versions.
    pub async fn unreferenced(&self, table: &str) -> Result<Vec<(String, u64)>, Error> {
        let folder = Path::from(table);
        let listed = self.store.list_with_delimiter(Some(&folder)).await.map_err(|e| Error::store(&folder, e))?;
        let vacuum = Vacuum {
            listing: FileListing { tables: BTreeMap::new(), probes: Vec::new() },
            live: BTreeSet::new(),
            pinned: BTreeMap::new(),
            keep_after: i64::MAX,
            folder: None,
            dry_run: true,
            now: i64::MAX,
        };
        let kept = self.kept_files(table, &vacuum).await?;
        let names = listed.objects.into_iter().map(|object| (file_name(&object).to_owned(), object.size));
        Ok(names.filter(|(name, _)| !kept.files.contains(name)).collect())
    }
}

fn file_name(object: &ObjectMeta) -> &str {
    object.location.filename().unwrap_or_default()
}

#[derive(Debug, Default)]
struct Kept {
    files: BTreeSet<String>,
    /// The newest version of the table, if there is one.
    version: Option<i64>,
}

impl Kept {
    fn has_passed(&self, version: i64) -> bool {
        self.version.is_some_and(|newest| version <= newest) || !Safeguard::VacuumPassed.holds()
    }

    fn judge(&self, table: &str, object: &ObjectMeta, live: &BTreeSet<String>, vacuumed: &mut Vacuumed) {
        let name = file_name(object);
        if self.files.contains(name) {
            return;
        }
        let path = object.location.to_string();
        let why = match Origin::of(table, name) {
            // Whoever wrote it can only put it into this version; the slot is taken, so the put is dead or was done.
            Origin::PublishTime(version) if self.has_passed(version) => Why::Overtaken,
            Origin::Attempt(id) if !live.contains(id) => Why::Unreferenced,
            Origin::PublishTime(_) | Origin::Attempt(_) => return,
            Origin::Unknown => {
                vacuumed.unknown.push((path, object.size));
                return;
            }
        };
        vacuumed.files.push(VacuumedFile { path, bytes: object.size, why });
    }
}

/// Who wrote a file, by its name.
#[derive(Debug, PartialEq, Eq)]
enum Origin<'a> {
    /// `<id>-<number>.parquet`: an attempt, or a batch that was prepared, before it was staged.
    Attempt(&'a str),
    /// `<what>-<table>-v<version>-<handle>-<number>.parquet`: a publisher, for one version.
    PublishTime(i64),
    Unknown,
}

impl<'a> Origin<'a> {
    fn of(table: &str, name: &'a str) -> Self {
        Self::publish_time(table, name).or_else(|| Self::attempt(name)).unwrap_or(Self::Unknown)
    }

    fn publish_time(table: &str, name: &str) -> Option<Self> {
        let (_, rest) = name.strip_suffix(".parquet")?.split_once(&format!("-{table}-v"))?;
        let mut parts = rest.split('-');
        let (version, handle, number) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ours = parts.next().is_none()
            && handle.len() == 16
            && handle.bytes().all(|byte| byte.is_ascii_hexdigit())
            && is_number(number)
            && is_number(version);
        is_ours.then(|| version.parse().ok().map(Self::PublishTime)).flatten()
    }

    fn attempt(name: &'a str) -> Option<Self> {
        let (id, number) = name.strip_suffix(".parquet")?.rsplit_once('-')?;
        (is_number(number) && Uuid::try_parse(id).is_ok()).then_some(Self::Attempt(id))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
