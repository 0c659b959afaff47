//! Phase 5: the type of each column, with all of its values seen.

pub(crate) mod moments;
mod numbers;
mod text;

use stillhouse_spec::{DataType, ListSyntax, NumberFormat};

use crate::api::{Notes, Place};
use crate::column::{At, Column};

pub(crate) use numbers::decimal;
pub(crate) use text::{SEVERAL, of_known_shape};

/// What a column is to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decided {
    pub(crate) data_type: DataType,
    /// For dates and times; the first is the usual one.
    pub(crate) formats: Vec<String>,
    pub(crate) numbers: NumberFormat,
    pub(crate) list: ListSyntax,
}

impl Decided {
    pub(crate) fn of(data_type: DataType) -> Self {
        Self { data_type, formats: Vec::new(), numbers: NumberFormat::default(), list: ListSyntax::Auto }
    }

    pub(crate) fn text() -> Self {
        Self::of(DataType::String)
    }
}

/// What is known beside the column itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The column's name and number.
    pub(crate) name: &'a str,
    pub(crate) number: usize,
    /// The file gives reason to take a comma for the decimal mark, and the day for the first part of a date.
    pub(crate) comma_first: bool,
    /// Names of the files, where there are several.
    pub(crate) files: &'a [String],
    /// The values are personal: none of them is shown.
    pub(crate) personal: bool,
    /// What places are counted in: `line` or `row`.
    pub(crate) unit: &'static str,
}

impl Context<'_> {
    fn place(&self) -> Place {
        Place::Column(self.number)
    }

    fn about(&self) -> String {
        format!("type of {}", self.name)
    }

    /// `line 7`, with the file where there are several.
    pub(crate) fn at(&self, at: At) -> String {
        let unit = self.unit;
        match self.files.get(at.file) {
            Some(file) if self.files.len() > 1 => format!("{file} {unit} {}", at.line),
            _ => format!("{unit} {}", at.line),
        }
    }

    /// A value in a message, unless it is personal.
    fn shown(&self, text: &str) -> String {
        if self.personal { "a value".to_owned() } else { format!("`{text}`") }
    }

    /// `` `7/28` on line 3 ``
    pub(crate) fn example(&self, at: At, text: &str) -> String {
        format!("{} on {}", self.shown(text), self.at(at))
    }
}

/// So many values may be unreadable although the type is right: they are refused, and named. In a large file one in a
/// hundred; in a small one up to a quarter (a third, if the name says so, too), but not more than five.
pub(crate) fn tolerated(failures: u64, values: u64, named_so: bool) -> bool {
    let of_small = if named_so { (values + 1) / 3 } else { values / 4 };
    failures <= (values / 100).max(of_small.min(5))
}

/// Decides the type of a column.
pub(crate) fn decide(column: &Column, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let (place, about) = (context.place(), context.about());
    if column.filled == 0 {
        if column.records > 0 {
            let text = format!("no value in {} records: taken for text", column.records);
            notes.doubt(place, about, text);
        }
        return Decided::text();
    }
    if let Some(decided) = text::of_known_shape(column, context, notes) {
        return decided;
    }
    if let Some((data_type, fits)) = column.lists.best() {
        let text = format!("{data_type}: {fits} of {} values", column.filled);
        notes.found(place, about, text);
        return Decided::of(data_type);
    }
    if let Some(decided) = boolean(column, context, notes) {
        return decided;
    }
    if let Some(decided) = moments::decide(column, context, notes) {
        return decided;
    }
    if let Some(decided) = numbers::decide(column, context, notes) {
        return decided;
    }
    text::decide(column, context, notes)
}

/// Words that are truth values for certain, and pairs that are when both occur.
const TRUTH: [&str; 2] = ["true", "false"];
const PAIRS: [[&str; 2]; 3] = [["yes", "no"], ["y", "n"], ["t", "f"]];

fn boolean(column: &Column, context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let bools = &column.bools;
    if bools.values < column.filled {
        return None;
    }
    let has = |word: &str| bools.words.contains_key(word);
    let sure = TRUTH.iter().any(|word| has(word)) || PAIRS.iter().any(|pair| pair.iter().all(|word| has(word)));
    let of_digits = bools.words.keys().all(|word| word == "0" || word == "1");
    let named = crate::names::has_word(context.name, &["is", "has", "flag", "active", "enabled", "deleted"]);
    if !(sure || (of_digits && named && bools.words.len() == 2)) {
        return None;
    }
    let words: Vec<String> = bools.words.iter().map(|(word, count)| format!("{word} {count}")).collect();
    notes.found(context.place(), context.about(), format!("bool: {} (in any case)", words.join(", ")));
    Some(Decided::of(DataType::Bool))
}
