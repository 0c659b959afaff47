//! The one error of this crate.

use std::fmt;

use stillhouse_spec::Query;

/// What the caller should do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something around us failed (a store, a disk); the same run may work later.
    Retry,
    /// The report, a parameter or the data has to change.
    FixData,
    /// A setting has to change, or the report has to ask for less.
    FixSettings,
    /// A mistake of ours.
    Bug,
}

/// Why a report was not planned, run or rendered.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn from_query(error: stillhouse_query::Error) -> Self {
        let kind = match error.kind() {
            stillhouse_query::Kind::Retry => Kind::Retry,
            stillhouse_query::Kind::FixData => Kind::FixData,
            stillhouse_query::Kind::FixSettings => Kind::FixSettings,
            stillhouse_query::Kind::Bug => Kind::Bug,
        };
        let hint = error.hint().map(str::to_owned);
        Self { kind, message: error.to_string(), hint, source: Some(Box::new(error)) }
    }

    /// Adds the query's part of the place.
    pub(crate) fn of(mut self, query: &Query) -> Self {
        self.message = format!("query `{}` ({}): {}", query.name, query.file, self.message);
        self
    }

    /// What to do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The next step, for people.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
