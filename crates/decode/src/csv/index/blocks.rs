//! The index of a piece, whatever finds the bytes of a block.

use super::{Index, Marks};

/// Finds bytes in a block.
pub(super) trait Block {
    fn load(bytes: &[u8; 64]) -> Self;

    /// Bit `i` is set where byte `i` is `byte`.
    fn equal(&self, byte: u8) -> u64;
}

/// What a block has to know of those before it.
pub(super) struct Carry {
    /// All bits are set where the block begins inside quotes.
    inside: u64,
    /// The lowest bit is set where the byte before is a separator, …
    separator: u64,
    /// … a quote that closes, …
    closing: u64,
    /// … a carriage return.
    returned: u64,
}

/// Where the bytes of structure are in a block.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    quotes: u64,
    delimiters: u64,
    pub(super) feeds: u64,
    returns: u64,
    /// Of the last block only the first bytes are data.
    valid: u64,
}

impl Masks {
    #[inline(always)]
    pub(super) fn of<B: Block>(bytes: &[u8; 64], valid: u64, marks: Marks) -> Self {
        let block = B::load(bytes);
        Self {
            quotes: marks.quote.map_or(0, |quote| block.equal(quote)) & valid,
            delimiters: block.equal(marks.delimiter) & valid,
            feeds: block.equal(b'\n') & valid,
            returns: block.equal(b'\r') & valid,
            valid,
        }
    }
}

/// The bits of a block that matter.
pub(super) struct Found {
    separators: u64,
    /// Line feeds that end a record.
    pub(super) ends: u64,
    doubled: u64,
    inner_lines: u64,
    pub(super) irregular: u64,
}

impl Carry {
    /// In front of bytes of which only that is known. Whatever their first byte is, it is taken for regular.
    pub(super) fn begin(is_inside: bool) -> Self {
        Self { inside: if is_inside { u64::MAX } else { 0 }, separator: 1, closing: 0, returned: 0 }
    }

    pub(super) fn is_inside(&self) -> bool {
        self.inside != 0
    }

    /// What a block means behind those before.
    #[inline(always)]
    pub(super) fn look(&mut self, masks: &Masks) -> Found {
        let Masks { quotes, delimiters, feeds, returns, valid } = *masks;
        // Set from a quote that opens up to the byte before the one that closes.
        let inside = parity(quotes) ^ self.inside;
        let separators = (delimiters | feeds) & !inside;
        let closing = quotes & !inside;
        let behind_separator = (separators << 1) | self.separator;
        let behind_closing = (closing << 1) | self.closing;
        let behind_return = (returns << 1) | self.returned;
        let opening = quotes & inside;
        let irregular = (opening & !(behind_separator | behind_closing))
            | (behind_closing & !(delimiters | feeds | returns | quotes))
            | (behind_return & !feeds);
        *self = Self {
            inside: if inside >> 63 == 1 { u64::MAX } else { 0 },
            separator: separators >> 63,
            closing: closing >> 63,
            returned: returns >> 63,
        };
        Found {
            separators,
            ends: feeds & !inside,
            doubled: opening & behind_closing,
            inner_lines: feeds & inside,
            irregular: irregular & valid,
        }
    }
}

/// Bit `i` of the result is the parity of the bits up to and with `i`.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ (bits << 32)
}

/// Hands the blocks of `data` to `each`, with the place where each begins, until it says false.
#[inline(always)]
pub(super) fn blocks<B: Block>(data: &[u8], marks: Marks, mut each: impl FnMut(usize, &Masks) -> bool) {
    let (blocks, rest) = data.as_chunks::<64>();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let last = (&last, (1 << rest.len()) - 1);
    // `each` is called in one place only: what is called in two is not put in line, and then it is compiled without the
    // instructions of its caller.
    for number in 0..blocks.len() + usize::from(!rest.is_empty()) {
        let (block, valid) = blocks.get(number).map_or(last, |block| (block, u64::MAX));
        if !each(64 * number, &Masks::of::<B>(block, valid, marks)) {
            return;
        }
    }
}

/// See [`Index::build`].
#[inline(always)]
pub(super) fn build<B: Block>(data: &[u8], marks: Marks, index: &mut Index) -> usize {
    let mut carry = Carry::begin(false);
    let mut looked = data.len();
    blocks::<B>(data, marks, |offset, masks| {
        let found = carry.look(masks);
        let is_regular = found.irregular == 0;
        if is_regular {
            index.add(offset, &found);
        } else {
            looked = offset;
        }
        is_regular
    });
    looked
}

impl Index {
    #[inline(always)]
    fn add(&mut self, offset: usize, found: &Found) {
        self.has_doubled |= found.doubled != 0;
        self.has_inner_lines |= found.inner_lines != 0;
        let base = u32::try_from(offset).expect("a piece is far smaller than 4 GB");
        let before = u32::try_from(self.separators.len()).expect("a piece is far smaller than 4 GB");
        let mut ends = found.ends;
        while ends != 0 {
            let at = ends.trailing_zeros();
            let up_to = u64::MAX >> (63 - at);
            self.ends.push(before + (found.separators & up_to).count_ones());
            ends &= ends - 1;
        }
        let mut separators = found.separators;
        self.separators.extend((0..separators.count_ones()).map(|_| {
            let at = separators.trailing_zeros();
            separators &= separators - 1;
            base + at
        }));
    }
}
