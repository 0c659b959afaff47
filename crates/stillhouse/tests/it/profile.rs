//! Profiles of tables and files.

use serde_json::{Value, json};
use stillhouse_testkit::TempProject;

use super::screens::{assert_screens, screens_with};
use super::{program, project, run};

fn loaded(rows: &str) -> TempProject {
    let project = project("events");
    let folder = project.path(".");
    let flags = ["--rows", rows, "--from", "2022-01", "--to", "2022-02", "--seed", "3", "--nulls", "5%"];
    program().run(&[&["generate", "events", folder.to_str().unwrap()][..], &flags].concat()).succeeded();
    run(&project, &["ingest"]).succeeded();
    project
}

fn column<'a>(profile: &'a Value, name: &str) -> &'a Value {
    profile["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap()
}

/// One row of numbers that a query answers.
fn numbers(project: &TempProject, sql: &str) -> Value {
    run(project, &["--json", "sql", sql]).succeeded().json()["rows"][0].clone()
}

#[test]
fn figures_are_those_that_sql_finds() {
    let project = loaded("10k");
    let profile = run(&project, &["--json", "profile", "events", "--show-personal"]).succeeded().json();
    assert_eq!((&profile["table"], &profile["rows"]), (&"events".into(), &10_000.into()));
    for name in ["email", "country", "action"] {
        let column = column(&profile, name);
        let sql = format!(
            "select count({name}), count(*) - count({name}), count(distinct {name}), min({name}), max({name}), \
             min(character_length({name})), max(character_length({name})) from events"
        );
        let found = json!([
            column["values"],
            column["nulls"],
            column["distinct"],
            column["min"],
            column["max"],
            column["lengths"]["min"],
            column["lengths"]["max"]
        ]);
        assert_eq!(found, numbers(&project, &sql), "{name}");
        let top = format!(
            "select {name}, count(*) from events where {name} is not null group by 1 order by 2 desc, 1 limit 5"
        );
        let top = run(&project, &["--json", "sql", &top]).succeeded().json();
        let found: Vec<Value> =
            column["frequent"].as_array().unwrap().iter().map(|one| json!([one["value"], one["count"]])).collect();
        assert_eq!(found, *top["rows"].as_array().unwrap(), "{name}");
    }
    let tags = &column(&profile, "tags")["items"];
    let sql = "select tag, count(*) from event_tags group by 1 order by 2 desc, 1 limit 1";
    let top = run(&project, &["--json", "sql", sql]).succeeded().json();
    assert_eq!(json!([tags["frequent"][0]["value"], tags["frequent"][0]["count"]]), top["rows"][0]);
    assert_eq!(tags["values"], numbers(&project, "select count(*) from event_tags")[0]);
    assert_eq!(run(&project, &["--json", "profile", "events", "--show-personal"]).json(), profile);
}

#[test]
fn personal_data_is_not_shown_unless_that_is_asked_for() {
    let project = loaded("2k");
    let private = ["email", "ip"];
    let addresses = ["@", "192.0.2."];
    for arguments in [&["profile", "events"][..], &["--json", "profile", "events"]] {
        let shown = run(&project, arguments).succeeded().stdout;
        assert!(addresses.iter().all(|address| !shown.contains(address)), "{shown}");
    }
    let profile = run(&project, &["--json", "profile", "events"]).succeeded().json();
    for name in private {
        let column = column(&profile, name);
        assert!(column["distinct"].as_u64().unwrap() > 50 && column["lengths"]["max"].as_u64().unwrap() > 5);
        assert!(column.get("frequent").is_none() && column.get("min").is_none() && column["personal"] == true);
    }
    let shown = run(&project, &["profile", "events", "--show-personal"]).succeeded().stdout;
    assert!(addresses.iter().all(|address| shown.contains(address)), "{shown}");
}

#[test]
fn a_parquet_file_has_the_profile_of_its_table() {
    let project = loaded("2k");
    let table = run(&project, &["--json", "profile", "events", "--show-personal"]).succeeded().json();
    let file = project.path("events.parquet");
    run(&project, &["export", "events", "--to", file.to_str().unwrap()]).succeeded();
    let inside = run(&project, &["--json", "profile", "events.parquet"]).succeeded().json();
    assert_eq!(inside["columns"], run(&project, &["--json", "profile", "events"]).succeeded().json()["columns"]);
    // Outside a project there is nobody who knows which columns hold personal data.
    let elsewhere = TempProject::new();
    let found = program().in_folder(elsewhere.path(".")).run(&["--json", "profile", file.to_str().unwrap()]);
    let found = found.succeeded().json();
    assert_eq!((&found["rows"], found["file"].as_str()), (&table["rows"], file.to_str()));
    assert_eq!(found["columns"], table["columns"]);
}

#[test]
fn a_csv_file_has_the_profile_of_its_table() {
    let project = loaded("2k");
    std::fs::remove_file(project.path("data/2022/02/events.csv")).unwrap();
    let file = run(&project, &["--json", "profile", "data/2022/01/events.csv"]).succeeded().json();
    let records = file["rows"].as_u64().unwrap();
    let loaded = numbers(&project, "select count(*) from events where _object in (select min(_object) from events)");
    assert_eq!(records, loaded[0]);
    for name in ["id", "country", "action", "uri"] {
        let column = column(&file, name);
        let sql = format!(
            "select count({name}), count(distinct {name}), min({name}), max({name}) from events \
             where _object in (select min(_object) from events)"
        );
        let found = json!([column["values"], column["distinct"], column["min"], column["max"]]);
        assert_eq!(found, numbers(&project, &sql), "{name}");
    }
    assert_eq!(column(&file, "timestamp")["type"], "timestamp");
    assert!(column(&file, "email").get("frequent").is_none(), "the contract says that it is personal");
    assert_eq!(column(&file, "tags")["type"], "list<string>");
}

#[test]
fn screens() {
    let project = loaded("2k");
    let rows = "1,2024-03-01,12.50,\"a, b\",ann@x.example\n2,2024-03-02,-3.10,,bob@x.example\n3,2024-03-02,7\n";
    project.write("data/small.csv", format!("Id,Day,Amount,Note,Email\n{rows}"));
    assert_screens!(
        "profile",
        project,
        &[
            &["profile", "events"],
            &["profile", "event_tags", "--columns", "tag,_item", "--top", "3"],
            &["profile", "evnts"],
            &["profile", "events", "--columns", "action,cuntry"],
            &["profile", "nowhere.csv"],
            &["profile", "data/small.csv"],
            &["profile", "data/small.csv", "--columns", "amount,whatever"],
        ]
    );
    let unicode = program().with_variable("NO_COLOR", "").with_variable("LC_ALL", "C.UTF-8");
    insta::assert_snapshot!(
        "profile_in_unicode",
        screens_with(&unicode, &project, &[&["profile", "events", "--columns", "timestamp,action,tags"]])
    );
}
