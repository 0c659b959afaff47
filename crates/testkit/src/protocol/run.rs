//! What a run explores: its bounds, and the safeguards that are taken away.

use super::invariants::Invariant;
use super::safeguard::Safeguard;

/// How much may happen. Everything is a number of times, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bounds {
    /// 1 or 2.
    pub keys: usize,
    /// Processes that claim, plan and publish.
    pub workers: usize,
    /// Whether there is a child table.
    pub child: bool,
    /// Whether the lake begins without data tables.
    pub empty: bool,
    /// Whether there is no epoch either, and two new ledgers on two hosts.
    pub fresh: bool,
    /// Whether both keys may be claimed together.
    pub group: bool,
    /// Whether a changed object is added to what it held before, instead of replacing it.
    pub append: bool,
    /// Keys whose object is corrected, and removed: one bit for each.
    pub corrected: u8,
    pub removed: u8,
    /// Crashes, lost leases, unknown outcomes, late effects.
    pub faults: u8,
    /// The ledger is lost.
    pub losses: u8,
    /// Another host rebuilds a ledger of its own, while the first works on.
    pub takeovers: u8,
    /// A ledger that is refused as not the lake's is rebuilt, as the message says.
    pub obedient: bool,
    /// An older copy of the ledger comes into its place.
    pub restores: u8,
    /// A copy of the ledger works beside it.
    pub copies: u8,
    /// The ledger moves to the other host.
    pub moves: u8,
    pub compactions: u8,
    pub amendments: u8,
    pub withdrawals: u8,
    pub vacuums: u8,
    /// Readers that pin what they read.
    pub pins: u8,
}

impl Bounds {
    /// One corrected key, three tables and `_receipts`, two workers, two faults.
    pub const SMALL: Bounds = Bounds {
        keys: 1,
        workers: 2,
        child: true,
        empty: false,
        fresh: false,
        group: false,
        append: false,
        corrected: 1,
        removed: 0,
        faults: 2,
        losses: 0,
        takeovers: 0,
        obedient: false,
        restores: 0,
        copies: 0,
        moves: 0,
        compactions: 0,
        amendments: 0,
        withdrawals: 0,
        vacuums: 0,
        pins: 0,
    };
}

/// What has to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Every invariant holds in every state.
    Holds,
    /// All but I4: it may come to a stop until a person acts.
    HoldsOrStops,
    /// This is the first to break.
    Breaks(Invariant),
}

/// A run of the checker.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub name: &'static str,
    pub bounds: Bounds,
    pub expected: Expected,
    /// Safeguards that are taken away.
    pub off: Vec<Safeguard>,
    /// Too large for every day.
    pub large: bool,
}

impl Run {
    pub fn has(&self, safeguard: Safeguard) -> bool {
        !self.off.contains(&safeguard)
    }
}
