//! What a look at a table says, and the commit that is built from what was seen.
//!
//! Look and put are one step of the model: a put for the slot after version n, built from version n, takes effect only if
//! n is still the newest, as if both were done at that moment. A put that is under way while others go on is a late one.

use std::rc::Rc;

use super::batch::{Batch, Kind};
use super::lake::{File, QUARANTINE, RECEIPTS, Table, Version};
use super::rows::Rows;
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::{Publish, State};

/// What a publisher does with a table.
pub(super) enum Look {
    /// Stop: somebody else speaks for the lake.
    Fenced(&'static str),
    /// Nothing to do here. `ours`: the batch is there.
    Leave { version: Option<u8>, ours: bool },
    /// The whole batch has its receipt.
    Complete,
    /// No receipt knows the table, and `_receipts` was looked at: go on to the put.
    Clear,
    /// Put this.
    Commit(Box<Version>),
}

/// Whether `_receipts` has a batch.
pub(super) enum Complete {
    No,
    Yes,
    Fenced(&'static str),
}

const NEWER_EPOCH: &str = "a newer epoch";
const STRANGER: &str = "a batch that has no receipt";
const OTHER_BATCH: &str = "another batch with its seq";

pub(super) fn complete(run: &Run, state: &State, at: &Publish) -> Complete {
    let (receipts, batch) = (state.lake.receipts(), &at.batch);
    if run.has(Safeguard::Epoch) && receipts.epoch > at.epoch {
        return Complete::Fenced(NEWER_EPOCH);
    }
    if batch.alone {
        let done = state.lake.logs[RECEIPTS].has_batch(batch.id);
        return if done { Complete::Yes } else { Complete::No };
    }
    match receipts.seq < batch.seq {
        true => Complete::No,
        false if !run.has(Safeguard::BatchId) || state.lake.receipt_of(batch.seq) == Some(batch.id) => Complete::Yes,
        false => Complete::Fenced(OTHER_BATCH),
    }
}

pub(super) fn look(run: &Run, state: &State, at: &Publish, table: Table) -> Look {
    let looks = run.has(if at.again { Safeguard::LookAgain } else { Safeguard::LookFirst });
    if table == RECEIPTS {
        return match complete(run, state, at) {
            Complete::Fenced(why) => Look::Fenced(why),
            Complete::Yes if looks => Look::Complete,
            _ => Look::Commit(Box::new(receipt(run, state, at))),
        };
    }
    let Some(found) = state.lake.newest(table) else {
        return match at.batch.kind != Kind::Compact && !at.batch.brings(table).is_empty() {
            true if run.has(Safeguard::NewTables) => Look::Commit(Box::new(new_table(at))),
            true => commit(run, state, at, table, false),
            false => Look::Leave { version: None, ours: false },
        };
    };
    if run.has(Safeguard::Epoch) && found.epoch > at.epoch {
        return Look::Fenced(NEWER_EPOCH);
    }
    let leave = |ours| Look::Leave { version: state.lake.logs[table].number(), ours };
    if looks {
        match find(run, state, at, table, found) {
            Found::Ours => return leave(true),
            Found::Past => return leave(false),
            Found::Other => return Look::Fenced(OTHER_BATCH),
            Found::Nothing => {}
        }
    }
    if at.known[table].is_none() {
        return look_at_new(run, state, at, table, found);
    }
    if looks && run.has(Safeguard::Strangers) && has_strangers(state, at, table) {
        return Look::Fenced(STRANGER);
    }
    if touches(run, &at.batch, table, found) { commit(run, state, at, table, false) } else { leave(false) }
}

/// Whether the table has moved past the newest vector by more than fences.
fn has_strangers(state: &State, at: &Publish, table: Table) -> bool {
    let tail = state.lake.logs[table].entries().take_while(|entry| Some(entry.number) > at.known[table]);
    tail.map(|entry| &entry.version).any(|version| version.of_batch && version.batch != at.batch.id)
}

/// What a table that is known says of a batch.
enum Found {
    Ours,
    /// A later batch is there, so this one is complete.
    Past,
    Other,
    Nothing,
}

fn find(run: &Run, state: &State, at: &Publish, table: Table, found: &Version) -> Found {
    let batch = &at.batch;
    if batch.alone {
        return if state.lake.logs[table].has_batch(batch.id) { Found::Ours } else { Found::Nothing };
    }
    if !run.has(Safeguard::BatchId) {
        return if found.seq >= batch.seq { Found::Ours } else { Found::Nothing };
    }
    match found.seq.cmp(&batch.seq) {
        std::cmp::Ordering::Equal if found.batch == batch.id => Found::Ours,
        std::cmp::Ordering::Equal if at.known[table].is_some() => Found::Other,
        std::cmp::Ordering::Greater if at.known[table].is_some() => Found::Past,
        _ => Found::Nothing,
    }
}

/// A table that no receipt knows. What it holds belongs to no complete batch, unless this one is complete by now: that is
/// asked after the table was looked at, and before anything is put.
fn look_at_new(run: &Run, state: &State, at: &Publish, table: Table, found: &Version) -> Look {
    let number = state.lake.logs[table].number();
    let cleared = at.cleared == number || !run.has(Safeguard::NewTablesLook);
    match complete(run, state, at) {
        Complete::Yes if !cleared => return Look::Complete,
        Complete::Fenced(why) if !cleared => return Look::Fenced(why),
        _ => {}
    }
    if at.batch.kind == Kind::Compact {
        return Look::Leave { version: None, ours: false };
    }
    let stale = run.has(Safeguard::StaleRows) && !found.files.is_empty();
    match stale || touches(run, &at.batch, table, found) {
        false => Look::Leave { version: number, ours: false },
        true if cleared => commit(run, state, at, table, stale),
        true => Look::Clear,
    }
}

/// Whether a batch changes a table.
fn touches(run: &Run, batch: &Batch, table: Table, found: &Version) -> bool {
    if let Some(merge) = &batch.merge {
        let live = merge.sources.iter().all(|source| found.files.contains(source));
        return merge.table == table && (live || !run.has(Safeguard::CompactVoid));
    }
    let replaces = batch.replaces() && run.has(Safeguard::TouchAll);
    let amends = batch.kind == Kind::Amend && !batch.takes(table, true).is_empty();
    replaces || amends || !batch.brings(table).is_empty()
}

fn new_table(at: &Publish) -> Version {
    Version { epoch: at.epoch, ..Version::default() }
}

/// The commit to a data table: what has to go is taken out of the version that was looked at.
fn commit(run: &Run, state: &State, at: &Publish, table: Table, stale: bool) -> Look {
    let (batch, found) = (&at.batch, state.lake.newest(table));
    let mut version = found.map(Version::next).unwrap_or_default();
    if stale {
        version.files.clear();
    }
    let mut takes = batch.takes(table, run.has(Safeguard::ReplacesRange));
    if !run.has(Safeguard::RemoveFresh) && batch.kind == Kind::Load {
        let seen = batch.base[table].and_then(|base| state.lake.logs[table].at(base));
        takes = takes & seen.map_or(Rows::NONE, Version::rows);
    }
    let merged = |file: &File| batch.merge.is_some_and(|merge| merge.table == table && merge.sources.contains(file));
    version.files.retain(|file| !merged(file));
    for file in version.files.iter_mut().filter(|file| file.rows.meets(takes)) {
        *file = File { by: 0, rows: file.rows.without(takes) };
    }
    version.files.push(File { by: batch.id, rows: batch.brings(table) });
    version.files.retain(|file| !file.rows.is_empty());
    version.files.sort_unstable();
    let carries = run.has(Safeguard::Manifest) && (run.has(Safeguard::FirstManifest) || table == QUARANTINE);
    version.manifest = (carries && !at.seen && !batch.alone).then(|| Rc::clone(batch));
    Look::Commit(Box::new(of_batch(version, at)))
}

/// The commit point.
fn receipt(run: &Run, state: &State, at: &Publish) -> Version {
    let mut version = state.lake.receipts().next();
    version.account.vector = if run.has(Safeguard::ReceiptLast) { at.vector } else { state.lake.versions() };
    at.batch.receipts().for_each(|receipt| version.account.add(receipt));
    of_batch(version, at)
}

fn of_batch(version: Version, at: &Publish) -> Version {
    let seq = if at.batch.alone { version.seq } else { at.batch.seq };
    Version { epoch: version.epoch.max(at.epoch), seq, batch: at.batch.id, of_batch: true, ..version }
}
