//! Which bytes of many are special, found out for all of them at once: bit `i` of an answer is about byte `i`.

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(not(target_arch = "x86_64"))]
use self::portable as native;
#[cfg(target_arch = "x86_64")]
use self::x86 as native;

/// Bytes of texts and names that are looked at together.
pub(super) const WIDE: usize = 32;
/// … and of numbers.
pub(super) const NARROW: usize = 16;

/// Where a text does not simply go on: quotes, backslashes, and control characters, which have no place in it.
#[inline]
pub(super) fn text_ends(bytes: &[u8; WIDE]) -> u32 {
    native::text_ends(bytes)
}

/// Where two are the same.
#[inline]
pub(super) fn equal(one: &[u8; WIDE], other: &[u8; WIDE]) -> u32 {
    native::equal(one, other)
}

/// Where there is no digit.
#[inline]
pub(super) fn no_digits(bytes: &[u8; NARROW]) -> u32 {
    native::no_digits(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NARROW, WIDE, equal, no_digits, portable, text_ends};

    /// Bytes beside the borders of what is looked for, and any.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![prop::sample::select(b"\"\\\x1f\x20!/019:\x7f\x80\x9f\xa2\xdc\xff\0a".to_vec()), any::<u8>()]
    }

    proptest! {
        #[test]
        fn the_instructions_find_what_is_found_byte_by_byte(
            one in prop::array::uniform32(byte()),
            other in prop::array::uniform32(byte()),
            same in prop::array::uniform32(any::<bool>()),
        ) {
            let mut other = other;
            (0..WIDE).filter(|at| same[*at]).for_each(|at| other[at] = one[at]);
            let digits: &[u8; NARROW] = one.first_chunk().expect("half of it");
            prop_assert_eq!(text_ends(&one), portable::text_ends(&one));
            prop_assert_eq!(equal(&one, &other), portable::equal(&one, &other));
            prop_assert_eq!(no_digits(digits), portable::no_digits(digits));
        }
    }

    /// Blocks that end where their allocation ends.
    #[test]
    fn valgrind_the_instructions_read_no_more_than_their_block() {
        for at in 0..WIDE {
            let mut one = Box::new([b'7'; WIDE]);
            one[at] = b'"';
            let other = Box::new([b'7'; WIDE]);
            assert_eq!((text_ends(&one), equal(&one, &other)), (1 << at, !(1 << at)));
            let digits = Box::<[u8; NARROW]>::new(*one.first_chunk().expect("half of it"));
            assert_eq!(no_digits(&digits), if at < NARROW { 1 << at } else { 0 });
        }
    }
}
