//! Numbers of values that were looked for before: a small table in which each value has one place.

/// Places of the table: some hundred countries rarely share one, and those that are used stay in the nearest cache.
const PLACES: usize = 1024;

/// No dictionary has so many entries.
const NOBODY: u32 = u32::MAX;

/// Values and their numbers in a dictionary. A value drives out the one that was at its place.
#[derive(Debug)]
pub(super) struct Recent(Vec<(u128, u32)>);

impl Default for Recent {
    fn default() -> Self {
        Self(vec![(0, NOBODY); PLACES])
    }
}

impl Recent {
    /// The number of a value, or what `find` gives.
    #[inline]
    pub(super) fn id(&mut self, value: u128, find: impl FnOnce() -> u32) -> u32 {
        let place = &mut self.0[place(value)];
        if place.0 != value || place.1 == NOBODY {
            *place = (value, find());
        }
        place.1
    }

    /// The number of a value, if it is there.
    #[inline]
    pub(super) fn get(&self, value: u128) -> Option<u32> {
        let (known, id) = self.0[place(value)];
        (known == value && id != NOBODY).then_some(id)
    }

    #[inline]
    pub(super) fn put(&mut self, value: u128, id: u32) {
        self.0[place(value)] = (value, id);
    }

    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<(u128, u32)>()
    }
}

/// By the golden ratio: values that differ a little lie far apart.
#[inline]
fn place(value: u128) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let [low, high] = [value, value >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0));
    let mixed = (low ^ high.rotate_left(32)).wrapping_mul(FACTOR) >> (u64::BITS - PLACES.ilog2());
    usize::try_from(mixed).unwrap_or(0)
}
