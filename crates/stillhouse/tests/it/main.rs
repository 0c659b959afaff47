//! The built program, run as a person runs it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod amendments;
mod charts;
mod commands;
mod concurrency;
mod corrections;
mod current;
mod doctor;
mod events;
mod export;
mod faults;
mod foreign;
mod formats;
mod generate;
mod kills;
mod limits;
#[path = "../../src/doctor/memory_limit.rs"]
mod memory_limit;
mod orders;
#[path = "../../src/prompt/pointed.rs"]
mod pointed;
mod profile;
mod prompt;
mod proofs;
mod publish;
mod readers;
mod reference_files;
mod screens;
mod sniff;
#[path = "../../src/prompt/statements.rs"]
mod statements;
#[path = "../../src/text.rs"]
#[expect(dead_code, reason = "for its own tests; the program uses the rest")]
mod text;
mod transactions;
#[path = "../../src/prompt/words.rs"]
mod words;

use serde_json::Value;
use stillhouse_testkit::{Finished, Program, TempProject};

/// The program under test.
fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_stillhouse"))
}

/// A fresh project of that template, without sample data and without waiting for files to settle.
fn project(template: &str) -> TempProject {
    let project = TempProject::from_template(&program(), template);
    let source = format!("sources/{template}.toml");
    let text = std::fs::read_to_string(project.path(&source)).unwrap();
    let settle = text.lines().find(|line| line.starts_with("settle")).map(str::to_owned);
    if let Some(line) = settle {
        project.edit(&source, &line, "settle = \"0s\"");
    } else {
        project.edit(&source, "[source]\n", "[source]\nsettle = \"0s\"\n");
    }
    project
}

/// Runs a command in the project.
fn run(project: &TempProject, arguments: &[&str]) -> Finished {
    let folder = project.path(".");
    let mut all = vec!["-C", folder.to_str().unwrap()];
    all.extend(arguments);
    program().run(&all)
}

/// One query of the first report of a `--json` answer: rows as (column name → value).
fn rows(answer: &Value, query: &str) -> Vec<serde_json::Map<String, Value>> {
    let result = &answer["reports"][0]["queries"][query];
    assert!(result.is_object(), "no query `{query}` in {answer:#}");
    let names: Vec<&str> = result["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let row =
        |row: &Value| names.iter().zip(row.as_array().unwrap()).map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    result["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The single number that a query answers.
fn number(project: &TempProject, sql: &str) -> i64 {
    let answer = run(project, &["--json", "sql", sql]).succeeded().json();
    answer["rows"][0][0].as_i64().unwrap_or_else(|| panic!("no number: {answer}"))
}

/// The account of every receipt balances, and the table has as many rows as the receipts say.
fn assert_balanced(project: &TempProject, table: &str) {
    let answer = run(project, &["--json", "receipts", "list"]).succeeded().json();
    let mut loaded = 0;
    let mut quarantined = 0;
    for receipt in answer["receipts"].as_array().unwrap() {
        let counts = &receipt["counts"];
        let count = |name: &str| counts[name].as_i64().unwrap();
        let sum = count("loaded") + count("quarantined") + count("filtered") + count("blank");
        assert_eq!(count("read"), sum, "{receipt:#}");
        loaded += count("loaded");
        quarantined += count("quarantined");
    }
    assert_eq!(number(project, &format!("select count(*) from {table}")), loaded, "rows of {table}");
    assert_eq!(number(project, "select count(*) from _quarantine"), quarantined, "rows of _quarantine");
}
