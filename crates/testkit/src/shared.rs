//! Where the workspace and the shared corpora are.

use std::path::{Path, PathBuf};

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
