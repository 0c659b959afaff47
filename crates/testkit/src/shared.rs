//! Where the workspace and the shared corpora are.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies in crates/testkit").to_path_buf()
}

/// The corpus `name` (`stori`, `madkudu`, `csv-spectrum`, …): in `$STILLHOUSE_SHARED_DATA`, or in `shared/data` beside
/// the clone.
///
/// # Panics
/// When it is not there.
pub fn shared_data(name: &str) -> PathBuf {
    let beside_clone = || workspace().join("../shared/data");
    let root = std::env::var_os("STILLHOUSE_SHARED_DATA").map_or_else(beside_clone, PathBuf::from);
    let corpus = root.join(name);
    assert!(
        corpus.is_dir(),
        "the corpus `{name}` is not at {}: put the folder `shared` beside the clone, or set STILLHOUSE_SHARED_DATA",
        corpus.display()
    );
    corpus
}

/// A file of account movements, and what is true of it.
#[derive(Debug)]
pub struct Movements {
    /// The CSV file.
    pub path: PathBuf,
    /// Its sums, its months, its bad lines.
    pub facts: Value,
}

/// The account movements of ten people, from the corpus `stori`, in the order of their names.
///
/// # Panics
/// When they are not all there.
pub fn account_movements() -> Vec<Movements> {
    let folder = shared_data("stori");
    let entries = folder.read_dir().expect("a corpus can be listed").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "csv")).collect();
    paths.sort();
    assert_eq!(paths.len(), 10, "files in {}", folder.display());
    let movements = |path: PathBuf| {
        let facts = std::fs::read(path.with_extension("expected.json")).expect("the facts beside the file");
        let facts = serde_json::from_slice(&facts).expect("facts are JSON");
        Movements { path, facts }
    };
    paths.into_iter().map(movements).collect()
}
