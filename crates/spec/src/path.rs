//! Paths into nested records.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The way to a value inside a record: `meta.source`. A name that holds a dot, a quote or blanks at its ends stands in
/// quotes (`"a.b".c`), with `\"` and `\\` in them. `$` is the record itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPath(Vec<String>);

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PathError(String);

/// A path has at most so many names.
pub const PATH_NAMES_MAX: usize = 64;

impl FieldPath {
    /// The names of the fields on the way, from outside; none for the record itself.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The way of a field of the value that this one leads to.
    #[must_use]
    pub fn to(&self, name: &str) -> Self {
        Self(self.0.iter().cloned().chain([name.to_owned()]).collect())
    }

    /// The way of a field of the record.
    pub fn field(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text == "$" {
            return Ok(Self::default());
        }
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, behind) = name(text, rest)?;
            names.push(name);
            match behind.strip_prefix('.') {
                Some(next) => rest = next,
                None => break,
            }
        }
        if names.len() > PATH_NAMES_MAX {
            return Err(PathError(format!("a path has at most {PATH_NAMES_MAX} names, this one has {}", names.len())));
        }
        Ok(Self(names))
    }
}

/// The first name of `rest`, and what stands behind it: nothing, or a dot and more.
fn name<'t>(text: &str, rest: &'t str) -> Result<(String, &'t str), PathError> {
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find('.').unwrap_or(rest.len());
        return match &rest[..end] {
            "" => Err(PathError(format!("`{text}`: expected a name on each side of a dot, found nothing"))),
            name => Ok((name.to_owned(), &rest[end..])),
        };
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => {
                let behind = &quoted[at + 1..];
                let ends = behind.is_empty() || behind.starts_with('.');
                return if ends {
                    Ok((name, behind))
                } else {
                    Err(PathError(format!("`{text}`: expected a dot or the end behind a name in quotes")))
                };
            }
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => name.push(escaped),
                _ => return Err(PathError(format!("`{text}`: behind a backslash expected a quote or a backslash"))),
            },
            char => name.push(char),
        }
    }
    Err(PathError(format!("`{text}`: a quote is not closed")))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("$");
        }
        for (number, name) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(".")?;
            }
            let is_plain = !name.is_empty() && !name.contains(['.', '"']) && name.trim() == name && name != "$";
            if is_plain {
                f.write_str(name)?;
            } else {
                write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for FieldPath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_taken_apart_at_dots() {
        let names = |text: &str| text.parse::<FieldPath>().map(|path| path.names().to_vec()).map_err(|e| e.to_string());
        assert_eq!(names("a.b c.d").unwrap(), ["a", "b c", "d"]);
        assert_eq!(names(r#""a.b".c"#).unwrap(), ["a.b", "c"]);
        assert_eq!(
            names(r#""say \"\\"."#).unwrap_err(),
            r#"`"say \"\\".`: expected a name on each side of a dot, found nothing"#
        );
        assert_eq!(names("$").unwrap(), [""; 0]);
        for wrong in ["", ".", "a..b", "\"a", "\"a\"b", r#""\n""#] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_path_reads_what_it_writes(names in prop::collection::vec("[a.\"\\\\ $é]{0,4}", 0..5)) {
            let path = FieldPath(names);
            prop_assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
        }
    }
}
