//! What engines that are not ours see in our tables.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::shared::workspace;

/// Reads tables with deltalake, DuckDB and chdb, and with a full scan of their files: `scripts/read_delta.py`, which
/// says at its top what the answer looks like. `wheres` are filters (column, operator, value) to count by, besides the
/// ones at the edges of each file's values.
///
/// # Panics
/// When the readers are not installed or one of them cannot read a table. That they disagree is part of the answer.
pub fn read_delta(tables: &[PathBuf], wheres: &[(&str, &str, &str)]) -> Value {
    let python = python();
    let mut command = Command::new(&python);
    command.arg(workspace().join("scripts/read_delta.py")).args(tables);
    for (column, operator, value) in wheres {
        command.args(["--where", column, operator, value]);
    }
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}; run scripts/test-deps.sh, or `make test`", python.display());
    });
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: read_delta.py said {}", String::from_utf8_lossy(&output.stderr)))
}

fn python() -> PathBuf {
    let home = || std::env::home_dir().expect("a home folder").join(".cache/stillhouse");
    std::env::var_os("STILLHOUSE_CACHE").map_or_else(home, PathBuf::from).join("venv/bin/python")
}
