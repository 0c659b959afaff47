//! What a file is packed in, by its first bytes.

use std::fmt;

use crate::error::Error;

/// How many bytes [`recognise`] wants to see; fewer only if the file has no more.
pub const HEAD_BYTES: usize = 512;

/// Where a tar header says `ustar` (POSIX.1-2017, pax).
const TAR_MAGIC_AT: usize = 257;

/// A packing that this crate takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not packed, as far as the first bytes tell.
    None,
    /// RFC 1952: one member or many.
    Gzip,
    /// RFC 8878: frames, and frames to be skipped.
    Zstd,
    /// One stream or many.
    Bzip2,
    /// APPNOTE.TXT: an [`Archive`](crate::Archive) of members, not a stream.
    Zip,
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Zip => "zip",
        })
    }
}

/// A packing that is known and not taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `.xz`
    Xz,
    /// `.lz4`: the frame format, or its older form.
    Lz4,
    /// `.7z`
    SevenZip,
    /// `.rar`
    Rar,
    /// `.Z`, of the Unix program `compress`.
    Compress,
    /// Framed snappy, `.sz`.
    Snappy,
    /// `.tar`, also what comes out of a `.tar.gz`.
    Tar,
    /// A zip archive whose first member is encrypted.
    EncryptedZip,
    /// A zip archive that is split over several files.
    SplitZip,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xz => "an xz file",
            Self::Lz4 => "an lz4 file",
            Self::SevenZip => "a 7z archive",
            Self::Rar => "a rar archive",
            Self::Compress => "a file of the program `compress` (.Z)",
            Self::Snappy => "a snappy file",
            Self::Tar => "a tar archive",
            Self::EncryptedZip => "an encrypted zip archive",
            Self::SplitZip => "a zip archive that is split over several files",
        })
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        let hint = match refused {
            Refused::Tar | Refused::SevenZip | Refused::Rar => {
                "unpack the archive and load the files in it, or use zip"
            }
            Refused::EncryptedZip => "unpack the archive with its password and load the files in it",
            Refused::SplitZip => "put the archive together first",
            _ => "unpack the file, or pack it as gzip, zstd, bzip2 or zip",
        };
        Self::data(format!("is {refused}, which is not unpacked"), hint)
    }
}

/// What `head`, the first [`HEAD_BYTES`] of a file, says. Names of files are never asked.
///
/// # Errors
///
/// A packing that is known and refused; it becomes an [`Error`] with a hint by `into`.
pub fn recognise(head: &[u8]) -> Result<Packing, Refused> {
    match head {
        // Whatever follows: no text begins so, and one that is damaged should be told what it was.
        [0x1F, 0x8B, ..] => Ok(Packing::Gzip),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Ok(Packing::Zstd),
        // A frame to be skipped; `pzstd` begins with one.
        [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Ok(Packing::Zstd),
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if begins_bzip2(rest) => Ok(Packing::Bzip2),
        [b'P', b'K', rest @ ..] => zip(rest),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Err(Refused::Xz),
        [0x04, 0x22, 0x4D, 0x18, ..] | [0x02, 0x21, 0x4C, 0x18, ..] => Err(Refused::Lz4),
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => Err(Refused::SevenZip),
        [b'R', b'a', b'r', b'!', 0x1A, 0x07, ..] => Err(Refused::Rar),
        [0x1F, 0x9D, ..] => Err(Refused::Compress),
        [0xFF, 0x06, 0x00, 0x00, b's', b'N', b'a', b'P', b'p', b'Y', ..] => Err(Refused::Snappy),
        _ if head.get(TAR_MAGIC_AT..).is_some_and(is_ustar) => Err(Refused::Tar),
        _ => Ok(Packing::None),
    }
}

/// A block, or the end of a stream without one. Four letters and a digit alone could be the beginning of a text.
fn begins_bzip2(rest: &[u8]) -> bool {
    const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    const END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    let seen = &rest[..rest.len().min(BLOCK.len())];
    BLOCK.starts_with(seen) || END.starts_with(seen)
}

fn zip(rest: &[u8]) -> Result<Packing, Refused> {
    match rest {
        // Flag 0 of the local header is encryption (APPNOTE.TXT 4.4.4).
        [3, 4, _, _, flags, ..] if flags & 1 != 0 => Err(Refused::EncryptedZip),
        [3, 4, ..] | [5, 6, ..] => Ok(Packing::Zip),
        // The mark of the first part (APPNOTE.TXT 8.5.3).
        [7, 8, ..] => Err(Refused::SplitZip),
        _ => Ok(Packing::None),
    }
}

/// `ustar` with the NUL of POSIX or the blank of GNU behind it.
fn is_ustar(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ustar\0") || bytes.starts_with(b"ustar ")
}
