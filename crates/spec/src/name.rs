//! Names that users choose. A value that exists is valid; `FromStr` is the only door.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name we take, in bytes. Names become folder names and SQL identifiers.
pub const NAME_BYTES_MAX: usize = 100;

/// Why a text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} name `{text}` {reason}")]
pub struct NameError {
    what: &'static str,
    text: String,
    reason: &'static str,
}

fn check(what: &'static str, text: &str, allow_dash: bool, allow_underscore_first: bool) -> Result<(), NameError> {
    let error = |reason| Err(NameError { what, text: text.to_owned(), reason });
    if text.is_empty() {
        return error("is empty");
    }
    if text.len() > NAME_BYTES_MAX {
        return error("is longer than 100 bytes");
    }
    let mut bytes = text.bytes();
    let first = bytes.next().unwrap_or(b' ');
    if first == b'_' && !allow_underscore_first {
        return error("begins with `_`, which is kept for Stillhouse's own tables and columns");
    }
    if !(first.is_ascii_alphabetic() || first == b'_') {
        return error("does not begin with a letter");
    }
    if !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || (allow_dash && b == b'-')) {
        return error(if allow_dash {
            "holds something other than letters, digits, `_` and `-`"
        } else {
            "holds something other than letters, digits and `_`"
        });
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $dash:literal, $underscore:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                check($what, text, $dash, $underscore)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a source: the file name under `sources/` without `.toml`.
    SourceName, "source", true, false
);
name!(
    /// The name of a table. Names that begin with `_` are the lake's own tables; contracts cannot use them.
    TableName, "table", false, true
);
name!(
    /// The name of a column. Names that begin with `_` are lineage columns; contracts cannot use them.
    ColumnName, "column", false, true
);
name!(
    /// The name of a report: the folder name under `reports/`.
    ReportName, "report", true, false
);
name!(
    /// The name of a query of a report, and of its result.
    QueryName, "query", false, false
);
