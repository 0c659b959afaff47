//! What must hold in every state, and what a state without work left looks like.

use super::lake::{Account, CHILD, DATA, Entry, NAMES, PARENT, QUARANTINE, RECEIPTS, Receipt, Vector, Version};
use super::ledger::{JobState, Ledger};
use super::rows::{ACCEPTED, ATTEMPTS, GENERATIONS, KEYS, REFUSED, REMOVED, Rows};
use super::run::Run;
use super::safeguard::Safeguard;
use super::state::State;
use super::vacuum::files_of;

/// The invariants of the protocol, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: in every version no row group twice, and of each key only what belongs together.
    Once,
    /// I2: at the vector every key shows the same in all tables.
    Alike,
    /// I3: at the vector there is what the receipts promise.
    Promised,
    /// I4: without faults everything settles.
    Settles,
    /// I5: vectors and generations never go back.
    NeverBack,
    /// I6: no kept version names a deleted file.
    FilesExist,
    /// I7: what is complete in a ledger has its receipt.
    LedgerAgrees,
}

impl Invariant {
    /// Number and name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Once => "I1 once",
            Self::Alike => "I2 all tables alike",
            Self::Promised => "I3 receipt = rows",
            Self::Settles => "I4 everything settles",
            Self::NeverBack => "I5 never back",
            Self::FilesExist => "I6 files exist",
            Self::LedgerAgrees => "I7 ledger agrees with R",
        }
    }
}

/// The first invariant that a move breaks. Only what the move changed is looked at.
pub(super) fn broken(run: &Run, before: &State, state: &State) -> Option<Invariant> {
    let (old, new) = (&before.lake, &state.lake);
    let changed = |table: &usize| !new.logs[*table].is(&old.logs[*table]);
    let once = |table: &usize| new.newest(*table).is_none_or(|version| is_once(run, version));
    if !DATA.iter().filter(|table| changed(table)).all(once) {
        return Some(Invariant::Once);
    }
    let logs_changed = (0..NAMES.len()).any(|table| changed(&table));
    let read_again = logs_changed || (state.gone, state.pinned) != (before.gone, before.pinned);
    if read_again && !files_exist(state) {
        return Some(Invariant::FilesExist);
    }
    if (logs_changed || !run.has(Safeguard::VectorInR))
        && let Some(broken) = view(run, state).and_then(|seen| compare(run, state, &seen))
    {
        return Some(broken);
    }
    if changed(&RECEIPTS) && goes_back(state) {
        return Some(Invariant::NeverBack);
    }
    let agrees = state.ledgers.iter().flatten().all(|ledger| agrees(state, ledger));
    (!agrees).then_some(Invariant::LedgerAgrees)
}

/// No row group twice; of each generation one attempt; of each key one generation, unless changes are appended.
fn is_once(run: &Run, version: &Version) -> bool {
    let rows = version.rows();
    let attempts = |key: usize, generation: u8| {
        let of = |attempt: u8| [ACCEPTED, REFUSED[0], REFUSED[1]].map(|part| Rows::one(key, generation, attempt, part));
        (0..ATTEMPTS).filter(|attempt| of(*attempt).iter().any(|row| row.meets(rows))).count()
    };
    let key_is_once = |key: usize| {
        let counts = (1..=GENERATIONS).map(|generation| attempts(key, generation)).filter(|count| *count > 0);
        let counts: Vec<usize> = counts.collect();
        counts.iter().all(|count| *count == 1) && (run.bounds.append || counts.len() <= 1)
    };
    !version.has_twice() && (0..run.bounds.keys).all(key_is_once)
}

fn files_exist(state: &State) -> bool {
    let exist = |version: &Version| files_of(version) & state.gone == 0 && !version.lost;
    let vector = state.lake.account().vector;
    DATA.iter().all(|table| {
        let log = &state.lake.logs[*table];
        let kept = [vector[*table], state.pinned.and_then(|pinned| pinned[*table])];
        log.newest().is_none_or(exist) && kept.into_iter().flatten().all(|number| log.at(number).is_none_or(exist))
    })
}

/// What a reader sees: the rows of each table, and the receipts that go with them.
struct View<'a> {
    rows: [Rows; 3],
    receipts: &'a Version,
}

/// `None`: there is nobody to ask.
fn view<'a>(run: &Run, state: &'a State) -> Option<View<'a>> {
    let lake = &state.lake;
    let at = |vector: Vector| {
        DATA.map(|table| vector[table].and_then(|number| lake.logs[table].at(number)).map_or(Rows::NONE, Version::rows))
    };
    let receipts = lake.receipts();
    if !run.has(Safeguard::ReadVector) {
        return Some(View { rows: at(lake.versions()), receipts });
    }
    if !run.has(Safeguard::ReadNoFilter) {
        let received: Rows = receipts.account.receipts.iter().map(Rows::of_receipt).collect();
        return Some(View { rows: at(lake.versions()).map(|rows| rows & received), receipts });
    }
    if !run.has(Safeguard::VectorInR) {
        let (vector, number) = state.ledgers.iter().flatten().find_map(|ledger| ledger.vector)?;
        return Some(View { rows: at(vector), receipts: lake.logs[RECEIPTS].at(number)? });
    }
    Some(View { rows: at(receipts.account.vector), receipts })
}

impl Rows {
    /// All rows of the generation of a receipt.
    fn of_receipt(receipt: &Receipt) -> Rows {
        Rows::generations(usize::from(receipt.key), receipt.generation..receipt.generation + 1)
    }
}

fn compare(run: &Run, state: &State, seen: &View<'_>) -> Option<Invariant> {
    let account = &seen.receipts.account;
    if DATA.iter().all(|table| seen.rows[*table] == account.promised(*table)) {
        return None;
    }
    let alike =
        (0..KEYS).all(|key| (1..=GENERATIONS).all(|g| (0..ATTEMPTS).all(|a| is_alike(run, state, seen, key, g, a))));
    Some(if alike { Invariant::Promised } else { Invariant::Alike })
}

/// One attempt shows in all tables in which its content has rows, or in none; a refused record in one table at most.
fn is_alike(run: &Run, state: &State, seen: &View<'_>, key: usize, generation: u8, attempt: u8) -> bool {
    let Some(content) = state.decoded[key][usize::from(generation) - 1][usize::from(attempt)].checked_sub(1) else {
        return true;
    };
    let whole = |table| Rows::decoded(key, generation, attempt, content, table);
    let accepted = Rows::one(key, generation, attempt, ACCEPTED);
    let shows = accepted.meets(seen.rows[PARENT]);
    let child = !run.bounds.child || accepted.meets(seen.rows[CHILD]) == (shows && accepted.meets(whole(CHILD)));
    let record_is_once = |part: &usize| {
        let record = Rows::one(key, generation, attempt, *part);
        let places = [QUARANTINE, PARENT].iter().filter(|table| record.meets(seen.rows[**table])).count();
        places <= usize::from(shows && record.meets(whole(QUARANTINE)))
    };
    child && REFUSED.iter().all(record_is_once)
}

/// Of the newest two versions of `_receipts`.
fn goes_back(state: &State) -> bool {
    let mut entries = state.lake.logs[RECEIPTS].entries().map(|entry: &Entry| &entry.version.account);
    let (Some(new), Some(old)) = (entries.next(), entries.next()) else { return false };
    let vector = DATA.iter().any(|table| new.vector[*table] < old.vector[*table]);
    let generation = |account: &Account, key| account.newest(key).map_or(0, |receipt| receipt.generation);
    vector || (0..KEYS).any(|key| generation(new, key) < generation(old, key))
}

fn agrees(state: &State, ledger: &Ledger) -> bool {
    let log = &state.lake.logs[RECEIPTS];
    let complete = ledger.keys.iter().flat_map(|key| key.jobs()).filter(|(_, job)| job.state == JobState::Complete);
    let mut complete = complete.map(|(_, job)| job.by);
    complete.all(|by| log.has_batch(by))
}

/// Nothing is left to do: the ledger that speaks for the lake has an empty queue, each object's content has its receipt,
/// and the newest versions hold what receipts promise.
pub(super) fn is_settled(run: &Run, state: &State) -> bool {
    let (lake, account) = (&state.lake, state.lake.account());
    let whole = |table: &usize| lake.newest(*table).map_or(Rows::NONE, Version::rows) == account.promised(*table);
    let mut owners = state.ledgers.iter().flatten().filter(|ledger| ledger.is_open() && ledger.id == account.owner);
    lake.late.is_empty() && owners.any(|ledger| is_done(run, state, ledger)) && DATA.iter().all(whole)
}

fn is_done(run: &Run, state: &State, ledger: &Ledger) -> bool {
    let account = state.lake.account();
    let key_is_done = |key: usize| {
        let (newest, content) = (account.newest(key), state.bucket[key]);
        let loaded = match newest {
            Some(receipt) => receipt.content == content && ledger.keys[key].newest().state == JobState::Complete,
            None => content == REMOVED,
        };
        // Otherwise nothing could ever be amended.
        loaded && ledger.keys[key].revision == account.revision(key)
    };
    ledger.queue.is_empty() && (0..run.bounds.keys).all(key_is_done)
}
