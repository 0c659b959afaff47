//! The folder of one engine for queries that spill: nobody else's, and gone when the engine is.
//!
//! A process that is killed leaves its folder behind. Each folder holds a file that its owner keeps locked; the operating
//! system drops the lock with the process, so whoever comes next can tell what is left over and removes it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A folder of one's own below the spill folder; removed when dropped.
#[derive(Debug)]
pub(crate) struct SpillFolder {
    path: PathBuf,
    _lock: File,
}

/// In each folder: locked as long as its owner lives. Beside the folders: locked while one is made or removed.
const LOCK: &str = "lock";

impl SpillFolder {
    /// Makes a folder in `parent` (which is made, too) and removes those whose owners are gone.
    pub(crate) fn new(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        // Between making a folder and locking it, it would look left over.
        let gate = File::create(parent.join(LOCK))?;
        gate.lock()?;
        remove_left_over(parent)?;
        let path = fresh(parent)?;
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SpillFolder {
    fn drop(&mut self) {
        // What cannot be removed now is left over for the next engine.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn fresh(parent: &Path) -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let path = parent.join(format!("engine-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn remove_left_over(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let ours = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("engine-"));
        if ours && !is_owned(&path) {
            // Best effort: a folder that stays costs disk, not correctness.
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

/// Where locks cannot be had, nothing is taken for left over.
fn is_owned(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}
