//! One project file: its text, where things stand in it, and whether this version can read it.

use toml::de::{DeTable, DeValue};

use super::reader::Reader;
use super::{Context, PROJECT_FORMAT, Read, Reported};
use crate::problem::Problem;

/// The keys of one section of a kind of file.
pub(super) struct Section {
    /// As a person writes it: `[csv]`; empty at the top of the file.
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static str],
}

/// A project file that is being read.
pub(super) struct File<'c> {
    pub(super) context: &'c Context<'c>,
    pub(super) path: &'c str,
    pub(super) text: &'c str,
    /// All sections of files of this kind; the first is the top of the file.
    pub(super) sections: &'static [Section],
}

impl<'c> File<'c> {
    /// The file at `path`, which must exist.
    pub(super) fn new(context: &'c Context<'c>, path: &'c str, sections: &'static [Section]) -> Read<Self> {
        let text = context.files.files.get(path);
        let text = text.map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
        let file = Self { context, path, text: text.map_or("", |text| text), sections };
        if text.is_none() {
            return Err(file.problem(0, "the file is missing"));
        }
        Ok(file)
    }

    /// Reads the file with `read`, provided that it is TOML and of a form that this version knows.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Reader<'_, '_>) -> Read<T>) -> Read<T> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        let mut reported = Ok(());
        let mut line_before = 0;
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let (line, _) = self.position(at);
            // What follows on the same line is mostly a consequence.
            if line != line_before {
                reported = Err(self.problem(at, format!("this is not TOML: {}", error.message())));
            }
            line_before = line;
        }
        reported?;
        let table = document.get_ref();
        self.check_format(table)?;
        let top = Reader::new(self, table, String::new(), 0, self.sections[0].keys);
        read(&top)
    }

    /// Refuses files that a newer version wrote before anything else of them is looked at.
    fn check_format(&self, table: &DeTable<'_>) -> Read<()> {
        let known = format!("`format = {PROJECT_FORMAT}`");
        let Some(value) = table.get("format") else {
            // Carry on: the rest of the file is worth reading all the same.
            self.problem_with(0, "`format` is missing", format!("write {known} in the first line"));
            return Ok(());
        };
        let at = value.span().start;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        };
        match number {
            Some(PROJECT_FORMAT) => Ok(()),
            Some(newer) if newer > PROJECT_FORMAT => Err(self.problem_with(
                at,
                format!("made by a newer Stillhouse: format {newer}, this one reads format {PROJECT_FORMAT}"),
                "use a newer stillhouse for this project".to_owned(),
            )),
            _ => Err(self.problem_with(at, format!("`format`: expected {PROJECT_FORMAT}"), format!("write {known}"))),
        }
    }

    pub(super) fn problem(&self, at: usize, message: impl Into<String>) -> Reported {
        self.note(at, &message.into(), None)
    }

    pub(super) fn problem_with(&self, at: usize, message: impl Into<String>, hint: impl Into<String>) -> Reported {
        self.note(at, &message.into(), Some(&hint.into()))
    }

    fn note(&self, at: usize, message: &str, hint: Option<&str>) -> Reported {
        let (line, column) = self.position(at);
        let (message, hint) = (one_line(message), hint.map(one_line));
        self.context.note(Problem { file: self.path.to_owned(), line, column, message, hint })
    }

    /// Line and character of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(at);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// A message longer than this quotes something that is not worth it.
const MESSAGE_CHARS_MAX: usize = 500;

/// A text that cannot make a terminal do things, whatever of the user's it quotes.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MESSAGE_CHARS_MAX));
    for char in text.chars().take(MESSAGE_CHARS_MAX) {
        if char.is_control() { line.extend(char.escape_default()) } else { line.push(char) }
    }
    if text.chars().nth(MESSAGE_CHARS_MAX).is_some() {
        line.push('…');
    }
    line
}
