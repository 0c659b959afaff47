//! What holds once everything has settled: the tables are what the source files are, by the policies of their sources.

use std::collections::{BTreeMap, BTreeSet};

use stillhouse_ledger::{Ledger, State};
use stillhouse_spec::Receipt;

use super::promise::standing;
use super::{Auditor, Broken, RECEIPTS, RUNS, broken};
use crate::simulation::content::{Content, Contract, Fate, SOURCES};
use crate::simulation::truth::Truth;

/// What the last run worked with.
#[derive(Debug, Clone)]
pub(in crate::simulation) struct Ending {
    /// By source.
    pub contracts: BTreeMap<&'static str, Contract>,
    /// Keys whose objects the ledger holds.
    pub held: BTreeSet<String>,
}

impl Auditor {
    /// After a recovery without faults: I4, and everything that only holds then.
    pub async fn check_end(&mut self, truth: &Truth, ending: &Ending) -> Result<(), Broken> {
        self.check(truth).await?;
        self.newest_is_shown()?;
        let standing = standing(&self.account.loads);
        twins(truth, &standing)?;
        for source in SOURCES {
            let of_source: Vec<&Receipt> =
                standing.values().filter(|receipt| receipt.object.source == source).collect();
            contents_once(truth, source, &of_source)?;
            files(truth, source, &of_source, ending)?;
        }
        Ok(())
    }

    /// I4: no table is ahead of the vector with other files.
    fn newest_is_shown(&self) -> Result<(), Broken> {
        for (table, log) in self.logs.iter().filter(|(table, _)| ![RECEIPTS, RUNS].contains(&table.as_str())) {
            let shown = self.account.vector.get(table).and_then(|version| log.at(*version));
            let newest = log.versions.last();
            let files = |version: Option<&super::log::Version>| {
                version.map(|version| version.files.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
            };
            if files(shown) != files(newest) {
                return broken(
                    "I4",
                    format!("`{table}`: expected {:?} as in the vector, found {:?}", files(shown), files(newest)),
                );
            }
        }
        Ok(())
    }

    /// I7: what the ledger calls complete has its receipt.
    pub async fn check_ledger(&self, ledger: &Ledger) -> Result<(), Broken> {
        let unreadable = |error: stillhouse_ledger::Error| Broken { invariant: "I7", message: error.to_string() };
        let complete = ledger.list(State::Complete, u32::MAX).await.map_err(unreadable)?;
        let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
        for (row, _) in &self.account.loads {
            let generation = newest.entry(row.key_number).or_default();
            *generation = row.generation.max(*generation);
        }
        for row in complete {
            let known = newest.get(&row.version.key_number).copied().unwrap_or(0);
            if known < row.version.generation {
                return broken(
                    "I7",
                    format!("{} is complete in the ledger, the newest receipt is of {known}", row.version),
                );
            }
        }
        Ok(())
    }

    /// After a replay: what a file that is still there has in the quarantine, its contract cannot read.
    pub fn check_replayed(&self, truth: &Truth, contracts: &BTreeMap<&'static str, Contract>) -> Result<(), Broken> {
        for receipt in standing(&self.account.loads).values() {
            let object = &receipt.object;
            let is_there = truth.files.get(&object.key).is_some_and(|file| file.etag == object.etag);
            let Some(contract) = contracts.get(object.source.as_str()).filter(|_| is_there) else { continue };
            if receipt.twin.is_some() || receipt.removed {
                continue;
            }
            let fates = truth.fates(receipt).map_err(|message| Broken { invariant: "I3", message })?;
            let lines = truth.version(&object.key, &object.etag).map(|content| content.lines.as_slice());
            for (line, (fate, _)) in lines.unwrap_or_default().iter().zip(fates) {
                if fate == Fate::Quarantined && Content::fate(line, *contract) == Fate::Loaded {
                    let message = format!("`{}`: {line:?} could be replayed and is in the quarantine", object.key);
                    return broken("end", message);
                }
            }
        }
        Ok(())
    }

    /// Versions of `_receipts` do not count: what was loaded, as far as receipts tell.
    pub fn batches(&self) -> i64 {
        self.account.seq
    }
}

/// The rows of a twin are there; unless its file is gone or changed since, so that nobody can read it again.
fn twins(truth: &Truth, standing: &BTreeMap<(i64, i64), Receipt>) -> Result<(), Broken> {
    for receipt in standing.values() {
        let Some(twin) = &receipt.twin else { continue };
        let target = standing.get(&(twin.key_number, twin.generation));
        let is_there = truth.files.get(&receipt.object.key).is_some_and(|file| file.etag == receipt.object.etag);
        let stands = target.is_some_and(|target| target.twin.is_none() && target.content == receipt.content);
        if !stands && is_there {
            let key = &receipt.object.key;
            return broken("end", format!("`{key}` is a twin of `{}`, whose rows are not there", twin.key));
        }
    }
    Ok(())
}

/// Where the same content is to be skipped, it is there once.
fn contents_once(truth: &Truth, source: &str, standing: &[&Receipt]) -> Result<(), Broken> {
    if truth.policies[source].on_same_content != "skip" {
        return Ok(());
    }
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for receipt in standing.iter().filter(|receipt| receipt.twin.is_none() && !receipt.removed) {
        let object = &receipt.object;
        let Some(content) = truth.version(&object.key, &object.etag) else { continue };
        let sameness = truth.sameness(source, &object.key, content.number);
        if content.has_records()
            && let Some(other) = seen.insert(sameness, &object.key)
        {
            return broken(
                "end",
                format!("the content of `{}` is in the tables twice, also for `{other}`", object.key),
            );
        }
    }
    Ok(())
}

/// Each file that is there has its rows by the policies of its source.
fn files(truth: &Truth, source: &'static str, standing: &[&Receipt], ending: &Ending) -> Result<(), Broken> {
    let policies = truth.policies[source];
    let mut by_key: BTreeMap<&str, Vec<&Receipt>> = BTreeMap::new();
    for receipt in standing {
        by_key.entry(receipt.object.key.as_str()).or_default().push(receipt);
    }
    let own = |key: &str| key.split('/').next() == Some(source);
    let is_empty = !truth.files.keys().any(|key| own(key));
    for (key, receipts) in &by_key {
        let with_rows = receipts.iter().filter(|receipt| receipt.twin.is_none() && !receipt.removed).count();
        if policies.on_change != "append" && with_rows > 1 {
            return broken("end", format!("`{key}`: {with_rows} versions stand at the same time"));
        }
        let is_gone = !truth.files.contains_key(*key);
        if is_gone && policies.on_missing == "remove" && !is_empty && receipts.iter().any(|receipt| !receipt.removed) {
            return broken("end", format!("`{key}` is there no more, and its rows or its twin still stand"));
        }
    }
    for (key, file) in truth.files.iter().filter(|(key, _)| own(key)) {
        let content = truth.content(file.content);
        let receipts = by_key.get(key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_loaded = receipts.iter().any(|receipt| receipt.object.etag == file.etag);
        if is_loaded && newest_is(receipts, &file.etag) {
            continue;
        }
        if !(content.is_held(ending.contracts[source]) && ending.held.contains(key)) {
            let held = ending.held.contains(key);
            return broken("end", format!("`{key}` with tag {} (held: {held}) has no receipt that stands", file.etag));
        }
    }
    Ok(())
}

fn newest_is(receipts: &[&Receipt], etag: &str) -> bool {
    receipts.last().is_some_and(|newest| newest.object.etag == etag)
}
