//! The line editor: history, completion, statements of many lines.

use std::path::{Path, PathBuf};

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::statements::is_whole;
use super::words::Words;
use crate::failure::Failure;

/// Statements that the history keeps.
const HISTORY_MAX: usize = 1_000;
const PROMPT: &str = "stillhouse> ";

/// What a person did.
pub enum Typed {
    /// A command or statements.
    Text(String),
    /// Ctrl-C: nothing.
    GivenUp,
    /// Ctrl-D: leave.
    End,
}

/// A line editor with a history.
pub struct LineEditor {
    inner: Editor<Help, DefaultHistory>,
    history: PathBuf,
}

impl LineEditor {
    /// With the history of that file, as far as there is one.
    pub fn new(words: Words, history: &Path) -> Result<Self, Failure> {
        let unusable = |error: ReadlineError| Failure::failed("the terminal cannot be used").because(&error);
        let config = Config::builder().completion_type(CompletionType::List).bell_style(BellStyle::None);
        let config = config.history_ignore_space(true).history_ignore_dups(true).map_err(unusable)?;
        let config = config.max_history_size(HISTORY_MAX).map_err(unusable)?.build();
        let mut inner = Editor::with_config(config).map_err(unusable)?;
        inner.set_helper(Some(Help { words, files: FilenameCompleter::new() }));
        // Without a history the prompt is as good for today's questions.
        let _ = inner.load_history(history);
        Ok(Self { inner, history: history.to_owned() })
    }

    /// What completion knows from now on.
    pub fn set_words(&mut self, words: Words) {
        if let Some(help) = self.inner.helper_mut() {
            help.words = words;
        }
    }

    /// Waits for a command or for statements that are whole.
    pub fn read(&mut self) -> Result<Typed, Failure> {
        match self.inner.readline(PROMPT) {
            Ok(text) => {
                self.remember(&text);
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(ReadlineError::Interrupted) => Ok(Typed::GivenUp),
            Err(error) => Err(Failure::failed("the terminal cannot be read").because(&error)),
        }
    }

    fn remember(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || !self.inner.add_history_entry(text).unwrap_or(false) {
            return;
        }
        if let Some(folder) = self.history.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        if let Err(error) = self.inner.append_history(&self.history) {
            tracing::warn!(%error, "the history cannot be kept");
        }
    }
}

/// What the editor asks while somebody types.
struct Help {
    words: Words,
    files: FilenameCompleter,
}

impl Helper for Help {}

impl Highlighter for Help {}

impl Hinter for Help {
    type Hint = String;
}

impl Completer for Help {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if line.starts_with(".csv ") {
            return self.files.complete(line, pos, context);
        }
        let (start, words) = self.words.complete(&line[..pos]);
        Ok((start, words.into_iter().map(|word| Pair { display: word.clone(), replacement: word }).collect()))
    }
}

impl Validator for Help {
    /// Enter ends the input when it is a command, or when every statement has its `;`; else it begins a new line.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let whole = text.starts_with(['.', '\\']) || is_leave(text) || is_whole(text);
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// Words that people type who want to leave.
pub fn is_leave(text: &str) -> bool {
    matches!(text.trim().trim_end_matches(';').trim_end(), ".quit" | ".exit" | "quit" | "exit")
}
