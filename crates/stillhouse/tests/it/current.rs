//! Change events: the view of the current state.

use std::collections::BTreeMap;

use serde_json::json;
use stillhouse_testkit::{Changes, Customer, Finished, TempProject, workspace};

use super::{number, program, run};

const SETTINGS: &str = "format = 1\n[project]\nname = \"feed\"\n";

/// The source of the guide, without waiting for files to settle.
fn source() -> String {
    let guide = guide();
    let text = block(&guide, "toml", 0);
    text.replace("[source]\n", "[source]\nsettle = \"0s\"\n")
}

fn guide() -> String {
    std::fs::read_to_string(workspace().join("docs/guide/changes.md")).unwrap()
}

/// One of the blocks of that language.
fn block<'a>(page: &'a str, language: &str, index: usize) -> &'a str {
    page.split(&format!("```{language}\n")).nth(index + 1).unwrap().split("```").next().unwrap()
}

fn feed(source: &str) -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", SETTINGS);
    project.write("sources/customers.toml", source);
    project
}

/// Loads the files, `step` of them with each `ingest`.
fn load(project: &TempProject, files: &[(String, &String)], step: usize) {
    for some in files.chunks(step) {
        for (name, text) in some {
            project.write(format!("data/customers-{name}.csv"), text);
        }
        run(project, &["ingest"]).succeeded();
    }
}

fn state(answer: &Finished) -> BTreeMap<String, Customer> {
    let answer = answer.json();
    let rows = answer["rows"].as_array().unwrap().iter().map(|row| {
        let text = |index: usize| row[index].as_str().unwrap_or_default().to_owned();
        let version = row[2].as_u64().unwrap();
        (text(0), Customer { updated_at: text(1), version, name: text(3), balance: text(4) })
    });
    let count = rows.len();
    let state: BTreeMap<_, _> = rows.collect();
    assert_eq!(state.len(), count, "an id is shown twice");
    state
}

/// The view shows the state that the changes come to, and the table holds all of them `times` times.
fn assert_current(project: &TempProject, changes: &Changes, times: i64) {
    let lines: usize = changes.files.iter().map(|file| file.lines().count() - 1).sum();
    assert_eq!(number(project, "select count(*) from customers"), i64::try_from(lines).unwrap() * times);
    let sql = "select id, updated_at, version, name, balance from customers_current";
    let answer = run(project, &["--json", "sql", sql]).succeeded();
    let shown = state(&answer);
    let ids = changes.state.keys().chain(shown.keys());
    let wrong = ids.filter(|id| changes.state.get(*id) != shown.get(*id));
    let wrong: Vec<_> = wrong.take(3).map(|id| (id, changes.state.get(id), shown.get(id))).collect();
    assert!(wrong.is_empty(), "id, what it is, what the view shows: {wrong:#?}");
    let (here, gone) = (changes.state.first_key_value().unwrap(), &changes.gone[0]);
    let one = |id: &str| run(project, &["--json", "sql", &format!("{sql} where id = $id"), "-p", &format!("id={id}")]);
    assert_eq!(state(&one(here.0).succeeded()), BTreeMap::from([(here.0.clone(), here.1.clone())]));
    assert_eq!(state(&one(gone).succeeded()), BTreeMap::new());
}

fn numbered<'a>(changes: &'a Changes, prefix: &str) -> Vec<(String, &'a String)> {
    let files = changes.files.iter().enumerate();
    files.map(|(index, text)| (format!("{prefix}{index:02}"), text)).collect()
}

fn hundred_thousand() -> (TempProject, Changes) {
    let changes = Changes::new(20_240_301, 100_000, 60);
    assert!(changes.repeats > 1_000 && changes.state.len() > 5_000 && changes.gone.len() > 1_000);
    let project = feed(&source().replace("[source]\n", "[source]\non_same_content = \"load\"\n"));
    (project, changes)
}

#[test]
fn files_in_the_order_of_time() {
    let (project, changes) = hundred_thousand();
    load(&project, &numbered(&changes, ""), 6);
    assert_current(&project, &changes, 1);
}

#[test]
fn files_in_reverse() {
    let (project, changes) = hundred_thousand();
    let mut files = numbered(&changes, "");
    files.reverse();
    load(&project, &files, 6);
    assert_current(&project, &changes, 1);
}

#[test]
fn every_file_twice() {
    let (project, changes) = hundred_thousand();
    let mut files = numbered(&changes, "");
    files.reverse();
    files.splice(30..30, numbered(&changes, "again-"));
    load(&project, &files, 12);
    assert_current(&project, &changes, 2);
}

#[test]
fn a_corrected_file_corrects_the_view() {
    let project = feed(&source());
    let head = "op,id,updated_at,version,name,balance\n";
    let name = |text: &str| {
        project.write("data/customers-1.csv", format!("{head}{text}"));
        run(&project, &["ingest"]).succeeded();
        let answer =
            run(&project, &["--json", "sql", "select id, name from customers_current order by id"]).succeeded();
        answer.json()["rows"].to_string()
    };
    assert_eq!(
        name("I,a,2024-03-01,1,Ann,1\nU,a,2024-03-02,2,Anne,1\nI,b,2024-03-01,3,Bo,1\n"),
        r#"[["a","Anne"],["b","Bo"]]"#
    );
    assert_eq!(name("I,a,2024-03-01,1,Ann,1\nD,b,2024-03-01,3,,\n"), r#"[["a","Ann"]]"#);
    assert_eq!(name(""), "[]");
}

/// A report reads the table below the view; another rule is another report.
#[test]
fn reports_see_through_the_view() {
    let project = feed(&source());
    project.write("data/customers-1.csv", block(&guide(), "csv", 0));
    let report = "format = 1\ntitle = 'Customers'\nperiod = { type = 'all' }\n[queries.names]\n";
    project.write("reports/customers/report.toml", report);
    project.write("reports/customers/names.sql", "select id, name from customers_current order by id");
    run(&project, &["check"]).succeeded();
    let views = run(&project, &["--json", "tables"]).succeeded().json()["views"].clone();
    let view = json!([{
        "view": "customers_current", "table": "customers", "key": ["id"], "latest_by": ["updated_at", "version"],
        "deleted": "op is \"D\" or \"delete\"",
        "shows": "of each id the latest by updated_at, version, unless op is \"D\" or \"delete\"",
    }]);
    assert_eq!(views, view);
    let names = || {
        let answer = run(&project, &["--json", "run", "all"]).succeeded().json();
        let report = &answer["reports"][0];
        assert_eq!(report["completeness"], "COMPLETE", "{report}");
        let inputs = report["inputs"].as_array().unwrap().len();
        (report["queries"]["names"]["rows"].to_string(), inputs, report["run_id"].to_string())
    };
    let (rows, inputs, first) = names();
    assert_eq!((rows.as_str(), inputs), (r#"[["ann","Ann"]]"#, 1));
    assert_eq!(names().2, first, "the same files and the same rule are the same run");
    project.edit("sources/customers.toml", "\"delete\"", "\"U\"");
    let (rows, _, other) = names();
    assert_eq!(rows, "[]");
    assert_ne!(other, first);
    project.write("data/customers-2.csv", block(&guide(), "csv", 1));
    assert_eq!(names().0, r#"[["cy","Cy"]]"#);
    project.edit("reports/customers/names.sql", "customers_current", "customers_curent");
    let refused = run(&project, &["check"]).ended_with(2).stderr;
    assert!(refused.contains("did you mean `customers_current`?"), "{refused}");
}

#[test]
fn the_guide_shows_what_the_program_prints() {
    let (project, guide) = (feed(&source()), guide());
    for file in 0..2 {
        project.write(format!("data/customers-{}.csv", file + 1), block(&guide, "csv", file));
    }
    let here = program().in_folder(project.path("."));
    here.run(&["ingest"]).succeeded();
    assert_eq!(number(&project, "select count(*) from customers"), 8);
    let shown = block(&guide, "console", 0);
    let (command, _) = shown.split_once('\n').unwrap();
    let sql = command.strip_prefix("$ stillhouse sql '").unwrap().strip_suffix('\'').unwrap();
    let printed = here.run(&["sql", sql]).succeeded();
    assert_eq!(shown, format!("{command}\n{}{}", printed.stdout, printed.stderr));
}
