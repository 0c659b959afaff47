//! How many records a region of an object holds, without knowing whether it begins inside quotes: both are counted.

use super::blocks::{Block, Carry, blocks};
use super::{Marks, best};

/// A line feed that ends a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Its place in the region.
    pub(crate) at: usize,
    /// Line feeds up to it, with it and those inside quotes.
    pub(crate) lines: u64,
}

/// What a region holds if it begins as supposed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Line feeds that end a record.
    pub(crate) ends: u64,
    pub(crate) first: Option<End>,
    pub(crate) last: Option<End>,
    /// Something is there that marks alone do not explain; the counts mean nothing then.
    pub(crate) is_irregular: bool,
    /// It ends inside quotes.
    pub(crate) ends_inside: bool,
}

/// What a region holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// If it begins outside of quotes.
    pub(crate) outside: Count,
    /// If it begins inside.
    pub(crate) inside: Count,
    /// All line feeds.
    pub(crate) lines: u64,
}

impl Census {
    /// Counts in `data`. Its first byte is taken for regular: see [`Marks::follows`].
    pub(crate) fn take(data: &[u8], marks: Marks) -> Self {
        (best().census)(data, marks)
    }
}

impl Count {
    #[inline(always)]
    fn add(&mut self, offset: usize, ends: u64, feeds: u64, lines: u64) {
        if ends == 0 {
            return;
        }
        self.ends += u64::from(ends.count_ones());
        let end = |bit: u32| End {
            at: offset + bit as usize,
            lines: lines + u64::from((feeds & (u64::MAX >> (63 - bit))).count_ones()),
        };
        if self.first.is_none() {
            self.first = Some(end(ends.trailing_zeros()));
        }
        self.last = Some(end(63 - ends.leading_zeros()));
    }
}

/// See [`Census::take`].
#[inline(always)]
pub(super) fn census<B: Block>(data: &[u8], marks: Marks) -> Census {
    let mut carries = [Carry::begin(false), Carry::begin(true)];
    let mut census = Census::default();
    let mut irregular = [0; 2];
    blocks::<B>(data, marks, |offset, masks| {
        for (at, count) in [&mut census.outside, &mut census.inside].into_iter().enumerate() {
            let found = carries[at].look(masks);
            irregular[at] |= found.irregular;
            count.add(offset, found.ends, masks.feeds, census.lines);
        }
        census.lines += u64::from(masks.feeds.count_ones());
        true
    });
    for (at, count) in [&mut census.outside, &mut census.inside].into_iter().enumerate() {
        count.is_irregular = irregular[at] != 0;
        count.ends_inside = carries[at].is_inside();
    }
    census
}
