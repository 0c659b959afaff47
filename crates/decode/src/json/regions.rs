//! Cuts a file of lines into regions. A line end is one wherever it stands, so every region can be counted by itself.

use memchr::{memchr, memchr_iter};

use crate::error::Error;
use crate::format::{Cut, Linked};
use crate::place::{Entry, Start};
use crate::shared::Threads;
use crate::source::ByteSource;

/// The regions of a file of lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    start: Start,
    length: u64,
    region_bytes: u64,
}

/// What is in a region.
pub(crate) struct Count {
    /// Its line ends.
    lines: u64,
    /// Bytes up to behind the first of them.
    first: Option<usize>,
}

impl Lines {
    /// `None` where one thread does as well.
    pub(crate) fn new(start: Start, length: u64, threads: Threads) -> Option<Self> {
        let lines = Self { start, length, region_bytes: threads.even_region_bytes(length) };
        (threads.count > 1 && lines.count() > 1 && start.offset < lines.region_bytes).then_some(lines)
    }
}

impl Cut for Lines {
    /// Line ends before.
    type Known = u64;
    type Census = Count;

    fn count(&self) -> usize {
        usize::try_from(self.length.div_ceil(self.region_bytes)).unwrap_or(usize::MAX)
    }

    fn boundary(&self, region: usize) -> u64 {
        (region as u64 * self.region_bytes).clamp(self.start.offset, self.length)
    }

    fn known(&self) -> u64 {
        0
    }

    fn census(&self, bytes: &[u8]) -> Count {
        let lines = memchr_iter(b'\n', bytes).count() as u64;
        Count { lines, first: memchr(b'\n', bytes).map(|at| at + 1) }
    }

    fn link(
        &self,
        region: usize,
        _: &[u8],
        census: &Count,
        before: u64,
        _: &mut dyn ByteSource,
    ) -> Result<Linked<u64>, Error> {
        let begin = self.boundary(region);
        let first = match (region, census.first) {
            (0, _) => Some((self.start.offset, 0)),
            (_, Some(first)) => Some((begin + first as u64, before + 1)),
            (_, None) => None,
        };
        let entry = first
            .filter(|(offset, _)| *offset < self.length)
            .map(|(offset, number)| Entry { start: Start { offset, line: self.start.line + number }, number });
        Ok(Linked::Region(entry, before + census.lines))
    }
}
