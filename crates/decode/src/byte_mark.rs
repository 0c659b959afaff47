//! The byte order mark in front of a text.

use stillhouse_spec::Choice;

use crate::error::Error;
use crate::window::Window;

/// Passes over the mark of UTF-8, and tells the encoding. `hint`: what to do where the text is UTF-16.
pub(crate) fn encoding(window: &mut Window<'_>, hint: &str) -> Result<Choice<String>, Error> {
    window.ensure(3)?;
    match window.data() {
        [0xEF, 0xBB, 0xBF, ..] => {
            window.consume(3);
            Ok(Choice::detected("utf-8".to_owned()))
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            Err(Error::data("expected UTF-8, found the byte order mark of UTF-16", hint))
        }
        _ => Ok(Choice::default_value("utf-8".to_owned())),
    }
}

/// So many blanks may stand before a text that tells something.
const BLANK_BYTES_MAX: usize = 64 << 10;

/// Whether there is nothing but a mark and blanks. The reader's place stays.
pub(crate) fn is_blank(window: &mut Window<'_>) -> Result<bool, Error> {
    window.ensure(BLANK_BYTES_MAX)?;
    let text = window.data().strip_prefix(b"\xEF\xBB\xBF").unwrap_or(window.data());
    Ok(window.at_end() && text.iter().all(u8::is_ascii_whitespace))
}
