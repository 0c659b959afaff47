//! JSON, Parquet, packed files, and sources that change their columns.

mod comments;
mod drift;
mod folders;
mod looked_at;
mod messages;
mod packed;
mod users;

use serde_json::Value;
use stillhouse_testkit::{Finished, TempProject};

use super::run;

/// A project with these source files, which wait for nothing.
fn sources(files: &[(&str, &str)]) -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"formats\"\n");
    for (name, text) in files {
        let text = text.replace("[source]\n", "[source]\nsettle = \"0s\"\n");
        project.write(format!("sources/{name}.toml"), format!("format = 1\n{text}"));
    }
    project
}

/// The rows of an answer, as JSON.
fn ask(project: &TempProject, sql: &str) -> Value {
    run(project, &["--json", "sql", sql]).succeeded().json()["rows"].clone()
}

/// The object of that name in a `--json` answer of `ingest`.
fn object(answer: &Finished, key: &str) -> Value {
    let answer = answer.json();
    let objects = answer["objects"].as_array().unwrap();
    objects.iter().find(|object| object["key"] == key).unwrap_or_else(|| panic!("no {key} in {answer:#}")).clone()
}
