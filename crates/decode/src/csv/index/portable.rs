//! For processors without instructions of their own here: eight bytes at a time in ordinary registers.

use super::Way;
use super::blocks::{Block, build};
use super::census::census;

struct Words([u64; 8]);

const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
/// Multiplied with it, the lowest bits of eight bytes come together in the highest byte.
const GATHER: u64 = 0x0102_0408_1020_4080;

impl Block for Words {
    #[inline(always)]
    fn load(bytes: &[u8; 64]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        Self(std::array::from_fn(|at| u64::from_le_bytes(words[at])))
    }

    #[inline(always)]
    fn equal(&self, byte: u8) -> u64 {
        let wanted = u64::from_le_bytes([byte; 8]);
        let mut bits = 0;
        for (at, word) in self.0.iter().enumerate() {
            let other = word ^ wanted;
            // The highest bit of each byte that is zero; exact, unlike the shorter ways to ask.
            let zero = !(((other & LOW_BITS) + LOW_BITS) | other | LOW_BITS);
            bits |= ((zero >> 7).wrapping_mul(GATHER) >> 56) << (8 * at);
        }
        bits
    }
}

pub(super) const WAY: Way = Way { build: build::<Words>, census: census::<Words> };
