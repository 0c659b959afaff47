//! What can go wrong, sorted by what the caller does next.

use std::error::Error as StdError;
use std::fmt;

/// What a caller does about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The store did not do it this time; the same call may succeed later.
    Retry,
    /// What is stored, or what is to be stored, does not fit; a person has to look at the data.
    FixData,
    /// The lake or the store is not set up as it has to be.
    FixSettings,
    /// The disk is full: stop loading, say so; nothing half done is visible.
    Full,
    /// A newer epoch speaks for the lake: forget all local state.
    Fenced,
    /// An invariant does not hold.
    Bug,
}

/// The error of this crate: a kind to act on, a message to read, a next step.
#[derive(Debug)]
pub struct Error {
    /// What to do about it.
    pub kind: Kind,
    /// Object, place, expected, found; lower case, no full stop.
    pub message: String,
    /// The next step, where there is one to name.
    pub hint: Option<String>,
    /// What lies below.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    pub(crate) fn fix_data(message: impl Into<String>) -> Self {
        Self::new(Kind::FixData, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// An error that an [`crate::Observer`] of a test gives, to stop there.
    pub fn stopped(point: &str) -> Self {
        Self::new(Kind::Retry, format!("stopped at `{point}`"))
    }

    /// An error of the store while it worked on `place`. A full disk is told apart, since retrying does not help there.
    pub(crate) fn store(place: impl fmt::Display, source: object_store::Error) -> Self {
        use object_store::Error as Store;
        use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let io = io_kind(&source);
        if matches!(io, Some(StorageFull | QuotaExceeded)) {
            return Self::new(Kind::Full, format!("`{place}`: the disk is full"))
                .hint("make room and run the same command again; what was loaded before is safe")
                .caused_by(source);
        }
        if matches!(io, Some(PermissionDenied | ReadOnlyFilesystem))
            || matches!(
                source,
                Store::PermissionDenied { .. } | Store::Unauthenticated { .. } | Store::NotImplemented { .. }
            )
        {
            return Self::new(Kind::FixSettings, format!("`{place}`: the store refuses: {source}"))
                .hint("the lake has to be readable and writable for the user that runs stillhouse")
                .caused_by(source);
        }
        Self::new(Kind::Retry, format!("`{place}`: the store gave an error: {source}")).caused_by(source)
    }

    /// An error while the file at `place`, which a log names, was read.
    pub(crate) fn parquet(place: impl fmt::Display, source: parquet::errors::ParquetError) -> Self {
        const HINT: &str = "a file of the lake is damaged or gone; restore the lake from a copy";
        if let parquet::errors::ParquetError::External(inner) = source {
            return match inner.downcast::<object_store::Error>().map(|inner| *inner) {
                Ok(gone @ object_store::Error::NotFound { .. }) => {
                    Self::fix_data(format!("`{place}`: expected a file that the log names, found none"))
                        .hint(HINT)
                        .caused_by(gone)
                }
                Ok(inner) => Self::store(place, inner),
                Err(inner) => Self::fix_data(format!("`{place}`: not readable as Parquet: {inner}")).hint(HINT),
            };
        }
        Self::fix_data(format!("`{place}`: not readable as Parquet: {source}")).hint(HINT).caused_by(source)
    }
}

/// What the operating system said, however deep it lies.
fn io_kind(error: &(dyn StdError + 'static)) -> Option<std::io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
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
