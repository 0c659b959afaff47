//! Decimal texts: from digits and scale, rounded half away from zero. Works on digits, so no width overflows.

/// `digits` (an integer as text, `-` in front if it is negative) with `scale` of them behind the point; rounded half
/// away from zero to `decimals` digits, or filled up with zeros, where `decimals` is stated.
pub(super) fn decimal(integer: &str, scale: i8, decimals: Option<u8>) -> String {
    let (negative, digits) = integer.strip_prefix('-').map_or((false, integer), |digits| (true, digits));
    let scale_digits = usize::from(scale.max(0).unsigned_abs());
    // A negative scale counts zeros that are not written.
    let mut digits = digits.to_owned() + &"0".repeat(usize::from(scale.min(0).unsigned_abs()));
    if digits.len() <= scale_digits {
        digits.insert_str(0, &"0".repeat(scale_digits + 1 - digits.len()));
    }
    let point = digits.len() - scale_digits;
    let text = fixed(&digits[..point], &digits[point..], decimals);
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    if negative && !zero { format!("-{text}") } else { text }
}

/// A float: its shortest text is rounded, as a person would who sees it. `None` for NaN and infinities.
pub(super) fn float(value: f64, decimals: Option<u8>) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let Some(decimals) = decimals else { return Some(format!("{value:?}")) };
    let text = format!("{value}"); // never in exponent form
    let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |text| (true, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let text = fixed(whole, fraction, Some(decimals));
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    Some(if negative && !zero { format!("-{text}") } else { text })
}

fn fixed(whole: &str, fraction: &str, decimals: Option<u8>) -> String {
    let keep = decimals.map_or(fraction.len(), usize::from);
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes().take(keep)).collect();
    digits.resize(whole.len() + keep, b'0');
    // The first digit that falls away decides, whatever follows it: that is half away from zero.
    if fraction.as_bytes().get(keep).is_some_and(|digit| *digit >= b'5') {
        increment(&mut digits);
    }
    let point = digits.len() - keep;
    let mut text = String::from_utf8(digits).expect("digits are ASCII");
    if keep > 0 {
        text.insert(point, '.');
    }
    text
}

fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
