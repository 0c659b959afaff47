//! SSE2, which every x86-64 processor has.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    _mm_sub_epi8,
};

use super::{NARROW, WIDE};

#[inline(always)]
fn load(bytes: &[u8; NARROW]) -> __m128i {
    // SAFETY: there are the 16 bytes that are read, at any alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline(always)]
fn bits(flags: __m128i) -> u32 {
    // SAFETY: SSE2 is part of x86-64. So it is below.
    unsafe { _mm_movemask_epi8(flags).cast_unsigned() }
}

/// The answers for both halves.
#[inline(always)]
fn halves(bytes: &[u8; WIDE], look: impl Fn(usize, __m128i) -> u32) -> u32 {
    let (parts, _) = bytes.as_chunks::<NARROW>();
    look(0, load(&parts[0])) | look(1, load(&parts[1])) << NARROW
}

#[inline(always)]
pub(super) fn text_ends(bytes: &[u8; WIDE]) -> u32 {
    halves(bytes, |_, part| {
        // SAFETY: see `bits`.
        let flags = unsafe {
            let quotes = _mm_cmpeq_epi8(part, _mm_set1_epi8(b'"'.cast_signed()));
            let backslashes = _mm_cmpeq_epi8(part, _mm_set1_epi8(b'\\'.cast_signed()));
            let controls = _mm_cmpeq_epi8(part, _mm_min_epu8(part, _mm_set1_epi8(0x1f)));
            _mm_or_si128(_mm_or_si128(quotes, backslashes), controls)
        };
        bits(flags)
    })
}

#[inline(always)]
pub(super) fn equal(one: &[u8; WIDE], other: &[u8; WIDE]) -> u32 {
    let (others, _) = other.as_chunks::<NARROW>();
    // SAFETY: see `bits`.
    halves(one, |number, part| bits(unsafe { _mm_cmpeq_epi8(part, load(&others[number])) }))
}

#[inline(always)]
pub(super) fn no_digits(bytes: &[u8; NARROW]) -> u32 {
    // SAFETY: see `bits`.
    let digits = unsafe {
        let values = _mm_sub_epi8(load(bytes), _mm_set1_epi8(b'0'.cast_signed()));
        _mm_cmpeq_epi8(values, _mm_min_epu8(values, _mm_set1_epi8(9)))
    };
    bits(digits) ^ 0xffff
}
