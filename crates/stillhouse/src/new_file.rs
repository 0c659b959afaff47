//! A file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::failure::Failure;
use crate::surroundings;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written.
    Refuse,
    /// The new one takes its place once it is complete.
    Replace,
}

/// A file that is being written under a name of its own, beside its place. Dropped before it is published, it is deleted.
#[derive(Debug)]
pub struct NewFile {
    out: BufWriter<File>,
    path: PathBuf,
    /// `None` once it has its name, and for what is no plain file: a device or a named pipe is written as it is.
    draft: Option<PathBuf>,
    existing: Existing,
    bytes: u64,
}

impl NewFile {
    /// Whether the file can be begun, so that it shows before the work is done that fills it.
    pub fn check(path: &Path, existing: Existing) -> Result<(), Failure> {
        // A named pipe would tell its reader that this was all.
        let is_other = path.metadata().is_ok_and(|there| !there.is_dir() && !there.is_file());
        if is_other { Ok(()) } else { Self::create(path, existing).map(drop) }
    }

    /// Begins the file that is to have the name `path`.
    pub fn create(path: &Path, existing: Existing) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_write(path, &error);
        let mut place = path.to_owned();
        if let Ok(there) = path.metadata() {
            if there.is_dir() {
                return Err(Failure::usage(format!("`{}` is a folder", path.display())).hint("name a file"));
            }
            if !there.is_file() {
                let out = BufWriter::new(File::options().write(true).open(path).map_err(failed)?);
                return Ok(Self { out, path: place, draft: None, existing, bytes: 0 });
            }
            if existing == Existing::Refuse {
                return Err(exists(path));
            }
            // Behind a link lies the file that is meant.
            place = path.canonicalize().map_err(failed)?;
        }
        let name = place
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .ok_or_else(|| Failure::usage(format!("`{}` is no name of a file", path.display())).hint("name a file"))?;
        let draft = place.with_file_name(format!(".{name}.{}.part", &surroundings::new_id()[..8]));
        let file = File::options().write(true).create_new(true).open(&draft).map_err(failed)?;
        Ok(Self { out: BufWriter::new(file), path: place, draft: Some(draft), existing, bytes: 0 })
    }

    /// Makes it durable and gives it its name. Says how many bytes it has.
    pub fn publish(mut self) -> Result<u64, Failure> {
        self.out.flush().map_err(|error| cannot_write(&self.path, &error))?;
        let Some(draft) = &self.draft else { return Ok(self.bytes) };
        let synced = self.out.get_ref().sync_all();
        synced.map_err(|error| cannot_write(&self.path, &error))?;
        self.rename(draft)?;
        self.draft = None;
        if let Ok(folder) = File::open(folder_of(&self.path)) {
            // The file is whole and has its name; a system that cannot sync folders does it in its own time.
            let _ = folder.sync_all();
        }
        Ok(self.bytes)
    }

    fn rename(&self, draft: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| cannot_write(&self.path, &error);
        if self.existing == Existing::Replace {
            return fs::rename(draft, &self.path).map_err(failed);
        }
        match renameat_with(CWD, draft, CWD, &self.path, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(exists(&self.path)),
            // Some file systems cannot do both at once.
            Err(Errno::INVAL | Errno::NOSYS) if !self.path.exists() => fs::rename(draft, &self.path).map_err(failed),
            Err(Errno::INVAL | Errno::NOSYS) => Err(exists(&self.path)),
            Err(error) => Err(failed(error.into())),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(draft) = &self.draft {
            let _ = fs::remove_file(draft); // what went wrong is told already
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("`{}` is there already", path.display())).hint("name another file, or replace it: `--force`")
}

/// That `path` cannot be written, and why.
pub fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::failed(format!("`{}` cannot be written", path.display())).because(error);
    match error.kind() {
        io::ErrorKind::NotFound => failure.hint("make the folder first, or name a file in one that is there"),
        _ => failure,
    }
}
