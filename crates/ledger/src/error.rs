//! The crate's error.

use std::fmt;

use sqlx::error::DatabaseError;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The same call may work later: the database is busy or cannot be reached. A write that answers this may have
    /// taken effect; every write can be made again with the same token or batch id.
    Retry,
    /// What was passed in cannot be kept (a key with a NUL in it, a number out of range).
    FixData,
    /// A setting or the surroundings (disk, permissions, version, a ledger that is not open) need a person.
    FixSettings,
    /// Another ledger or publisher has taken over; forget all local state.
    Fenced,
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
    /// The database says that the transaction was undone and may simply run again.
    undone: bool,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None, undone: false }
    }

    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    pub(crate) fn fenced(message: impl Into<String>) -> Self {
        Self::new(Kind::Fenced, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts the place in front, while the error passes outwards.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    pub(crate) fn undone(&self) -> bool {
        self.undone
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

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let sorted = match &error {
            sqlx::Error::Database(database) => sort(database.as_ref()),
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => {
                Sorted::of(Kind::Retry, "the database cannot be reached", None)
            }
            sqlx::Error::Configuration(_) | sqlx::Error::Tls(_) => Sorted::of(
                Kind::FixSettings,
                "the database cannot be opened with these settings",
                Some("see the address of the ledger in `stillhouse.toml`"),
            ),
            _ => Sorted::of(Kind::Bug, "the database gave an answer that was not expected", None),
        };
        let mut ours = Error::new(sorted.kind, format!("{}: {error}", sorted.message)).with_source(error);
        ours.hint = sorted.hint.map(str::to_owned);
        ours.undone = sorted.undone;
        ours
    }
}

struct Sorted {
    kind: Kind,
    message: &'static str,
    hint: Option<&'static str>,
    undone: bool,
}

impl Sorted {
    fn of(kind: Kind, message: &'static str, hint: Option<&'static str>) -> Self {
        Self { kind, message, hint, undone: false }
    }
}

/// Sorts an answer of the database by its code: SQLSTATE (PostgreSQL, five characters) or SQLite's extended result code,
/// whose lowest byte is the primary one.
fn sort(error: &dyn DatabaseError) -> Sorted {
    let code = error.code().unwrap_or_default();
    match (code.len(), code.parse::<u32>().map(|code| code & 0xff)) {
        (1..=4, Ok(primary)) => sort_sqlite(primary),
        _ => sort_postgres(&code),
    }
}

fn sort_sqlite(primary: u32) -> Sorted {
    match primary {
        5 | 6 => Sorted::of(
            Kind::Retry,
            "the ledger is locked by another process",
            Some("see whether another `stillhouse` hangs on this project, then run the same command again"),
        ),
        8 | 3 | 14 => Sorted::of(
            Kind::FixSettings,
            "the ledger file cannot be opened for writing",
            Some("see its owner and rights"),
        ),
        10 => Sorted::of(Kind::FixSettings, "the disk of the ledger answers with an error", Some("look at the disk")),
        11 | 26 => Sorted::of(
            Kind::FixSettings,
            "the ledger file is damaged",
            Some("move it away and run `stillhouse ledger rebuild`: the lake has everything that was loaded"),
        ),
        13 => Sorted::of(Kind::FixSettings, "the disk of the ledger is full", Some("make room, then run it again")),
        _ => Sorted::of(Kind::Bug, "the ledger's database refused a statement", None),
    }
}

fn sort_postgres(state: &str) -> Sorted {
    match state {
        "40001" | "40P01" => {
            Sorted { undone: true, ..Sorted::of(Kind::Retry, "the ledger's database undid a transaction", None) }
        }
        "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "53300" | "25P03" => {
            Sorted::of(Kind::Retry, "the ledger's database is busy or restarting", None)
        }
        "53100" => Sorted::of(Kind::FixSettings, "the disk of the ledger's database is full", Some("make room there")),
        _ if state.starts_with("28") || state == "42501" || state == "3D000" => Sorted::of(
            Kind::FixSettings,
            "the ledger's database refuses access",
            Some("see user, password and rights in the address of the ledger"),
        ),
        _ if state.starts_with("08") => Sorted::of(Kind::Retry, "the connection to the ledger's database broke", None),
        _ => Sorted::of(Kind::Bug, "the ledger's database refused a statement", None),
    }
}
