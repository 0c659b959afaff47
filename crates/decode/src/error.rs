//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;

use crate::api::SinkError;
use crate::source::SourceError;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hold the object until somebody corrects it.
    FixData,
    /// Hold the object until somebody corrects the source file or the path.
    FixSettings,
    /// The [`ByteSource`](crate::ByteSource) failed; its error is in [`Error::into_source`].
    Source,
    /// The [`Sink`](crate::Sink) failed; its error is in [`Error::into_source`].
    Sink,
}

/// Why an object could not be decoded. Whatever the sink was handed is void.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn data(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::FixData, message: message.into(), hint: Some(hint.into()), source: None }
    }

    pub(crate) fn settings(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::FixSettings, message: message.into(), hint: Some(hint.into()), source: None }
    }

    pub(crate) fn source(offset: u64, source: SourceError) -> Self {
        let message = format!("reading at byte {offset}: {source}");
        Self { kind: Kind::Source, message, hint: None, source: Some(source) }
    }

    /// The source says that it ends at `offset`, and should go on up to `length`.
    pub(crate) fn ended_early(offset: u64, length: u64) -> Self {
        let error = format!("ended although its length is {length} bytes; it was changed while it was read");
        Self::source(offset, error.into())
    }

    pub(crate) fn sink(source: SinkError) -> Self {
        Self { kind: Kind::Sink, message: source.to_string(), hint: None, source: Some(source) }
    }

    /// What the caller should do.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the object is to be held until somebody acts.
    pub fn is_held(&self) -> bool {
        matches!(self.kind, Kind::FixData | Kind::FixSettings)
    }

    /// Place, expected, found.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The next step for a person.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The error of the source or sink, to be looked into.
    pub fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.source
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
