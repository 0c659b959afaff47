//! Exact decimals.

use stillhouse_spec::NumberFormat;

use crate::reason;
use crate::values::number::Number;

/// The value of `text` in units of 10^-scale, exact, or the reason why there is none.
pub(crate) fn read(text: &str, precision: u8, scale: u8, format: NumberFormat) -> Result<i128, &'static str> {
    let number = Number::parse(text, format).ok_or(reason::UNREADABLE_DECIMAL)?;
    if number.exponent.is_some() {
        return Err(reason::UNREADABLE_DECIMAL);
    }
    let scale = usize::from(scale);
    let fraction = number.fraction.trim_end_matches('0');
    if fraction.len() > scale {
        return Err(reason::DECIMAL_SCALE);
    }
    let padding = std::iter::repeat_n(b'0', scale - fraction.len());
    let mut value = 0i128;
    let limit = 10i128.pow(u32::from(precision));
    for byte in number.whole_digits().chain(fraction.bytes()).chain(padding) {
        // `limit` is at most 10^38 and an i128 holds 1.7 * 10^38, so the product is checked.
        value = value
            .checked_mul(10)
            .map(|value| value + i128::from(byte - b'0'))
            .filter(|value| *value < limit)
            .ok_or(reason::OUT_OF_RANGE)?;
    }
    Ok(if number.negative { -value } else { value })
}
