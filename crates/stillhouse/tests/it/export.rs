//! Tables, answers and reports as files.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use stillhouse_testkit::TempProject;

use super::screens::assert_screens;
use super::{number, program, project, run};

/// A project with two loaded months of everything that files can hold.
fn loaded() -> TempProject {
    let project = project("events");
    let folder = project.path(".");
    let months = ["--rows", "10k", "--from", "2022-01", "--to", "2022-02", "--seed", "3"];
    let rough = ["--escaped-quotes", "5%", "--line-breaks", "5%", "--nulls", "5%"];
    let command = [&["generate", "events", folder.to_str().unwrap()][..], &months, &rough].concat();
    program().run(&command).succeeded();
    run(&project, &["ingest"]).succeeded();
    project
}

fn export(project: &TempProject, file: &str, arguments: &[&str]) -> Vec<u8> {
    let path = project.path(file);
    let arguments = [&["export", "--to", path.to_str().unwrap()][..], arguments].concat();
    run(project, &arguments).succeeded();
    std::fs::read(path).unwrap()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sorted(mut lines: Vec<Value>) -> Vec<String> {
    lines.sort_by_key(ToString::to_string);
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn a_table_comes_back_from_csv() {
    let first = loaded();
    let exported = lines(&export(&first, "events.jsonl", &["events"]));
    assert_eq!(exported.len(), 10_000);
    assert!(exported.iter().any(|row| row["uri"].as_str().unwrap().contains('\n')));
    let names: Vec<&String> = exported[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"]);

    let second = project("events");
    second.write("data/2022/01/events.csv", export(&first, "raw.csv", &["events", "--raw"]));
    run(&second, &["ingest"]).succeeded();
    let again = lines(&export(&second, "events.jsonl", &["events"]));
    assert_eq!(sorted(again), sorted(exported));
}

#[test]
fn the_same_table_gives_the_same_bytes() {
    let project = loaded();
    for form in ["csv", "jsonl", "parquet"] {
        let export = |name: &str| export(&project, &format!("{name}.{form}"), &["events", "--lineage"]);
        assert!(export("first") == export("second"), "{form}");
    }
}

#[test]
fn answers_and_reports_can_be_exported_too() {
    let project = loaded();
    let query = "select action, count(*) as events from events where country = $country group by action order by 1";
    let answer = export(&project, "answer.jsonl", &["--query", query, "-p", "country=Germany"]);
    let sql = run(&project, &["--json", "sql", query, "-p", "country=Germany"]).succeeded().json();
    let expected: Vec<Value> =
        sql["rows"].as_array().unwrap().iter().map(|row| json!({"action": row[0], "events": row[1]})).collect();
    assert_eq!(lines(&answer), expected);
    assert!(expected.len() > 5);

    let report = ["--report", "monthly-activity/top_users", "2022-01"];
    let csv = String::from_utf8(export(&project, "users.csv", &report)).unwrap();
    let shown = run(&project, &["report", "show", "monthly-activity", "2022-01", "--json"]).succeeded().json();
    let users = &shown["reports"][0]["queries"]["top_users"]["rows"];
    let first = format!("user,events\r\n{},{}\r\n", users[0][0].as_str().unwrap(), users[0][1]);
    assert!(csv.starts_with(&first), "{csv}");
    assert_eq!(csv.lines().count(), 11);
}

#[test]
fn more_rows_than_a_result_may_have_can_be_exported() {
    let project = loaded();
    project.edit("stillhouse.toml", "query_seconds = 600", "query_seconds = 600\nresult_rows = 100");
    run(&project, &["sql", "select * from events"]).ended_with(2);
    assert_eq!(lines(&export(&project, "all.jsonl", &["events"])).len(), 10_000);
    assert_eq!(lines(&export(&project, "ids.jsonl", &["--query", "select id from events"])).len(), 10_000);
}

#[test]
fn odd_characters_and_formulas() {
    let project = project("events");
    let head = "id,timestamp,email,country,ip,uri,action,tags\n";
    let odd = "n\u{0}l\u{1b}[31m";
    project.write(
        "data/2022/01/events.csv",
        format!("{head}=1+1,2022-01-01,,+49,,{odd},visit,[]\n-5,2022-01-01,,,,,,[]\n"),
    );
    run(&project, &["ingest"]).succeeded();
    let rows = lines(&export(&project, "all.jsonl", &["events", "--columns", "uri,id"]));
    assert_eq!(rows, [json!({"uri": odd, "id": "=1+1"}), json!({"uri": "", "id": "-5"})]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let safe = text(export(&project, "safe.csv", &["events", "--columns", "id,uri,country"]));
    assert_eq!(safe, format!("id,uri,country\r\n'=1+1,{odd},'+49\r\n'-5,\"\",\r\n"));
    let raw = text(export(&project, "raw.csv", &["events", "--columns", "id,uri,country", "--raw"]));
    assert_eq!(raw, format!("id,uri,country\r\n=1+1,{odd},+49\r\n-5,\"\",\r\n"));
}

#[test]
fn files_are_whole_or_not_there() {
    let project = loaded();
    project.write("out/there.csv", "precious");
    let there = project.path("out/there.csv");
    let to_there = ["export", "events", "--to", there.to_str().unwrap()];
    let refused = run(&project, &to_there).ended_with(2);
    assert!(refused.stderr.contains("is there already") && refused.stderr.contains("--force"), "{}", refused.stderr);
    // The query fails only when its last row is made.
    let new = project.path("out/new.csv");
    let fails = "select 1 / (10000 - row_number() over (order by id)) from events";
    run(&project, &["export", "--query", fails, "--to", new.to_str().unwrap()]).ended_with(1);
    let forced = ["export", "--force", "--query", fails, "--to", there.to_str().unwrap()];
    run(&project, &forced).ended_with(1);
    assert_eq!(std::fs::read(&there).unwrap(), b"precious");
    let names = |folder: &Path| folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(&project.path("out")), ["there.csv"]);
    run(&project, &[&to_there[..], &["--force"]].concat()).succeeded();
    assert!(std::fs::read(&there).unwrap().starts_with(b"id,timestamp,"));
    assert_eq!(names(&project.path("out")), ["there.csv"]);
}

#[test]
fn whoever_reads_a_pipe_may_leave() {
    let project = loaded();
    for form in ["csv", "jsonl", "parquet"] {
        let script = format!(
            "{} -C {} export events --to - --form {form} | head -c 20 >{}; exit ${{PIPESTATUS[0]}}",
            env!("CARGO_BIN_EXE_stillhouse"),
            project.path(".").display(),
            project.path("head").display()
        );
        let ended = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(ended.status.success(), "{form}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(std::fs::read(project.path("head")).unwrap().len(), 20, "{form}");
    }
    let whole = run(&project, &["export", "events", "--to", "-", "--form", "jsonl", "--quiet"]).succeeded();
    assert_eq!(lines(whole.stdout.as_bytes()).len(), 10_000);
    assert_eq!(number(&project, "select count(*) from events"), 10_000);
}

#[test]
fn screens() {
    let project = loaded();
    let report = "monthly-activity/top_companies";
    assert_screens!(
        "export",
        project,
        &[
            &["export", "events", "--to", "events.csv"],
            &["export", "events", "--to", "events.csv"],
            &["export", "events", "--to", "events.csv", "--force", "--json"],
            &["export", "--report", report, "2022-02", "--to", "-", "--form", "jsonl"],
            &["export", "--report", "monthly-activity", "2022-02", "--to", "out.csv"],
            &["export", "--report", "monthly-activity/top_compnies", "2022-02", "--to", "out.csv"],
            &["export", "evnts", "--to", "out.csv"],
            &["export", "events", "--columns", "id,emial", "--to", "out.csv"],
            &["export", "events", "--to", "out.xlsx"],
            &["export", "events", "--to", "nowhere/out.csv"],
            &["export", "events", "--to", "data"],
            &["export", "--to", "out.csv"],
            &["export", "events", "--to", "-", "--json"],
        ]
    );
}
