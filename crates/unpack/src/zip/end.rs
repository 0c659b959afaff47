//! The end of an archive, which says where its directory is (APPNOTE.TXT 4.3.14 to 4.3.16).

use super::{ReadAt, read_exact_at, wrong};
use crate::error::Error;
use crate::format::{u16_le, u32_le, u64_le};
use crate::limits::Limits;
use crate::recognise::Refused;
use crate::shown::count;

const END_BYTES: usize = 22;
const END_MAGIC: &[u8] = b"PK\x05\x06";
const COMMENT_BYTES_MAX: usize = 65_535;
const LOCATOR_BYTES: usize = 20;
const LOCATOR_MAGIC: &[u8] = b"PK\x06\x07";
const END64_BYTES: usize = 56;
const END64_MAGIC: &[u8] = b"PK\x06\x06";
/// Size of the record of 64 bits without its magic and the field of the size itself.
const END64_SIZE: u64 = 44;

/// Where the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    pub offset: u64,
    pub bytes: u64,
    /// How many entries it says to have.
    pub entries: u64,
}

/// What an end record says, with the number of bits that it had for that.
struct Said {
    disk: u64,
    directory_disk: u64,
    entries_here: u64,
    entries: u64,
    bytes: u64,
    offset: u64,
}

impl Said {
    fn end(record: &[u8]) -> Self {
        let (short, long) =
            (|at: usize| u64::from(u16_le(&record[at..])), |at: usize| u64::from(u32_le(&record[at..])));
        Self {
            disk: short(4),
            directory_disk: short(6),
            entries_here: short(8),
            entries: short(10),
            bytes: long(12),
            offset: long(16),
        }
    }

    fn end64(record: &[u8]) -> Self {
        let (long, longer) = (|at: usize| u64::from(u32_le(&record[at..])), |at: usize| u64_le(&record[at..]));
        Self {
            disk: long(16),
            directory_disk: long(20),
            entries_here: longer(24),
            entries: longer(32),
            bytes: longer(40),
            offset: longer(48),
        }
    }

    /// Whether `longer` says the same where this record had room to say it.
    fn agrees(&self, longer: &Self) -> bool {
        let short = |ours: u64, theirs: u64| ours == theirs || ours == u64::from(u16::MAX);
        let long = |ours: u64, theirs: u64| ours == theirs || ours == u64::from(u32::MAX);
        short(self.disk, longer.disk)
            && short(self.directory_disk, longer.directory_disk)
            && short(self.entries_here, longer.entries_here)
            && short(self.entries, longer.entries)
            && long(self.bytes, longer.bytes)
            && long(self.offset, longer.offset)
    }
}

/// Finds the directory. Reads 64 KiB, besides what an archive beyond 4 GB has.
pub(super) fn find(source: &(impl ReadAt + ?Sized), limits: &Limits) -> Result<Directory, Error> {
    let length = source.len();
    let tail_bytes = usize::try_from(length).map_or(usize::MAX, |length| length).min(END_BYTES + COMMENT_BYTES_MAX);
    let mut tail = vec![0; tail_bytes];
    let tail_at = length - tail_bytes as u64;
    read_exact_at(source, tail_at, &mut tail)?;
    let at = end_record(&tail)?;
    let (record, end_at) = (&tail[at..], tail_at + at as u64);
    let mut said = Said::end(record);
    let mut directory_end = end_at;
    if let Some(locator_at) = end_at.checked_sub(LOCATOR_BYTES as u64) {
        let mut locator = [0; LOCATOR_BYTES];
        read_exact_at(source, locator_at, &mut locator)?;
        if locator.starts_with(LOCATOR_MAGIC) {
            let longer_at = u64_le(&locator[8..]);
            let longer = read_end64(source, longer_at, locator_at)?;
            if !said.agrees(&longer) {
                return Err(wrong("the two end records of the zip archive contradict each other"));
            }
            (said, directory_end) = (longer, longer_at);
        }
    }
    check(&said, directory_end, limits)
}

/// Where in the last bytes of a file its end record is: where the comment behind it ends with the file.
fn end_record(tail: &[u8]) -> Result<usize, Error> {
    let last = tail.len().checked_sub(END_BYTES);
    let mut found = (0..=last.unwrap_or_default()).filter(|at| tail[*at..].starts_with(END_MAGIC)).filter(|at| {
        tail.len() - at >= END_BYTES && usize::from(u16_le(&tail[at + 20..])) == tail.len() - at - END_BYTES
    });
    let Some(at) = found.next() else {
        let hint = "the zip archive was cut off, or something was written behind it; bring it again";
        return Err(Error::data("the zip archive has no directory at its end", hint));
    };
    match found.next() {
        // Readers that search from the other side would see another archive.
        Some(_) => Err(wrong("the zip archive has two end records, one in the comment of the other")),
        None => Ok(at),
    }
}

fn read_end64(source: &(impl ReadAt + ?Sized), at: u64, locator_at: u64) -> Result<Said, Error> {
    let mut record = [0; END64_BYTES];
    // A longer record has fields of PKWARE's own, for encryption.
    if at.checked_add(END64_BYTES as u64) != Some(locator_at) {
        return Err(wrong("the end record of 64 bits of the zip archive is not where it should be"));
    }
    read_exact_at(source, at, &mut record)?;
    if !record.starts_with(END64_MAGIC) || u64_le(&record[4..]) != END64_SIZE {
        return Err(wrong("the end record of 64 bits of the zip archive is none"));
    }
    Ok(Said::end64(&record))
}

fn check(said: &Said, directory_end: u64, limits: &Limits) -> Result<Directory, Error> {
    if (said.disk, said.directory_disk, said.entries_here) != (0, 0, said.entries) {
        return Err(Refused::SplitZip.into());
    }
    if said.entries > limits.members_max {
        let message = format!(
            "the zip archive has {} members, and {} are allowed",
            count(said.entries),
            count(limits.members_max)
        );
        return Err(Error::limit(message, "make several archives of it"));
    }
    if said.offset.checked_add(said.bytes) != Some(directory_end) {
        return Err(wrong("the directory of the zip archive is not where its end record says"));
    }
    Ok(Directory { offset: said.offset, bytes: said.bytes, entries: said.entries })
}
