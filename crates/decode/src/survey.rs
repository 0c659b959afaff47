//! Phase 4 of detection, and its proof: which of its formats a column is written in.
//!
//! The sample gives the first guess. Then every format reads every record; the one with the fewest failures over all of
//! them is right. If that is not the one in use, the object starts again with it; if two fail equally often but read
//! some text differently, nobody but the user can know.

use stillhouse_spec::Column as ColumnSpec;

use crate::error::Error;
use crate::values::moment::{MomentKind, MomentReader, Unread};

/// What is known about one format.
#[derive(Debug, Clone, Default)]
struct Candidate {
    failures: u64,
    /// A 29 February was seen where the year is to be assumed.
    leap_day: bool,
    /// The first text that it reads otherwise than the chosen format does.
    conflict: Option<Conflict>,
}

#[derive(Debug, Clone)]
struct Conflict {
    /// The part that it was seen in, if the object has several.
    part: String,
    line: u64,
    text: String,
    chosen: i64,
    other: i64,
}

/// Counts how well each format of a column reads.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    candidates: Vec<Candidate>,
}

/// A text in a message is cut to this many characters.
const SHOWN_CHARS: usize = 100;

impl Survey {
    /// `None` if there is nothing to choose.
    pub(crate) fn new(reader: &MomentReader) -> Option<Self> {
        let count = reader.formats().len();
        (count > 1).then(|| Self { candidates: vec![Candidate::default(); count] })
    }

    /// Reads `text` in every format, and gives what the chosen one made of it.
    pub(crate) fn observe(&mut self, reader: &MomentReader, text: &str, line: u64) -> Result<i64, Unread> {
        let chosen = reader.read(text);
        for (format, candidate) in self.candidates.iter_mut().enumerate() {
            let reading = if format == reader.chosen() { chosen } else { reader.read_as(text, format) };
            match (reading, chosen) {
                (Err(Unread::No), _) => candidate.failures += 1,
                (Err(Unread::LeapDay), _) => candidate.leap_day = true,
                (Ok(other), Ok(chosen)) if other != chosen && candidate.conflict.is_none() => {
                    let text = text.chars().take(SHOWN_CHARS).collect();
                    candidate.conflict = Some(Conflict { part: String::new(), line, text, chosen, other });
                }
                (Ok(_), _) => {}
            }
        }
        chosen
    }

    /// What was seen over a part of the object, which messages name.
    pub(crate) fn in_part(&mut self, name: &str) {
        for conflict in self.candidates.iter_mut().filter_map(|candidate| candidate.conflict.as_mut()) {
            name.clone_into(&mut conflict.part);
        }
    }

    /// Adds what was seen over the texts behind.
    pub(crate) fn add(&mut self, behind: &Self) {
        for (candidate, behind) in self.candidates.iter_mut().zip(&behind.candidates) {
            candidate.failures += behind.failures;
            candidate.leap_day |= behind.leap_day;
            if candidate.conflict.is_none() {
                candidate.conflict.clone_from(&behind.conflict);
            }
        }
    }

    /// The format with the fewest failures; the chosen one if none is better, else the first of the best.
    pub(crate) fn best(&self, chosen: usize) -> usize {
        let fewest = self.candidates.iter().map(|candidate| candidate.failures).min().unwrap_or(0);
        if self.candidates.get(chosen).is_some_and(|candidate| candidate.failures == fewest) {
            return chosen;
        }
        self.candidates.iter().position(|candidate| candidate.failures == fewest).unwrap_or(chosen)
    }

    /// The chosen format does so badly that going on is a waste.
    pub(crate) fn is_hopeless(&self, chosen: usize) -> bool {
        const PATIENCE: u64 = 1000;
        let failures = |format: usize| self.candidates.get(format).map_or(0, |candidate| candidate.failures);
        failures(chosen) > PATIENCE + 2 * failures(self.best(chosen))
    }

    pub(crate) fn saw_leap_day(&self, format: usize) -> bool {
        self.candidates.get(format).is_some_and(|candidate| candidate.leap_day)
    }

    /// At the end: is there a format that does as well as the chosen one, and means something else?
    pub(crate) fn check(&self, reader: &MomentReader, spec: &ColumnSpec) -> Result<(), Error> {
        let Some(chosen) = self.candidates.get(reader.chosen()) else { return Ok(()) };
        for (format, other) in reader.formats().iter().zip(&self.candidates) {
            if let (Some(conflict), true) = (&other.conflict, other.failures == chosen.failures) {
                let ours = reader.chosen_format().map_or("", |format| format.as_str());
                return Err(ambiguous(spec, reader, [ours, format.as_str()], conflict));
            }
        }
        Ok(())
    }
}

fn ambiguous(spec: &ColumnSpec, reader: &MomentReader, formats: [&str; 2], conflict: &Conflict) -> Error {
    let [ours, other] = formats;
    let what = if reader.kind() == MomentKind::Time { "times" } else { "dates" };
    let line = conflict.line;
    let place =
        if conflict.part.is_empty() { format!("line {line}") } else { format!("{} line {line}", conflict.part) };
    let example = if spec.pii {
        format!("{place} reads as both")
    } else {
        let (text, first, second) = (&conflict.text, reader.show(conflict.chosen), reader.show(conflict.other));
        format!("{place}: {text} is {first} as {ours} or {second} as {other}")
    };
    Error::settings(
        format!("column `{}`: {what} fit `{ours}` and `{other}` on equally many rows ({example})", spec.name),
        format!("leave only the right one in the formats of column `{}` in the source file", spec.name),
    )
}
