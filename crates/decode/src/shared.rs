//! What several threads need to decode one object together.

use crate::api::{RowSink, SinkError};
use crate::csv::regions::REGION_BYTES;
use crate::source::ByteSource;

/// An object whose bytes several threads read.
pub trait SharedSource: Sync {
    /// A reader for one thread.
    fn reader(&self) -> Box<dyn ByteSource + Send + '_>;
}

impl SharedSource for &[u8] {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        Box::new(*self)
    }
}

/// Takes what comes out, in parts: one thread fills a part, another one the next.
pub trait SharedSink: Sync {
    /// Consecutive rows of all tables, and rejects.
    type Part: SinkPart;

    /// An empty part.
    fn part(&self) -> Self::Part;

    /// Takes a part over. Parts come in the order of the object, from one thread at a time.
    fn append(&self, part: Self::Part) -> Result<(), SinkError>;

    /// All parts so far are void: a choice was contradicted, and the object starts again.
    fn restart(&self) -> Result<(), SinkError>;
}

/// See [`SharedSink::Part`].
pub trait SinkPart: RowSink + Send {
    /// It holds so much that it should be handed over before more comes, where one thread reads all.
    fn is_full(&self) -> bool;

    /// No more comes. The thread that filled it does what is left to do, because others wait while parts are taken over.
    fn finish(&mut self) -> Result<(), SinkError>;
}

/// How an object is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// How many read side by side.
    pub count: usize,
    /// How many bytes each of them takes at a time, and holds in memory, at most; at least half as many.
    pub region_bytes: u64,
}

impl Threads {
    /// So many, with regions of the usual size.
    pub fn new(count: usize) -> Self {
        Self { count, region_bytes: REGION_BYTES }
    }

    /// How many bytes of an object of so many each takes at a time, so that none is left alone with the last ones for long.
    pub(crate) fn even_region_bytes(self, length: u64) -> u64 {
        // Sources like to be read from multiples of a size, which is a part of the usual one.
        const PARTS: u64 = 8;
        let step = self.region_bytes / PARTS;
        let sizes = (PARTS / 2..=PARTS).rev().map(|parts| parts * step).filter(|size| *size > 0);
        // Of those that are done equally early, the first and largest one.
        sizes.min_by_key(|size| self.longest(length, *size).div_ceil(step)).unwrap_or(self.region_bytes.max(1))
    }

    /// The bytes of the thread that has the most, if each takes so many at a time.
    fn longest(self, length: u64, region_bytes: u64) -> u64 {
        let (whole, rest) = (length / region_bytes, length % region_bytes);
        let count = self.count.max(1) as u64;
        whole.div_ceil(count) * region_bytes + if whole.is_multiple_of(count) { rest } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_about_as_much_to_do() {
        const MB: u64 = 1 << 20;
        let taken = |count, length| Threads::new(count).even_region_bytes(length) / MB;
        // One region each where two would leave one thread alone, and never less than half the usual size.
        assert_eq!(taken(2, 30 * MB), 16);
        assert_eq!(taken(2, 40 * MB), 20);
        assert_eq!(taken(2, 64 * MB), 32);
        assert_eq!(taken(2, 143 * MB), 24);
        assert_eq!(taken(4, 143 * MB), 20);
        assert_eq!(taken(2, 0), 32);
        assert_eq!(Threads { count: 2, region_bytes: 1 }.even_region_bytes(100), 1);
    }
}
