//! How often something happens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A share from 0 % to 100 %, exact to one in a million. As a text it is a percentage: `0.25%`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(u32);

/// Parts of the whole.
const WHOLE: u32 = 1_000_000;
/// Parts of one percent.
const PERCENT: u32 = WHOLE / 100;

impl Rate {
    /// Never.
    pub const ZERO: Rate = Rate(0);
    /// Always.
    pub const WHOLE: Rate = Rate(WHOLE);

    /// A rate of so many in a million.
    ///
    /// # Errors
    /// More than a million.
    pub fn of_million(parts: u32) -> Result<Self, Error> {
        if parts <= WHOLE { Ok(Self(parts)) } else { Err(not_a_rate(&format!("{parts} in a million"))) }
    }

    /// How many in a million.
    pub fn in_million(self) -> u32 {
        self.0
    }

    /// A rate of so many in ten thousand, for constants; a value above the whole does not compile.
    pub(crate) const fn of_ten_thousand(parts: u32) -> Self {
        assert!(parts <= 10_000);
        Self(parts * (WHOLE / 10_000))
    }

    /// Of the numbers below 2^32, how many mean yes.
    pub(crate) fn threshold(self) -> u64 {
        (u64::from(self.0) << 32) / u64::from(WHOLE)
    }
}

impl FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || not_a_rate(&format!("`{text}`"));
        let number = text.strip_suffix('%').ok_or_else(error)?.trim();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str, most: usize| {
            let fits = !part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit());
            if fits { part.parse::<u32>().ok() } else { None }
        };
        let whole = digits(whole, 3).ok_or_else(error)?;
        // Four decimals of a percent are millionths.
        let fraction = digits(fraction, 4).and_then(|_| digits(&format!("{fraction:0<4}"), 4)).ok_or_else(error)?;
        let parts = whole * PERCENT + fraction;
        if parts <= WHOLE { Ok(Self(parts)) } else { Err(error()) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / PERCENT, self.0 % PERCENT);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:04}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

impl TryFrom<String> for Rate {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.to_string()
    }
}

fn not_a_rate(found: &str) -> Error {
    Error::settings(
        format!("expected a rate from 0% to 100%, found {found}"),
        "write a percentage with at most four decimals, such as 0.25%",
    )
}
