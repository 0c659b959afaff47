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
