//! Numbers that look random and follow from a seed.

/// SplitMix64: small and quick, and every seed is a good one.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of one purpose: `path` says which (a pool, or a month and a chunk), so that purposes do not depend on
    /// each other.
    pub(crate) fn new(seed: u64, path: &[u64]) -> Self {
        Self(path.iter().fold(mix(seed), |state, part| mix(state ^ mix(*part))))
    }

    #[inline]
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        finish(self.0)
    }

    #[inline]
    pub(crate) fn next_u32(&mut self) -> u32 {
        upper_half(self.next_u64())
    }

    /// A number below `bound`; 0 when that is 0.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        upper_half(u64::from(self.next_u32()) * u64::from(bound))
    }

    /// One of `items`, of which there is at least one.
    #[inline]
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u32::try_from(items.len()).expect("pools have fewer than 2^32 items");
        &items[self.below(count) as usize]
    }

    /// Yes as often as [`Rate::threshold`](crate::Rate::threshold) says.
    #[inline]
    pub(crate) fn chance(&mut self, threshold: u64) -> bool {
        u64::from(self.next_u32()) < threshold
    }
}

#[inline]
pub(crate) fn upper_half(number: u64) -> u32 {
    u32::try_from(number >> 32).expect("half of the bits are left")
}

#[inline]
pub(crate) fn lower_half(number: u64) -> u32 {
    u32::try_from(number & 0xFFFF_FFFF).expect("half of the bits are left")
}

fn mix(number: u64) -> u64 {
    finish(number.wrapping_add(0x9E37_79B9_7F4A_7C15))
}

#[inline]
fn finish(mut mixed: u64) -> u64 {
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
