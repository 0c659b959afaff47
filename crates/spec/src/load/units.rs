//! Sizes, lengths of time and shares, as project files write them.

use std::str::FromStr;

use crate::contract::MaxRejected;

/// A size: `64MB`, `512 kB`, `1.5 GB`, `100` (bytes). The units are steps of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) u64);

/// A length of time in milliseconds: `500 ms`, `2s`, `5 min`, `1 h`, `1 day`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Millis(pub(super) u64);

/// A number of whole days: `1 day`, `2 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days(pub(super) u32);

pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const BYTE_UNITS: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1 << 10),
    ("kib", 1 << 10),
    ("mb", 1 << 20),
    ("mib", 1 << 20),
    ("gb", 1 << 30),
    ("gib", 1 << 30),
    ("tb", 1 << 40),
    ("tib", 1 << 40),
];

const TIME_UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("second", 1000),
    ("seconds", 1000),
    ("min", 60 * 1000),
    ("minute", 60 * 1000),
    ("minutes", 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("hour", 60 * 60 * 1000),
    ("hours", 60 * 60 * 1000),
    ("d", DAY_MS),
    ("day", DAY_MS),
    ("days", DAY_MS),
];

/// A decimal number as digits and their scale, so that `1.5 GB` is exact: (15, 1).
fn decimal(text: &str) -> Option<(u64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let dotted = text.contains('.');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || (dotted && !digits(fraction)) || fraction.len() > 9 {
        return None;
    }
    let scale = u32::try_from(fraction.len()).ok()?;
    Some((format!("{whole}{fraction}").parse().ok()?, scale))
}

/// `number unit`, in the smallest unit, when that is a whole number.
fn quantity(text: &str, units: &[(&str, u64)], plain: Option<u64>) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, scale) = decimal(&text[..end])?;
    let unit = text[end..].trim().to_ascii_lowercase();
    let factor = if unit.is_empty() { plain? } else { units.iter().find(|(name, _)| *name == unit)?.1 };
    let scaled = u128::from(number) * u128::from(factor);
    let divisor = 10u128.pow(scale);
    (scaled % divisor == 0).then(|| u64::try_from(scaled / divisor).ok())?
}

impl FromStr for Bytes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is not a size; write 64MB, 512 kB or 1.5 GB (steps of 1024)");
        quantity(text, BYTE_UNITS, Some(1)).map(Self).ok_or_else(error)
    }
}

impl FromStr for Millis {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is not a length of time; write 500 ms, 2s, 5 min, 1 h or 1 day");
        quantity(text, TIME_UNITS, None).map(Self).ok_or_else(error)
    }
}

impl FromStr for Days {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is not a number of whole days; write 1 day or 2 days");
        let millis = quantity(text, TIME_UNITS, None).filter(|millis| millis % DAY_MS == 0).ok_or_else(error)?;
        u32::try_from(millis / DAY_MS).map(Self).map_err(|_| error())
    }
}

impl FromStr for MaxRejected {
    type Err = String;
    /// `1%`, `0.5 %`, or a number of records: `10`.
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is neither a share such as 1% or 0.25% nor a number of records");
        let Some(share) = text.trim().strip_suffix('%') else {
            return text.trim().parse().map(MaxRejected::Count).map_err(|_| error());
        };
        let hundredths = quantity(share, &[], Some(100)).filter(|share| *share <= 10_000).ok_or_else(error)?;
        u32::try_from(hundredths).map(MaxRejected::Share).map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Option<u64> {
        text.parse().ok().map(|Bytes(bytes)| bytes)
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("64MB"), Some(64 << 20));
        assert_eq!(bytes(" 64 MiB "), Some(64 << 20));
        assert_eq!(bytes("1.5 gb"), Some(3 << 29));
        assert_eq!(bytes("100"), Some(100));
        assert_eq!(bytes("16777215 TB"), Some(16_777_215 << 40));
        for bad in ["", "MB", "-1", "1.2", "0.3 b", "1,5 GB", "1 XB", "1.", ".5 GB", "16777216 TB", "1e9"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn lengths_of_time() {
        let millis = |text: &str| text.parse().ok().map(|Millis(millis)| millis);
        assert_eq!(millis("2s"), Some(2000));
        assert_eq!(millis("0.5 s"), Some(500));
        assert_eq!(millis("5 min"), Some(300_000));
        assert_eq!(millis("1 day"), Some(DAY_MS));
        assert_eq!(millis("2"), None);
        let days = |text: &str| text.parse().ok().map(|Days(days)| days);
        assert_eq!(days("2 days"), Some(2));
        assert_eq!(days("0 d"), Some(0));
        assert_eq!(days("12 h"), None);
        assert_eq!(days("48 h"), Some(2));
    }

    #[test]
    fn shares() {
        let share = |text: &str| text.parse::<MaxRejected>().ok();
        assert_eq!(share("1%"), Some(MaxRejected::Share(100)));
        assert_eq!(share("0.25 %"), Some(MaxRejected::Share(25)));
        assert_eq!(share("100%"), Some(MaxRejected::Share(10_000)));
        assert_eq!(share("12"), Some(MaxRejected::Count(12)));
        for bad in ["", "%", "101%", "-1", "0.001%", "1.5"] {
            assert_eq!(share(bad), None, "{bad}");
        }
    }
}
