//! SSE2, which every x86-64 processor has, AVX2 and AVX-512 where they are there.
//!
//! **Safety:** instructions beyond SSE2 are reached only through [`all`] and [`best`], which ask the processor first.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask, _mm512_loadu_si512,
    _mm512_set1_epi8,
};
use std::sync::LazyLock;

use super::blocks::{Block, build as build_with};
use super::census::{Count, census as census_with};
use super::{Index, Marks, Way};

struct Sse2([__m128i; 4]);
struct Avx2([__m256i; 2]);
struct Avx512(__m512i);

impl Block for Sse2 {
    #[inline(always)]
    fn load(bytes: &[u8; 64]) -> Self {
        let (parts, _) = bytes.as_chunks::<16>();
        // SAFETY: a part has the 16 bytes that are read, at any alignment.
        Self(std::array::from_fn(|at| unsafe { _mm_loadu_si128(parts[at].as_ptr().cast()) }))
    }

    #[inline(always)]
    fn equal(&self, byte: u8) -> u64 {
        // SAFETY: SSE2 is part of x86-64.
        let masks = self.0.map(|part| unsafe {
            _mm_movemask_epi8(_mm_cmpeq_epi8(part, _mm_set1_epi8(byte.cast_signed()))).cast_unsigned()
        });
        let [a, b, c, d] = masks.map(u64::from);
        a | b << 16 | c << 32 | d << 48
    }
}

impl Block for Avx2 {
    #[inline(always)]
    fn load(bytes: &[u8; 64]) -> Self {
        let (parts, _) = bytes.as_chunks::<32>();
        // SAFETY: a part has the 32 bytes that are read, at any alignment; the module says who gets here.
        Self(std::array::from_fn(|at| unsafe { _mm256_loadu_si256(parts[at].as_ptr().cast()) }))
    }

    #[inline(always)]
    fn equal(&self, byte: u8) -> u64 {
        // SAFETY: the module says who gets here.
        let masks = self.0.map(|part| unsafe {
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(part, _mm256_set1_epi8(byte.cast_signed()))).cast_unsigned()
        });
        let [a, b] = masks.map(u64::from);
        a | b << 32
    }
}

impl Block for Avx512 {
    #[inline(always)]
    fn load(bytes: &[u8; 64]) -> Self {
        // SAFETY: a block has the 64 bytes that are read, at any alignment; the module says who gets here.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn equal(&self, byte: u8) -> u64 {
        // SAFETY: the module says who gets here.
        unsafe { _mm512_cmpeq_epi8_mask(self.0, _mm512_set1_epi8(byte.cast_signed())) }
    }
}

const SSE2: Way = Way { build: build_with::<Sse2>, census: census_with::<Sse2> };
const AVX2: Way = Way {
    // SAFETY: `all` gives this away only where the processor has AVX2, BMI and POPCNT.
    build: |data, marks, index| unsafe { build_avx2(data, marks, index) },
    // SAFETY: the same.
    census: |data, marks, is_inside| unsafe { census_avx2(data, marks, is_inside) },
};
const AVX512: Way = Way {
    // SAFETY: `all` gives this away only where the processor has AVX-512 F and BW, BMI and POPCNT.
    build: |data, marks, index| unsafe { build_avx512(data, marks, index) },
    // SAFETY: the same.
    census: |data, marks, is_inside| unsafe { census_avx512(data, marks, is_inside) },
};

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn build_avx2(data: &[u8], marks: Marks, index: &mut Index) -> usize {
    build_with::<Avx2>(data, marks, index)
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn census_avx2(data: &[u8], marks: Marks, is_inside: bool) -> Count {
    census_with::<Avx2>(data, marks, is_inside)
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
fn build_avx512(data: &[u8], marks: Marks, index: &mut Index) -> usize {
    build_with::<Avx512>(data, marks, index)
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
fn census_avx512(data: &[u8], marks: Marks, is_inside: bool) -> Count {
    census_with::<Avx512>(data, marks, is_inside)
}

/// What this processor has, the fastest last.
pub(super) fn all() -> Vec<(&'static str, Way)> {
    let mut all = vec![("sse2", SSE2)];
    let has_bits =
        is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("popcnt");
    if has_bits && is_x86_feature_detected!("avx2") {
        all.push(("avx2", AVX2));
    }
    if has_bits && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        all.push(("avx512", AVX512));
    }
    all
}

static BEST: LazyLock<Way> = LazyLock::new(|| all().last().map_or(SSE2, |(_, way)| *way));

pub(super) fn best() -> Way {
    *BEST
}
