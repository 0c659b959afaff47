//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;

use stillhouse_spec::NewField;

use crate::api::SinkError;
use crate::source::SourceError;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hold the object until somebody corrects it.
    FixData,
    /// Hold the object until somebody corrects the source file or the path.
    FixSettings,
    /// The object has columns that the contract wants added: extend it by [`Error::columns`] and start again.
    MoreColumns,
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
    columns: Vec<NewField>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn data(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(Kind::FixData, message) }
    }

    pub(crate) fn settings(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(Kind::FixSettings, message) }
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, columns: Vec::new(), source: None }
    }

    /// The fields that the contract does not know.
    pub(crate) fn more_columns(columns: Vec<NewField>) -> Self {
        Self { columns, ..Self::new(Kind::MoreColumns, "the object has columns that the contract does not know") }
    }

    pub(crate) fn source(offset: u64, source: SourceError) -> Self {
        let message = format!("reading at byte {offset}: {source}");
        Self { source: Some(source), ..Self::new(Kind::Source, message) }
    }

    /// The source says that it ends at `offset`, and should go on up to `length`.
    pub(crate) fn ended_early(offset: u64, length: u64) -> Self {
        let error = format!("ended although its length is {length} bytes; it was changed while it was read");
        Self::source(offset, error.into())
    }

    pub(crate) fn sink(source: SinkError) -> Self {
        let message = source.to_string();
        Self { source: Some(source), ..Self::new(Kind::Sink, message) }
    }

    /// The same of a part of the object.
    pub(crate) fn in_part(self, name: &str) -> Self {
        if name.is_empty() { self } else { Self { message: format!("part `{name}`: {}", self.message), ..self } }
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

    /// The fields that are to be added to the contract.
    pub fn columns(&self) -> &[NewField] {
        &self.columns
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
