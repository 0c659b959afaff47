//! The driver.

use crate::api::{Outcome, Request, Sink};
use crate::error::Error;
use crate::source::ByteSource;

/// Reads one object and hands over its rows and rejects.
///
/// An error that [is held](Error::is_held) concerns the object as a whole (no usable columns, two formats that both fit,
/// more rejects than allowed); after any error the sink's content is void.
pub fn decode(source: &mut dyn ByteSource, request: &Request<'_>, sink: &mut dyn Sink) -> Result<Outcome, Error> {
    let _ = (source, request, sink);
    Err(Error::data("no decoder yet", "wait"))
}
