//! Numbers that look random and are the same in every run.

use std::sync::{Mutex, PoisonError};

/// SplitMix64: small, quick, and good enough for test data.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A source of numbers; the same seed gives the same ones.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("usize fits into 64 bits");
        usize::try_from(self.next_u64() % bound).expect("less than a usize")
    }

    /// One of `items`.
    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// The index of one of `weights`, each as often as it weighs; at least one weighs something.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.next_u64() % weights.iter().sum::<u64>().max(1);
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }

    /// An identifier of 32 hex digits, as the binary makes them for tokens and attempts.
    pub fn id(&mut self) -> String {
        format!("{:016x}{:016x}", self.next_u64(), self.next_u64())
    }

    /// A maker of such identifiers that threads can share.
    pub fn ids(seed: u64) -> impl Fn() -> String + Send + Sync {
        let random = Mutex::new(Self::new(seed));
        move || random.lock().unwrap_or_else(PoisonError::into_inner).id()
    }
}
