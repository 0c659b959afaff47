//! The files that git tracks.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tracked text file.
pub struct File {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// Every tracked file that is there and is text. Sample data is data: nobody's style applies to it.
pub fn tracked_files(root: &Path) -> io::Result<Vec<File>> {
    let listing = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    if !listing.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&listing.stderr).into_owned()));
    }
    let paths = String::from_utf8_lossy(&listing.stdout).into_owned();
    let mut files = Vec::new();
    for path in paths.split('\0').filter(|path| !path.is_empty() && !path.ends_with(".csv")) {
        // A tracked file may be deleted in the work tree, and a binary one is none of ours.
        let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
        files.push(File { path: path.to_owned(), text });
    }
    Ok(files)
}
