//! What engines that are not ours see in our tables, and tables that they write.

use std::path::{Path, PathBuf};
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
    let mut command = Command::new(python());
    command.arg(workspace().join("scripts/read_delta.py")).args(tables);
    for (column, operator, value) in wheres {
        command.args(["--where", column, operator, value]);
    }
    answer(command)
}

/// Writes a Delta table with delta-rs, or goes on writing one: `scripts/write_delta.py`, which says at its top which steps
/// there are. The answer has the table's version, and its columns and rows as two readers that are not ours see them.
///
/// # Panics
/// When the writer is not installed or fails, and when the readers see different rows.
pub fn write_delta(table: &Path, steps: &[&str]) -> Value {
    let mut command = Command::new(python());
    command.arg(workspace().join("scripts/write_delta.py")).arg(table).args(steps);
    answer(command)
}

/// The JSON that a script prints.
fn answer(mut command: Command) -> Value {
    let python = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}; run scripts/test-deps.sh, or `make test`", python.display());
    });
    let said = || String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: the script said {}", said()))
}

fn python() -> PathBuf {
    let home = || std::env::home_dir().expect("a home folder").join(".cache/stillhouse");
    std::env::var_os("STILLHOUSE_CACHE").map_or_else(home, PathBuf::from).join("venv/bin/python")
}
