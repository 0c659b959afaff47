//! The one error of this crate.

use std::fmt;

use stillhouse_decode::Kind as DecodeKind;

use crate::api::Unopened;

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
    /// Another encoding may be the way out.
    not_utf8: bool,
}

impl Error {
    pub(crate) fn data(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::FixData, format!("`{file}`: {}", message.into()), Some(hint.into()))
    }

    fn new(kind: Kind, message: String, hint: Option<String>) -> Self {
        Self { kind, message, hint, not_utf8: false }
    }

    /// The text of a file is not UTF-8.
    pub(crate) fn not_utf8(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { not_utf8: true, ..Self::data(file, message, hint) }
    }

    pub(crate) fn with_hint(self, hint: String) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// The message without the file that it begins with.
    pub(crate) fn reason(&self, file: &str) -> String {
        self.message.strip_prefix(&format!("`{file}`: ")).unwrap_or(&self.message).to_owned()
    }

    /// Whether another encoding may be the way out.
    pub(crate) fn is_not_utf8(&self) -> bool {
        self.not_utf8
    }

    /// The file cannot be opened.
    pub(crate) fn unopened(file: &str, why: Unopened) -> Self {
        let kind = if why.hint.is_some() { Kind::FixData } else { Kind::Source };
        Self::new(kind, format!("`{file}`: {}", why.message), why.hint)
    }

    pub(crate) fn settings(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::FixSettings, message.into(), Some(hint.into()))
    }

    pub(crate) fn source(file: &str, error: &dyn fmt::Display) -> Self {
        Self::new(Kind::Source, format!("`{file}`: {error}"), None)
    }

    /// What decode says about a file.
    pub(crate) fn decode(file: &str, error: &stillhouse_decode::Error) -> Self {
        let kind = match error.kind() {
            DecodeKind::FixData => Kind::FixData,
            DecodeKind::FixSettings | DecodeKind::MoreColumns => Kind::FixSettings,
            DecodeKind::Source | DecodeKind::Sink => Kind::Source,
        };
        Self::new(kind, format!("`{file}`: {error}"), error.hint().map(str::to_owned))
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
