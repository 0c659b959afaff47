//! Which rows there are: of which key, generation, attempt at decoding it, and part.

use std::ops::{BitAnd, BitOr, BitOrAssign, Range};

use super::lake::{CHILD, PARENT, QUARANTINE, Table};

pub(super) const KEYS: usize = 2;
pub(super) const GENERATIONS: u8 = 4;
pub(super) const ATTEMPTS: u8 = 4;
const PARTS: usize = 4;

/// What an object holds: nothing (the file is gone), what it held first, what it was corrected to.
pub(super) const REMOVED: u8 = 0;
pub(super) const FIRST: u8 = 1;
pub(super) const CORRECTED: u8 = 2;

/// The parts of an object: the rows that were accepted, and two refused records. Refused records lie in `_quarantine`
/// until a replay brings them into the parent table.
pub(super) const ACCEPTED: usize = 0;
pub(super) const REFUSED: [usize; 2] = [1, 2];

/// A set of row groups, one bit for each key, generation, attempt and part.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Rows(u128);

impl Rows {
    pub const NONE: Rows = Rows(0);

    pub fn one(key: usize, generation: u8, attempt: u8, part: usize) -> Self {
        assert!((1..=GENERATIONS).contains(&generation), "the run needs more generations than the model has");
        assert!(attempt < ATTEMPTS, "the run needs more attempts than the model has");
        let generation = key * usize::from(GENERATIONS) + usize::from(generation) - 1;
        Self(1 << ((generation * usize::from(ATTEMPTS) + usize::from(attempt)) * PARTS + part))
    }

    /// The rows that decoding a content brings into a table. As uneven as possible: a correction has rows in one table
    /// only, key 1 has none in the child table.
    pub fn decoded(key: usize, generation: u8, attempt: u8, content: u8, table: Table) -> Self {
        let accepted = || Self::one(key, generation, attempt, ACCEPTED);
        match (table, content, key) {
            (PARENT, FIRST | CORRECTED, _) | (CHILD, FIRST, 0) => accepted(),
            (QUARANTINE, FIRST, 0) => REFUSED.iter().map(|part| Self::one(key, generation, attempt, *part)).collect(),
            (QUARANTINE, FIRST, _) => Self::one(key, generation, attempt, REFUSED[0]),
            _ => Self::NONE,
        }
    }

    /// All rows of these generations of a key, as the range of `_object` that a replacing batch removes.
    pub fn generations(key: usize, generations: Range<u8>) -> Self {
        let attempts = || (0..ATTEMPTS).flat_map(|attempt| (0..PARTS).map(move |part| (attempt, part)));
        let numbered = generations.filter(|generation| (1..=GENERATIONS).contains(generation));
        numbered.flat_map(|g| attempts().map(move |(attempt, part)| Self::one(key, g, attempt, part))).collect()
    }

    /// A record of an object, whoever decoded it: what an amendment takes out.
    pub fn record(key: usize, generation: u8, part: usize) -> Self {
        (0..ATTEMPTS).map(|attempt| Self::one(key, generation, attempt, part)).collect()
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Rows {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Rows {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Rows {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<Rows> for Rows {
    fn from_iter<I: IntoIterator<Item = Rows>>(rows: I) -> Self {
        rows.into_iter().fold(Self::NONE, BitOr::bitor)
    }
}
