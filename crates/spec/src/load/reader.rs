//! Walks a TOML tree: takes known keys, names unknown ones, and turns values into types.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::env::{FillError, fill};
use super::file::File;
use super::units::Bytes;
use super::{Read, Reported};
use crate::scalar::Scalar;
use crate::types::DataType;

/// A table whose keys are known.
pub(super) struct Reader<'f, 't> {
    pub(super) file: &'f File<'f>,
    table: &'t DeTable<'t>,
    /// As a person writes it: `[csv]`, `[[child]]`; empty at the top of the file.
    name: String,
    /// Where the table begins.
    at: usize,
    keys: &'static [&'static str],
}

/// A key with its value.
#[derive(Clone)]
pub(super) struct Node<'f, 't> {
    file: &'f File<'f>,
    value: &'t DeValue<'t>,
    /// The key; for items of arrays the key of the array.
    pub(super) key: &'t str,
    /// Where the key stands; for items of arrays the item.
    pub(super) key_at: usize,
    span: Range<usize>,
    /// As a person says it: `` `path` in [source] ``.
    label: String,
    /// The name that the value has as a table.
    table_name: String,
}

/// A text with the environment filled in.
#[derive(Clone)]
pub(super) struct Text {
    /// What to use.
    pub(super) value: String,
    /// What to show: as the user wrote it.
    pub(super) written: String,
    /// Whether the two differ because of the environment.
    pub(super) filled: bool,
    /// Where it begins in the file.
    pub(super) at: usize,
}

/// A value made from a text, with the text to show for it.
#[derive(Clone)]
pub(super) struct Parsed<T> {
    pub(super) value: T,
    pub(super) written: String,
    pub(super) filled: bool,
    pub(super) at: usize,
}

impl<'f, 't> Reader<'f, 't> {
    /// A reader that has already named the keys it does not know.
    pub(super) fn new(
        file: &'f File<'f>,
        table: &'t DeTable<'t>,
        name: String,
        at: usize,
        keys: &'static [&'static str],
    ) -> Self {
        let reader = Self { file, table, name, at, keys };
        for (key, _) in table.iter() {
            if !keys.contains(&key.get_ref().as_ref()) {
                reader.unknown_key(key);
            }
        }
        reader
    }

    fn unknown_key(&self, key: &Spanned<DeString<'_>>) -> Reported {
        let text = key.get_ref().as_ref();
        let place =
            if self.name.is_empty() { "at the top of the file".to_owned() } else { format!("in {}", self.name) };
        let elsewhere = || self.file.sections.iter().find(|section| section.keys.contains(&text));
        let hint = match (nearest(text, self.keys), elsewhere()) {
            (Some(known), _) => format!("did you mean `{known}`?"),
            (None, Some(section)) if section.name.is_empty() => format!("`{text}` belongs at the top of the file"),
            (None, Some(section)) => format!("`{text}` belongs in {}", section.name),
            (None, None) => format!("allowed here: {}", list(self.keys)),
        };
        self.file.problem_with(key.span().start, format!("unknown key `{}` {place}", cut(text)), hint)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &'static str) -> Option<Node<'f, 't>> {
        debug_assert!(self.keys.contains(&key), "`{key}` is not among the keys of {}", self.name);
        let (key, value) = self.table.get_key_value(key)?;
        Some(Node::new(self.file, &self.name, key, value))
    }

    /// What `read` makes of the value of a key, if there is one.
    pub(super) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Node<'f, 't>) -> Read<T>,
    ) -> Read<Option<T>> {
        self.get(key).map(|node| read(&node)).transpose()
    }

    /// What `read` makes of the value of a key that must be there. `example` is what a person could write.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&Node<'f, 't>) -> Read<T>,
    ) -> Read<T> {
        match self.get(key) {
            Some(node) => read(&node),
            None => Err(self.missing(key, example)),
        }
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&self, key: &str, example: &str) -> Reported {
        let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
        self.file.problem_with(self.at, format!("`{key}` is missing{place}"), format!("write {example}"))
    }

    /// The table under a key; an empty one where there is none.
    pub(super) fn section(&self, key: &'static str, keys: &'static [&'static str]) -> Read<Option<Reader<'f, 't>>> {
        self.optional(key, |node| node.table(keys))
    }
}

impl<'f, 't> Node<'f, 't> {
    fn new(file: &'f File<'f>, table: &str, key: &'t Spanned<DeString<'t>>, value: &'t Spanned<DeValue<'t>>) -> Self {
        let name = key.get_ref().as_ref();
        let shown = cut(name);
        let (label, table_name) = match table.trim_matches(['[', ']']) {
            "" => (format!("`{shown}`"), format!("[{shown}]")),
            outer => (format!("`{shown}` in {table}"), format!("[{outer}.{shown}]")),
        };
        Self {
            file,
            value: value.get_ref(),
            key: name,
            key_at: key.span().start,
            span: value.span(),
            label,
            table_name,
        }
    }

    /// Notes a problem with the value: `` `path` in [source]: … ``.
    pub(super) fn problem(&self, message: impl Display) -> Reported {
        self.file.problem(self.span.start, format!("{}: {message}", self.label))
    }

    /// The same with a next step.
    pub(super) fn problem_with(&self, message: impl Display, hint: impl Into<String>) -> Reported {
        self.file.problem_with(self.span.start, format!("{}: {message}", self.label), hint)
    }

    /// The files of the project.
    pub(super) fn project_files(&self) -> &'f BTreeMap<String, String> {
        &self.file.context.files.files
    }

    /// Notes a problem with the key.
    pub(super) fn key_problem(&self, message: impl Into<String>) -> Reported {
        self.file.problem(self.key_at, message)
    }

    /// Notes a problem that stands elsewhere in the file.
    pub(super) fn problem_at(&self, at: usize, message: impl Into<String>) -> Reported {
        self.file.problem(at, message)
    }

    fn wrong_type(&self, expected: &str) -> Reported {
        self.problem(format!("expected {expected}, found {}", describe(self.value)))
    }

    pub(super) fn text(&self) -> Read<Text> {
        self.text_or("text")
    }

    /// A text, where something else would have been right as well: `expected` names both.
    pub(super) fn text_or(&self, expected: &str) -> Read<Text> {
        let DeValue::String(written) = self.value else { return Err(self.wrong_type(expected)) };
        match fill(written, self.file.context.env) {
            Ok(filled) => {
                let mut known = self.file.context.filled.borrow_mut();
                filled.used.iter().for_each(|(name, value)| known.insert(name, value));
                let (written, at) = (written.to_string(), self.span.start);
                Ok(Text { value: filled.value, filled: !filled.used.is_empty(), written, at })
            }
            Err(errors) => {
                let reported: Vec<Reported> = errors.iter().map(|error| self.not_filled(error)).collect();
                Err(reported.first().copied().unwrap_or_else(|| self.wrong_type("text")))
            }
        }
    }

    fn not_filled(&self, error: &FillError) -> Reported {
        let (at, message, hint) = match error {
            FillError::Missing(name) => (
                format!("${{{name}}}"),
                format!("{}: the environment variable `{name}` is not set", self.label),
                format!("set {name}, or write `$${{` for a plain `${{`"),
            ),
            FillError::Malformed(found) => (
                found.clone(),
                format!("{}: `{found}` is not a variable", self.label),
                "write ${NAME} with letters, digits and `_`, or `$${` for a plain `${`".to_owned(),
            ),
        };
        let inside = self.file.text.get(self.span.clone()).and_then(|text| text.find(&at)).unwrap_or(0);
        self.file.problem_with(self.span.start + inside, message, hint)
    }

    /// A text that means a `T`; `what` names a `T` for people.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, what: &str) -> Read<Parsed<T>> {
        let text = self.text()?;
        match text.value.parse() {
            Ok(value) => Ok(Parsed { value, written: text.written, filled: text.filled, at: text.at }),
            // The error quotes the value, which is not ours to show when it came from the environment.
            Err(_) if text.filled => {
                Err(self.problem(format!("what `{}` stands for is not {what}", cut(&text.written))))
            }
            Err(error) => Err(self.problem(error)),
        }
    }

    /// One of a list of words.
    pub(super) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Read<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Ok(*value);
        }
        let names: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("expected {}, found `{}`", one_of(&names), cut(&text.written));
        Err(match nearest(&text.written, &names) {
            Some(near) => self.problem_with(message, format!("did you mean `{near}`?")),
            None => self.problem(message),
        })
    }

    /// A value of that type: a number or truth value as TOML has them, or a text.
    pub(super) fn scalar(&self, data_type: &DataType) -> Read<Scalar> {
        let (text, filled) = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => (integer.as_str().to_owned(), false),
            DeValue::Float(float) => (float.as_str().to_owned(), false),
            DeValue::Boolean(flag) => (flag.to_string(), false),
            _ => {
                let text = self.text_or(&format!("a value of type {data_type}"))?;
                (text.value, text.filled)
            }
        };
        Scalar::parse(data_type, &text).map_err(|message| match filled {
            true => self.problem(format!("what it stands for is no value of type {data_type}")),
            false => self.problem(message),
        })
    }

    pub(super) fn flag(&self) -> Read<bool> {
        match self.value {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    /// A size in bytes: an integer, or a text with a unit.
    pub(super) fn bytes(&self) -> Read<u64> {
        let bytes = match self.value {
            DeValue::Integer(_) => u64::try_from(self.whole(0..=i64::MAX)?).unwrap_or(0),
            _ => self.parsed::<Bytes>("a size")?.value.0,
        };
        if bytes == 0 { Err(self.problem("expected more than 0 bytes")) } else { Ok(bytes) }
    }

    /// A whole number of that range.
    pub(super) fn whole(&self, allowed: std::ops::RangeInclusive<i64>) -> Read<i64> {
        let DeValue::Integer(integer) = self.value else { return Err(self.wrong_type("a whole number")) };
        i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| allowed.contains(number))
            .ok_or_else(|| {
                let range = match (*allowed.start(), *allowed.end()) {
                    (start, i64::MAX) => format!("of at least {start}"),
                    (start, end) => format!("from {start} to {end}"),
                };
                self.problem(format!("expected a whole number {range}, found {integer}"))
            })
    }

    /// Where the value begins in the file.
    pub(super) fn at(&self) -> usize {
        self.span.start
    }

    pub(super) fn is_integer(&self) -> bool {
        self.value.is_integer()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn is_array(&self) -> bool {
        self.value.is_array()
    }

    /// The items of an array.
    pub(super) fn items(&self) -> Read<Vec<Node<'f, 't>>> {
        let DeValue::Array(array) = self.value else { return Err(self.wrong_type("an array")) };
        let item = |(index, value): (usize, &'t Spanned<DeValue<'t>>)| Node {
            value: value.get_ref(),
            key_at: value.span().start,
            span: value.span(),
            label: format!("item {} of {}", index + 1, self.label),
            table_name: format!("[{}]", self.table_name),
            ..self.clone()
        };
        Ok(array.iter().enumerate().map(item).collect())
    }

    /// One text or an array of texts.
    pub(super) fn one_or_many<T>(&self, read: impl FnMut(&Node<'f, 't>) -> Read<T>) -> Read<Vec<T>> {
        let nodes = match self.value {
            DeValue::Array(_) => self.items()?,
            DeValue::String(_) => vec![self.clone()],
            _ => return Err(self.wrong_type("text or an array of texts")),
        };
        all(nodes.iter().map(read))
    }

    /// A table with known keys.
    pub(super) fn table(&self, keys: &'static [&'static str]) -> Read<Reader<'f, 't>> {
        let DeValue::Table(table) = self.value else { return Err(self.wrong_type("a table")) };
        Ok(Reader::new(self.file, table, self.table_name.clone(), self.key_at, keys))
    }

    /// The entries of a table whose keys are the user's, in the order of the file.
    pub(super) fn entries(&self) -> Read<Vec<Node<'f, 't>>> {
        let DeValue::Table(table) = self.value else { return Err(self.wrong_type("a table")) };
        let mut nodes: Vec<_> =
            table.iter().map(|(key, value)| Node::new(self.file, &self.table_name, key, value)).collect();
        nodes.sort_by_key(|node| node.key_at);
        Ok(nodes)
    }

    /// The key as a `T`.
    pub(super) fn key_as<T: FromStr<Err: Display>>(&self) -> Read<T> {
        self.key.parse().map_err(|error| self.file.problem(self.key_at, format!("{error}")))
    }
}

impl<T> Parsed<T> {
    /// The text to show for the value.
    pub(super) fn shown(&self) -> String {
        format!("`{}`", cut(&self.written))
    }
}

/// All values, or the proof that one is missing; every item is looked at.
pub(super) fn all<T>(items: impl Iterator<Item = Read<T>>) -> Read<Vec<T>> {
    let mut values = Ok(Vec::new());
    for item in items {
        match (item, &mut values) {
            (Ok(value), Ok(values)) => values.push(value),
            (Err(reported), _) => values = Err(reported),
            (Ok(_), Err(_)) => {}
        }
    }
    values
}

/// The known word that a person most likely meant.
pub(super) fn nearest(text: &str, known: &[&'static str]) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let allowed = (text.chars().count() / 3).max(1);
    if text.len() > KEY_BYTES_MAX {
        return None;
    }
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&text, word), *word))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Nothing we know is longer, so a longer key needs no comparing.
const KEY_BYTES_MAX: usize = 64;
/// How much of a user's text a message shows.
const SHOWN_CHARS_MAX: usize = 60;

/// A text short enough for a message.
pub(super) fn cut(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN_CHARS_MAX);
    end.map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]))
}

/// `` `a`, `b` ``
pub(super) fn list<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

/// `` `a`, `b` or `c` ``
fn one_of(words: &[&str]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => format!("{} or `{last}`", list(others)),
        _ => list(words),
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("text `{}`", cut(text)),
        DeValue::Integer(integer) => format!("integer {}", cut(&integer.to_string())),
        DeValue::Float(float) => format!("number {}", cut(&float.to_string())),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(datetime) => format!("date or time {datetime} (write it in quotes)"),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
