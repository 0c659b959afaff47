//! Where the structure of a piece is: a structural index, made 64 bytes at a time with what the processor has.
//!
//! It understands what nearly all files are: quotes that open behind a delimiter or line end and close before one, doubled
//! quotes inside, lines that end with LF or CRLF. Where a piece has anything else, the index ends before it, and
//! [`Records`](crate::csv::records::Records) goes on, which understands all there is.
//!
//! The idea is that of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019): bit masks of 64 bytes,
//! and the inside of quotes as the running parity of the quotes.

mod blocks;
pub(crate) mod census;
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::census::Count;
use crate::csv::scan::Syntax;

/// The bytes of structure. All are ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    delimiter: u8,
    /// `None`: quotes have no meaning.
    quote: Option<u8>,
}

impl Marks {
    /// `None` where a piece cannot be understood by marks alone.
    pub(crate) fn new(syntax: Syntax) -> Option<Self> {
        let Syntax { delimiter, quote, backslash } = syntax;
        let is_plain = !backslash && !matches!(delimiter, b'\n' | b'\r');
        is_plain.then_some(Self { delimiter, quote })
    }

    /// Whether `byte` behind `before` is regular, where the place between them is inside quotes or not.
    pub(crate) fn follows(self, before: u8, byte: u8, is_inside: bool) -> bool {
        let is_quote = Some(byte) == self.quote;
        let is_separator = |byte: u8| byte == self.delimiter || byte == b'\n';
        let is_closed = !is_inside && Some(before) == self.quote;
        let opens_well = is_inside || !is_quote || is_closed || is_separator(before);
        let closed_well = !is_closed || is_quote || is_separator(byte) || byte == b'\r';
        opens_well && closed_well && (before != b'\r' || byte == b'\n')
    }
}

/// The structure of the whole records at the front of a piece.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// Offsets of the delimiters and line feeds that are not inside quotes.
    pub(crate) separators: Vec<u32>,
    /// For each whole record, how many of them there are up to its end.
    pub(crate) ends: Vec<u32>,
    /// Some quoted text may hold doubled quotes.
    pub(crate) has_doubled: bool,
    /// Some record may hold line feeds.
    pub(crate) has_inner_lines: bool,
}

/// A longer piece is not looked at: offsets have 32 bits.
pub(crate) const INDEX_BYTES_MAX: usize = 1 << 30;

impl Index {
    /// Looks at `data`, which begins with a record, up to the first irregular place. Answers how far it looked: all of it,
    /// or up to a block in which something is irregular.
    pub(crate) fn build(&mut self, data: &[u8], marks: Marks) -> usize {
        self.build_as(best(), data, marks)
    }

    /// The same in this way.
    pub(crate) fn build_as(&mut self, way: Way, data: &[u8], marks: Marks) -> usize {
        self.clear();
        let data = &data[..data.len().min(INDEX_BYTES_MAX)];
        (way.build)(data, marks, self)
    }

    fn clear(&mut self) {
        self.separators.clear();
        self.ends.clear();
        (self.has_doubled, self.has_inner_lines) = (false, false);
    }
}

/// What looks at blocks in one way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// See [`Index::build`].
    build: fn(&[u8], Marks, &mut Index) -> usize,
    /// See [`Count::take`].
    census: fn(&[u8], Marks, bool) -> Count,
}

/// The instructions with which this processor finds fields: `avx512`, `avx2` or `sse2`; `portable` on other processors.
#[cfg(target_arch = "x86_64")]
pub fn instructions() -> &'static str {
    x86::all().last().map_or("sse2", |(name, _)| name)
}

/// Code without special instructions.
#[cfg(not(target_arch = "x86_64"))]
pub fn instructions() -> &'static str {
    "portable"
}

/// The fastest one that this processor has.
#[cfg(target_arch = "x86_64")]
fn best() -> Way {
    x86::best()
}

#[cfg(not(target_arch = "x86_64"))]
fn best() -> Way {
    portable::WAY
}

/// All that work on this processor, the fastest last.
#[cfg(target_arch = "x86_64")]
pub(crate) fn ways() -> Vec<(&'static str, Way)> {
    x86::all()
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn ways() -> Vec<(&'static str, Way)> {
    vec![("portable", portable::WAY)]
}

#[cfg(test)]
mod tests;
