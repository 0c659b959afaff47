//! How many records a region of an object holds, if it begins outside of quotes, or if it begins inside.

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
    /// All line feeds.
    pub(crate) lines: u64,
    /// Those that end a record.
    pub(crate) ends: u64,
    pub(crate) first: Option<End>,
    pub(crate) last: Option<End>,
    /// Something is there that marks alone do not explain; the counts mean nothing then.
    pub(crate) is_irregular: bool,
    /// It ends inside quotes.
    pub(crate) ends_inside: bool,
}

impl Count {
    /// Counts in `data`. Its first byte is taken for regular: see [`Marks::follows`].
    pub(crate) fn take(data: &[u8], marks: Marks, is_inside: bool) -> Self {
        (best().census)(data, marks, is_inside)
    }

    #[inline(always)]
    fn add(&mut self, offset: usize, ends: u64, feeds: u64) {
        let lines = self.lines;
        self.lines += u64::from(feeds.count_ones());
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

/// See [`Count::take`].
#[inline(always)]
pub(super) fn census<B: Block>(data: &[u8], marks: Marks, is_inside: bool) -> Count {
    let mut carry = Carry::begin(is_inside);
    let mut count = Count::default();
    let mut irregular = 0;
    blocks::<B>(data, marks, |offset, masks| {
        let found = carry.look(masks);
        irregular |= found.irregular;
        count.add(offset, found.ends, masks.feeds);
        true
    });
    (count.is_irregular, count.ends_inside) = (irregular != 0, carry.is_inside());
    count
}
