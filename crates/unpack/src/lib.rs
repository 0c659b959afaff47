//! What a file is packed in, and its bytes without that.
//!
//! Start at [`recognise`]: it tells a packing by the first bytes, never by a name. [`unpack`] takes a stream out of gzip,
//! zstd or bzip2, and [`Archive`] members out of a zip archive. What then is a text has an encoding, which [`detect`] tells
//! and [`Transcoder`] makes UTF-8 of.
//!
//! - A file that is broken is no [`Error`]: [`Unpacked::end`] says where it breaks, how much came before, and how much of
//!   that a checksum covers. Whether to take that or to hold the object is for the caller to say.
//! - Packings inside each other come off by an [`Unpacker`] that reads from another, or from [`Member::reader`]. Each of
//!   them has an end of its own, and what came out is whole only if all of them are. A zip archive inside of anything is
//!   refused: [`recognise`] tells it by the first bytes that come out.
//! - [`Limits`] end what unpacks to more than any honest file.
//! - What stands for no character becomes bytes that are no UTF-8, so that one record is refused for it; see
//!   [`Transcoder`].
//!
//! **Invariant:** nothing here opens a file, reads a clock or draws a random number; bytes come in, bytes go out.
//! **Invariant:** memory does not grow with the file, nor with what a header in it claims.
//! **Invariant:** a file that is cut or damaged gives what came before, and says so; it is never whole by mistake.

mod bzip2;
mod error;
mod format;
mod gzip;
mod inflate;
mod limits;
mod recognise;
mod shown;
mod text;
mod unpacker;
mod window;
mod zip;
mod zstd;

pub use error::{Error, Kind};
pub use limits::{BYTES_MAX, Limits, MEMBERS_MAX, NAME_BYTES_MAX, RATIO_FREE_BYTES, RATIO_MAX, WINDOW_BYTES_MAX};
pub use recognise::{HEAD_BYTES, Packing, Refused, recognise};
pub use text::{Confidence, Detected, Encoding, Fault, Flaw, Transcoded, Transcoder, detect};
pub use unpacker::{Broken, Cause, End, Unpacked, Unpacker, unpack};
pub use zip::{Archive, Ignored, Member, MemberBytes, ReadAt, is_nobodys};
