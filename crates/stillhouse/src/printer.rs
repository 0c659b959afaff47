//! Standard output is data, standard error is talk.

use std::io::Write;

use stillhouse_report::render::wrapped;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::surroundings;

/// Where text goes.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    json: bool,
    quiet: bool,
}

impl Printer {
    /// As the command line says.
    pub fn new(cli: &Cli) -> Self {
        Self { json: cli.json, quiet: cli.quiet }
    }

    /// Whether one JSON value is wanted instead of text.
    pub fn json(self) -> bool {
        self.json
    }

    /// Whether progress and remarks are wanted.
    pub fn talks(self) -> bool {
        !self.quiet
    }

    /// A result. A closed pipe (`| head`) ends the program quietly.
    pub fn out(self, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        let text = text.as_ref();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| if text.ends_with('\n') || text.is_empty() { Ok(()) } else { stdout.write_all(b"\n") });
        match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(error) => Err(Failure::failed("standard output cannot be written").because(&error)),
            Ok(()) => Ok(()),
        }
    }

    /// A result in words: on a terminal, its lines are broken between words.
    pub fn tell(self, text: impl AsRef<str>) -> Result<(), Failure> {
        match surroundings::line_width() {
            Some(width) => self.out(wrapped(text.as_ref(), width)),
            None => self.out(text),
        }
    }

    /// A JSON value.
    pub fn value(self, value: &serde_json::Value) -> Result<(), Failure> {
        self.out(format!("{value:#}"))
    }

    /// A remark for a person; nothing depends on its being read.
    pub fn say(self, text: impl AsRef<str>) {
        if self.talks() {
            complain(text);
        }
    }
}

/// Something that must be seen, whatever was asked.
pub fn complain(text: impl AsRef<str>) {
    let text = text.as_ref();
    let text = surroundings::message_width().map_or_else(|| text.to_owned(), |width| wrapped(text, width));
    // Nobody listens on standard error: nothing to do about it.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
