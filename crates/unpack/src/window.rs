//! The stretch of packed bytes that is in memory.

use std::io::{ErrorKind, Read};

use crate::error::Error;

/// Reads a source forward through a buffer of fixed size.
pub(crate) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Where in the source `from` is.
    offset: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    /// `size` is as much as is ever wanted at once.
    pub(crate) fn new(source: R, size: usize) -> Self {
        Self { source, buffer: vec![0; size], from: 0, to: 0, offset: 0, ended: false }
    }

    /// What was read and not taken yet.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.from..self.to]
    }

    /// Whether nothing comes after [`bytes`](Self::bytes).
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// How many bytes of the source were taken.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn take(&mut self, count: usize) {
        assert!(count <= self.to - self.from, "no more is taken than was read");
        self.from += count;
        self.offset += count as u64;
    }

    /// Reads until there are `wanted` bytes, or no more.
    pub(crate) fn fill(&mut self, wanted: usize) -> Result<(), Error> {
        debug_assert!(wanted <= self.buffer.len(), "the window is as large as what is wanted at once");
        while !self.ended && self.to - self.from < wanted {
            if self.from == self.to {
                (self.from, self.to) = (0, 0);
            } else if self.buffer.len() - self.from < wanted {
                self.buffer.copy_within(self.from..self.to, 0);
                (self.from, self.to) = (0, self.to - self.from);
            }
            match self.source.read(&mut self.buffer[self.to..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.to += count.min(self.buffer.len() - self.to),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::source(self.offset + (self.to - self.from) as u64, error)),
            }
        }
        Ok(())
    }
}
