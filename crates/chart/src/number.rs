//! Numbers as people read them: exact with separators, or short for axes.

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// How the numbers of a chart are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumberFormat {
    /// Stands behind the number, after a blank.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The values are shares: 0.25 is written 25 %.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub percent: bool,
    /// Digits behind the point, rounded half away from zero; without it as many as are useful.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// What stands between groups of three digits.
    pub thousands: Thousands,
}

/// What stands between groups of three digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thousands {
    /// `1,234,567`
    #[default]
    Comma,
    /// `1 234 567`
    Blank,
    /// `1'234'567`
    Apostrophe,
    /// `1234567`
    None,
}

/// A label with more characters is shortened where a picture has little room.
const LABEL_CHARS_MAX: usize = 14;
/// Digits behind the point where nothing is stated.
const DECIMALS_DEFAULT: usize = 2;
/// Below this an axis writes its numbers in full.
const AXIS_FULL_MAX: f64 = 100_000.0;

const NO_BREAK_SPACE: char = '\u{a0}';
const MINUS: char = '\u{2212}';

impl NumberFormat {
    /// The exact value, rounded to `decimals`.
    pub fn exact(&self, value: &Value) -> String {
        let text = if self.percent { hundredfold(value.as_str()) } else { value.as_str().to_owned() };
        self.with_unit(&self.plain(&text, self.decimals.map(usize::from)))
    }

    /// The value where there is little room: exact if that is short enough, else shortened.
    pub(crate) fn label(&self, value: &Value) -> String {
        let exact = self.exact(value);
        let digits = exact.chars().count().saturating_sub(self.unit.chars().count());
        if digits <= LABEL_CHARS_MAX { exact } else { self.short(value.double(), 2) }
    }

    /// The number at a tick; `step` is the distance of ticks and `largest` the largest absolute value of the axis.
    pub(crate) fn tick(&self, number: f64, step: f64, largest: f64) -> String {
        let (number, step) = if self.percent { (number * 100.0, step * 100.0) } else { (number, step) };
        if largest >= AXIS_FULL_MAX {
            let (factor, word) = magnitude(largest);
            let decimals = digits_of(step / factor);
            return self.with_unit(&self.with_word(number / factor, decimals, word));
        }
        let decimals = digits_of(step);
        if decimals > TICK_DECIMALS_MAX {
            return self.with_unit(&scientific(number, 2));
        }
        self.with_unit(&self.plain(&format!("{number:.decimals$}"), Some(decimals)))
    }

    fn short(&self, number: f64, decimals: usize) -> String {
        let number = if self.percent { number * 100.0 } else { number };
        let (factor, word) = magnitude(number.abs());
        self.with_unit(&self.with_word(number / factor, decimals, word))
    }

    fn with_word(&self, number: f64, decimals: usize, word: &str) -> String {
        if number.abs() >= 10_000.0 {
            return scientific(number * magnitude_of(word), 2);
        }
        let text = self.plain(&format!("{number:.decimals$}"), Some(decimals));
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if word.is_empty() || text == "0" { text.to_owned() } else { format!("{text}{NO_BREAK_SPACE}{word}") }
    }

    /// Digits with separators and a minus that is as wide as a plus.
    fn plain(&self, text: &str, decimals: Option<usize>) -> String {
        let rounded = match decimals {
            Some(decimals) => rounded(text, decimals, true),
            None => rounded(text, useful_decimals(text), false),
        };
        let (negative, digits) = rounded.strip_prefix('-').map_or((false, &*rounded), |digits| (true, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut written = if negative { MINUS.to_string() } else { String::new() };
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                written.push_str(self.thousands.text());
            }
            written.push(digit);
        }
        if !fraction.is_empty() {
            written.push('.');
            written.push_str(fraction);
        }
        written
    }

    fn with_unit(&self, text: &str) -> String {
        let percent = if self.percent { "%" } else { "" };
        let unit = [percent, self.unit.as_str()].into_iter().filter(|part| !part.is_empty());
        unit.fold(text.to_owned(), |text, part| format!("{text}{NO_BREAK_SPACE}{part}"))
    }
}

/// An axis whose ticks need more digits behind the point is written with powers of ten.
const TICK_DECIMALS_MAX: usize = 6;

impl Thousands {
    fn text(self) -> &'static str {
        match self {
            Thousands::Comma => ",",
            // A thin space that does not break.
            Thousands::Blank => "\u{202f}",
            Thousands::Apostrophe => "'",
            Thousands::None => "",
        }
    }
}

const MAGNITUDES: [(f64, &str); 5] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")];

fn magnitude(largest: f64) -> (f64, &'static str) {
    MAGNITUDES.into_iter().find(|(factor, _)| largest >= *factor).unwrap_or((1.0, ""))
}

fn magnitude_of(word: &str) -> f64 {
    MAGNITUDES.into_iter().find(|(_, known)| *known == word).map_or(1.0, |(factor, _)| factor)
}

fn scientific(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if digits == "0" { "0".to_owned() } else { format!("{digits}e{exponent}").replace('-', &MINUS.to_string()) }
}

/// Digits behind the point that a step of 1, 2, 2.5 or 5 times a power of ten needs.
fn digits_of(step: f64) -> usize {
    let fits = |digits: &i32| {
        let scaled = step * 10_f64.powi(*digits);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0) && scaled.round() != 0.0
    };
    (0..20).find(fits).and_then(|digits| usize::try_from(digits).ok()).unwrap_or(20)
}

/// Two digits behind the point, or as many as show two digits of a number below one.
fn useful_decimals(text: &str) -> usize {
    let digits = text.trim_start_matches('-');
    let Some(fraction) = digits.strip_prefix("0.") else { return DECIMALS_DEFAULT };
    let zeros = fraction.len() - fraction.trim_start_matches('0').len();
    (zeros + DECIMALS_DEFAULT).min(12)
}

/// A plain decimal, rounded half away from zero to that many digits; `fill` keeps zeros at its end.
pub(crate) fn rounded(text: &str, decimals: usize, fill: bool) -> String {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().take(decimals)).collect();
    kept.resize(whole.len() + decimals, b'0');
    if fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5') {
        increment(&mut kept);
    }
    let point = kept.len() - decimals;
    let digits: String = kept.into_iter().map(char::from).collect();
    let (whole, fraction) = digits.split_at(point);
    let fraction = if fill { fraction } else { fraction.trim_end_matches('0') };
    let sign = if negative && digits.bytes().any(|digit| digit != b'0') { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
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

/// The point, two places to the right.
fn hundredfold(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let moved: String = fraction.chars().chain("00".chars()).take(2).collect();
    let rest = fraction.get(2..).unwrap_or("");
    let whole = format!("{whole}{moved}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(format: &NumberFormat, text: &str) -> String {
        format.exact(&text.parse().unwrap()).replace(NO_BREAK_SPACE, " ")
    }

    #[test]
    fn exact_numbers() {
        let plain = NumberFormat::default();
        let written = ["1234567", "-0.5", "1234.567", "0.001234", "0.1000", "12345678901234567890.12", "-0.000"];
        let read = written.map(|text| exact(&plain, text));
        assert_eq!(read, ["1,234,567", "−0.5", "1,234.57", "0.0012", "0.1", "12,345,678,901,234,567,890.12", "0"]);
        let money = NumberFormat { unit: "EUR".to_owned(), decimals: Some(2), ..NumberFormat::default() };
        assert_eq!(["1", "2.345", "-0.004"].map(|text| exact(&money, text)), ["1.00 EUR", "2.35 EUR", "0.00 EUR"]);
        let share = NumberFormat { percent: true, decimals: Some(1), ..NumberFormat::default() };
        assert_eq!(
            ["0.25", "1", "0.0015", "-2.5"].map(|text| exact(&share, text)),
            ["25.0 %", "100.0 %", "0.2 %", "−250.0 %"]
        );
        let blank = NumberFormat { thousands: Thousands::Blank, ..NumberFormat::default() };
        assert_eq!(exact(&blank, "1234567"), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn short_numbers() {
        let plain = NumberFormat::default();
        let tick = |number, step, largest| plain.tick(number, step, largest).replace(NO_BREAK_SPACE, " ");
        assert_eq!([tick(0.0, 0.5, 2.0), tick(1.5, 0.5, 2.0), tick(-20.0, 10.0, 20.0)], ["0.0", "1.5", "−20"]);
        assert_eq!(tick(40_000.0, 20_000.0, 80_000.0), "40,000");
        assert_eq!([tick(0.0, 2e5, 1.2e6), tick(1.2e6, 2e5, 1.2e6), tick(8e5, 2e5, 1.2e6)], ["0", "1.2 M", "0.8 M"]);
        assert_eq!([tick(5e17, 5e17, 1e18), tick(0.0, 5e17, 1e18), tick(2e-9, 1e-9, 4e-9)], ["5e17", "0", "2e−9"]);
        let label = |text: &str| plain.label(&text.parse().unwrap()).replace(NO_BREAK_SPACE, " ");
        assert_eq!(
            [label("1234567890"), label("123456789012345"), label("1e300")],
            ["1,234,567,890", "123.46 T", "1e300"]
        );
    }
}
