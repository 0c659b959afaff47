//! Texts that may hold a secret, and what the environment put into the project files.

use std::borrow::Cow;
use std::fmt;

/// A setting that may hold a secret, such as a URL with a password. It prints as the user wrote it, `${NAME}` and all;
/// only [`Secret::expose`] gives the text with the environment filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    written: String,
    value: String,
}

impl Secret {
    /// `written` stands in the file, `value` is what it means.
    pub(crate) fn new(written: String, value: String) -> Self {
        Self { written, value }
    }

    /// A text that holds no secret and was not filled in.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { written: text.clone(), value: text }
    }

    /// The text to use. Keep it out of messages, logs and receipts.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.written, f)
    }
}

/// The values that the environment gave to a project, by variable. Its `Debug` names the variables only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filled {
    values: std::collections::BTreeMap<String, String>,
}

/// A shorter value is not masked: it would be found in every other word, and is no secret worth the name.
const MASKED_BYTES_MIN: usize = 4;

impl Filled {
    pub(crate) fn insert(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// `text` with every value of at least four bytes that came from the environment replaced by its `${NAME}`: for
    /// messages of other libraries, which may quote what they were given.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for (value, name) in self.longest_first() {
            if masked.contains(&value) {
                masked = Cow::Owned(masked.replace(&value, &format!("${{{name}}}")));
            }
        }
        masked
    }

    /// The values worth masking, as they are and as `Debug` would print them, with their variable.
    fn longest_first(&self) -> Vec<(String, &str)> {
        let mut values = Vec::new();
        for (name, value) in self.values.iter().filter(|(_, value)| value.len() >= MASKED_BYTES_MIN) {
            let quoted = format!("{value:?}");
            let escaped = quoted.trim_matches('"').to_owned();
            if escaped != *value {
                values.push((escaped, name.as_str()));
            }
            values.push((value.clone(), name.as_str()));
        }
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        values
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
