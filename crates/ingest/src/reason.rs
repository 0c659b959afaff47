//! Why an object is held or failed, as the ledger keeps it: JSON, so that message and next step stay apart.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What a person reads, and what tells whether another try makes sense.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) hint: Option<String>,
    /// The fingerprint of the source file under which the object was held.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// Held because the file was changed, and for no other reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) changed: bool,
}

impl Reason {
    pub(crate) fn of(error: &Error) -> Self {
        Self { message: error.to_string(), hint: error.hint().map(str::to_owned), ..Self::default() }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// A text that is not of this form is a message.
    pub(crate) fn parse(stored: Option<&str>) -> Self {
        let stored = stored.unwrap_or_default();
        serde_json::from_str(stored).unwrap_or_else(|_| Self { message: stored.to_owned(), ..Self::default() })
    }
}

/// The message and the next step that were kept with a held or failed object.
pub fn reason(stored: Option<&str>) -> (String, Option<String>) {
    let Reason { message, hint, .. } = Reason::parse(stored);
    (message, hint)
}
