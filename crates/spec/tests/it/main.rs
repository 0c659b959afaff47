//! The project files as a user meets them.
#![allow(clippy::unwrap_used)]

mod bad;
mod good;

use stillhouse_spec::{Problems, Project, ProjectFiles};

/// A project of these files, with `DIR=data`, `SECRET=hunter2-very-secret` in the environment.
fn parse(files: &[(&str, &str)]) -> Result<Project, Problems> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Project::parse(&ProjectFiles { files }, &env)
}

fn env(name: &str) -> Option<String> {
    match name {
        "DIR" => Some("data".to_owned()),
        "SECRET" => Some("hunter2-very-secret".to_owned()),
        _ => None,
    }
}

const SETTINGS: &str = "format = 1\n[project]\nname = \"shop\"\n";
