//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hold the object until somebody corrects it.
    FixData,
    /// Hold the object until somebody corrects the source file.
    FixSettings,
    /// Hold the object: it goes beyond one of the [`Limits`](crate::Limits). Either it is a bomb or the limit is too low.
    OverLimit,
    /// The bytes could not be read; the error is in [`Error::into_source`].
    Source,
    /// The sink did not take the bytes; its error is in [`Error::into_source`].
    Sink,
}

/// Why an object could not be unpacked at all. Whatever the sink was handed is void.
///
/// A file that is broken is no error: see [`End::Broken`](crate::End::Broken).
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: Some(hint.into()), source: None }
    }

    pub(crate) fn data(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::FixData, message, hint)
    }

    pub(crate) fn settings(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::FixSettings, message, hint)
    }

    pub(crate) fn limit(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::OverLimit, message, hint)
    }

    /// Reading failed at `offset`. An error of ours that came through a [`Read`](io::Read) comes out as it was.
    pub(crate) fn source(offset: u64, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => {
                let message = format!("reading at byte {offset}: {error}");
                Self { kind: Kind::Source, message, hint: None, source: Some(error.into()) }
            }
        }
    }

    /// The source says that it ends at `offset`, and should go on.
    pub(crate) fn ended_early(offset: u64, length: u64) -> Self {
        let error = format!("ended although its length is {length} bytes; it was changed while it was read");
        Self::source(offset, io::Error::new(io::ErrorKind::UnexpectedEof, error))
    }

    pub(crate) fn sink(error: io::Error) -> Self {
        Self { kind: Kind::Sink, message: error.to_string(), hint: None, source: Some(error.into()) }
    }

    /// What the caller should do.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the object is to be held until somebody acts.
    pub fn is_held(&self) -> bool {
        matches!(self.kind, Kind::FixData | Kind::FixSettings | Kind::OverLimit)
    }

    /// Place, expected, found.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The next step for a person.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The error of the source or sink, an [`io::Error`], to be looked into.
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
