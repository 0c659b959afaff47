//! A sliding view of a [`ByteSource`]: the bytes from the place where the reader stands up to where it has read.

use crate::error::Error;
use crate::source::ByteSource;

/// How much is asked of the source at once; half a megabyte stays in a core's cache.
pub(crate) const PIECE_BYTES: usize = 512 << 10;

/// A buffer up to this size is kept when the reader goes back, unless it was given to the window.
const KEPT_BYTES: usize = 8 * PIECE_BYTES;

/// Holds the bytes `offset..offset + data().len()` of the source.
pub(crate) struct Window<'a> {
    source: &'a mut dyn ByteSource,
    /// Length of the source, asked once: bytes that appear later belong to another version of the object.
    length: u64,
    /// The longest record, about: the buffer does not double beyond it.
    record_bytes_max: usize,
    buffer: Vec<u8>,
    /// A buffer up to this size is kept.
    kept_bytes: usize,
    /// Bytes at the front of `buffer` that have been left behind.
    start: usize,
    /// Bytes of `buffer` that hold data.
    filled: usize,
    /// Where `buffer[start]` stands in the source.
    offset: u64,
}

impl<'a> Window<'a> {
    pub(crate) fn new(source: &'a mut dyn ByteSource, record_bytes_max: usize) -> Self {
        Self::over(source, record_bytes_max, Vec::new(), 0)
    }

    /// A view that holds the bytes from `offset` on already: what stands behind them is read when it is needed.
    pub(crate) fn over(source: &'a mut dyn ByteSource, record_bytes_max: usize, bytes: Vec<u8>, offset: u64) -> Self {
        let length = source.len();
        let (filled, kept_bytes) = (bytes.len(), bytes.len().max(KEPT_BYTES));
        Self { source, length, record_bytes_max, buffer: bytes, kept_bytes, start: 0, filled, offset }
    }

    /// Its memory, whatever it holds.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The bytes from the reader's place on, as far as they have been read.
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    /// Where `data()` begins in the source.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Length of the source.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// `data()` reaches to the end of the source.
    #[inline]
    pub(crate) fn at_end(&self) -> bool {
        self.offset + (self.filled - self.start) as u64 >= self.length
    }

    /// Leaves the next `count` bytes behind.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.filled - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Moves the reader's place; bytes that are still held are not read again, unless they are a giant record's.
    pub(crate) fn seek(&mut self, offset: u64) {
        let held = self.offset - self.start as u64;
        match offset.checked_sub(held).and_then(|back| usize::try_from(back).ok()) {
            Some(start) if start <= self.filled => self.start = start,
            _ => (self.start, self.filled) = (0, 0),
        }
        self.offset = offset;
        self.give_back();
    }

    /// A search for the end of a record that went far and failed leaves a buffer that is much too large for what comes
    /// next. Reading the bytes again costs less than holding them while the rest of the object is loaded.
    fn give_back(&mut self) {
        if self.buffer.len() <= self.kept_bytes {
            return;
        }
        let kept = &self.buffer[self.start..self.filled];
        self.buffer = kept[..kept.len().min(PIECE_BYTES)].to_vec();
        (self.start, self.filled) = (0, self.buffer.len());
    }

    /// Bytes of the source from `offset` on, wherever the reader's place is. They must not reach beyond its end.
    pub(crate) fn read_range(&mut self, offset: u64, bytes: u64) -> Result<Vec<u8>, Error> {
        let mut into = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while filled < into.len() {
            let at = offset + filled as u64;
            let count = self.source.read_at(at, &mut into[filled..]).map_err(|error| Error::source(at, error))?;
            if count == 0 {
                return Err(Error::ended_early(at, self.length));
            }
            filled += count;
        }
        Ok(into)
    }

    /// Reads one more piece. Must not be called at the end.
    pub(crate) fn more(&mut self) -> Result<(), Error> {
        self.make_room();
        let at = self.offset + (self.filled - self.start) as u64;
        let rest = usize::try_from(self.length - at).unwrap_or(usize::MAX);
        let piece = &mut self.buffer[self.filled..];
        let wanted = piece.len().min(PIECE_BYTES).min(rest);
        let count = self.source.read_at(at, &mut piece[..wanted]).map_err(|error| Error::source(at, error))?;
        if count == 0 {
            return Err(Error::ended_early(at, self.length));
        }
        self.filled += count.min(wanted);
        Ok(())
    }

    /// Reads until `count` bytes are held or the end is reached.
    pub(crate) fn ensure(&mut self, count: usize) -> Result<(), Error> {
        while self.filled - self.start < count && !self.at_end() {
            self.more()?;
        }
        Ok(())
    }

    /// Makes room for a piece: what was left behind goes first, and the memory of a giant record is given back.
    fn make_room(&mut self) {
        if self.filled < self.buffer.len() {
            return;
        }
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        let rest = self.length - (self.offset + self.filled as u64);
        let all = self.filled.saturating_add(usize::try_from(rest).unwrap_or(usize::MAX));
        let wanted = (self.filled + PIECE_BYTES).max(2 * PIECE_BYTES).min(all);
        if self.buffer.len() < wanted {
            // Doubling keeps the copying of a giant record linear; above the longest record there is nothing to come.
            let doubled =
                self.buffer.len().saturating_mul(2).min(self.record_bytes_max.saturating_add(2 * PIECE_BYTES));
            self.buffer.resize(wanted.max(doubled).min(all), 0);
        } else if self.buffer.len() > self.kept_bytes.max(4 * wanted) {
            self.buffer.truncate(wanted);
            self.buffer.shrink_to_fit();
        }
    }
}
