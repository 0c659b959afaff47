//! One byte after the other.

use super::{NARROW, WIDE};

fn bits(flags: impl Iterator<Item = bool>) -> u32 {
    flags.enumerate().fold(0, |bits, (at, is_set)| bits | u32::from(is_set) << at)
}

pub(super) fn text_ends(bytes: &[u8; WIDE]) -> u32 {
    bits(bytes.iter().map(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)))
}

pub(super) fn equal(one: &[u8; WIDE], other: &[u8; WIDE]) -> u32 {
    bits(one.iter().zip(other).map(|(one, other)| one == other))
}

pub(super) fn no_digits(bytes: &[u8; NARROW]) -> u32 {
    bits(bytes.iter().map(|byte| !byte.is_ascii_digit()))
}
