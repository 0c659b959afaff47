//! Values: exact decimals, which know the double that is drawn for them.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact decimal. In JSON it is a number where a double holds it, and else a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value(String);

/// A longer text is no value of ours: the largest double has 309 digits.
const CHARS_MAX: usize = 400;

/// What is drawn ends here, so that sums of values stay finite.
const DRAWN_MAX: f64 = 1e290;

impl Value {
    /// The number that is drawn for it; never NaN or infinite.
    pub fn number(&self) -> f64 {
        self.double().clamp(-DRAWN_MAX, DRAWN_MAX)
    }

    /// The double that is closest to it; an infinity beyond the largest.
    pub(crate) fn double(&self) -> f64 {
        self.0.parse().unwrap_or(0.0)
    }

    /// The exact decimal: `-12.5`; no exponent, no superfluous zeros.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` for NaN and infinities.
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self(canonical(&format!("{value}"))))
    }

    /// Whether it has no fraction.
    pub fn is_whole(&self) -> bool {
        !self.0.contains('.')
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// The exact sum; that of the doubles where 38 digits are not enough.
    pub fn sum<'a>(values: impl Iterator<Item = &'a Value> + Clone) -> Self {
        let scale = values.clone().map(|value| fraction(&value.0).len()).max().unwrap_or(0);
        let exact = values.clone().try_fold(0_i128, |sum, value| sum.checked_add(scaled(&value.0, scale)?));
        match exact {
            Some(sum) => Self(canonical(&unscaled(sum, scale))),
            None => {
                let sum: f64 = values.map(Self::number).sum();
                Self::from_f64(sum.clamp(-DRAWN_MAX, DRAWN_MAX)).unwrap_or_else(|| Self("0".to_owned()))
            }
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl FromStr for Value {
    type Err = String;

    /// Reads `-12.50` and `1e3`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("expected a number, found `{}`", text.chars().take(40).collect::<String>());
        if text.len() > CHARS_MAX {
            return Err(refused());
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if plain(whole) && plain(fraction) && !(whole.is_empty() && fraction.is_empty()) {
            return Ok(Self(canonical(text.strip_prefix('+').unwrap_or(text))));
        }
        let exponent = digits.bytes().all(|byte| byte.is_ascii_digit() || b"eE.+-".contains(&byte));
        let number = if exponent { text.parse::<f64>().ok() } else { None };
        number.and_then(Self::from_f64).ok_or_else(refused)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Without leading zeros, zeros at the end of a fraction, and the sign of nothing.
fn canonical(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    match (whole, fraction) {
        ("0", "") => "0".to_owned(),
        (_, "") => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

fn fraction(text: &str) -> &str {
    text.split_once('.').map_or("", |(_, fraction)| fraction)
}

fn scaled(text: &str, scale: usize) -> Option<i128> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    let zeros = scale - fraction(text).len();
    digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(u32::try_from(zeros).ok()?)?)
}

fn unscaled(sum: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", sum.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if sum < 0 { "-" } else { "" })
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Beyond 2^53 a reader in JavaScript would round a whole number.
        const SAFE: i64 = 1 << 53;
        if let Ok(whole) = self.0.parse::<i64>().map(|whole| (whole, (-SAFE..=SAFE).contains(&whole))) {
            return if whole.1 { serializer.serialize_i64(whole.0) } else { serializer.serialize_str(&self.0) };
        }
        match self.0.parse::<f64>() {
            Ok(number) if number.is_finite() && format!("{number}") == self.0 => serializer.serialize_f64(number),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a text that holds one")
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::from(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value(value.to_string()))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
                Value::from_f64(value).ok_or_else(|| E::custom("expected a finite number"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reader).map_err(D::Error::custom)
    }
}
