//! Copies of folders.

use std::fs;
use std::io;
use std::path::Path;

/// Copies a folder with everything in it; what lies at `to` goes first.
pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    remove_folder(to)?;
    copy_into(from, to)
}

pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}

fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
