//! Cuts an object into regions that can be decoded side by side, and finds out which record each begins with.
//!
//! Whether the middle of a file is inside quotes is known only by all quotes before it. So each region is counted first, as
//! if it began outside, which takes a fraction of the time of decoding it; then the regions are linked in order, from the
//! first one on (one that begins inside is counted once more), and each knows where its first record stands, on which line,
//! and which number it has. A region in which marks alone do not tell is read record by record for that. Nothing is guessed,
//! so nothing is decoded twice.

use crate::api::Request;
use crate::csv::detect::Head;
use crate::csv::index::Marks;
use crate::csv::index::census::Count;
use crate::csv::records::{Item, Limits, Records};
use crate::csv::scan::{Fault, Syntax};
use crate::error::Error;
use crate::format::{Cut, Linked};
use crate::place::{Entry, Start};
use crate::shared::Threads;
use crate::source::ByteSource;
use crate::window::Window;

/// A region becomes about one row group of a table. Whoever decodes it holds it in memory.
pub(crate) const REGION_BYTES: u64 = 32 << 20;

/// The regions of an object: region `i` has the bytes from `boundary(i)` up to `boundary(i + 1)`, and the records that begin
/// behind a line end in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Regions {
    pub(crate) start: Start,
    pub(crate) length: u64,
    pub(crate) region_bytes: u64,
    pub(crate) marks: Marks,
    pub(crate) syntax: Syntax,
    pub(crate) limits: Limits,
    /// Where the header begins, which is no record.
    pub(crate) header: Option<u64>,
}

/// What is known at the boundary in front of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The next record; it may stand far behind.
    Next(Entry),
    /// The last record that begins before; it goes on at least up to the boundary.
    Last {
        record: Entry,
        /// The boundary is inside quotes.
        is_inside: bool,
        /// The line at the boundary.
        line: u64,
        /// The byte in front of the boundary.
        before: u8,
    },
}

impl Regions {
    /// `None` where one thread does as well.
    pub(crate) fn new(head: &Head, request: &Request<'_>, length: u64, threads: Threads) -> Option<Self> {
        let record_bytes_max = request.record_bytes_max();
        let limits = Limits { comment: None, record_bytes_max, fields_max: 0, begin_max: u64::MAX };
        let marks = Marks::new(head.syntax).filter(|_| request.csv().comment.is_none())?;
        let (start, region_bytes) = (head.start, threads.even_region_bytes(length));
        let header = head.mapping.header_offset;
        let regions = Self { start, length, region_bytes, marks, syntax: head.syntax, limits, header };
        (threads.count > 1 && regions.count() > 1 && start.offset < region_bytes).then_some(regions)
    }

    fn link_counted(
        &self,
        region: usize,
        bytes: &[u8],
        outside: &Count,
        known: Known,
        source: &mut dyn ByteSource,
    ) -> Result<Linked<Known>, Error> {
        let (begin, end) = (self.boundary(region), self.boundary(region + 1));
        let (first, behind) = match known {
            Known::Next(entry) if entry.start.offset > end => return Ok(Linked::Region(None, known)),
            Known::Next(entry) => {
                let from = usize::try_from(entry.start.offset - begin).expect("it lies in the region");
                let census = self.census(&bytes[from..]);
                if census.is_irregular {
                    return self.read(region, entry, source);
                }
                (Some(entry), behind(&census, entry, entry.start.offset, entry.start.line, bytes))
            }
            Known::Last { record, is_inside, line, before } => {
                let inside = is_inside.then(|| Count::take(bytes, self.marks, true));
                let count = inside.as_ref().unwrap_or(outside);
                let follows = bytes.first().is_none_or(|first| self.marks.follows(before, *first, is_inside));
                if count.is_irregular || !follows {
                    return self.read(region, record, source);
                }
                let first = count.first.map(|first| Entry {
                    start: Start { offset: begin + first.at as u64 + 1, line: line + first.lines },
                    number: record.number + 1,
                });
                let first = first.filter(|entry| entry.start.offset < self.length);
                (first, behind(count, record, begin, line, bytes))
            }
        };
        match behind {
            // Some quote was never closed; who knows which.
            Known::Last { is_inside: true, .. } if end == self.length => Ok(Linked::Tangled),
            behind => Ok(Linked::Region(first, behind)),
        }
    }

    /// The region to which a record belongs that begins at `offset`.
    fn owner(&self, offset: u64) -> u64 {
        if offset == self.start.offset { 0 } else { (offset - 1) / self.region_bytes }
    }

    /// Reads the records from `entry` on one by one, up to the first one behind the region.
    ///
    /// A quote that is not closed well in this region makes several records of what looked like one. They may begin in the
    /// region of that one, which finds them by itself, but not in those between: these are done, without a record.
    fn read(&self, region: usize, entry: Entry, source: &mut dyn ByteSource) -> Result<Linked<Known>, Error> {
        let owner = self.owner(entry.start.offset);
        let (begin, end) = (self.boundary(region), self.boundary(region + 1));
        let mut window = Window::new(source, self.limits.record_bytes_max);
        let mut records = Records::new(&mut window, entry.start, self.syntax, self.limits);
        let mut number = entry.number;
        let mut first = None;
        loop {
            let place = match records.next()? {
                Item::End => {
                    let start = Start { offset: self.length + 1, line: 0 };
                    return Ok(Linked::Region(first, Known::Next(Entry { start, number })));
                }
                Item::Fault { fault: Fault::Unterminated, .. } => return Ok(Linked::Tangled),
                Item::Fault { at, .. } if at > end + self.region_bytes => return Ok(Linked::Tangled),
                Item::Fault { place, .. } | Item::Record(place) | Item::Blank(place) | Item::TooLong(place) => place,
            };
            let entry = Entry { start: Start { offset: place.offset, line: place.line }, number };
            if place.offset > end {
                return Ok(Linked::Region(first, Known::Next(entry)));
            }
            if place.offset > begin || region == 0 {
                first.get_or_insert(entry);
            } else if self.owner(place.offset) != owner {
                return Ok(Linked::Tangled);
            }
            number += 1;
        }
    }
}

impl Cut for Regions {
    type Known = Known;
    type Census = Count;

    fn count(&self) -> usize {
        usize::try_from(self.length.div_ceil(self.region_bytes)).unwrap_or(usize::MAX)
    }

    /// Sources like to be read from multiples of a size.
    fn boundary(&self, region: usize) -> u64 {
        (region as u64 * self.region_bytes).clamp(self.start.offset, self.length)
    }

    fn known(&self) -> Known {
        Known::Next(Entry { start: self.start, number: 0 })
    }

    /// The census of a region that begins outside of quotes, as nearly all do.
    fn census(&self, bytes: &[u8]) -> Count {
        Count::take(bytes, self.marks, false)
    }

    fn link(
        &self,
        region: usize,
        bytes: &[u8],
        census: &Count,
        known: Known,
        source: &mut dyn ByteSource,
    ) -> Result<Linked<Known>, Error> {
        // The header has no number; blank lines before it may fill whole regions.
        let numbered = |entry: Entry| {
            let is_behind = self.header.is_some_and(|header| header < entry.start.offset);
            Entry { number: entry.number - u64::from(is_behind), ..entry }
        };
        Ok(match self.link_counted(region, bytes, census, known, source)? {
            Linked::Region(entry, known) => Linked::Region(entry.map(numbered), known),
            Linked::Tangled => Linked::Tangled,
        })
    }
}

/// What is known behind the `bytes` of a region, which were counted from `offset` on, in that line. `record` is the last
/// record that begins up to there.
fn behind(count: &Count, record: Entry, offset: u64, line: u64, bytes: &[u8]) -> Known {
    let record = count.last.map_or(record, |last| Entry {
        start: Start { offset: offset + last.at as u64 + 1, line: line + last.lines },
        number: record.number + count.ends,
    });
    let before = bytes.last().copied().unwrap_or(b'\n');
    Known::Last { record, is_inside: count.ends_inside, line: line + count.lines, before }
}
