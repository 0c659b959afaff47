//! Runs every check over the tracked files and prints what they found.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::files::{File, tracked_files, workspace};
use crate::{edges, sizes, words};

/// Runs every check; the number of problems.
pub fn run(out: &mut impl Write) -> io::Result<usize> {
    let files = tracked_files(&workspace())?;
    let mut problems = edges::check(&files);
    problems.extend(introductions(&files));
    problems.extend(words::check(&files));
    let report = sizes::measure(&files);
    writeln!(out, "{}", report.summary)?;
    problems.extend(report.problems);
    for problem in &problems {
        writeln!(out, "error: {problem}")?;
    }
    match problems.len() {
        0 => writeln!(out, "tidy: {} files, nothing to complain about", files.len())?,
        count => writeln!(out, "tidy: {count} problems in {} files", files.len())?,
    }
    Ok(problems.len())
}

/// Each crate's first file opens with what the crate is for.
fn introductions(files: &[File]) -> Vec<String> {
    let roots = files.iter().filter(|file| file.path.ends_with("src/lib.rs") || file.path.ends_with("src/main.rs"));
    roots
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| {
            let mut problem = file.path.clone();
            let _ = write!(problem, ": does not open with `//!` and what the crate is for");
            problem
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_introduction_is_named() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file("crates/a/src/lib.rs", "//! What it is for.\nmod x;\n"),
            file("crates/b/src/main.rs", "fn main() {}\n"),
            file("crates/b/src/other.rs", "fn f() {}\n"),
        ];
        let problems = introductions(&files);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("crates/b/src/main.rs: "), "{problems:?}");
    }

    #[test]
    fn the_tracked_files_are_found() {
        let files = tracked_files(&workspace()).expect("git lists the files");
        assert!(files.iter().any(|file| file.path == "xtask/Cargo.toml"));
        assert!(files.iter().any(|file| file.path == "crates/spec/src/lib.rs"));
    }
}
