//! Path templates: which keys belong to a source, and what a key says about its rows.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::period::{Grain, Period};

/// A path such as `data/{yyyy}/{MM}/events.csv` or `in/**/*.csv`, relative to the project folder.
///
/// `{yyyy}`, `{MM}`, `{dd}` and `{HH}` are digits of a date; any other `{name}` is a text without `/`; `*` and `?` are
/// any characters but `/`; `**` is any folders, none included. With a `/` at its end it names folders, each of which is one
/// object, whose files are its parts; a key is the path of the folder, without that `/`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathTemplate {
    text: String,
    parts: Vec<Part>,
    key: Regex,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Placeholder(String),
    Any,
    AnyOne,
    AnyFolders,
}

/// Why a text is not a path template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path `{text}`: {reason}")]
pub struct TemplateError {
    text: String,
    reason: String,
}

/// Placeholders that are parts of a date, coarsest first, with their width.
const DATE_PLACEHOLDERS: &[(&str, usize)] = &[("yyyy", 4), ("MM", 2), ("dd", 2), ("HH", 2)];

impl PathTemplate {
    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names folders, whose files are the parts of one object.
    pub fn is_of_folders(&self) -> bool {
        self.text.ends_with('/')
    }

    /// The names of the placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The folder that holds every key of the template: the literal part up to its last `/`, without it.
    pub fn folder(&self) -> &str {
        let Some(Part::Literal(first)) = self.parts.first() else { return "" };
        let end = first.rfind('/');
        end.map_or("", |end| &first[..end])
    }

    /// What the placeholders stand for in `key`; `None` when the key does not belong to the template. A placeholder
    /// that occurs twice must stand for the same text.
    pub fn values(&self, key: &str) -> Option<BTreeMap<String, String>> {
        let captures = self.key.captures(key)?;
        let mut values = BTreeMap::new();
        for (index, name) in self.placeholders().enumerate() {
            let value = captures.get(index + 1)?.as_str();
            if values.insert(name.to_owned(), value.to_owned()).is_some_and(|former| former != value) {
                return None;
            }
        }
        Some(values)
    }

    /// The key of the object that the file at `key` is, or is a part of.
    pub fn object_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let object = if self.is_of_folders() { key.rsplit_once('/').map_or("", |(folder, _)| folder) } else { key };
        self.values(object).map(|_| object)
    }

    /// The stretch of days that `key` names by its date placeholders, if it names a valid one.
    pub fn period(&self, key: &str) -> Option<Period> {
        let values = self.values(key)?;
        let number = |name: &str| values.get(name).and_then(|text| text.parse::<i16>().ok());
        let narrow = |name: &str| number(name).and_then(|value| i8::try_from(value).ok());
        let year = number("yyyy")?;
        match self.grain()? {
            Grain::Year => Some(Period::Year(Date::new(year, 1, 1).ok()?)),
            Grain::Month => Some(Period::Month(Date::new(year, narrow("MM")?, 1).ok()?)),
            Grain::Day => Some(Period::Day(Date::new(year, narrow("MM")?, narrow("dd")?).ok()?)),
        }
    }

    /// The finest calendar step that the placeholders name; a step counts only with the coarser ones beside it.
    pub fn grain(&self) -> Option<Grain> {
        let has = |name: &str| self.placeholders().any(|placeholder| placeholder == name);
        match (has("yyyy"), has("MM"), has("dd")) {
            (true, true, true) => Some(Grain::Day),
            (true, true, false) => Some(Grain::Month),
            (true, false, _) => Some(Grain::Year),
            _ => None,
        }
    }

    /// The key for the period that begins on `first`, with placeholders that are no date parts and globs left as
    /// written; that of a folder with the `/` at its end. For messages such as "missing: data/2021/05/events.csv".
    pub fn render(&self, first: Date) -> String {
        let mut key = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => key.push_str(text),
                Part::Any => key.push('*'),
                Part::AnyOne => key.push('?'),
                Part::AnyFolders => key.push_str("**"),
                Part::Placeholder(name) => match name.as_str() {
                    "yyyy" => key.push_str(&format!("{:04}", first.year())),
                    "MM" => key.push_str(&format!("{:02}", first.month())),
                    "dd" => key.push_str(&format!("{:02}", first.day())),
                    other => key.push_str(&format!("{{{other}}}")),
                },
            }
        }
        if self.is_of_folders() {
            key.push('/');
        }
        key
    }
}

fn parse_parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let (part, length) = match char {
            '{' => {
                let end = rest.find('}').ok_or("a `{` is never closed")?;
                let name = &rest[1..end];
                if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    return Err(format!("`{{{name}}}` is not a placeholder; write letters, digits and `_`"));
                }
                (Part::Placeholder(name.to_owned()), end + 1)
            }
            '}' => return Err("a `}` without its `{`".to_owned()),
            '*' if rest.starts_with("**/")
                && (rest.len() == text.len() || text[..text.len() - rest.len()].ends_with('/')) =>
            {
                (Part::AnyFolders, 3)
            }
            '*' if rest.starts_with("**") => return Err("`**` stands for folders; write `/**/`".to_owned()),
            '*' => (Part::Any, 1),
            '?' => (Part::AnyOne, 1),
            other => {
                literal.push(other);
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(part);
        rest = &rest[length..];
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn pattern(parts: &[Part]) -> String {
    let mut pattern = String::from("^");
    for part in parts {
        match part {
            Part::Literal(text) => pattern.push_str(&regex::escape(text)),
            Part::Any => pattern.push_str("[^/]*"),
            Part::AnyOne => pattern.push_str("[^/]"),
            Part::AnyFolders => pattern.push_str("(?:[^/]+/)*"),
            Part::Placeholder(name) => {
                let width = DATE_PLACEHOLDERS.iter().find(|(date, _)| date == name).map(|(_, width)| width);
                match width {
                    Some(width) => pattern.push_str(&format!("([0-9]{{{width}}})")),
                    None => pattern.push_str("([^/]+)"),
                }
            }
        }
    }
    pattern.push('$');
    pattern
}

impl FromStr for PathTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let error = |reason: String| TemplateError { text: text.to_owned(), reason };
        let key = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() || key.is_empty() {
            return Err(error("names no file; write something like data/{yyyy}/{MM}/events.csv".to_owned()));
        }
        if key.ends_with("**") {
            let reason = "names no folder behind `**/`; write something like data/**/events.csv/ or data/**/*/";
            return Err(error(reason.to_owned()));
        }
        if text.starts_with('/') || text.split('/').any(|part| part == ".." || part == ".") {
            return Err(error("must stay inside the project folder: no leading `/`, no `.` or `..`".to_owned()));
        }
        if text.contains("//") {
            return Err(error("names a folder without a name: `//`".to_owned()));
        }
        let parts = parse_parts(key).map_err(error)?;
        let key = Regex::new(&pattern(&parts)).map_err(|e| error(e.to_string()))?;
        Ok(Self { text: text.to_owned(), parts, key })
    }
}

impl fmt::Debug for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PathTemplate").field(&self.text).finish()
    }
}

impl PartialEq for PathTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for PathTemplate {
    type Error = TemplateError;
    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl From<PathTemplate> for String {
    fn from(template: PathTemplate) -> String {
        template.text
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
