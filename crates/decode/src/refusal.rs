//! Why a record is refused, and handing it over.

use stillhouse_spec::RejectPlace;

use crate::api::{Reject, RowSink};
use crate::error::Error;
use crate::place::Place;
use crate::tally::Tally;

/// A text of a message is cut to so many characters.
pub(crate) const FOUND_CHARS_MAX: usize = 100;

/// Why a record is refused.
pub(crate) struct Why {
    pub(crate) reason: &'static str,
    pub(crate) column: Option<String>,
    pub(crate) expected: String,
    pub(crate) found: String,
    pub(crate) pii: bool,
}

/// Refuses the record of that number; `raw`: its bytes, if they are held.
pub(crate) fn refuse(
    tally: &mut Tally,
    sink: &mut dyn RowSink,
    raw: Option<&[u8]>,
    place: &Place,
    number: u64,
    why: Why,
) -> Result<(), Error> {
    let place = RejectPlace {
        record: number,
        part: String::new(),
        line: place.line,
        offset: place.offset,
        bytes: place.bytes,
        column: why.column,
        reason: why.reason.to_owned(),
        expected: why.expected,
        found: why.found,
    };
    tally.refused(&place);
    let raw = raw.map(<[u8]>::to_vec);
    sink.reject(Reject { place, raw, pii: why.pii }).map_err(Error::sink)
}

/// The first byte that is not UTF-8.
pub(crate) fn invalid_byte(bytes: &[u8], offset: u64) -> String {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = bytes.get(valid).copied().unwrap_or_default();
    format!("byte 0x{byte:02x} at byte {}", offset + valid as u64)
}
