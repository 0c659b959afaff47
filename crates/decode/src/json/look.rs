//! Every record of a JSON object, without a contract.

use stillhouse_spec::JsonLayout;

use super::layout;
use super::records::{Item, Records};
use crate::csv::look::Walked;
use crate::error::Error;
use crate::place::Entry;
use crate::reason;
use crate::source::ByteSource;
use crate::window::Window;

/// What the head of the object told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonHead {
    /// How the records follow each other.
    pub layout: JsonLayout,
    /// A byte order mark stands before them.
    pub byte_order_mark: bool,
}

/// What stands at a place of the object.
#[derive(Debug, Clone, Copy)]
pub enum JsonSeen<'r> {
    /// The text of a record; whether it is JSON, and an object, is for whoever takes it apart to say.
    Record {
        /// The line on which it begins, from 1.
        line: u64,
        /// The record.
        text: &'r str,
    },
    /// A record that [`decode`](crate::decode()) would refuse whatever the contract says.
    Refused {
        /// The line on which it begins.
        line: u64,
        /// One of the words of [`reason`].
        reason: &'static str,
    },
}

/// Shows every record of a JSON object, up to the first that begins behind `bytes_max`. Memory does not grow with it.
///
/// # Errors
/// The source failed, the object begins with the byte order mark of another encoding, or its array is not closed; a bad
/// record is no error.
pub fn walk_json(
    source: &mut dyn ByteSource,
    record_bytes_max: usize,
    bytes_max: u64,
    visit: &mut dyn FnMut(JsonSeen<'_>),
) -> Result<(JsonHead, Walked), Error> {
    let mut window = Window::new(source, record_bytes_max);
    let head = layout::detect(&mut window, None, record_bytes_max)?;
    let (start, layout) = (head.start, head.layout.value);
    let mut records = Records::new(&mut window, layout, Entry { start, number: 0 }, record_bytes_max, bytes_max);
    let told = JsonHead { layout, byte_order_mark: start.offset > 0 };
    let mut bytes = start.offset;
    loop {
        let place = match records.next()? {
            Item::End => break,
            Item::Blank => continue,
            Item::Record(place) | Item::TooLong(place) | Item::Fault(place, _) if place.offset > bytes_max => {
                return Ok((told, Walked { bytes, whole: false }));
            }
            Item::Record(place) => {
                match simdutf8::basic::from_utf8(records.bytes(&place).unwrap_or_default()) {
                    Ok(text) => visit(JsonSeen::Record { line: place.line, text }),
                    Err(_) => visit(JsonSeen::Refused { line: place.line, reason: reason::INVALID_UTF8 }),
                }
                place
            }
            Item::TooLong(place) => {
                visit(JsonSeen::Refused { line: place.line, reason: reason::TOO_LONG });
                place
            }
            Item::Fault(place, _) => {
                visit(JsonSeen::Refused { line: place.line, reason: reason::BAD_JSON });
                place
            }
        };
        bytes = place.offset + place.bytes;
    }
    // Lines end of themselves at the limit.
    let whole = layout != JsonLayout::Lines || records.is_at_end();
    Ok((told, Walked { bytes, whole }))
}
