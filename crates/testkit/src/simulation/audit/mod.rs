//! The auditor: reads the lake by itself and holds it against the invariants of the commit protocol and against what the
//! files really said.
//!
//! It knows logs and data files as bytes in a folder, and uses nothing of the crates under test but the form of a receipt.

mod end;
mod log;
mod promise;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use stillhouse_spec::Receipt;

pub(in crate::simulation) use self::end::Ending;
use self::log::TableLog;
use self::promise::{Promised, promise, standing};
use self::rows::{Files, ReceiptRow};
use super::truth::Truth;
use super::world::{Folder, World};

const RECEIPTS: &str = "_receipts";
const RUNS: &str = "_runs";

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which: `I1` to `I7`, `log`, `end` or `driver`.
    pub invariant: &'static str,
    /// Where, what was expected, what was found.
    pub message: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.message)
    }
}

pub(super) fn broken<T>(invariant: &'static str, message: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { invariant, message: message.into() })
}

/// Names the invariant that an error breaks.
fn breaks(invariant: &'static str) -> impl Fn(String) -> Broken {
    move |message| Broken { invariant, message }
}

/// What a version of `_receipts` says.
#[derive(Debug, Clone, Default)]
struct Account {
    /// Rows about object versions.
    loads: Vec<(ReceiptRow, Receipt)>,
    /// Of every row of any kind: what identifies it.
    ids: BTreeSet<(String, i64, i64, i64, i64, i64)>,
    seq: i64,
    /// The owner of the newest epoch.
    owner: (i64, String),
    /// All that ever owned an epoch.
    owners: BTreeSet<String>,
    vector: BTreeMap<String, i64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Auditor {
    folder: Arc<Folder>,
    world: Arc<World>,
    logs: BTreeMap<String, TableLog>,
    files: Files,
    /// As of the newest version of `_receipts` that was looked at.
    account: Account,
    accounted: i64,
    /// Versions of data tables up to which rows were counted.
    counted: BTreeMap<String, i64>,
    /// Vectors of all versions of `_receipts`, and that of no version.
    vectors: BTreeSet<BTreeMap<String, i64>>,
    /// Versions that readers still use, by table.
    pinned: BTreeMap<String, BTreeSet<i64>>,
}

impl Auditor {
    pub fn new(folder: Arc<Folder>, world: Arc<World>) -> Self {
        Self {
            folder,
            world,
            logs: BTreeMap::new(),
            files: Files::default(),
            account: Account::default(),
            accounted: -1,
            counted: BTreeMap::new(),
            vectors: BTreeSet::from([BTreeMap::new()]),
            pinned: BTreeMap::new(),
        }
    }

    /// The ledger that speaks for the lake.
    pub fn owner(&self) -> &str {
        &self.account.owner.1
    }

    /// The largest seq of any table.
    pub fn largest_seq(&self) -> i64 {
        self.logs.values().filter_map(|log| log.versions.last()).map(|version| version.seq).max().unwrap_or(0)
    }

    /// Somebody reads these versions (JSON: table to version) for ever, unless it `is_late`. I2: they are those of one
    /// receipt.
    pub fn pin(&mut self, tables: &str, is_late: bool) -> Result<(), Broken> {
        let tables: BTreeMap<String, i64> =
            serde_json::from_str(tables).map_err(|error| breaks("driver")(error.to_string()))?;
        if !self.vectors.contains(&tables) {
            return broken("I2", format!("a reader was given versions that belong to no receipt: {tables:?}"));
        }
        for (table, version) in tables.into_iter().filter(|_| !is_late) {
            self.pinned.entry(table).or_default().insert(version);
        }
        Ok(())
    }

    /// Everything that holds at all times, for every version that is new since the last look.
    pub async fn check(&mut self, truth: &Truth) -> Result<(), Broken> {
        for table in log::tables(&self.folder) {
            let log = self.logs.entry(table.clone()).or_default();
            log.read_on(&self.folder, &table).map_err(breaks("log"))?;
        }
        self.once()?;
        let newest = self.logs.get(RECEIPTS).map_or(-1, TableLog::newest);
        while self.accounted < newest {
            self.accounted += 1;
            self.account = self.read_account(self.accounted)?;
            self.vectors.insert(self.account.vector.clone());
            self.check_rows(truth)?;
        }
        self.files_exist().await
    }

    /// I1, as far as it can be seen without receipts: no row is in a version twice.
    fn once(&mut self) -> Result<(), Broken> {
        for (table, log) in &self.logs {
            if table == RECEIPTS || table == RUNS {
                continue;
            }
            let counted = self.counted.entry(table.clone()).or_insert(-1);
            while *counted < log.newest() {
                *counted += 1;
                let Some(version) = log.at(*counted) else { continue };
                let mut seen = BTreeSet::new();
                for file in version.files.keys() {
                    let rows = self.files.data(&self.folder, table, file).map_err(breaks("I6"))?;
                    for row in rows.iter() {
                        if !seen.insert((row.object, row.record, row.item)) {
                            let message =
                                format!("`{table}` version {counted}: a row twice: {row:?}, again in `{file}`");
                            return broken("I1", message);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn read_account(&mut self, version: i64) -> Result<Account, Broken> {
        let files = self.logs.get(RECEIPTS).and_then(|log| log.at(version)).map(|version| Arc::clone(&version.files));
        let mut account = Account::default();
        let mut newest: Option<ReceiptRow> = None;
        for file in files.iter().flat_map(|files| files.keys()) {
            let rows = self.files.receipts(&self.folder, file).map_err(breaks("I6"))?;
            for row in rows.iter() {
                let id = (row.kind.clone(), row.seq, row.key_number, row.generation, row.revision, row.epoch);
                if !account.ids.insert(id) {
                    return broken("I1", format!("`_receipts` version {version}: a row twice: {row:?}"));
                }
                if row.kind == "epoch" {
                    account.owner = account.owner.max((row.epoch, row.ledger_id.clone()));
                    account.owners.insert(row.ledger_id.clone());
                    continue;
                }
                if newest.as_ref().is_none_or(|newest| newest.seq < row.seq) {
                    newest = Some(row.clone());
                }
                if row.kind == "load" {
                    let receipt = serde_json::from_str(&row.receipt).map_err(|error| error.to_string());
                    account.loads.push((row.clone(), receipt.map_err(breaks("I3"))?));
                }
            }
        }
        if let Some(newest) = newest {
            account.seq = newest.seq;
            account.vector =
                serde_json::from_str(&newest.vector).map_err(|error| error.to_string()).map_err(breaks("I2"))?;
        }
        self.never_back(version, &account)?;
        self.never_silently(version, &account)?;
        Ok(account)
    }

    /// I4: the lake goes to another ledger only if somebody asked for that, and never back to one that was shut out.
    fn never_silently(&self, version: i64, account: &Account) -> Result<(), Broken> {
        let (before, owner) = (&self.account, &account.owner.1);
        if before.owners.is_empty() || before.owner.1 == *owner {
            return Ok(());
        }
        let place = format!("`_receipts` version {version}");
        if before.owners.contains(owner) {
            return broken("I4", format!("{place}: a ledger that was shut out speaks for the lake again"));
        }
        if !self.world.is_claimant(owner) {
            return broken("I4", format!("{place}: a ledger took the lake over, and nobody asked for it"));
        }
        Ok(())
    }

    /// I5: no receipt goes, no vector, seq, generation or revision falls.
    fn never_back(&self, version: i64, account: &Account) -> Result<(), Broken> {
        let before = &self.account;
        let place = format!("`_receipts` version {version}");
        if let Some(lost) = before.ids.iter().find(|id| !account.ids.contains(*id)) {
            return broken("I5", format!("{place}: the row {lost:?} is gone"));
        }
        if account.seq < before.seq || account.owner.0 < before.owner.0 {
            return broken("I5", format!("{place}: seq or epoch falls: {} after {}", account.seq, before.seq));
        }
        for (table, was) in &before.vector {
            let is = account.vector.get(table).copied().unwrap_or(-1);
            if is < *was {
                return broken("I5", format!("{place}: `{table}` falls from version {was} to {is}"));
            }
        }
        let mut keys: BTreeMap<i64, (i64, i64, i64)> = BTreeMap::new();
        let mut loads: Vec<_> = account.loads.iter().map(|(row, _)| row).collect();
        loads.sort_by_key(|row| (row.seq, row.key_number));
        for row in loads {
            let now = (row.seq, row.generation, row.revision);
            if let Some(before) = keys.insert(row.key_number, now)
                && (before.0 == now.0 || before.2 >= now.2)
            {
                return broken("I5", format!("{place}: key {}: {now:?} after {before:?}", row.key_number));
            }
        }
        Ok(())
    }

    /// I2 and I3: at the vector, the tables hold exactly what the receipts that stand promise, of the very attempts that
    /// they speak of.
    fn check_rows(&mut self, truth: &Truth) -> Result<(), Broken> {
        let account = self.account.clone();
        let mut promised = Promised::new();
        for receipt in standing(&account.loads).values() {
            let place = format!("receipt of `{}` generation {}", receipt.object.key, receipt.generation);
            promise(truth, receipt, &mut promised).map_err(|error| breaks("I3")(format!("{place}: {error}")))?;
        }
        for table in promised.keys() {
            if !account.vector.contains_key(table) {
                return broken(
                    "I2",
                    format!("seq {}: rows are promised in `{table}`, which has no version", account.seq),
                );
            }
        }
        for (table, version) in &account.vector {
            let files = self.logs.get(table).and_then(|log| log.at(*version)).map(|version| Arc::clone(&version.files));
            let Some(files) = files else {
                return broken("I2", format!("seq {}: `{table}` has no version {version}", account.seq));
            };
            let expected = promised.remove(table).unwrap_or_default();
            self.check_table(table, *version, &files, expected)?;
        }
        Ok(())
    }

    fn check_table(
        &mut self,
        table: &str,
        version: i64,
        files: &BTreeMap<String, u64>,
        mut expected: BTreeMap<(i64, i64, i64), (String, i64)>,
    ) -> Result<(), Broken> {
        let place = format!("seq {}, `{table}` version {version}", self.account.seq);
        for file in files.keys() {
            let rows = self.files.data(&self.folder, table, file).map_err(breaks("I6"))?;
            for row in rows.iter() {
                let id = (row.object, row.record, row.item);
                match expected.remove(&id) {
                    Some((text, came)) if text == row.text && (came == 0 || came == row.ingested_at) => {}
                    Some(wanted) => return broken("I3", format!("{place}: expected {wanted:?}, found {row:?}")),
                    None => {
                        return broken("I3", format!("{place}: a row that no receipt promises: {row:?} in `{file}`"));
                    }
                }
            }
        }
        match expected.first_key_value() {
            None => Ok(()),
            Some((id, text)) => broken("I3", format!("{place}: a row that is promised and not there: {id:?} {text:?}")),
        }
    }

    /// I6: everything that the newest versions, those of the vector, those between and pinned ones name is there.
    async fn files_exist(&self) -> Result<(), Broken> {
        for (table, log) in &self.logs {
            let newest = log.newest();
            let first = match table.as_str() {
                RECEIPTS | RUNS => newest,
                _ => self.account.vector.get(table).copied().unwrap_or(0),
            };
            let pinned = self.pinned.get(table).into_iter().flatten().copied();
            for version in (first..=newest).chain(pinned) {
                for (file, size) in log.at(version).iter().flat_map(|version| version.files.iter()) {
                    let found = self.size(table, file).await;
                    if found != Some(*size) {
                        let message = format!("`{table}` version {version}: `{file}` of {size} bytes, found {found:?}");
                        return broken("I6", message);
                    }
                }
            }
        }
        Ok(())
    }

    async fn size(&self, table: &str, file: &str) -> Option<u64> {
        use object_store::ObjectStoreExt as _;
        let path = object_store::path::Path::from(format!("{table}/{file}"));
        self.folder.objects.head(&path).await.ok().map(|meta| meta.size)
    }
}
