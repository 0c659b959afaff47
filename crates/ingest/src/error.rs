//! The crate's error.

use std::fmt;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The same call may work later.
    Retry,
    /// An object or its contract needs a person.
    FixData,
    /// A setting or the surroundings (disk, permissions) need a person.
    FixSettings,
    /// Another ledger or publisher has taken over; forget all local state.
    Fenced,
    /// The user asked to stop.
    Cancelled,
    /// An invariant does not hold.
    Bug,
}

/// What went wrong, and what to do next.
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

    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "stopped; what was not finished is taken up by the next run")
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<stillhouse_ledger::Error> for Error {
    fn from(error: stillhouse_ledger::Error) -> Self {
        use stillhouse_ledger::Kind as Ledger;
        let kind = match error.kind() {
            Ledger::Retry => Kind::Retry,
            Ledger::FixData => Kind::FixData,
            Ledger::FixSettings => Kind::FixSettings,
            Ledger::Fenced => Kind::Fenced,
            Ledger::Bug => Kind::Bug,
        };
        let hint = error.hint().map(str::to_owned);
        Self { kind, message: error.to_string(), hint, source: Some(Box::new(error)) }
    }
}

impl From<stillhouse_lake::Error> for Error {
    fn from(error: stillhouse_lake::Error) -> Self {
        use stillhouse_lake::Kind as Lake;
        let kind = match error.kind {
            Lake::Retry => Kind::Retry,
            Lake::FixData => Kind::FixData,
            Lake::FixSettings | Lake::Full => Kind::FixSettings,
            Lake::Fenced => Kind::Fenced,
            Lake::Bug => Kind::Bug,
        };
        Self { kind, message: error.to_string(), hint: error.hint.clone(), source: Some(Box::new(error)) }
    }
}
