//! Numbers as differences from the ones before: Parquet's `DELTA_BINARY_PACKED`.

use super::bits::{pack, varint, width_of, zigzag};

/// Parts of a block; the differences of each have a width of their own.
const MINIS: usize = 4;
/// Differences that share a smallest one, at most.
const BLOCK_MAX: usize = Width::Bits64.block();

/// How many bits the numbers have in the file. Differences wrap around in that width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Bits32,
    Bits64,
}

impl Width {
    /// Differences that share a width: as many as readers unpack at once.
    pub(super) const fn mini(self) -> usize {
        match self {
            Width::Bits32 => 32,
            Width::Bits64 => 64,
        }
    }

    /// Differences that share a smallest one.
    pub(super) const fn block(self) -> usize {
        self.mini() * MINIS
    }

    fn difference(self, of: i64, from: i64) -> i64 {
        let difference = of.wrapping_sub(from);
        match self {
            // The lower half, with its sign.
            Width::Bits32 => (difference << 32) >> 32,
            Width::Bits64 => difference,
        }
    }

    /// How far a difference lies above the smallest one.
    fn above(self, difference: i64, smallest: i64) -> u64 {
        let above = difference.wrapping_sub(smallest).cast_unsigned();
        match self {
            Width::Bits32 => above & u64::from(u32::MAX),
            Width::Bits64 => above,
        }
    }
}

/// Appends the same number so many times.
pub(super) fn delta_of_one(value: i64, count: usize, width: Width, into: &mut Vec<u8>) {
    head(count, value, width, into);
    // In each block the smallest difference is 0, and all widths are.
    let blocks = count.saturating_sub(1).div_ceil(width.block());
    into.resize(into.len() + blocks * (1 + MINIS), 0);
}

fn head(count: usize, first: i64, width: Width, into: &mut Vec<u8>) {
    varint(width.block() as u64, into);
    varint(MINIS as u64, into);
    varint(count as u64, into);
    zigzag(first, into);
}

/// Appends all numbers; those of 32 bits come with their sign extended.
pub(super) fn delta(values: impl ExactSizeIterator<Item = i64>, width: Width, into: &mut Vec<u8>) {
    let count = values.len();
    let mut values = values;
    let first = values.next().unwrap_or(0);
    head(count, first, width, into);
    let (mut before, mut rest) = (first, count.saturating_sub(1));
    let mut differences = [0; BLOCK_MAX];
    while rest > 0 {
        let len = rest.min(width.block());
        for (difference, value) in differences[..len].iter_mut().zip(&mut values) {
            *difference = width.difference(value, before);
            before = value;
        }
        block(&differences[..len], width, into);
        rest -= len;
    }
}

fn block(differences: &[i64], width: Width, into: &mut Vec<u8>) {
    let smallest = differences.iter().copied().min().unwrap_or(0);
    zigzag(smallest, into);
    let widths = into.len();
    into.resize(widths + MINIS, 0);
    let mini_len = width.mini();
    for (number, mini) in differences.chunks(mini_len).enumerate() {
        let largest = mini.iter().fold(0, |all, difference| all | width.above(*difference, smallest));
        let bits = width_of(largest);
        into[widths + number] = bits;
        let end = into.len() + mini_len / 8 * usize::from(bits);
        pack(mini.iter().map(|difference| width.above(*difference, smallest)), bits, into);
        into.resize(end, 0);
    }
}
