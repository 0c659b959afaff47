//! Numbers of few digits, read many digits at a time.

use super::marks::{NARROW, no_digits};

/// A number as JSON has them: whole digits, and perhaps a point and a fraction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digits<'t> {
    /// From its first digit on.
    bytes: &'t [u8; NARROW],
    negative: bool,
    /// So many digits stand in front of the point, …
    whole: u32,
    /// … and so many behind it.
    fraction: u32,
}

impl<'t> Digits<'t> {
    /// The number that `text` begins with, if it and the byte behind it are among the first 16 bytes; what stands there shows
    /// that it goes on no further.
    #[inline]
    pub(super) fn of(text: &'t [u8]) -> Option<Self> {
        let negative = *text.first()? == b'-';
        let bytes = text[usize::from(negative)..].first_chunk::<NARROW>()?;
        let others = no_digits(bytes);
        let whole = others.trailing_zeros();
        // A zero in front is followed by no other digit.
        if whole == 0 || whole >= 16 || (bytes[0] == b'0' && whole > 1) {
            return None;
        }
        let mut end = whole;
        let mut fraction = 0;
        if bytes[whole as usize] == b'.' {
            end = (others & (others - 1)).trailing_zeros();
            fraction = end.wrapping_sub(whole + 1);
            if end >= 16 || fraction == 0 {
                return None;
            }
        }
        let goes_on = matches!(bytes[end as usize], b'e' | b'E' | b'.');
        (!goes_on).then_some(Self { bytes, negative, whole, fraction })
    }

    /// Bytes of the number.
    #[inline]
    pub(super) fn length(&self) -> usize {
        let point = u32::from(self.fraction > 0);
        usize::from(self.negative) + (self.whole + point + self.fraction) as usize
    }

    /// The number, if it has no fraction.
    #[inline]
    pub(super) fn int64(&self) -> Option<i64> {
        if self.fraction > 0 {
            return None;
        }
        self.signed(number(u128::from_le_bytes(*self.bytes), self.whole))
    }

    /// The number in units of 10^-scale, if it has no more digits behind the point.
    #[inline]
    pub(super) fn decimal(&self, scale: u32) -> Option<i64> {
        let unit = *POWERS.get(scale.checked_sub(self.fraction)? as usize)?;
        let bytes = u128::from_le_bytes(*self.bytes);
        if self.fraction == 0 {
            return self.signed(number(bytes, self.whole).checked_mul(unit)?);
        }
        // The point goes, and what stands behind it moves up.
        let behind = u128::MAX << (8 * self.whole);
        let joined = (bytes & !behind) | ((bytes >> 8) & behind);
        self.signed(number(joined, self.whole + self.fraction).checked_mul(unit)?)
    }

    #[inline]
    fn signed(&self, value: u64) -> Option<i64> {
        let value = i64::try_from(value).ok()?;
        Some(if self.negative { -value } else { value })
    }
}

/// Powers of ten.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// The number of the first `count` bytes, which are 1 to 16 digits.
#[inline]
fn number(bytes: u128, count: u32) -> u64 {
    const ZEROS: u128 = u128::from_le_bytes([b'0'; NARROW]);
    // The last digit comes to stand last, and zeros in front of the first.
    let digits = (bytes ^ ZEROS) << (128 - 8 * count);
    let half = |digits: u128| eight(u64::try_from(digits & u128::from(u64::MAX)).unwrap_or_default());
    half(digits) * 100_000_000 + half(digits >> 64)
}

/// The number of eight digits, each a byte from 0 to 9, the first one lowest. Neighbours are joined in three steps.
#[inline]
fn eight(digits: u64) -> u64 {
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul((10 << 8) + 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul((100 << 16) + 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul((10_000 << 32) + 1) >> 32
}
