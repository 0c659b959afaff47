//! Zip archives (PKWARE's APPNOTE.TXT 6.3.10).
//!
//! An archive says everything twice, in its directory and in front of each member, and readers that believe different
//! halves see different files. So a contradiction refuses the archive, instead of being resolved.

mod archive;
mod directory;
mod end;
mod member;
mod name;

pub use archive::Archive;
pub use member::{Member, MemberBytes};
pub use name::{Ignored, is_nobodys};

use std::io::{self, ErrorKind};

use crate::error::Error;

/// An object whose bytes can be read at any place, as often as needed.
pub trait ReadAt {
    /// How many bytes there are. Bytes beyond are never read.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads up to `buf.len()` bytes at `offset` and says how many; 0 only at the end.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes from being read; it comes back as [`Kind::Source`](crate::Kind::Source).
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// Fills `buf` from `offset` on.
fn read_exact_at(source: &(impl ReadAt + ?Sized), offset: u64, buf: &mut [u8]) -> Result<(), Error> {
    let mut done = 0;
    while done < buf.len() {
        let at = offset + done as u64;
        match source.read_at(at, &mut buf[done..]) {
            Ok(0) => return Err(Error::ended_early(at, source.len())),
            Ok(count) => done = buf.len().min(done + count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::source(at, error)),
        }
    }
    Ok(())
}

/// The archive contradicts itself, or breaks a rule of the format.
fn wrong(message: impl Into<String>) -> Error {
    Error::data(message, "make the archive again; it is refused as a whole, because parts of it cannot be trusted")
}
