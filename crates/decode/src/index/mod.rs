//! Where the structure of a piece is: a structural index, made 64 bytes at a time with what the processor has.
//!
//! It understands what nearly all files are: quotes that open behind a delimiter or line end and close before one, doubled
//! quotes inside, lines that end with LF or CRLF. Where a piece has anything else, the index ends before it, and
//! [`Records`](crate::records::Records) goes on, which understands all there is.
//!
//! The idea is that of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019): bit masks of 64 bytes,
//! and the inside of quotes as the running parity of the quotes.

mod blocks;
pub(crate) mod census;
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::census::Census;
use crate::scan::Syntax;

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
        self.clear();
        let data = &data[..data.len().min(INDEX_BYTES_MAX)];
        (best().build)(data, marks, self)
    }

    fn clear(&mut self) {
        self.separators.clear();
        self.ends.clear();
        (self.has_doubled, self.has_inner_lines) = (false, false);
    }
}

/// What looks at blocks in one way.
#[derive(Clone, Copy)]
struct Way {
    /// See [`Index::build`].
    build: fn(&[u8], Marks, &mut Index) -> usize,
    /// See [`Census::take`].
    census: fn(&[u8], Marks) -> Census,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::census::{Count, End};
    use super::*;

    /// What a scan byte by byte finds.
    #[derive(Default)]
    struct Simple {
        index: Index,
        count: Count,
        lines: u64,
        /// The block in which something is irregular.
        irregular: Option<usize>,
    }

    fn simple(data: &[u8], mut inside: bool, marks: Marks) -> Simple {
        let mut found = Simple::default();
        let is_separator = |byte: u8| byte == marks.delimiter || byte == b'\n';
        let is_quote = |byte: u8| Some(byte) == marks.quote;
        let (mut closed, mut separated, mut returned) = (false, true, false);
        let mut left = (0, 0, false, false);
        for (at, &byte) in data.iter().enumerate() {
            if at % 64 == 0 {
                let Index { separators, ends, has_doubled, has_inner_lines } = &found.index;
                left = (separators.len(), ends.len(), *has_doubled, *has_inner_lines);
            }
            let bad = (closed && !(is_quote(byte) || is_separator(byte) || byte == b'\r'))
                || (is_quote(byte) && !inside && !separated && !closed)
                || (returned && byte != b'\n');
            if bad && found.irregular.is_none() {
                found.irregular = Some(at / 64 * 64);
                found.index.separators.truncate(left.0);
                found.index.ends.truncate(left.1);
                (found.index.has_doubled, found.index.has_inner_lines) = (left.2, left.3);
                return found;
            }
            found.lines += u64::from(byte == b'\n');
            found.index.has_inner_lines |= inside && byte == b'\n';
            found.index.has_doubled |= is_quote(byte) && closed;
            closed = is_quote(byte) && inside;
            inside ^= is_quote(byte);
            separated = !inside && is_separator(byte);
            returned = byte == b'\r';
            if separated {
                found.index.separators.push(u32::try_from(at).unwrap());
            }
            if separated && byte == b'\n' {
                found.index.ends.push(u32::try_from(found.index.separators.len()).unwrap());
                let end = Some(End { at, lines: found.lines });
                let count = &mut found.count;
                *count = Count { ends: count.ends + 1, first: count.first.or(end), last: end, ..*count };
            }
        }
        found.count.ends_inside = inside;
        found
    }

    fn data() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "a",
            "bc",
            "12345678901234567890",
            ",",
            ",",
            "\n",
            "\r\n",
            "\"",
            "\"\"",
            ",\"x, y\",",
            "\n\"a\nb\"\n",
            "\r",
            ";",
            "é",
            ",\"say \"\"it\"\"\"\r\n",
        ]);
        // Most pieces that irregular data is made of are left out of the other half, so that whole ones stay regular.
        let regular = prop::sample::select(vec!["a", ",", "\n", "\r\n", ",\"x\ny\",", ",\"\",", ",\"a \"\"b\"\"\"\n"]);
        let join = |pieces: Vec<&str>| pieces.concat().into_bytes();
        prop_oneof![
            prop::collection::vec(piece, 0..120).prop_map(join),
            prop::collection::vec(regular, 0..120).prop_map(join),
        ]
    }

    fn ways() -> Vec<(&'static str, Way)> {
        let mut all = vec![("portable", portable::WAY)];
        #[cfg(target_arch = "x86_64")]
        all.extend(x86::all());
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn every_way_builds_the_same_index(data in data(), quoted in any::<bool>()) {
            let marks = Marks { delimiter: b',', quote: quoted.then_some(b'"') };
            let expected = simple(&data, false, marks);
            for (name, way) in ways() {
                let mut index = Index::default();
                let looked = (way.build)(&data, marks, &mut index);
                prop_assert_eq!(looked, expected.irregular.unwrap_or(data.len()), "{}", name);
                prop_assert_eq!(&index, &expected.index, "{}", name);
            }
        }

        #[test]
        fn every_way_counts_the_same(data in data(), cut in 0usize..200, quoted in any::<bool>()) {
            let marks = Marks { delimiter: b',', quote: quoted.then_some(b'"') };
            let data = &data[cut.min(data.len())..];
            for (name, way) in ways() {
                let census = (way.census)(data, marks);
                let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64;
                prop_assert_eq!(census.lines, lines, "{}", name);
                for (count, inside) in [(census.outside, false), (census.inside, true)] {
                    let expected = simple(data, inside, marks);
                    prop_assert_eq!(count.is_irregular, expected.irregular.is_some(), "{} {}", name, inside);
                    if !count.is_irregular {
                        prop_assert_eq!(count, expected.count, "{} {}", name, inside);
                    }
                }
            }
        }

        /// Cut anywhere, the two parts are regular if the whole is.
        #[test]
        fn what_follows_is_regular_if_the_whole_is(data in data(), cut in 1usize..200) {
            let marks = Marks { delimiter: b',', quote: Some(b'"') };
            if cut >= data.len() {
                return Ok(());
            }
            let (first, second) = data.split_at(cut);
            let before = simple(first, false, marks);
            if before.irregular.is_some() {
                return Ok(());
            }
            let inside = before.count.ends_inside;
            let behind = simple(second, inside, marks).irregular.is_none();
            let regular = behind && marks.follows(first[cut - 1], second[0], inside);
            prop_assert_eq!(regular, simple(&data, false, marks).irregular.is_none());
        }
    }
}
