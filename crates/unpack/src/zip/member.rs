//! One member of an archive, and its bytes.

use std::io::{self, Read, Write};

use flate2::Crc;

use super::directory::{ENCRYPTED, Entry, LOCAL_BYTES, Method};
use super::{ReadAt, read_exact_at, wrong};
use crate::bzip2::Bzip2;
use crate::error::Error;
use crate::format::{Format, Plain, Step, Then, u16_le, u32_le};
use crate::inflate::{Inflate, Inflate64};
use crate::limits::Limits;
use crate::shown::{count, name as shown};
use crate::unpacker::{Cause, Unpacked, Unpacker};
use crate::zstd::Zstd;

const LOCAL_MAGIC: &[u8] = b"PK\x03\x04";

/// Sizes and checksum stand behind the content, and not in the local header (APPNOTE.TXT 4.4.4, bit 3).
const SIZES_BEHIND: u16 = 1 << 3;

/// A member of an [`Archive`](crate::Archive): what the directory says about it.
#[derive(Debug, Clone)]
pub struct Member {
    name: String,
    /// The name as the local header has to repeat it, if it is not [`name`](Self::name).
    raw_name: Option<Vec<u8>>,
    method: Method,
    crc: u32,
    packed_bytes: u64,
    unpacked_bytes: u64,
    local_at: u64,
    /// Where the next entry or the directory begins.
    room_end: u64,
}

impl Member {
    pub(super) fn new(name: String, entry: &Entry<'_>, method: Method) -> Self {
        let raw_name = (name.as_bytes() != entry.raw_name).then(|| entry.raw_name.to_vec());
        Self {
            name,
            raw_name,
            method,
            crc: entry.crc,
            packed_bytes: entry.packed_bytes,
            unpacked_bytes: entry.unpacked_bytes,
            local_at: entry.local_at,
            room_end: 0,
        }
    }

    pub(super) fn set_room_end(&mut self, end: u64) {
        self.room_end = end;
    }

    /// Its path in the archive: UTF-8, relative, with slashes, without `..`, control characters or `!`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of its content. The directory may lie; unpacking notices.
    pub fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes
    }

    /// Bytes that it takes in the archive, without what stands around it.
    pub fn packed_bytes(&self) -> u64 {
        self.packed_bytes
    }

    /// CRC-32 of its content, as the directory says.
    pub fn crc32(&self) -> u32 {
        self.crc
    }

    /// Unpacks the member into `sink`.
    ///
    /// Of a member that is damaged nothing is certain, because its only checksum is about all of it. Packed offsets count
    /// from the beginning of the member's own bytes.
    ///
    /// # Errors
    ///
    /// As [`unpack`](crate::unpack), and when the member is not what the directory says.
    pub fn unpack<S>(&self, source: &S, limits: &Limits, sink: &mut dyn Write) -> Result<Unpacked, Error>
    where
        S: ReadAt + ?Sized,
    {
        self.reader(source, limits)?.into_sink(sink)
    }

    /// The member as a stream, from which another packing can be taken off.
    ///
    /// # Errors
    ///
    /// `source` is not the one of the archive, or its local header says something else than the directory.
    pub fn reader<'a, S>(&self, source: &'a S, limits: &Limits) -> Result<Unpacker<MemberBytes<'a, S>>, Error>
    where
        S: ReadAt + ?Sized,
    {
        let from = self.content_at(source)?;
        let inner: Box<dyn Format> = match self.method {
            Method::Stored => Box::new(Plain),
            Method::Deflate => Box::new(Inflate::new()),
            Method::Deflate64 => Box::new(Inflate64::new()),
            Method::Bzip2 => Box::new(Bzip2::new()),
            Method::Zstd => Box::new(Zstd::new(limits.window_bytes_max)?),
        };
        let content =
            Content { inner, crc: Crc::new(), made: 0, bytes: self.unpacked_bytes, expected: self.crc, over: false };
        Ok(Unpacker::of(Box::new(content), MemberBytes::new(source, from, self.packed_bytes), limits))
    }

    /// Where the content begins, behind the local header (APPNOTE.TXT 4.3.7), which has to say what the directory says.
    fn content_at(&self, source: &(impl ReadAt + ?Sized)) -> Result<u64, Error> {
        let raw_name = self.raw_name.as_deref().unwrap_or(self.name.as_bytes());
        let mut header = vec![0; LOCAL_BYTES + raw_name.len()];
        read_exact_at(source, self.local_at, &mut header)?;
        let contradiction = |what: &str| {
            wrong(format!("{} in the zip archive has another {what} than the directory says", shown(raw_name)))
        };
        if !header.starts_with(LOCAL_MAGIC) {
            return Err(contradiction("place"));
        }
        let name_bytes = usize::from(u16_le(&header[26..]));
        if name_bytes != raw_name.len() || &header[LOCAL_BYTES..] != raw_name {
            return Err(contradiction("name"));
        }
        let flags = u16_le(&header[6..]);
        if flags & ENCRYPTED != 0 || Method::of(u16_le(&header[8..])) != Ok(self.method) {
            return Err(contradiction("packing"));
        }
        // Sizes beyond 32 bits are in a field that is not looked into.
        let size =
            |at: usize, ours: u64| matches!(u32_le(&header[at..]), size if size == u32::MAX || u64::from(size) == ours);
        if flags & SIZES_BEHIND == 0 && !(size(18, self.packed_bytes) && size(22, self.unpacked_bytes)) {
            return Err(contradiction("size"));
        }
        let from = self.local_at + (header.len() + usize::from(u16_le(&header[28..]))) as u64;
        if from.checked_add(self.packed_bytes).is_none_or(|to| to > self.room_end) {
            return Err(wrong(format!("{} in the zip archive overlaps what comes next", shown(raw_name))));
        }
        Ok(from)
    }
}

/// The packed bytes of one member, as a stream.
#[derive(Debug)]
pub struct MemberBytes<'a, S: ?Sized> {
    source: &'a S,
    at: u64,
    left: u64,
}

impl<'a, S: ReadAt + ?Sized> MemberBytes<'a, S> {
    pub(super) fn new(source: &'a S, at: u64, bytes: u64) -> Self {
        Self { source, at, left: bytes }
    }
}

impl<S: ReadAt + ?Sized> Read for MemberBytes<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(buf.len(), |left| left.min(buf.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.source.read_at(self.at, &mut buf[..wanted])?.min(wanted);
        if count == 0 {
            return Err(io::Error::other(Error::ended_early(self.at, self.source.len())));
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// What a member has in it, held against what the directory says about it.
struct Content {
    inner: Box<dyn Format>,
    crc: Crc,
    made: u64,
    bytes: u64,
    expected: u32,
    /// The packing is at its end; nothing may follow.
    over: bool,
}

impl Format for Content {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        if self.over {
            return Ok(match (input.is_empty(), ended) {
                (true, true) => Step::end(),
                (true, false) => Step::want(1),
                (false, _) => Step::broken(Cause::Follows, "something follows the content of the member"),
            });
        }
        // One byte more than there should be tells that there is more, whatever the packing makes of it.
        let room = usize::try_from(self.bytes - self.made)
            .map_or(output.len(), |left| output.len().min(left.saturating_add(1)));
        let step = self.inner.step(input, ended, &mut output[..room])?;
        self.crc.update(&output[..step.made]);
        self.made += step.made as u64;
        if self.made > self.bytes {
            let why = format!("the member has more than the {} bytes that the directory says", count(self.bytes));
            return Ok(Step::broken(Cause::Damaged, why).with(step.taken, step.made - 1));
        }
        let then = match step.then {
            Then::Go(wanted) => Then::Go(wanted),
            Then::End => return Ok(self.end().with(step.taken, step.made)),
            // What a packing inside says about units is not known to be right before the checksum of all was.
            Then::Break(_, why) => Then::Break(Cause::Damaged, format!("the member is damaged: {why}")),
        };
        Ok(Step { whole: None, then, ..step })
    }
}

impl Content {
    fn end(&mut self) -> Step {
        if self.made < self.bytes {
            let (made, bytes) = (count(self.made), count(self.bytes));
            return Step::broken(
                Cause::Damaged,
                format!("the member has {made} bytes, and the directory says {bytes}"),
            );
        }
        if self.crc.sum() != self.expected {
            return Step::broken(Cause::Damaged, "the checksum of the member does not fit its content");
        }
        self.over = true;
        Step::go(0, 0).whole(true)
    }
}
