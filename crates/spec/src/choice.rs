//! A value together with who decided it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who decided a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The user wrote it; nothing overrides it.
    Set,
    /// It was read off the data.
    Detected,
    /// Neither: the documented default.
    Default,
}

/// A decided value. Prints as `` `;` (detected) ``.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice<T> {
    /// The value.
    pub value: T,
    /// Who decided it.
    pub origin: Origin,
}

impl<T> Choice<T> {
    /// A value that the user wrote.
    pub fn set(value: T) -> Self {
        Self { value, origin: Origin::Set }
    }

    /// A value that was read off the data.
    pub fn detected(value: T) -> Self {
        Self { value, origin: Origin::Detected }
    }

    /// The documented default.
    pub fn default_value(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Set => "set",
            Origin::Detected => "detected",
            Origin::Default => "default",
        })
    }
}

impl<T: fmt::Display> fmt::Display for Choice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.value, self.origin)
    }
}
