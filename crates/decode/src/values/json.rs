//! JSON texts.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The text without blanks between its tokens; `None` if it is not JSON. Numbers keep their digits and keys their
/// order, because nothing is read and written again.
pub(crate) fn compact(text: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(without_blanks(text))
}

/// JSON without blanks between its tokens.
pub(crate) fn without_blanks(text: &str) -> Cow<'_, str> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    if !text.as_bytes().iter().any(is_blank) {
        return Cow::Borrowed(text);
    }
    let mut compact = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if !inside => continue,
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = inside && c == '\\' && !escaped;
        compact.push(c);
    }
    Cow::Owned(compact)
}
