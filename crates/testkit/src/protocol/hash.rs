//! Fingerprints of states. A visited state is remembered by its 64 bits only; with ten million states in a run the chance
//! that two share a fingerprint is about 3 in a million.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// MurmurHash3's mixing of 64-bit words. The standard hasher is several times slower, and nobody attacks this one.
#[derive(Default)]
pub(super) struct Mixer {
    mixed: u64,
    /// Single bytes that wait to become a word.
    waiting: u64,
    waiting_bytes: u32,
}

impl Mixer {
    fn word(&mut self, word: u64) {
        let word = word.wrapping_mul(0x87C3_7B91_1142_53D5).rotate_left(31).wrapping_mul(0x4CF5_AD43_2745_937F);
        self.mixed = (self.mixed ^ word).rotate_left(27).wrapping_mul(5).wrapping_add(0x52DC_E729);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, byte: u8) {
        self.waiting = self.waiting << 8 | u64::from(byte);
        self.waiting_bytes += 1;
        if self.waiting_bytes == 8 {
            self.word(self.waiting);
            (self.waiting, self.waiting_bytes) = (0, 0);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.word(word);
    }

    fn write_u128(&mut self, words: u128) {
        let bytes = words.to_le_bytes();
        for word in bytes.as_chunks::<8>().0 {
            self.word(u64::from_le_bytes(*word));
        }
    }

    /// Lengths and the numbers of enum variants: small.
    fn write_usize(&mut self, number: usize) {
        self.write_u8(number.to_le_bytes()[0]);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u8(number.to_le_bytes()[0]);
    }

    fn finish(&self) -> u64 {
        let mut last = Self { mixed: self.mixed, ..Self::default() };
        last.word(self.waiting);
        last.word(u64::from(self.waiting_bytes));
        let mut mixed = last.mixed;
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        mixed ^ (mixed >> 33)
    }
}

/// The fingerprint of anything.
pub(super) fn fingerprint(of: &impl Hash) -> u64 {
    let mut mixer = Mixer::default();
    of.hash(&mut mixer);
    mixer.finish()
}

/// For tables whose keys are fingerprints already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) type BuildAsIs = BuildHasherDefault<AsIs>;
