//! A file of this machine, opened as loading opens an object, for whoever only looks at it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use stillhouse_decode::{ByteSource, SharedSource, SourceError};
use stillhouse_spec::{OnBroken, TextEncoding};
use stillhouse_unpack::{Archive, Detected, Limits};

use super::archive::{Stored, is_archive};
use super::plain::{Facts, Opening, Plain, Settings};
use super::raw::OpenError;

/// A file whose bytes are read where they are asked for.
#[derive(Debug)]
pub struct LocalFile {
    file: File,
    length: u64,
}

impl LocalFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It is not there, or may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// How many bytes are stored.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl ByteSource for &LocalFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        Ok(self.file.read_at(buf, offset)?)
    }
}

impl SharedSource for LocalFile {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        Box::new(self)
    }
}

/// What an archive holds that loading would read.
#[derive(Debug)]
pub struct Members {
    /// The names of the members, sorted.
    pub names: Vec<String>,
    /// Folders, hidden files and markers, which are passed over.
    pub ignored: u64,
}

impl Members {
    /// Lists the members. `None` where loading would not read the file by its members: its name decides, and an archive
    /// that is broken is one object, which cannot be opened.
    pub fn of(file: &LocalFile, name: &str) -> Option<Self> {
        let archive = is_archive(name).then(|| Archive::open(&Stored::new(file), &Limits::default()));
        let archive = archive.and_then(Result::ok)?;
        let names = archive.members().iter().map(|member| member.name().to_owned()).collect();
        Some(Self { names, ignored: archive.ignored().total() })
    }
}

/// How a file is looked at.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The member of an archive; empty for a plain file.
    pub member: &'a str,
    /// How its text is encoded.
    pub encoding: TextEncoding,
    /// So many bytes of a text are enough; `None`: all of them are wanted.
    pub enough: Option<u64>,
    /// Where files without a name may be made for what was unpacked, …
    pub folder: &'a Path,
    /// … and the beginning of the names that they have for a moment.
    pub name: String,
}

/// A file out of its packing, and in UTF-8.
pub struct LookedAt<'a> {
    plain: Plain<'a, LocalFile>,
    facts: Facts,
}

impl<'a> LookedAt<'a> {
    /// Opens it within the limits that sources have unless they say otherwise.
    ///
    /// # Errors
    /// What it is packed in is broken, hostile or not known, or the disk is full.
    pub fn open(file: LocalFile, look: Look<'a>) -> Result<Self, OpenError> {
        let settings = Settings {
            limits: Limits::default(),
            encoding: look.encoding,
            on_broken: OnBroken::Hold,
            is_text: None,
            is_part: false,
            enough: look.enough,
        };
        let member = match look.member {
            "" => None,
            name => {
                let archive = Archive::open(&Stored::new(&file), &settings.limits).map_err(OpenError::unpack)?;
                Some((Arc::new(archive), name))
            }
        };
        let opening = Opening { settings, member, folder: look.folder, name: look.name };
        let (plain, facts) = Plain::open(Arc::new(file), &opening)?;
        Ok(Self { plain, facts })
    }

    /// What it was packed in, in words.
    pub fn packing(&self) -> Option<&str> {
        self.facts.decided.iter().find(|(what, _)| what == "packing").map(|(_, choice)| choice.value.as_str())
    }

    /// What its text said about its encoding; nothing where that was set, or there is no text.
    pub fn encoding(&self) -> Option<Detected> {
        self.facts.encoding
    }

    /// Whether there is more than was wanted.
    pub fn is_cut(&self) -> bool {
        self.facts.is_cut
    }
}

impl SharedSource for LookedAt<'_> {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        self.plain.reader()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;

    use super::*;

    fn read(looked: &LookedAt<'_>) -> Vec<u8> {
        let mut reader = looked.reader();
        let mut bytes = vec![0; usize::try_from(reader.len()).unwrap()];
        let mut filled = 0;
        while filled < bytes.len() {
            let count = reader.read_at(filled as u64, &mut bytes[filled..]).unwrap();
            assert!(count > 0, "it ends at {filled}");
            filled += count;
        }
        bytes
    }

    #[test]
    fn only_as_much_of_a_text_is_unpacked_as_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..400_000).flat_map(|row| format!("{row},{}\n", row * 7).into_bytes()).collect();
        let mut table = b"PAR1".to_vec();
        table.extend(&text);
        for (bytes, enough, cut) in [
            (&text, None, false),
            (&text, Some(1 << 20), true),
            (&text, Some(1 << 40), false),
            (&table, Some(1 << 20), false),
        ] {
            let path = folder.path().join("x.gz");
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(bytes).unwrap();
            std::fs::write(&path, packer.finish().unwrap()).unwrap();
            let (file, name) = (LocalFile::open(&path).unwrap(), "x".to_owned());
            let look = Look { member: "", encoding: TextEncoding::Auto, enough, folder: folder.path(), name };
            let looked = LookedAt::open(file, look).unwrap();
            let found = read(&looked);
            assert_eq!((looked.is_cut(), looked.packing()), (cut, Some("gzip")));
            assert!(bytes.starts_with(&found) && (found.len() == bytes.len()) != cut, "{}", found.len());
            assert!(!cut || found.len() < (1 << 20) + (1 << 18), "{}", found.len());
        }
    }
}
