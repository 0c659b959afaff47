//! The directory of an archive, entry by entry (APPNOTE.TXT 4.3.12).

use super::wrong;
use crate::error::Error;
use crate::format::{u16_le, u32_le, u64_le};
use crate::limits::Limits;
use crate::recognise::Refused;
use crate::shown::{count, name as shown};

/// Bytes of an entry in front of its name.
pub(super) const ENTRY_BYTES: usize = 46;
const ENTRY_MAGIC: &[u8] = b"PK\x01\x02";
/// Bytes of a local header in front of its name; so many at least are in front of a member's content.
pub(super) const LOCAL_BYTES: usize = 30;

/// Encrypted, with strong encryption, and with a masked header (APPNOTE.TXT 4.4.4, bits 0, 6 and 13).
pub(super) const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// A patch to data that is elsewhere.
const PATCH: u16 = 1 << 5;

/// The field with sizes of 64 bits.
const ZIP64: u16 = 0x0001;
/// Info-ZIP's field with the name as UTF-8.
const UNICODE_PATH: u16 = 0x7075;
/// Method of members with WinZip's encryption.
const AES: u16 = 99;

/// Which file system the attributes are of, in the upper byte of "version made by".
const UNIX: u8 = 3;
const MACOS: u8 = 19;

/// How a member is packed (APPNOTE.TXT 4.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflate,
    Deflate64,
    Bzip2,
    Zstd,
}

impl Method {
    pub(super) fn of(number: u16) -> Result<Self, &'static str> {
        Ok(match number {
            0 => Self::Stored,
            8 => Self::Deflate,
            9 => Self::Deflate64,
            12 => Self::Bzip2,
            93 => Self::Zstd,
            1 => return Err("shrinking"),
            2..=5 => return Err("reducing"),
            6 => return Err("imploding"),
            14 => return Err("LZMA"),
            // 20 is what zstd had for a while.
            20 => return Err("an old number of zstd"),
            95 => return Err("xz"),
            98 => return Err("PPMd"),
            _ => return Err("a method without a name"),
        })
    }
}

/// What an entry says.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub raw_name: &'a [u8],
    pub unicode_path: Option<&'a [u8]>,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub packed_bytes: u64,
    pub unpacked_bytes: u64,
    pub local_at: u64,
    mode: Option<u32>,
}

/// How many bytes the entry takes whose first [`ENTRY_BYTES`] these are.
pub(super) fn entry_bytes(fixed: &[u8], limits: &Limits) -> Result<usize, Error> {
    if !fixed.starts_with(ENTRY_MAGIC) {
        return Err(wrong("the directory of the zip archive is damaged"));
    }
    let name = u16_le(&fixed[28..]);
    if u64::from(name) > limits.name_bytes_max {
        let (name, max) = (count(u64::from(name)), count(limits.name_bytes_max));
        let message = format!("a name in the zip archive has {name} bytes, and {max} are allowed");
        return Err(Error::limit(message, "give the members shorter names"));
    }
    let (extra, comment) = (u16_le(&fixed[30..]), u16_le(&fixed[32..]));
    Ok(ENTRY_BYTES + usize::from(name) + usize::from(extra) + usize::from(comment))
}

impl<'a> Entry<'a> {
    /// Reads `entry`, which has all the bytes that [`entry_bytes`] wants, and checks what holds for folders as well.
    pub(super) fn read(entry: &'a [u8]) -> Result<Self, Error> {
        let (name_bytes, extra_bytes) = (usize::from(u16_le(&entry[28..])), usize::from(u16_le(&entry[30..])));
        let raw_name = &entry[ENTRY_BYTES..][..name_bytes];
        let extra = &entry[ENTRY_BYTES + name_bytes..][..extra_bytes];
        let system = entry[5];
        let mut read = Self {
            raw_name,
            unicode_path: None,
            flags: u16_le(&entry[8..]),
            method: u16_le(&entry[10..]),
            crc: u32_le(&entry[16..]),
            packed_bytes: u64::from(u32_le(&entry[20..])),
            unpacked_bytes: u64::from(u32_le(&entry[24..])),
            local_at: u64::from(u32_le(&entry[42..])),
            mode: matches!(system, UNIX | MACOS).then(|| u32_le(&entry[38..]) >> 16),
        };
        // The first disk is the only one, whether it is said here or in the field of 64 bits.
        if !matches!(u16_le(&entry[34..]), 0 | u16::MAX) {
            return Err(Refused::SplitZip.into());
        }
        read.extra(extra)?;
        read.check()?;
        Ok(read)
    }

    fn extra(&mut self, mut extra: &'a [u8]) -> Result<(), Error> {
        let mut seen_sizes = false;
        // Fewer bytes than a header are padding of some programs.
        while extra.len() >= 4 {
            let (id, size) = (u16_le(extra), usize::from(u16_le(&extra[2..])));
            let Some(field) = extra.get(4..4 + size) else {
                return Err(wrong(format!(
                    "the extra fields of {} in the zip archive are damaged",
                    shown(self.raw_name)
                )));
            };
            match id {
                ZIP64 if seen_sizes => {
                    return Err(wrong(format!("{} in the zip archive has its sizes twice", shown(self.raw_name))));
                }
                ZIP64 => {
                    self.sizes(field)?;
                    seen_sizes = true;
                }
                UNICODE_PATH => self.unicode_path = unicode_path(field, self.raw_name),
                _ => {}
            }
            extra = &extra[4 + size..];
        }
        Ok(())
    }

    /// Sizes that had no room are in this order (APPNOTE.TXT 4.5.3).
    fn sizes(&mut self, mut field: &[u8]) -> Result<(), Error> {
        for value in [&mut self.unpacked_bytes, &mut self.packed_bytes, &mut self.local_at] {
            if *value == u64::from(u32::MAX) {
                if field.len() < 8 {
                    return Err(wrong(format!("sizes of {} in the zip archive are missing", shown(self.raw_name))));
                }
                *value = u64_le(field);
                field = &field[8..];
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        if self.flags & ENCRYPTED != 0 || self.method == AES {
            let message = format!("{} in the zip archive is encrypted", shown(self.raw_name));
            return Err(Error::data(message, "unpack the archive with its password and load the files in it"));
        }
        if self.flags & PATCH != 0 {
            return Err(wrong(format!("{} in the zip archive is a patch to other data", shown(self.raw_name))));
        }
        match self.mode.map_or(0, |mode| mode & 0o170_000) {
            // A pipe is what Info-ZIP was given its input by.
            0 | 0o100_000 | 0o040_000 | 0o010_000 => Ok(()),
            0o120_000 => Err(wrong(format!("{} in the zip archive is a link", shown(self.raw_name)))),
            _ => Err(wrong(format!("{} in the zip archive is not a file", shown(self.raw_name)))),
        }
    }

    pub(super) fn is_folder(&self) -> bool {
        self.raw_name.ends_with(b"/") || self.mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000)
    }
}

/// Version, checksum of the name that it stands for, name. A program that renamed the member without knowing the field
/// leaves the wrong checksum.
fn unicode_path<'a>(field: &'a [u8], raw_name: &[u8]) -> Option<&'a [u8]> {
    let mut crc = flate2::Crc::new();
    crc.update(raw_name);
    (field.len() > 5 && field[0] == 1 && u32_le(&field[1..]) == crc.sum()).then(|| &field[5..])
}
