//! Unpacking as a stream, and the account of it.

use std::fmt;
use std::io::{self, Read, Write};

use crate::bzip2::Bzip2;
use crate::error::Error;
use crate::format::{Format, Plain, Step, Then};
use crate::gzip::Gzip;
use crate::limits::Limits;
use crate::recognise::Packing;
use crate::shown::count;
use crate::window::Window;
use crate::zstd::Zstd;

/// Packed bytes in memory.
const WINDOW_BYTES: usize = 64 << 10;

/// Unpacked bytes in memory, besides what a format has to look back at.
const CHUNK_BYTES: usize = 128 << 10;

/// Steps that may do nothing, one after the other. Formats change their state in some; more are a bug in a library.
const IDLE_STEPS_MAX: u32 = 8;

/// How a file ended, and how much came out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a broken file is no error, and shows only here"]
pub struct Unpacked {
    /// Packed bytes that were read and understood.
    pub bytes_in: u64,
    /// Unpacked bytes that were handed over. Of a damaged file they can be more than [`Broken::at_unpacked`].
    pub bytes_out: u64,
    /// Whether that is all.
    pub end: End,
}

impl Unpacked {
    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.end == End::Whole
    }
}

/// Whether a file is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The file ends where it should, and every checksum that it has is right.
    Whole,
    /// Something is wrong. What came before may be used, or not: that is for the caller's policy to say.
    Broken(Broken),
}

/// Where a file is broken. Its text says it to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In which way.
    pub cause: Cause,
    /// Where in the packed bytes it was noticed.
    pub at_packed: u64,
    /// So many unpacked bytes came before the break.
    ///
    /// Of a file that was cut, they are all that came out: the beginning of what was packed, if nothing is wrong but that
    /// the end is missing. Of a damaged one, they are whole units (members, frames, blocks); what came out behind them may
    /// be wrong, and is not counted.
    pub at_unpacked: u64,
    /// How many of these a checksum covers, which was right. Only they are proven: damage in the middle of a unit can make
    /// its end look cut off.
    pub checked: u64,
    /// What is wrong, in lower case and without a full stop.
    pub why: String,
}

/// In which way a file is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It ends too early.
    Cut,
    /// Bytes in it, or a checksum, or a length are wrong.
    Damaged,
    /// What should be there is whole, and something else follows.
    Follows,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (why, at, whole) = (&self.why, count(self.at_packed), count(self.at_unpacked));
        write!(f, "{why}, at packed byte {at}; ")?;
        match self.checked {
            _ if self.at_unpacked == 0 => f.write_str("nothing before it is whole"),
            0 => write!(f, "{whole} unpacked bytes came before it, and no checksum covers them"),
            checked if checked == self.at_unpacked => write!(f, "{whole} unpacked bytes before it are whole"),
            checked => {
                write!(f, "{whole} unpacked bytes came before it, and a checksum covers {} of them", count(checked))
            }
        }
    }
}

/// Takes a packing off, chunk by chunk. Memory does not grow with the file.
///
/// It can be pulled ([`next_chunk`](Self::next_chunk)), read ([`Read`]), or pushed into a sink ([`unpack`]): one of them, as
/// a chunk that is half read is not handed over again. However it is used, [`finish`](Self::finish) says whether what came out is whole.
pub struct Unpacker<R> {
    format: Box<dyn Format>,
    window: Window<R>,
    limits: Limits,
    chunk: Box<[u8]>,
    /// The part of the chunk that [`Read`] has not handed over.
    unread: std::ops::Range<usize>,
    wanted: usize,
    idle: u32,
    bytes_out: u64,
    /// Of `bytes_out`, those in whole units, and those of them that a checksum covers.
    whole: u64,
    checked: u64,
    end: Option<End>,
}

impl<R: Read> Unpacker<R> {
    /// Takes `packing` off what `source` gives from its beginning on.
    ///
    /// # Errors
    ///
    /// [`Packing::Zip`] is no stream.
    pub fn new(packing: Packing, source: R, limits: &Limits) -> Result<Self, Error> {
        let format: Box<dyn Format> = match packing {
            Packing::None => Box::new(Plain),
            Packing::Gzip => Box::new(Gzip::new()),
            Packing::Zstd => Box::new(Zstd::new(limits.window_bytes_max)?),
            Packing::Bzip2 => Box::new(Bzip2::new()),
            Packing::Zip => {
                let hint = "a zip archive inside of something else is not unpacked; take it out and load it by itself";
                return Err(Error::data("is a zip archive where a stream is expected", hint));
            }
        };
        Ok(Self::of(format, source, limits))
    }

    pub(crate) fn of(format: Box<dyn Format>, source: R, limits: &Limits) -> Self {
        Self {
            format,
            window: Window::new(source, WINDOW_BYTES),
            limits: limits.clone(),
            chunk: vec![0; CHUNK_BYTES].into(),
            unread: 0..0,
            wanted: 1,
            idle: 0,
            bytes_out: 0,
            whole: 0,
            checked: 0,
            end: None,
        }
    }

    /// The next unpacked bytes; `None` at the end, whole or broken.
    ///
    /// # Errors
    ///
    /// The source fails, or the object goes beyond the limits. All bytes that were handed over are void then.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        // Small chunks are put together, so that a file of many small units is not handed over in crumbs.
        let mut made = 0;
        while self.end.is_none() && made < CHUNK_BYTES / 2 {
            self.window.fill(self.wanted)?;
            let step = self.format.step(self.window.bytes(), self.window.ended(), &mut self.chunk[made..])?;
            made += step.made;
            self.account(step)?;
        }
        self.unread = 0..0;
        Ok((made > 0).then(|| &self.chunk[..made]))
    }

    fn account(&mut self, step: Step) -> Result<(), Error> {
        self.window.take(step.taken);
        self.bytes_out += step.made as u64;
        self.limits.check(self.window.offset(), self.bytes_out)?;
        if let Some(whole) = step.whole {
            self.checked += if whole.checked { self.bytes_out - self.whole } else { 0 };
            self.whole = self.bytes_out;
        }
        self.idle = if step.taken + step.made > 0 { 0 } else { self.idle + 1 };
        match step.then {
            Then::Go(_) if self.idle > IDLE_STEPS_MAX => {
                self.broken(Cause::Damaged, "unpacking does not go on".to_owned())
            }
            Then::Go(wanted) => self.wanted = wanted,
            Then::End => self.end = Some(End::Whole),
            Then::Break(cause, why) => self.broken(cause, why),
        }
        Ok(())
    }

    fn broken(&mut self, cause: Cause, why: String) {
        let at_unpacked = if cause == Cause::Damaged { self.whole } else { self.bytes_out };
        let (at_packed, checked) = (self.window.offset(), self.checked);
        self.end = Some(End::Broken(Broken { cause, at_packed, at_unpacked, checked, why }));
    }

    /// Unpacks the rest, hands it to nobody, and says how it all ended.
    ///
    /// # Errors
    ///
    /// As [`next_chunk`](Self::next_chunk).
    pub fn finish(mut self) -> Result<Unpacked, Error> {
        while self.next_chunk()?.is_some() {}
        let end = self.end.expect("there is no further chunk only at the end");
        Ok(Unpacked { bytes_in: self.window.offset(), bytes_out: self.bytes_out, end })
    }

    /// Unpacks everything into `sink`.
    ///
    /// # Errors
    ///
    /// As [`next_chunk`](Self::next_chunk), and when the sink fails.
    pub fn into_sink(mut self, sink: &mut dyn Write) -> Result<Unpacked, Error> {
        while let Some(chunk) = self.next_chunk()? {
            sink.write_all(chunk).map_err(Error::sink)?;
        }
        self.finish()
    }
}

/// Ends where the file ends or is broken; only [`finish`](Unpacker::finish) tells which. An [`Error`] comes inside of an
/// [`io::Error`]; an unpacker that reads from another gives it on as it was.
impl<R: Read> Read for Unpacker<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            let made = self.next_chunk().map_err(io::Error::other)?.map_or(0, <[u8]>::len);
            self.unread = 0..made;
        }
        let count = self.unread.len().min(buf.len());
        buf[..count].copy_from_slice(&self.chunk[self.unread.start..][..count]);
        self.unread.start += count;
        Ok(count)
    }
}

impl<R> fmt::Debug for Unpacker<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").field("bytes_out", &self.bytes_out).field("end", &self.end).finish_non_exhaustive()
    }
}

/// Takes `packing` off what `source` gives, and writes it to `sink`.
///
/// Many units one behind the other (members of gzip, frames of zstd, streams of bzip2) are one file. Zeros behind the last
/// one are padding; anything else is [`Cause::Follows`].
///
/// # Errors
///
/// The source or the sink fails, the object goes beyond the limits, or it is something that is not unpacked: a frame with a
/// dictionary, a zip archive. What the sink was handed is void then. A broken file is no error.
pub fn unpack(packing: Packing, source: impl Read, limits: &Limits, sink: &mut dyn Write) -> Result<Unpacked, Error> {
    Unpacker::new(packing, source, limits)?.into_sink(sink)
}
