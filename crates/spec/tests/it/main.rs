//! The project files as a user meets them, and the words that they are made of.
#![allow(clippy::unwrap_used)]

mod bad;
mod foreign;
mod good;
mod periods;
mod publish;
mod random;
mod receipts;
mod reference;
mod secrets;
mod templates;
mod words;

use std::collections::BTreeMap;

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

/// The project files of a template of this repository.
fn template(name: &str) -> BTreeMap<String, String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates").join(name);
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if relative.ends_with(".toml") || relative.ends_with(".sql") {
                files.insert(relative, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}
