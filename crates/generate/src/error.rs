//! The one error of this crate.

use std::fmt;
use std::io;
use std::path::Path;

/// What the caller should do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The disk failed or is full; the same call may work later.
    Retry,
    /// The plan or the folder has to be another one.
    FixSettings,
    /// Nothing: the caller wanted it to stop.
    Stopped,
}

/// Why nothing was generated.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<io::Error>,
}

impl Error {
    /// A plan or a folder that does not do.
    pub(crate) fn settings(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::FixSettings, message: message.into(), hint: Some(hint.into()), source: None }
    }

    /// What could not be done (`write`) with the file or folder at `path`.
    pub(crate) fn disk(action: &str, path: &Path, error: io::Error) -> Self {
        use io::ErrorKind::{IsADirectory, NotADirectory, PermissionDenied, ReadOnlyFilesystem};
        let kind = match error.kind() {
            PermissionDenied | NotADirectory | IsADirectory | ReadOnlyFilesystem => Kind::FixSettings,
            _ => Kind::Retry,
        };
        let message = format!("cannot {action} {}: {error}", path.display());
        Self { kind, message, hint: None, source: Some(error) }
    }

    /// The caller did not want any more.
    pub(crate) fn stopped() -> Self {
        Self { kind: Kind::Stopped, message: "stopped; nothing was written".to_owned(), hint: None, source: None }
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
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
