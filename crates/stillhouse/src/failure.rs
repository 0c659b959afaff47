//! Failures as a person sees them: what happened, why, and what to do next.

use std::process::ExitCode;

use crate::surroundings;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for is done.
    Done,
    /// Something failed.
    Failed,
    /// The command line or the project is wrong.
    Usage,
    /// Done, but something is held, or failed to load.
    Held,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Held => 3,
        })
    }
}

/// A failure with its causes and the next step.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What happened.
    pub message: String,
    /// The place in a query, drawn.
    pub place: Option<String>,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure that the user can mend on the command line or in the project.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), place: None, causes: Vec::new(), hint: None }
    }

    /// Any other failure.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, ..Self::usage(message) }
    }

    /// With the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the error behind it.
    pub fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        self.causes = causes(Some(error), &self.message);
        self
    }
}

/// The chain of causes, without those whose text the one before already holds.
fn causes(mut error: Option<&(dyn std::error::Error + 'static)>, message: &str) -> Vec<String> {
    let mut former = message.to_owned();
    let mut texts = Vec::new();
    while let Some(cause) = error {
        let text = cause.to_string();
        if !former.contains(&text) {
            texts.push(text.clone());
            former = text;
        }
        error = cause.source();
    }
    texts
}

/// Room on a full disk is the one cause that every layer words differently; all of them get the same advice.
const DISK_FULL: &str = "the disk is full; nothing half-loaded is visible. Make room, then run the same command again";

impl Failure {
    /// The error of one of our crates: its message, what lies below, and its next step.
    fn of(exit: Exit, error: &(dyn std::error::Error + 'static), hint: Option<String>) -> Self {
        let message = error.to_string();
        let causes = causes(error.source(), &message);
        let full = causes.iter().chain([&message]).any(|text| is_disk_full(text));
        if full {
            return Self { causes, hint: Some(DISK_FULL.to_owned()), ..Self::failed(message) };
        }
        Self { exit, causes, hint, ..Self::failed(message) }
    }
}

macro_rules! from_crate {
    ($($error:ty, $kind:path);* $(;)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                use $kind as Kind;
                let exit = if error.kind() == Kind::FixSettings { Exit::Usage } else { Exit::Failed };
                let hint = error.hint().map(str::to_owned);
                Self::of(exit, &error, hint)
            }
        }
    )*};
}

from_crate!(
    stillhouse_generate::Error, stillhouse_generate::Kind;
    stillhouse_ingest::Error, stillhouse_ingest::Kind;
    stillhouse_ledger::Error, stillhouse_ledger::Kind;
    stillhouse_publish::Error, stillhouse_publish::Kind;
    stillhouse_query::Error, stillhouse_query::Kind;
    stillhouse_report::Error, stillhouse_report::Kind;
    stillhouse_sniff::Error, stillhouse_sniff::Kind;
);

impl From<stillhouse_lake::Error> for Failure {
    fn from(error: stillhouse_lake::Error) -> Self {
        let hint = error.hint.clone();
        Self::of(Exit::Failed, &error, hint)
    }
}

/// The operating system's and SQLite's words for a full disk.
fn is_disk_full(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("no space left on device")
        || text.contains("database or disk is full")
        || text.contains("quota exceeded")
}

/// `error: …`, its place, its causes and its hint, as the lines for standard error.
pub fn lines(failure: &Failure) -> String {
    let mut text = format!("{} {}", painted("error:", "1;31"), failure.message);
    if let Some(place) = &failure.place {
        text.push_str(&format!("\n{place}"));
    }
    for cause in &failure.causes {
        text.push_str(&format!("\n  because: {cause}"));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n\n{} {hint}", painted("hint:", "32")));
    }
    text
}

/// The colours are those that wrong usage has.
fn painted(word: &str, code: &str) -> String {
    if surroundings::colour_messages() { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
}
