//! Generated data, and that what it is said to hold is what the program makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};
use stillhouse_testkit::TempProject;

use super::screens::assert_screens;
use super::{assert_balanced, program, project, rows, run};

/// Everything that a file can have at once, as far as the template loads it.
const ROUGH: [&str; 16] = [
    "--nulls",
    "5%",
    "--rejects",
    "0.6%",
    "--escaped-quotes",
    "4%",
    "--line-breaks",
    "3%",
    "--blank-lines",
    "1%",
    "--repeated-ids",
    "2%",
    "--spill",
    "2%",
    "--shuffle-columns",
    "--crlf",
];

fn generate(folder: &Path, arguments: &[&str]) {
    let mut all = vec!["generate", "events", folder.to_str().unwrap(), "--rows", "30k", "--seed", "7"];
    all.extend(["--from", "2021-12", "--to", "2022-02-20"]);
    all.extend(arguments);
    program().run(&all).succeeded();
}

fn answers(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("answers.json")).unwrap()).unwrap()
}

/// Every file by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([("answers".to_owned(), std::fs::read(folder.join("answers.json")).unwrap())]);
    for file in answers(folder)["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        files.insert(path.to_owned(), std::fs::read(folder.join(path)).unwrap());
    }
    files
}

#[test]
fn the_same_flags_give_the_same_bytes_whatever_the_threads() {
    let place = TempProject::new();
    let folder = |name: &str| place.path(name);
    for (name, threads) in [("first", "1"), ("second", "1"), ("third", "5")] {
        generate(&folder(name), &[&ROUGH[..], &["--threads", threads]].concat());
    }
    let first = files(&folder("first"));
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        ["2021/12/events.csv", "2022/01/events.csv", "2022/02/events.csv", "answers"]
    );
    assert!(first == files(&folder("second")) && first == files(&folder("third")));
}

#[test]
fn the_program_finds_what_the_answers_say() {
    for flags in [&[][..], &ROUGH] {
        let project = project("events");
        generate(&project.path("."), flags);
        let answers = answers(&project.path("data"));
        let all = run(&project, &["run", "all", "--json"]).succeeded().json();
        assert_report(&all, &answers["all"]);
        for month in answers["months"].as_array().unwrap() {
            let period = month["period"].as_str().unwrap();
            let report = run(&project, &["report", "run", "monthly-activity", period, "--json"]).succeeded().json();
            assert_report(&report, month);
        }
        assert_files(&project, &answers);
        assert_balanced(&project, "events");
    }
}

/// Each query of the report has an answer, and each answer is what the query shows.
fn assert_report(report: &Value, answers: &Value) {
    let period = answers["period"].as_str().unwrap();
    assert_eq!(report["reports"][0]["period"], period);
    let queries = report["reports"][0]["queries"].as_object().unwrap();
    let answers: BTreeMap<&str, &Value> =
        answers.as_object().unwrap().iter().map(|(name, rows)| (name.as_str(), rows)).collect();
    let known: BTreeSet<&str> = answers.keys().copied().filter(|name| *name != "period").collect();
    assert_eq!(known, queries.keys().map(String::as_str).collect());
    for query in known {
        let expected: Vec<Map<String, Value>> = serde_json::from_value(answers[query].clone()).unwrap();
        assert_eq!(rows(report, query), expected, "{query} of {period}");
    }
}

/// Receipts and quarantine against the answers about files.
fn assert_files(project: &TempProject, answers: &Value) {
    let receipts = run(project, &["--json", "receipts", "list"]).succeeded().json();
    let receipts = receipts["receipts"].as_array().unwrap();
    let query = "select key, reason, count(*) from _quarantine group by key, reason";
    let refused = run(project, &["--json", "sql", query]).succeeded().json();
    for file in answers["files"].as_array().unwrap() {
        let key = format!("data/{}", file["path"].as_str().unwrap());
        let receipt = receipts.iter().find(|receipt| receipt["object"]["key"] == key.as_str()).unwrap();
        let number = |name: &str| file[name].as_u64().unwrap();
        let counts = &receipt["counts"];
        assert_eq!(counts["read"], number("records") + number("blank"), "{key}");
        assert_eq!((&counts["loaded"], &counts["blank"]), (&file["rows"], &file["blank"]), "{key}");
        let reasons = refused["rows"].as_array().unwrap().iter().filter(|row| row[0] == key.as_str());
        let reasons: Map<String, Value> =
            reasons.map(|row| (row[1].as_str().unwrap().to_owned(), row[2].clone())).collect();
        assert_eq!(Value::Object(reasons), file["rejects"], "{key}");
    }
}

#[test]
fn nothing_is_replaced_unless_that_is_asked_for() {
    let place = TempProject::new();
    let folder = place.path("out");
    generate(&folder, &[]);
    let before = files(&folder);
    let again = ["generate", "events", folder.to_str().unwrap(), "--rows", "10", "--from", "2022", "--to", "2022"];
    let refused = program().run(&again).ended_with(2);
    assert!(refused.stderr.contains("2022/01/events.csv exists already") && refused.stderr.contains("--force"));
    assert!(files(&folder) == before);
    let forced = program().run(&[&again[..], &["--force", "--json"]].concat()).succeeded().json();
    assert_eq!((&forced["records"], &forced["other_files"]), (&10.into(), &serde_json::json!(["2021/12/events.csv"])));
    assert_eq!(files(&folder).len(), 13);
}

#[test]
fn screens() {
    let place = TempProject::new();
    assert_screens!(
        "generate",
        place,
        &[
            &["generate", "events", "out", "--rows", "20k", "--seed", "7", "--rejects", "0.5%"],
            &["generate", "events", "out", "--rows", "10"],
            &["generate", "events", "--rows", "10"],
            &["generate", "events", "out", "--rows", "ten", "--nulls", "5"],
            &["generate", "events", "out", "--rows", "10", "--from", "2022-03", "--to", "2022-02-28"],
            &["init", "my-project", "--template", "events", "--no-data"],
            &["-C", "my-project", "generate", "events", "--rows", "200", "--from", "2022-01", "--to", "2022-01"],
            &[
                "generate",
                "events",
                "my-project",
                "--rows",
                "200",
                "--from",
                "2022-02",
                "--to",
                "2022-02",
                "--rejects",
                "5%",
                "--force"
            ],
        ]
    );
}
