//! Where bytes come from.

/// An error of the caller's own, carried through [`decode`](crate::decode()) and back.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// An object whose bytes can be read at any place, as often as needed.
pub trait ByteSource {
    /// How many bytes there are. Asked once; bytes beyond are never read.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads up to `buf.len()` bytes at `offset` and says how many; 0 only at the end.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError>;
}

impl ByteSource for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
