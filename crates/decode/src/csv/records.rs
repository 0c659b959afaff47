//! Records: what stands between two line ends that are not inside quotes.
//!
//! A record whose quotes are wrong costs exactly one physical line, the one on which it begins; reading goes on with
//! the next. To be sure that a quote is never closed, the search for its end may run over the whole object, and the
//! next line may open a quote again. This stays linear: while a record has not ended, every line end passed lies inside
//! quotes. So once a search that began earlier has failed at some byte, a later one that meets a line end inside
//! quotes before that byte is in the same state at the same place, and fails there too. It can stop at once. Each line
//! is therefore scanned at most twice beyond the first search over it, and memory is bounded by `max_record_bytes`
//! because a search beyond that keeps no bytes; it reads them again after going back.

use crate::csv::index::{Index, Marks};
use crate::csv::piece::Piece;
use crate::csv::scan::{Fault, Field, Splitter, Step, Syntax};
use crate::error::Error;
use crate::lines::{LineCounter, count_line_ends, physical_line};
use crate::place::{Place, Start};
use crate::window::{PIECE_BYTES, Window};

/// Below this, records are looked at one by one.
const PIECE_BYTES_MIN: usize = 4 << 10;

/// What stands at the reader's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// A record that was cut into fields.
    Record(Place),
    /// A line of nothing but blanks and tabs.
    Blank(Place),
    /// A line whose quotes are wrong; `at` is the byte that showed it.
    Fault { place: Place, fault: Fault, at: u64 },
    /// A record longer than `max_record_bytes`.
    TooLong(Place),
    /// Nothing more.
    End,
}

/// A search that failed: see the module.
#[derive(Debug, Clone, Copy)]
struct Doom {
    fault: Fault,
    at: u64,
}

/// What the reader needs to know beside the syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Lines that begin with this byte are left out.
    pub(crate) comment: Option<u8>,
    /// A longer record is not kept.
    pub(crate) record_bytes_max: usize,
    /// Fields of a record that are kept.
    pub(crate) fields_max: usize,
    /// Records that begin behind this byte are not read.
    pub(crate) begin_max: u64,
}

/// Reads records one after the other.
pub(crate) struct Records<'w, 's> {
    window: &'w mut Window<'s>,
    syntax: Syntax,
    splitter: Splitter,
    limits: Limits,
    /// `None` where records are always looked at one by one.
    marks: Option<Marks>,
    index: Index,
    /// Up to here records are looked at one by one, because a piece of them was irregular, …
    one_by_one_until: u64,
    /// … and so many bytes next time.
    one_by_one_bytes: u64,
    /// Line at the reader's place.
    line: u64,
    /// What the last item takes of the window, and its lines; left behind when the next one is asked for.
    taken: usize,
    taken_lines: u64,
    /// Bytes of the last item that are held.
    held: usize,
    doom: Option<Doom>,
}

impl<'w, 's> Records<'w, 's> {
    pub(crate) fn new(window: &'w mut Window<'s>, start: Start, syntax: Syntax, limits: Limits) -> Self {
        window.seek(start.offset);
        Self {
            window,
            syntax,
            splitter: Splitter::new(syntax, limits.fields_max),
            limits,
            marks: Marks::new(syntax).filter(|_| limits.comment.is_none()),
            index: Index::default(),
            one_by_one_until: 0,
            one_by_one_bytes: 0,
            line: start.line,
            taken: 0,
            taken_lines: 0,
            held: 0,
            doom: None,
        }
    }

    /// All the whole and regular records that are at hand; `None` if the next one is to be looked at by itself.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece<'_>>, Error> {
        let Some(marks) = self.marks else { return Ok(None) };
        let next = self.window.offset() + self.taken as u64;
        if next < self.one_by_one_until || self.doom.is_some_and(|doom| next <= doom.at) {
            return Ok(None);
        }
        self.leave();
        if self.window.data().len() < PIECE_BYTES_MIN {
            self.window.ensure(PIECE_BYTES_MIN)?;
        }
        let data = self.window.data();
        let wanted = usize::try_from(self.limits.begin_max.saturating_sub(next)).unwrap_or(usize::MAX);
        let data = &data[..data.len().min(PIECE_BYTES).min(wanted)];
        let looked = self.index.build(data, marks);
        let behind = self.index.ends.last().map_or(0, |end| self.index.separators[*end as usize - 1] as usize + 1);
        let text = simdutf8::basic::from_utf8(&data[..behind]).ok();
        if looked < data.len() || behind == 0 || text.is_none() {
            let irregular = if text.is_some() { looked } else { behind };
            self.one_by_one_bytes =
                if behind == 0 { (2 * self.one_by_one_bytes).clamp(64, PIECE_BYTES as u64) } else { 64 };
            self.one_by_one_until = next + irregular as u64 + self.one_by_one_bytes;
        }
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let lines =
            if self.index.has_inner_lines { count_line_ends(text.as_bytes()) } else { self.index.ends.len() as u64 };
        (self.taken, self.taken_lines) = (behind, lines);
        Ok(Some(Piece::new(text, next, self.line, self.syntax, &self.index)))
    }

    /// Leaves the last item behind.
    #[inline]
    fn leave(&mut self) {
        self.window.consume(self.taken);
        self.line += self.taken_lines;
        (self.taken, self.taken_lines, self.held) = (0, 0, 0);
    }

    /// The bytes of the last item, without its line end; `None` if it was too long to be held.
    #[inline]
    pub(crate) fn bytes(&self, place: &Place) -> Option<&[u8]> {
        (self.held as u64 == place.bytes).then(|| &self.window.data()[..self.held])
    }

    /// The fields of the last record, as many as are kept.
    #[inline]
    pub(crate) fn fields(&self) -> &[Field] {
        self.splitter.fields()
    }

    /// Whether the object ends behind the last item.
    pub(crate) fn is_at_end(&self) -> bool {
        self.window.at_end() && self.window.data().len() <= self.taken
    }

    /// How many fields the last record has.
    #[inline]
    pub(crate) fn field_count(&self) -> usize {
        self.splitter.count()
    }

    /// Goes to the next item.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Item, Error> {
        self.leave();
        if self.window.offset() > self.limits.begin_max {
            return Ok(Item::End);
        }
        loop {
            match self.window.data().first() {
                None if self.window.at_end() => return Ok(Item::End),
                None => self.window.more()?,
                first if first.copied() == self.limits.comment => self.pass_comment()?,
                _ => return self.record(),
            }
        }
    }

    fn pass_comment(&mut self) -> Result<(), Error> {
        let line = physical_line(self.window, self.limits.record_bytes_max)?;
        self.window.consume(line.next.unwrap_or(0));
        self.line += 1;
        Ok(())
    }

    #[inline]
    fn record(&mut self) -> Result<Item, Error> {
        let offset = self.window.offset();
        let doomed_before = self.doom.map_or(0, |doom| doom.at.saturating_sub(offset));
        self.splitter.begin(usize::try_from(doomed_before).unwrap_or(usize::MAX));
        if doomed_before == 0
            && let Some((end, next)) = self.splitter.whole(self.window.data())
        {
            return Ok(self.whole(offset, end, next));
        }
        self.splitter.begin(usize::try_from(doomed_before).unwrap_or(usize::MAX));
        loop {
            match self.splitter.step(self.window.data(), 0, self.window.at_end()) {
                Step::Record { end, next } => return Ok(self.whole(offset, end, next)),
                Step::More if self.window.data().len() > self.limits.record_bytes_max + 1 => {
                    return self.discard(offset);
                }
                Step::More => self.window.more()?,
                Step::Fault { fault, at } => return self.fault(offset, Some(Doom { fault, at: offset + at as u64 })),
                Step::Doomed => return self.fault(offset, None),
            }
        }
    }

    /// A record that ends inside the window.
    #[inline]
    fn whole(&mut self, offset: u64, end: usize, next: usize) -> Item {
        let place = Place { offset, line: self.line, bytes: end as u64 };
        self.taken = next;
        let bytes = &self.window.data()[..end];
        let inside = if self.splitter.has_quotes() { count_line_ends(bytes) } else { 0 };
        self.taken_lines = inside + 1;
        if end > self.limits.record_bytes_max {
            return Item::TooLong(place);
        }
        self.held = end;
        if is_blank_line(bytes) { Item::Blank(place) } else { Item::Record(place) }
    }

    /// Follows a record that is too long to be kept, to learn where it ends and whether it ends well.
    fn discard(&mut self, offset: u64) -> Result<Item, Error> {
        let mut lines = LineCounter::default();
        let mut base = 0;
        loop {
            let seen = self.splitter.position() - base;
            lines.feed(&self.window.data()[..seen]);
            self.window.consume(seen);
            base += seen;
            if !self.window.at_end() && self.window.data().is_empty() {
                self.window.more()?;
            }
            match self.splitter.step(self.window.data(), base, self.window.at_end()) {
                Step::Record { end, next } => {
                    let place = Place { offset, line: self.line, bytes: end as u64 };
                    lines.feed(&self.window.data()[..next - base]);
                    self.window.consume(next - base);
                    self.line += lines.count();
                    return Ok(Item::TooLong(place));
                }
                Step::More => {}
                Step::Fault { fault, at } => return self.fault(offset, Some(Doom { fault, at: offset + at as u64 })),
                Step::Doomed => return self.fault(offset, None),
            }
        }
    }

    /// Refuses the physical line at `offset`. `found` is what this search came to, unless it stopped because an
    /// earlier one had failed.
    fn fault(&mut self, offset: u64, found: Option<Doom>) -> Result<Item, Error> {
        let doom = found.or(self.doom).expect("a search is given up only because an earlier one failed");
        // The furthest failure is kept: forgetting it for a nearer one would allow the long search again.
        if self.doom.is_none_or(|former| former.at < doom.at) {
            self.doom = Some(doom);
        }
        self.window.seek(offset);
        let line = physical_line(self.window, self.limits.record_bytes_max)?;
        let place = Place { offset, line: self.line, bytes: line.bytes };
        match line.next {
            Some(next) => {
                (self.taken, self.taken_lines) = (next, 1);
                self.held = usize::try_from(line.bytes).expect("it lies in the window");
            }
            None => self.line += 1,
        }
        Ok(Item::Fault { place, fault: doom.fault, at: doom.at })
    }
}

/// Nothing but blanks and tabs.
#[inline]
pub(crate) fn is_blank_line(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|&first| is_blank(first)) && bytes.iter().all(|&byte| is_blank(byte))
}

#[inline]
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
