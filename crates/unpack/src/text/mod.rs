//! What the bytes of a text stand for.

mod detect;
mod encoding;
mod letters;
mod transcode;
mod utf16;

pub use detect::{Confidence, Detected, detect};
pub use encoding::Encoding;
pub use transcode::{Fault, Flaw, Transcoded, Transcoder};
