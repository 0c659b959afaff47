//! All runs: the whole protocol in many bounds, what it can spare, and each safeguard taken away.

use super::invariants::Invariant::{self, Alike, FilesExist, LedgerAgrees, Once, Promised, Settles};
use super::run::{Bounds, Expected, Run};
use super::safeguard::Safeguard::{self, *};

/// Two data tables besides `_receipts`, one fault.
const TINY: Bounds = Bounds { child: false, faults: 1, ..Bounds::SMALL };
const ONE_FAULT: Bounds = Bounds { faults: 1, ..Bounds::SMALL };
const NO_FAULT: Bounds = Bounds { faults: 0, ..Bounds::SMALL };
const TWO_KEYS: Bounds = Bounds { keys: 2, ..Bounds::SMALL };
const LOSS: Bounds = Bounds { losses: 1, ..Bounds::SMALL };
const TAKEOVER: Bounds = Bounds { takeovers: 1, ..Bounds::SMALL };
const WITHDRAWAL: Bounds = Bounds { withdrawals: 1, ..Bounds::SMALL };
const AMENDMENTS: Bounds = Bounds { amendments: 2, ..Bounds::SMALL };
const VACUUM: Bounds = Bounds { vacuums: 1, ..Bounds::SMALL };
/// A lake without tables; a person who rebuilds the ledger when told to.
const EMPTY: Bounds = Bounds { empty: true, obedient: true, ..TINY };
const COPY: Bounds = Bounds { copies: 1, obedient: true, ..Bounds::SMALL };
const OLDER_COPY: Bounds = Bounds { restores: 1, obedient: true, ..NO_FAULT };

pub(super) fn all() -> Vec<Run> {
    let mut runs = loads();
    runs.extend(ledgers());
    runs.extend(new_lakes());
    runs.extend(operations());
    runs.extend(copies());
    runs.extend(spare());
    runs.extend(without_in_publishing());
    runs.extend(without_in_staging());
    runs.extend(without_between_ledgers());
    runs.extend(without_in_new_tables());
    runs.extend(without_in_operations());
    runs
}

fn run(name: &'static str, bounds: Bounds, expected: Expected, off: &[Safeguard]) -> Run {
    Run { name, bounds, expected, off: off.to_vec(), large: false }
}

fn whole(name: &'static str, bounds: Bounds) -> Run {
    run(name, bounds, Expected::Holds, &[])
}

/// The second line against strangers is taken away as well: it stops most of what follows.
fn without(off: &[Safeguard], breaks: Invariant, bounds: Bounds) -> Run {
    let mut made = run("without", bounds, Expected::Breaks(breaks), off);
    if made.has(Strangers) {
        made.off.push(Strangers);
    }
    made
}

impl Run {
    fn large(self) -> Self {
        Self { large: true, ..self }
    }
}

fn loads() -> Vec<Run> {
    vec![
        whole("whole: one key", Bounds { faults: 3, ..Bounds::SMALL }),
        whole("whole: removed", Bounds { removed: 1, ..Bounds::SMALL }),
        whole("whole: appended", Bounds { append: true, removed: 1, ..Bounds::SMALL }),
        whole("whole: two keys", TWO_KEYS),
        whole("whole: both corrected", Bounds { corrected: 3, faults: 1, ..TWO_KEYS }),
        whole("whole: group", Bounds { group: true, ..TWO_KEYS }),
        whole("whole: group, both corrected, removed", Bounds { group: true, corrected: 3, removed: 1, ..TWO_KEYS })
            .large(),
    ]
}

fn ledgers() -> Vec<Run> {
    vec![
        whole("whole: loss", LOSS),
        whole("whole: two losses", Bounds { losses: 2, ..ONE_FAULT }),
        whole("whole: loss, two keys", Bounds { losses: 1, keys: 2, ..TINY }),
        whole("whole: second ledger", TAKEOVER),
        whole("whole: second ledger, two keys", Bounds { takeovers: 1, keys: 2, corrected: 0, ..TINY }),
        whole("whole: second and third ledger", Bounds { takeovers: 2, ..TINY }).large(),
        whole("whole: loss, two rebuilds at once", Bounds { takeovers: 1, losses: 1, ..TINY }).large(),
        whole(
            "whole: second ledger, three workers",
            Bounds { takeovers: 1, workers: 3, keys: 2, corrected: 0, ..TINY },
        )
        .large(),
        whole("whole: move", Bounds { moves: 1, ..Bounds::SMALL }),
        whole("whole: move, withdrawal", Bounds { moves: 1, withdrawals: 1, ..TINY }),
        whole("whole: move, withdrawal, two keys", Bounds { moves: 1, keys: 2, withdrawals: 1, ..TINY }).large(),
    ]
}

fn new_lakes() -> Vec<Run> {
    let empty = Bounds { obedient: false, ..EMPTY };
    vec![
        whole("whole: empty", Bounds { empty: true, ..Bounds::SMALL }),
        whole("whole: empty, loss", Bounds { losses: 1, child: true, ..empty }),
        whole("whole: empty, two losses", Bounds { losses: 2, ..empty }),
        whole("whole: empty, second ledger", Bounds { takeovers: 1, child: true, ..empty }),
        whole("whole: empty, second ledger, loss", Bounds { takeovers: 1, losses: 1, faults: 0, ..empty }),
        whole("whole: empty, second ledger, loss, fault", Bounds { takeovers: 1, losses: 1, ..empty }).large(),
        whole("whole: empty, withdrawal, loss", Bounds { withdrawals: 1, losses: 1, ..empty }).large(),
        whole("whole: empty, vacuum, loss", Bounds { vacuums: 1, losses: 1, ..empty }),
        whole("whole: two new ledgers", Bounds { fresh: true, ..Bounds::SMALL }),
        whole("whole: two new ledgers, loss", Bounds { fresh: true, losses: 1, ..TINY }),
    ]
}

fn operations() -> Vec<Run> {
    let compaction = Bounds { compactions: 1, append: true, ..TINY };
    vec![
        whole("whole: withdrawal", WITHDRAWAL),
        whole("whole: withdrawal, two keys", Bounds { keys: 2, faults: 1, ..WITHDRAWAL }),
        whole("whole: withdrawal, loss", Bounds { losses: 1, faults: 1, ..WITHDRAWAL }),
        whole("whole: withdrawal, second ledger", Bounds { takeovers: 1, child: false, faults: 0, ..WITHDRAWAL }),
        whole("whole: withdrawal, second ledger, fault", Bounds { takeovers: 1, faults: 1, ..WITHDRAWAL }).large(),
        whole("whole: withdrawal, second ledger, two keys", Bounds { takeovers: 1, faults: 0, keys: 2, ..WITHDRAWAL })
            .large(),
        whole("whole: amendments", AMENDMENTS),
        whole("whole: amendments, loss", Bounds { losses: 1, faults: 1, child: false, ..AMENDMENTS }).large(),
        whole("whole: amendments, second ledger", Bounds { takeovers: 1, faults: 0, child: false, ..AMENDMENTS }),
        whole("whole: amendments, withdrawal", Bounds { withdrawals: 1, faults: 1, child: false, ..AMENDMENTS }),
        whole("whole: compaction", Bounds { compactions: 1, faults: 1, ..TWO_KEYS }),
        whole("whole: compactions, amendment", Bounds { compactions: 2, amendments: 1, ..compaction }),
        whole("whole: compaction, loss", Bounds { losses: 1, removed: 1, ..compaction }),
        whole("whole: vacuum", Bounds { pins: 1, ..VACUUM }),
        whole("whole: vacuum, loss", Bounds { losses: 1, faults: 1, ..VACUUM }),
        whole("whole: vacuum, second ledger", Bounds { takeovers: 1, faults: 1, child: false, ..VACUUM }),
        whole("whole: vacuum, amendment, compaction", Bounds { vacuums: 1, amendments: 1, ..compaction }),
        whole("whole: all operations", Bounds { losses: 1, amendments: 1, vacuums: 1, ..compaction }).large(),
    ]
}

/// A copy of a ledger works under the id of the first. Nothing goes wrong in the tables, but a person has to sort it out.
fn copies() -> Vec<Run> {
    let copies = |name, bounds| run(name, bounds, Expected::HoldsOrStops, &[]);
    vec![
        copies("whole: older copy", OLDER_COPY),
        copies("whole: older copy, fault", Bounds { faults: 1, ..OLDER_COPY }),
        copies("whole: older copy, two keys", Bounds { keys: 2, ..OLDER_COPY }).large(),
        copies("whole: copy alive", Bounds { faults: 0, ..COPY }),
        copies("whole: copy alive, fault", Bounds { faults: 1, ..COPY }).large(),
        copies("whole: copy alive, two keys", Bounds { faults: 0, keys: 2, ..COPY }).large(),
    ]
}

/// What holds without: second lines, kept because they are cheap.
fn spare() -> Vec<Run> {
    let spare = |off, bounds| run("spare", bounds, Expected::Holds, &[off]);
    let empty = Bounds { obedient: false, ..EMPTY };
    vec![
        spare(Lease, Bounds { faults: 1, ..TWO_KEYS }),
        spare(TableOrder, Bounds { losses: 1, ..TINY }),
        spare(TableOrder, TWO_KEYS).large(),
        spare(StaleRows, Bounds { takeovers: 1, ..empty }),
        spare(StaleRows, Bounds { fresh: true, ..Bounds::SMALL }),
        spare(Strangers, Bounds { takeovers: 1, ..ONE_FAULT }),
        spare(Strangers, Bounds { amendments: 1, withdrawals: 1, ..ONE_FAULT }),
        spare(Strangers, Bounds { losses: 1, faults: 1, ..WITHDRAWAL }).large(),
        spare(Strangers, Bounds { takeovers: 1, losses: 1, faults: 0, ..empty }),
        spare(Strangers, Bounds { withdrawals: 1, losses: 1, ..empty }).large(),
        spare(Strangers, Bounds { takeovers: 1, faults: 0, keys: 2, ..WITHDRAWAL }).large(),
    ]
}

fn without_in_publishing() -> Vec<Run> {
    vec![
        without(&[LookFirst], Once, Bounds::SMALL),
        without(&[LookAgain], Once, Bounds::SMALL),
        without(&[BatchId], LedgerAgrees, Bounds { corrected: 0, ..COPY }),
        without(&[Strangers], Once, Bounds { keys: 2, faults: 0, ..COPY }),
        without(&[ReceiptLast], Promised, Bounds::SMALL),
        without(&[HeadOnly], Alike, TWO_KEYS),
        without(&[HeadOnly, Lease], Alike, TWO_KEYS),
        without(&[FinishToken], LedgerAgrees, TWO_KEYS),
        without(&[TouchAll], Alike, Bounds::SMALL),
        without(&[RemoveFresh], Once, Bounds::SMALL),
        without(&[ReplacesRange], Alike, Bounds { append: true, ..Bounds::SMALL }),
        without(&[Manifest], Once, LOSS),
        without(&[FirstManifest], Settles, LOSS),
        without(&[VectorInR], Alike, LOSS),
        without(&[ReadVector], Alike, Bounds::SMALL),
        without(&[ReadNoFilter], Promised, Bounds::SMALL),
    ]
}

fn without_in_staging() -> Vec<Run> {
    vec![
        without(&[StageToken], Once, Bounds::SMALL),
        without(&[StageOrder], Once, Bounds::SMALL),
        without(&[LedgerId], FilesExist, Bounds { losses: 1, amendments: 1, vacuums: 1, ..TINY }),
        without(&[AmendQueued], Promised, AMENDMENTS),
        without(&[AmendRevision], Once, AMENDMENTS),
        without(&[RevisionBack], Settles, Bounds { amendments: 1, withdrawals: 1, ..TINY }),
    ]
}

fn without_between_ledgers() -> Vec<Run> {
    vec![
        without(&[Epoch], Once, LOSS),
        without(&[Fence], Once, LOSS),
        without(&[FenceAll], Once, LOSS),
        without(&[EpochInR], Once, Bounds { losses: 1, ..WITHDRAWAL }),
        without(&[Adopt], Settles, Bounds { child: false, faults: 1, ..WITHDRAWAL }),
        without(&[OtherLedger], Once, TAKEOVER),
        without(&[OlderCopy], Settles, OLDER_COPY),
        without(&[OlderCopy], Once, Bounds { keys: 2, ..OLDER_COPY }),
        without(&[OpenOwner], Settles, Bounds { fresh: true, ..TINY }),
        without(&[WithdrawOwner], Once, Bounds { takeovers: 1, faults: 0, keys: 2, ..WITHDRAWAL }),
        without(&[WithdrawFence], Promised, WITHDRAWAL),
        without(&[WithdrawLook], Once, WITHDRAWAL),
        without(&[SeqKept], Settles, Bounds { losses: 1, ..TINY }),
        without(&[SeqKept, OlderCopy, BatchId], LedgerAgrees, LOSS),
        without(&[Pending], Once, LOSS),
    ]
}

fn without_in_new_tables() -> Vec<Run> {
    vec![
        without(&[NewTables], Settles, Bounds { losses: 1, obedient: false, ..EMPTY }),
        without(&[NewTables], Once, Bounds { losses: 2, faults: 0, ..EMPTY }),
        without(&[NewTables], Once, Bounds { losses: 1, withdrawals: 1, ..EMPTY }),
        without(&[NewTables], FilesExist, Bounds { losses: 1, vacuums: 1, ..EMPTY }),
        without(&[NewTablesLook], Once, Bounds { losses: 2, faults: 0, ..EMPTY }),
        without(&[FenceEmpty], Once, Bounds { losses: 2, ..EMPTY }),
        without(&[NewTables, StaleRows], Once, Bounds { losses: 1, ..EMPTY }),
    ]
}

fn without_in_operations() -> Vec<Run> {
    vec![
        without(&[CompactVoid], Once, Bounds { compactions: 1, ..TWO_KEYS }),
        without(&[VacuumAsks], FilesExist, VACUUM),
        without(&[VacuumListsFirst], FilesExist, VACUUM),
        without(&[VacuumOrder], FilesExist, VACUUM),
        without(&[VacuumOwner], FilesExist, Bounds { takeovers: 1, ..VACUUM }),
        without(&[PlansKnown], FilesExist, Bounds { amendments: 1, ..VACUUM }),
        without(&[VacuumVector], FilesExist, VACUUM),
        without(&[VacuumPinned], FilesExist, Bounds { pins: 1, ..VACUUM }),
        without(&[VacuumPassed], FilesExist, Bounds { group: true, keys: 2, ..VACUUM }),
    ]
}
