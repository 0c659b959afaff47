//! Names of members: which ones are refused, and which are nobody's data.

use super::wrong;
use crate::error::Error;
use crate::shown::name as shown;

/// What stands in an archive and is not loaded, counted by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Entries for folders.
    pub folders: u64,
    /// What macOS and Windows leave: `__MACOSX/…`, `._*`, `.DS_Store`, `Thumbs.db`, `desktop.ini`.
    pub system: u64,
    /// `_SUCCESS`, which says that a job is done.
    pub markers: u64,
    /// `*.crc`, checksums of files beside them.
    pub checksums: u64,
    /// Everything else whose name, or that of a folder on the way, begins with a full stop.
    pub hidden: u64,
}

impl Ignored {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.folders + self.system + self.markers + self.checksums + self.hidden
    }

    /// Counts `name` if it is nobody's data.
    pub(super) fn takes(&mut self, name: &str, is_folder: bool) -> bool {
        let file = name.rsplit('/').next().unwrap_or(name);
        let kind = if is_folder {
            &mut self.folders
        } else if is_system(name, file) {
            &mut self.system
        } else if file == "_SUCCESS" {
            &mut self.markers
        } else if file.len() > ".crc".len() && file.ends_with(".crc") {
            &mut self.checksums
        } else if name.split('/').any(|part| part.starts_with('.')) {
            &mut self.hidden
        } else {
            return false;
        };
        *kind += 1;
        true
    }
}

/// Whether a file of that name is nobody's data, in an archive or in a folder.
pub fn is_nobodys(name: &str) -> bool {
    Ignored::default().takes(name, false)
}

fn is_system(name: &str, file: &str) -> bool {
    name.split('/').any(|part| part == "__MACOSX")
        || file.starts_with("._")
        || file == ".DS_Store"
        || file.eq_ignore_ascii_case("thumbs.db")
        || file.eq_ignore_ascii_case("desktop.ini")
}

/// The name as a text: `raw` if that is one, else what Info-ZIP's field for it says (APPNOTE.TXT 4.6.9).
///
/// Code page 437, which the format has for names without a mark, is not guessed: most who write such names use another.
pub(super) fn text(raw: &[u8], unicode_path: Option<&[u8]>) -> Result<String, Error> {
    if let Ok(text) = std::str::from_utf8(raw) {
        return Ok(text.to_owned());
    }
    match unicode_path.map(std::str::from_utf8) {
        Some(Ok(text)) => Ok(text.to_owned()),
        _ => {
            let message = format!("the name {} in the zip archive is not UTF-8", shown(raw));
            Err(Error::data(message, "make the archive with a program that writes names as UTF-8"))
        }
    }
}

/// Refuses a name that another reader could take for another file, or that would lead out of a folder.
pub(super) fn check(name: &str) -> Result<(), Error> {
    let path = name.strip_suffix('/').unwrap_or(name);
    let drive = |path: &str| path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    let what = if name.chars().any(char::is_control) {
        "has control characters"
    } else if name.contains('\\') {
        "has backslashes"
    } else if name.starts_with('/') {
        "begins with a slash"
    } else if drive(path) {
        "begins with a drive letter"
    } else if path.split('/').any(|part| part == "..") {
        "leads out of the archive"
    } else if path.split('/').any(|part| part.is_empty() || part == ".") {
        "has an empty part or one that is only a full stop"
    } else {
        return Ok(());
    };
    Err(wrong(format!("the name {} in the zip archive {what}", shown(name.as_bytes()))))
}

/// `!` stands between the key of an archive and a member in it, and the last one has to be that.
pub(super) fn check_mark(name: &str) -> Result<(), Error> {
    if !name.contains('!') {
        return Ok(());
    }
    let message = format!("the name {} in the zip archive has an exclamation mark", shown(name.as_bytes()));
    Err(Error::data(message, "rename the member: `archive!member` is how members are named here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_astray_are_refused() {
        let names = [
            "", "/", "/a", "a//b", "./a", "a/./b", "../a", "a/..", "a/../b", "..", "C:/a", "c:a", "a\\b", "a\nb",
            "a\0", "a\u{85}",
        ];
        for name in names {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["a", "a/b.csv", "a/", "a..b", "...", "ä/ö", "ab:c", "2024-01-01T00:00.csv", " ", "a b"] {
            assert!(check(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn what_is_nobodys_data_is_counted_by_kind() {
        let mut ignored = Ignored::default();
        let names = [
            "__MACOSX/._a.csv",
            "a/._b",
            ".DS_Store",
            "x/Thumbs.db",
            "out/_SUCCESS",
            ".part-0.csv.crc",
            "a.crc",
            ".git/x",
            ".hidden",
        ];
        for name in names {
            assert!(ignored.takes(name, false), "{name}");
        }
        assert!(ignored.takes("folder/", true));
        for name in ["a.csv", "_SUCCESS.csv", "success", "a.b/c", "crc", "MACOSX/a"] {
            assert!(!ignored.takes(name, false), "{name}");
        }
        assert_eq!(ignored, Ignored { folders: 1, system: 4, markers: 1, checksums: 2, hidden: 2 });
        assert_eq!(ignored.total(), 10);
    }
}
