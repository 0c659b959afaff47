//! What must not stand in a tracked file: notes to oneself, and paths of one machine.

use crate::files::File;

/// Folders of a machine. A path below them means something on that machine only.
const MACHINE_FOLDERS: &[&str] = &["/work/", "/root/", "/home/", "/Users/"];

/// Every stray note and machine path, with its line.
pub fn check(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    // This folder names what it looks for.
    for file in files.iter().filter(|file| !file.path.starts_with("xtask/src/") && file.path != "Cargo.lock") {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(note) = note(line) {
                problems.push(format!("{}:{}: stray `{note}`; finish it, or file an issue", file.path, index + 1));
            }
            if let Some(folder) = machine_folder(line) {
                problems.push(format!("{}:{}: a path of one machine (`{folder}`)", file.path, index + 1));
            }
        }
    }
    problems
}

fn note(line: &str) -> Option<&'static str> {
    let whole_word = |word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            ![before, after].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
        })
    };
    ["TODO", "FIXME", "XXX", "todo!"].into_iter().find(|word| whole_word(word))
}

/// A machine folder that begins a path; `https://example.com/home/` and `../shared/home/` do not.
fn machine_folder(line: &str) -> Option<&'static str> {
    let begins_path = |folder: &str| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            before.is_none_or(|c| !(c.is_alphanumeric() || "._-~}*)/$".contains(c)))
        })
    };
    MACHINE_FOLDERS.iter().copied().find(|folder| begins_path(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        check(&[File { path: "a.md".to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn notes_are_found_as_whole_words() {
        assert_eq!(problems("fine\n// TODO: later\n"), ["a.md:2: stray `TODO`; finish it, or file an issue"]);
        assert_eq!(problems("todo!()\n").len(), 1);
        assert_eq!(problems("TODOS and XXXL and `mytodo!`\n"), Vec::<String>::new());
    }

    #[test]
    fn machine_paths_are_found_where_a_path_begins() {
        assert_eq!(problems("cd /work/main\n"), ["a.md:1: a path of one machine (`/work/`)"]);
        assert_eq!(problems("\"/home/ana/x\"\n").len(), 1);
        assert_eq!(problems("https://example.com/home/x\n../home/x\n$HOME/work/x\n"), Vec::<String>::new());
    }
}
