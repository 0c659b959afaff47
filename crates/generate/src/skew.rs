//! Choosing among many by weight, in constant time.

use crate::random::{Random, lower_half, upper_half};

/// The alias method (Walker, Vose), with integers, so that every machine chooses alike.
#[derive(Debug)]
pub(crate) struct Skew {
    slots: Vec<Slot>,
}

/// A slot is chosen evenly; then it is itself for draws below `keep`, and `alias` for the others.
#[derive(Debug, Clone, Copy)]
struct Slot {
    keep: u32,
    alias: u32,
}

impl Skew {
    /// Chooses item k as often as `weights[k]` says (each below 2^32); evenly when all weights are 0. There is at least
    /// one item.
    pub(crate) fn new(weights: &[u64]) -> Self {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if total == 0 {
            return Self::new(&vec![1; weights.len()]);
        }
        let mut slots: Vec<Slot> = (0..).take(weights.len()).map(|own| Slot { keep: u32::MAX, alias: own }).collect();
        // Scaled so that the average is `total`: what a slot lacks to it is filled up from one that has too much.
        let mut left: Vec<u128> = weights.iter().map(|weight| u128::from(*weight) * weights.len() as u128).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..).take(weights.len()).partition(|item| left[*item as usize] < total);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let own = left[poor as usize];
            slots[poor as usize] = Slot { keep: keep(own, total), alias: rich };
            left[rich as usize] -= total - own;
            if left[rich as usize] < total {
                large.pop();
                small.push(rich);
            }
        }
        Self { slots }
    }

    /// Popular ones first: item k weighs 1 / (k + `flatness`), the greater the flatness the less the first ones stand out.
    pub(crate) fn falling(count: usize, flatness: u64) -> Self {
        Self::new(&falling_weights(count, flatness))
    }

    /// The number of an item.
    #[inline]
    pub(crate) fn pick(&self, random: &mut Random) -> u32 {
        let number = random.next_u64();
        let count = self.slots.len() as u64;
        let chosen = upper_half(u64::from(upper_half(number)) * count);
        let slot = self.slots[chosen as usize];
        if lower_half(number) < slot.keep { chosen } else { slot.alias }
    }
}

/// The weights of [`Skew::falling`].
pub(crate) fn falling_weights(count: usize, flatness: u64) -> Vec<u64> {
    (0..).take(count).map(|place: u64| (1 << 31) / (place + flatness)).collect()
}

/// The share `own` / `total` of 2^32, below 1.
fn keep(own: u128, total: u128) -> u32 {
    u32::try_from((own << 32) / total).unwrap_or(u32::MAX)
}
