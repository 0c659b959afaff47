//! `audit`: what the sources list, what the receipts say and what the tables hold, held against each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stillhouse_lake::Snapshot;
use stillhouse_ledger::{State, VersionRow};
use stillhouse_spec::{ObjectVersion, Period, Receipt, Source, object_id, split_object_id};

use crate::context::Ingest;
use crate::discover::discover;
use crate::error::Error;
use crate::publish::open;
use crate::reason::Reason;
use crate::standing::standing_receipts;
use crate::verify::twins;

/// What kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// A file that nobody has looked at yet.
    Unknown,
    /// A file that is not what was loaded of it.
    Changed,
    /// A file that was loaded and is there no more.
    Missing,
    /// A file that waits for a person, or could not be read.
    Held,
    /// Something was begun and is not finished.
    HalfDone,
    /// Rows without a receipt, or receipts without their rows.
    Rows,
    /// The ledger and the receipts do not agree.
    Ledger,
    /// A file of the lake that is gone or has another size, or a text that a receipt names and that is gone.
    Damaged,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Of which kind.
    pub difference: Difference,
    /// The source's name; empty where it is about the lake.
    pub source: String,
    /// The key, the table or the file.
    pub key: String,
    /// What was found.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// What was looked at, and every difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Files in the sources.
    pub files: u64,
    /// Receipts that stand.
    pub receipts: u64,
    /// Data tables.
    pub tables: u64,
    /// Rows in them, refused records included.
    pub rows: u64,
    /// Data files of the lake.
    pub data_files: u64,
    /// By kind, source and key.
    pub findings: Vec<Finding>,
}

/// Compares everything that can be compared without reading the objects again ([`crate::verify()`] does that). Writes
/// nothing, but makes a new ledger ready for a new lake.
pub async fn audit(ingest: &Ingest) -> Result<Audit, Error> {
    open(ingest).await?;
    let snapshot = ingest.lake.snapshot().await?;
    let receipts = standing_receipts(ingest, None).await?.receipts;
    let mut auditor = Auditor { ingest, receipts, there: BTreeSet::new(), audit: Audit::default() };
    auditor.audit.receipts = auditor.receipts.len() as u64;
    for source in &ingest.sources {
        auditor.source(source).await?;
    }
    auditor.receipts_without_source();
    auditor.tables(&snapshot).await?;
    auditor.files(&snapshot).await?;
    auditor.texts().await?;
    auditor.half_done().await?;
    let mut audit = auditor.audit;
    audit.findings.sort();
    Ok(audit)
}

struct Auditor<'a> {
    ingest: &'a Ingest,
    /// Those that stand.
    receipts: Vec<Receipt>,
    /// Source, key and tag of every file that is there.
    there: BTreeSet<(String, String, String)>,
    audit: Audit,
}

impl Auditor<'_> {
    fn find(&mut self, difference: Difference, object: (&str, &str), message: String, hint: &str) {
        let (source, key) = (object.0.to_owned(), object.1.to_owned());
        self.audit.findings.push(Finding { difference, source, key, message, hint: hint.to_owned() });
    }

    /// Listing, ledger and receipts of one source.
    async fn source(&mut self, source: &Source) -> Result<(), Error> {
        let name = source.name.as_str();
        let listed = discover(&self.ingest.store, source, Period::All).await?.objects;
        let listed: BTreeMap<String, ObjectVersion> =
            listed.into_iter().map(|found| (found.version.name(), found.version)).collect();
        self.audit.files += listed.len() as u64;
        let known: BTreeMap<String, VersionRow> =
            self.ingest.ledger.newest(name).await?.into_iter().map(|row| (row.object.name(), row)).collect();
        let newest: BTreeMap<String, Receipt> = self
            .receipts
            .iter()
            .filter(|receipt| receipt.object.source == name)
            .map(|receipt| (receipt.object.name(), receipt.clone())) // by generation: the last one stays
            .collect();
        for (key, object) in &listed {
            self.there.insert(version_of(object));
            self.listed(object, known.get(key), newest.get(key));
        }
        self.unlisted(name, &listed);
        for (key, row) in &known {
            self.ledger_row(row, newest.get(key));
        }
        for (key, _) in newest.iter().filter(|(key, _)| !known.contains_key(*key)) {
            let message = "has a receipt, but the ledger does not know it".to_owned();
            self.find(Difference::Ledger, (name, key), message, REBUILD);
        }
        Ok(())
    }

    fn listed(&mut self, object: &ObjectVersion, known: Option<&VersionRow>, newest: Option<&Receipt>) {
        let same = |of: &ObjectVersion| of.etag == object.etag && of.size == object.size;
        if newest.is_some_and(|receipt| same(&receipt.object)) {
            return;
        }
        let name = object.name();
        let at = (object.source.as_str(), name.as_str());
        let known = known.filter(|row| same(&row.object));
        match known.map(|row| (row.state, row.reason.as_deref())) {
            Some((State::Held | State::Failed, reason)) => {
                let Reason { message, hint, .. } = Reason::parse(reason);
                self.find(Difference::Held, at, message, hint.as_deref().unwrap_or("stillhouse ingest"));
            }
            Some((State::Offered | State::Claimed | State::Staged, _)) => {
                let message = "loading it was begun and not finished".to_owned();
                self.find(Difference::HalfDone, at, message, "stillhouse ingest");
            }
            Some((State::Complete, _)) if newest.is_none() => {
                let message = "the ledger says it is loaded, but the lake has no receipt of it".to_owned();
                self.find(Difference::Ledger, at, message, REBUILD);
            }
            Some((State::Forgotten, _)) => {}
            _ if newest.is_some() => {
                let message = "was changed after it was loaded".to_owned();
                self.find(Difference::Changed, at, message, "stillhouse ingest");
            }
            _ => {
                let message = "was never looked at".to_owned();
                self.find(Difference::Unknown, at, message, "stillhouse ingest");
            }
        }
    }

    /// Files that have rows and are in no listing, under this or another name.
    fn unlisted(&mut self, source: &str, listed: &BTreeMap<String, ObjectVersion>) {
        let twins = twins(&self.receipts);
        let has_twin = |receipt: &Receipt| {
            let twins = twins.get(&(receipt.key_number, receipt.generation));
            twins.into_iter().flatten().any(|twin| listed.contains_key(&twin.name()))
        };
        let own = self.receipts.iter().filter(|receipt| receipt.object.source == source);
        let gone = own.filter(|receipt| receipt.counts.read > 0 && !listed.contains_key(&receipt.object.name()));
        let gone: Vec<(String, u64)> = gone
            .filter(|receipt| !has_twin(receipt))
            .map(|receipt| (receipt.object.name(), receipt.counts.loaded))
            .collect();
        for (key, rows) in gone {
            let message =
                format!("is there no more; its {rows} rows are in the tables and cannot be proved by reading it again");
            let hint = "put it back; or set `on_missing = \"remove\"` in its source file to have its rows removed";
            self.find(Difference::Missing, (source, &key), message, hint);
        }
    }

    /// What is complete in the ledger has its receipt, or was replaced.
    fn ledger_row(&mut self, row: &VersionRow, newest: Option<&Receipt>) {
        let ahead = newest.is_none_or(|receipt| receipt.generation < row.version.generation);
        if row.state == State::Complete && ahead {
            let message = format!("generation {} is complete in the ledger and has no receipt", row.version.generation);
            self.find(Difference::Ledger, (&row.object.source, &row.object.name()), message, REBUILD);
        }
    }

    fn receipts_without_source(&mut self) {
        let lost: BTreeMap<String, u64> = self
            .receipts
            .iter()
            .filter(|receipt| self.ingest.source_named(&receipt.object.source).is_none())
            .fold(BTreeMap::new(), |mut lost, receipt| {
                *lost.entry(receipt.object.source.clone()).or_default() += 1;
                lost
            });
        for (source, count) in lost {
            let message = format!("{count} loaded files are of a source that the project has no more");
            let hint = format!("put `sources/{source}.toml` back");
            self.find(Difference::Missing, (&source, ""), message, &hint);
        }
    }

    /// Each object has in each table as many rows as its receipt says, and no other object has any.
    async fn tables(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let receipts = std::mem::take(&mut self.receipts);
        let by_object: BTreeMap<i64, &Receipt> = receipts
            .iter()
            .filter(|receipt| receipt.seq <= snapshot.seq)
            .map(|receipt| (object_id(receipt.key_number, receipt.generation), receipt))
            .collect();
        for (table, shown) in data_tables(snapshot) {
            self.audit.tables += 1;
            let found = self.ingest.lake.object_counts(table, shown.version).await?;
            self.audit.rows += found.values().sum::<u64>();
            for (object, rows) in found.iter().filter(|(object, _)| !by_object.contains_key(object)) {
                let (key, generation) = split_object_id(*object);
                let message = format!("{rows} rows of key {key}, generation {generation}, which has no receipt");
                self.find(Difference::Rows, ("", table), message, RESTORE);
            }
            for (object, receipt) in &by_object {
                let expected = receipt.tables.get(table).map_or(0, |count| count.rows);
                let rows = found.get(object).copied().unwrap_or(0);
                if rows != expected {
                    let message = format!("the receipt says {expected} rows in table `{table}`, found {rows}");
                    let at = (receipt.object.source.as_str(), receipt.object.key.as_str());
                    self.find(Difference::Rows, at, message, RESTORE);
                }
            }
        }
        self.twins(&receipts);
        self.receipts = receipts;
        Ok(())
    }

    /// The rows of a twin are there under the version that its receipt names.
    fn twins(&mut self, receipts: &[Receipt]) {
        let standing: BTreeSet<(i64, i64)> =
            receipts.iter().map(|receipt| (receipt.key_number, receipt.generation)).collect();
        for receipt in receipts {
            let Some(twin) = &receipt.twin else { continue };
            if standing.contains(&(twin.key_number, twin.generation)) {
                continue;
            }
            let at = (receipt.object.source.as_str(), receipt.object.key.as_str());
            if self.there.contains(&version_of(&receipt.object)) {
                let message = format!("has the content that `{}` had, which is not in the tables any more", twin.key);
                self.find(Difference::HalfDone, at, message, "stillhouse ingest");
            } else {
                let message =
                    format!("had the content of `{}`, whose rows are gone; it has changed or gone since", twin.key);
                self.find(
                    Difference::Missing,
                    at,
                    message,
                    "put a copy of it back under a name of its own, if the rows are needed",
                );
            }
        }
    }

    /// Every file that the tables name is there, as large as it was.
    async fn files(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        for (table, shown) in &snapshot.tables {
            self.audit.data_files += shown.files.len() as u64;
            for problem in self.ingest.lake.check_files(table, shown.version).await? {
                let message = match problem.found {
                    Some(size) => format!("has {size} bytes, and had {} when it was written", problem.expected),
                    None => "is gone".to_owned(),
                };
                self.find(Difference::Damaged, ("", &problem.path), message, RESTORE);
            }
        }
        Ok(())
    }

    /// The copies of source files that receipts name.
    async fn texts(&mut self) -> Result<(), Error> {
        let named: BTreeSet<String> =
            self.receipts.iter().map(|receipt| receipt.source_fingerprint.clone()).filter(|f| !f.is_empty()).collect();
        for fingerprint in named {
            if self.ingest.lake.text(&fingerprint).await?.is_none() {
                let message = "the copy of a source file that receipts name is gone".to_owned();
                self.find(Difference::Damaged, ("", &format!("_texts/{fingerprint}")), message, RESTORE);
            }
        }
        Ok(())
    }

    async fn half_done(&mut self) -> Result<(), Error> {
        for staged in self.ingest.lake.pending_manifests().await? {
            let members = staged.manifest.members.len();
            let message = format!("is in some tables and has no receipt yet ({members} files)");
            self.find(Difference::HalfDone, ("", &format!("batch {}", staged.seq)), message, "stillhouse ingest");
        }
        let waiting = self.ingest.ledger.queue_count().await?;
        if waiting > 0 {
            let message = format!("{waiting} batches are staged and not published yet");
            self.find(Difference::HalfDone, ("", "publish queue"), message, "stillhouse ingest");
        }
        Ok(())
    }
}

fn version_of(object: &ObjectVersion) -> (String, String, String) {
    (object.source.clone(), object.key.clone(), object.etag.clone())
}

const REBUILD: &str = "stillhouse ledger rebuild";
const RESTORE: &str = "restore the lake from a copy; for a single file: stillhouse ingest --reload PATH";

fn data_tables(snapshot: &Snapshot) -> impl Iterator<Item = (&String, &stillhouse_lake::TableSnapshot)> {
    let own = [stillhouse_lake::RECEIPTS, stillhouse_lake::RUNS];
    snapshot.tables.iter().filter(move |(name, _)| !own.contains(&name.as_str()))
}
