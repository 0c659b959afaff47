//! The one error of this crate.

use std::fmt;

use stillhouse_decode::Kind as DecodeKind;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The file is not one that can be loaded as it is.
    FixData,
    /// What was asked for is wrong: these files do not belong together, or the name is none.
    FixSettings,
    /// The file could not be read.
    Source,
}

/// Why there is no proposal.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Error {
    pub(crate) fn data(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind: Kind::FixData, message: format!("`{file}`: {message}"), hint: Some(hint.into()) }
    }

    pub(crate) fn settings(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::FixSettings, message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn source(file: &str, error: &dyn fmt::Display) -> Self {
        Self { kind: Kind::Source, message: format!("`{file}`: {error}"), hint: None }
    }

    /// What decode says about a file.
    pub(crate) fn decode(file: &str, error: &stillhouse_decode::Error) -> Self {
        let kind = match error.kind() {
            DecodeKind::FixData => Kind::FixData,
            DecodeKind::FixSettings | DecodeKind::MoreColumns => Kind::FixSettings,
            DecodeKind::Source | DecodeKind::Sink => Kind::Source,
        };
        Self { kind, message: format!("`{file}`: {error}"), hint: error.hint().map(str::to_owned) }
    }

    /// What the caller should do.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The next step for a person.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
