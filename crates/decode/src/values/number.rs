//! Numbers: their parts as written, and integers and floats made of them.

use stillhouse_spec::{Currency, NumberFormat};

use crate::reason;

/// A number taken apart. Digits are ASCII; `whole` may hold grouping marks at their proper places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<'a> {
    pub(crate) negative: bool,
    pub(crate) whole: &'a str,
    pub(crate) fraction: &'a str,
    /// What stands behind an `e`, with its sign.
    pub(crate) exponent: Option<&'a str>,
}

impl<'a> Number<'a> {
    /// Takes `text` apart; `None` if it is no number.
    ///
    /// A sign (`+`, `-`, `−`) may stand before the digits, on either side of a currency; `(…)` means negative and
    /// takes no sign. Signs behind the digits are not understood.
    pub(crate) fn parse(text: &'a str, format: NumberFormat) -> Option<Self> {
        let text = text.trim();
        let (text, bracketed) = match text.strip_prefix('(') {
            Some(inner) => (inner.strip_suffix(')')?.trim(), true),
            None => (text, false),
        };
        let (mut text, mut sign) = strip_sign(text);
        if format.currency == Currency::Skip {
            text = strip_currency_before(text);
            if sign.is_none() {
                (text, sign) = strip_sign(text);
            }
            text = strip_currency_behind(text);
        }
        if bracketed && sign.is_some() {
            return None;
        }
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let (whole, fraction) = mantissa.split_once(format.decimal).unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let written = grouped(whole, format.grouping) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        let negative = bracketed || sign == Some('-');
        written.then_some(Self { negative, whole, fraction, exponent })
    }

    /// The digits before the mark, without grouping.
    pub(crate) fn whole_digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.whole.bytes().filter(u8::is_ascii_digit)
    }
}

fn strip_sign(text: &str) -> (&str, Option<char>) {
    for (mark, sign) in [('-', '-'), ('+', '+'), ('\u{2212}', '-')] {
        if let Some(rest) = text.strip_prefix(mark) {
            return (rest.trim_start(), Some(sign));
        }
    }
    (text, None)
}

/// What may stand beside a number: one sign, with a country's letters or without (`$`, `R$`, `US$`), a code (`EUR`), or a
/// customary name (`zł`). Anything else is no currency: `12.50 DR` is a debit, and `1O` a typing error.
fn is_currency(text: &str) -> bool {
    let signs = text.chars().filter(|c| is_currency_sign(*c)).count();
    let letters = text.chars().filter(char::is_ascii_uppercase).count();
    let with_sign = signs == 1 && letters <= 2 && signs + letters == text.chars().count();
    with_sign || (text.len() == 3 && CODES.split(' ').any(|code| code == text)) || NAMES.contains(&text)
}

/// The codes of money that circulates, of ISO 4217 (list one).
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF \
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT \
MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR \
SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV \
WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// How people write some of them.
const NAMES: &[&str] =
    &["zł", "kr", "kr.", "Kr", "Kč", "Ft", "Fr", "Fr.", "SFr", "lei", "лв", "лв.", "руб", "руб.", "р."];

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '¢'..='¥' | '֏' | '؋' | '৳' | '฿' | '៛' | '\u{20a0}'..='\u{20cf}' | '﷼' | '＄' | '￡' | '￥')
}

fn strip_currency_before(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphabetic() && !is_currency_sign(c)).unwrap_or(text.len());
    if is_currency(&text[..end]) { text[end..].trim_start() } else { text }
}

fn strip_currency_behind(text: &str) -> &str {
    let start = text.rfind(|c: char| !c.is_alphabetic() && !is_currency_sign(c));
    let start = start.map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    if is_currency(&text[start..]) { text[..start].trim_end() } else { text }
}

/// Digits only, or groups of three behind a first group of one to three.
fn grouped(whole: &str, grouping: Option<char>) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) {
        return true;
    }
    let Some(mark) = grouping else { return false };
    let mut groups = whole.split(mark);
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && digits(first) && groups.all(|group| group.len() == 3 && digits(group))
}

/// An integer of 64 bits, or the reason why it is none.
#[inline]
pub(crate) fn int64(text: &str, format: NumberFormat) -> Result<i64, &'static str> {
    match plain_int(text.as_bytes()) {
        Some(value) => Ok(value),
        None => int64_slowly(text, format),
    }
}

/// Up to 18 digits behind at most one `-` or `+`.
#[inline]
fn plain_int(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

fn int64_slowly(text: &str, format: NumberFormat) -> Result<i64, &'static str> {
    let number = Number::parse(text, format).ok_or(reason::UNREADABLE_INT64)?;
    // `5.` and `5.0` are no integers as people write them.
    if number.exponent.is_some() || number.whole.is_empty() || text.contains(format.decimal) {
        return Err(reason::UNREADABLE_INT64);
    }
    let mut value = 0i64;
    for byte in number.whole_digits() {
        let digit = i64::from(byte - b'0');
        let signed = if number.negative { -digit } else { digit };
        value = value.checked_mul(10).and_then(|value| value.checked_add(signed)).ok_or(reason::OUT_OF_RANGE)?;
    }
    Ok(value)
}

/// A finite double; infinities and NaN are no values.
pub(crate) fn float64(text: &str, format: NumberFormat) -> Option<f64> {
    let number = Number::parse(text, format)?;
    let mut plain = String::with_capacity(text.len() + 2);
    if number.negative {
        plain.push('-');
    }
    plain.extend(number.whole_digits().map(char::from));
    plain.push('.');
    plain.push_str(number.fraction);
    if let Some(exponent) = number.exponent {
        plain.push('e');
        plain.push_str(exponent);
    }
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}
