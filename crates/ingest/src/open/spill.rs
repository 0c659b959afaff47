//! Bytes that were made and not read: in memory while they are few, and else in a file without a name.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use stillhouse_decode::{ByteSource, SharedSource, SourceError};

/// So many bytes are kept in memory.
const MEMORY_BYTES: usize = 8 << 20;

/// Bytes to be written once and read in any order.
pub(crate) struct Spill<'d> {
    folder: &'d Path,
    /// The name that the file has for a moment.
    name: String,
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
}

impl<'d> Spill<'d> {
    /// Nothing yet. A file is made in `folder` where one is needed.
    pub(crate) fn new(folder: &'d Path, name: String) -> Self {
        Self { folder, name, memory: Vec::new(), file: None, length: 0 }
    }

    /// Another one in the same place.
    pub(crate) fn again(&self) -> Spill<'d> {
        Spill::new(self.folder, format!("{}.inner", self.name))
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Forgets what is behind `length`.
    pub(crate) fn truncate(&mut self, length: u64) {
        self.length = self.length.min(length);
    }

    /// Reads at most `buf.len()` bytes from `offset` on.
    pub(crate) fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let buf = &mut buf[..rest];
        match &self.file {
            Some(file) => file.read_exact_at(buf, offset)?,
            None => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                buf.copy_from_slice(self.memory.get(from..from.saturating_add(rest)).unwrap_or_default());
            }
        }
        Ok(rest)
    }

    /// A file that has no name any more: it is gone when the program is, however that ends.
    fn move_to_file(&mut self) -> io::Result<()> {
        std::fs::create_dir_all(self.folder)?;
        let path = self.folder.join(&self.name);
        let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        file.write_all(&self.memory)?;
        self.memory = Vec::new();
        self.file = Some(file);
        Ok(())
    }
}

impl Write for Spill<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.memory.len() + bytes.len() > MEMORY_BYTES {
            self.move_to_file()?;
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SharedSource for Spill<'_> {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        Box::new(SpillReader(self))
    }
}

struct SpillReader<'s, 'd>(&'s Spill<'d>);

impl ByteSource for SpillReader<'_, '_> {
    fn len(&self) -> u64 {
        self.0.length
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        Ok(self.0.read_at(offset, buf)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn few_bytes_stay_in_memory_and_many_lie_in_a_file_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(folder.path(), "x".to_owned());
        let block: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        for count in 1..=12_u64 {
            spill.write_all(&block).unwrap();
            assert_eq!(spill.length(), count << 20);
            assert_eq!(spill.file.is_some(), count > 8, "{count} MB");
        }
        let mut read = [0; 4];
        assert_eq!(spill.read_at((12 << 20) - 2, &mut read).unwrap(), 2);
        assert_eq!(read[..2], [254, 255]);
        spill.truncate(3);
        assert_eq!(spill.read_at(1, &mut read).unwrap(), 2);
        assert_eq!(read[..2], [1, 2]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
