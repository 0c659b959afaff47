//! A project folder that goes away with the test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::Program;

/// A folder with files in it, removed when dropped.
#[derive(Debug)]
pub struct TempProject {
    folder: TempDir,
}

impl TempProject {
    /// An empty folder.
    #[expect(clippy::new_without_default, reason = "makes a folder; a default should cost nothing")]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// What `init --template` makes, without its sample data.
    pub fn from_template(program: &Program, template: &str) -> Self {
        let project = Self::new();
        let folder = project.path(".");
        program.run(&["init", folder.to_str().expect("a temporary path is text"), "--template", template]).succeeded();
        let data = project.path("data");
        std::fs::remove_dir_all(&data).expect("a template has sample data");
        project
    }

    /// The path of something in it.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        if relative.as_ref() == Path::new(".") {
            self.folder.path().to_owned()
        } else {
            self.folder.path().join(relative)
        }
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, relative: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        make_parent(&path);
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Copies a file into it.
    pub fn copy(&self, from: impl AsRef<Path>, relative: impl AsRef<Path>) -> PathBuf {
        let path = self.path(relative);
        make_parent(&path);
        let from = from.as_ref();
        std::fs::copy(from, &path).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        path
    }

    /// Replaces a text that a file of the project must have, once or more.
    pub fn edit(&self, relative: impl AsRef<Path>, from: &str, to: &str) {
        let path = self.path(relative);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(from), "{} does not say `{from}`:\n{text}", path.display());
        std::fs::write(&path, text.replace(from, to)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

pub(crate) fn make_parent(path: &Path) {
    let parent = path.parent().expect("a file has a folder");
    std::fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
}
