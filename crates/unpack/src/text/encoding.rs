//! The encodings and their names.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// How characters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8. Its bytes pass as they are.
    Utf8,
    /// UTF-8 behind a byte order mark, which is left out if it is there.
    Utf8Bom,
    /// UTF-16 whose byte order mark tells the order, and has to be there.
    Utf16,
    /// UTF-16, the lower byte first. A byte order mark is left out.
    Utf16Le,
    /// UTF-16, the higher byte first. A byte order mark is left out.
    Utf16Be,
    /// Windows-1252: Latin-1 with letters and quotes for 27 of its control characters. Five bytes mean nothing.
    Windows1252,
    /// ISO-8859-1: each byte is the character of that number.
    Latin1,
}

impl Encoding {
    /// As settings files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-bom",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
            Self::Latin1 => "latin-1",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names that people write, in letters of either size, with hyphens, underscores or neither.
impl FromStr for Encoding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let plain: String = text.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect();
        Ok(match plain.as_str() {
            "utf8" => Self::Utf8,
            // Python's name.
            "utf8bom" | "utf8sig" => Self::Utf8Bom,
            "utf16" => Self::Utf16,
            "utf16le" => Self::Utf16Le,
            "utf16be" => Self::Utf16Be,
            "windows1252" | "cp1252" => Self::Windows1252,
            "latin1" | "iso88591" => Self::Latin1,
            _ => {
                let hint = "known are utf-8, utf-16, utf-16le, utf-16be, windows-1252 and latin-1";
                return Err(Error::settings(format!("the encoding {text:?} is not known"), hint));
            }
        })
    }
}
