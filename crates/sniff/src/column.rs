//! What is learnt about one column while all of its values pass by. Memory does not grow with their number.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::lists::ListSurvey;
use crate::moments::{Days, MomentSurvey};
use crate::numbers::NumberSurvey;
use crate::shapes::Shapes;

/// Texts that people write for "no value".
const NULL_WORDS: &[&str] = &[
    "null",
    "n/a",
    "na",
    "#n/a",
    "n.a.",
    "none",
    "nan",
    "nil",
    "undefined",
    "(null)",
    "<null>",
    "\\n",
    "-",
    "--",
    "?",
    ".",
    "0000-00-00",
    "0000-00-00 00:00:00",
];

/// Those that are hardly ever a value of a text column.
const SURE_NULL_WORDS: &[&str] = &["null", "#n/a", "n/a", "(null)", "<null>", "\\n", "nan", "undefined"];

/// So many spellings of "no value" are told apart.
const SPELLINGS_MAX: usize = 20;

/// So many different values are told apart when a key is looked for.
pub(crate) const DIFFERENT_MAX: usize = 1_000_000;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) file: usize,
    pub(crate) line: u64,
}

/// How often texts of truth values occur.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bools {
    pub(crate) values: u64,
    /// Each word in lower case, and how often.
    pub(crate) words: BTreeMap<String, u64>,
}

/// Whether values repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repeats {
    seen: HashSet<u64>,
    pub(crate) values: u64,
    pub(crate) repeated: u64,
    pub(crate) first: Option<At>,
    /// There were more different values than are kept.
    pub(crate) given_up: bool,
}

/// A column of all files together.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// What the header calls it; `None` without a header.
    pub(crate) header: Option<String>,
    pub(crate) records: u64,
    pub(crate) empty: u64,
    pub(crate) first_empty: Option<At>,
    /// Spellings of "no value", how often, and the first of each.
    pub(crate) nulls: BTreeMap<String, (u64, At)>,
    /// Values that are neither empty nor spelt like "no value".
    pub(crate) filled: u64,
    pub(crate) bools: Bools,
    pub(crate) numbers: NumberSurvey,
    /// For each file.
    pub(crate) moments: Vec<MomentSurvey>,
    pub(crate) lists: ListSurvey,
    pub(crate) shapes: Shapes,
    pub(crate) repeats: Option<Repeats>,
    /// The files that have it.
    pub(crate) files: Vec<usize>,
}

impl Column {
    pub(crate) fn new(header: Option<String>, watch_repeats: bool) -> Self {
        Self {
            header,
            records: 0,
            empty: 0,
            first_empty: None,
            nulls: BTreeMap::new(),
            filled: 0,
            bools: Bools::default(),
            numbers: NumberSurvey::default(),
            moments: Vec::new(),
            lists: ListSurvey::default(),
            shapes: Shapes::default(),
            repeats: watch_repeats.then(Repeats::default),
            files: Vec::new(),
        }
    }

    /// Values of another file follow.
    pub(crate) fn begin_file(&mut self, file: usize, period: Option<Days>) {
        while self.moments.len() <= file {
            self.moments.push(MomentSurvey::new(period));
        }
        self.files.push(file);
    }

    pub(crate) fn observe(&mut self, text: &str, at: At) {
        self.records += 1;
        let trimmed = text.trim();
        if trimmed.is_empty() {
            self.empty += 1;
            self.first_empty.get_or_insert(at);
            return;
        }
        if let Some(repeats) = &mut self.repeats {
            repeats.observe(trimmed, at);
        }
        if is_null_word(trimmed) && (self.nulls.len() < SPELLINGS_MAX || self.nulls.contains_key(trimmed)) {
            self.nulls.entry(trimmed.to_owned()).or_insert((0, at)).0 += 1;
            return;
        }
        self.filled += 1;
        self.bools.observe(trimmed);
        self.numbers.observe(trimmed, at.line);
        if let Some(moments) = self.moments.get_mut(at.file) {
            moments.observe(trimmed, at.line);
        }
        self.lists.observe(trimmed);
        self.shapes.observe(trimmed);
    }

    /// Values that are spelt like "no value".
    pub(crate) fn null_count(&self) -> u64 {
        self.nulls.values().map(|(count, _)| count).sum()
    }

    /// The spellings of "no value" that are hardly ever a value of a text column.
    pub(crate) fn sure_nulls(&self) -> Vec<String> {
        let sure = |word: &&String| SURE_NULL_WORDS.contains(&word.to_lowercase().as_str());
        self.nulls.keys().filter(sure).cloned().collect()
    }
}

fn is_null_word(text: &str) -> bool {
    let longest = 19;
    text.len() <= longest && NULL_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

impl Bools {
    fn observe(&mut self, text: &str) {
        if text.len() > 5 || self.words.len() > 4 {
            return;
        }
        if stillhouse_decode::look::boolean(text).is_some() {
            self.values += 1;
            *self.words.entry(text.to_ascii_lowercase()).or_default() += 1;
        }
    }
}

impl Repeats {
    pub(crate) fn observe(&mut self, text: &str, at: At) {
        if self.given_up {
            return;
        }
        self.values += 1;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            self.repeated += 1;
            self.first.get_or_insert(at);
        }
        if self.seen.len() > DIFFERENT_MAX {
            self.given_up = true;
            self.seen = HashSet::new();
        }
    }

    pub(crate) fn different(&self) -> u64 {
        self.values - self.repeated
    }
}
