//! `sql` without a query: a prompt on a terminal, statements from anything else.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stillhouse_testkit::{Events, TempProject};

use super::screens::terminal::{Colours, Typed, on_terminal};
use super::{program, project, run};

/// What a terminal shows while these keys are typed, each until its text is seen; the program ends with 0.
fn typed(project: &TempProject, steps: &[(&str, &str)]) -> String {
    let answer = on_terminal(project, Colours::Unwanted, &[Typed { command: &["sql"], steps }]).remove(0);
    assert_eq!(answer.code, 0, "{}", answer.shown);
    answer.shown
}

fn loaded() -> TempProject {
    let project = project("events");
    Events::new(81).write_months(&project.path("."), 2021, 1, 300);
    run(&project, &["ingest"]).succeeded();
    project
}

const READY: &str = "stillhouse> ";

#[test]
fn a_query_is_typed_with_tab_and_shows_a_table() {
    let project = loaded();
    let shown = typed(
        &project,
        &[
            ("", READY),
            ("sel\t", "select"),
            (" count(*) as n\rfrom event\t\t", "event_tags"),
            ("s;\r", "1 row in "),
            ("", READY),
            ("\u{4}", ""),
        ],
    );
    assert!(shown.contains("events"), "{shown}");
    assert!(shown.contains("\n 300\n"), "{shown}");
    assert!(shown.contains("events: 2 tables. A query ends with `;`"), "{shown}");
}

#[test]
fn mistakes_show_their_place_and_the_prompt_goes_on() {
    let project = loaded();
    let shown = typed(
        &project,
        &[
            ("", READY),
            ("select id,\r  actoin from events;\r", "did you mean `action`?"),
            ("", READY),
            ("delete from events;\r", "error: "),
            ("", READY),
            ("\\dt\r", "hint: `.help` lists the commands"),
            ("", READY),
            (".columns nothing\r", "there is no table `nothing`"),
            ("", READY),
            (".csv x.csv\r", "there is no result yet"),
            ("", READY),
            // What is typed while a query runs may be lost, so its end is waited for.
            ("select 1 as one; select 2 as two;\r", "1 row in"),
            ("", "1 row in"),
            ("", READY),
            ("exit\r", ""),
        ],
    );
    assert!(
        shown.contains("error: line 2, column 3: column `actoin` is not there\n    actoin from events\n    ^"),
        "{shown}"
    );
}

#[test]
fn commands_and_files() {
    let project = loaded();
    let shown = typed(
        &project,
        &[
            ("", READY),
            (".he\t\r", ".columns TABLE"),
            ("", READY),
            (".tables\r", "event_tags"),
            ("", READY),
            (".columns event_tags\r", "_item"),
            ("", READY),
            ("select id, action from events order by id;\r", "300 rows in "),
            ("", READY),
            (".csv all.csv\r", "300 rows written to all.csv"),
            ("", READY),
            (".csv all.csv\r", "what is there stays"),
            ("", READY),
            (".quit\r", ""),
        ],
    );
    assert!(shown.contains("… and 200 more rows"), "{shown}");
    let csv = std::fs::read_to_string(project.path("all.csv")).unwrap();
    assert_eq!((csv.lines().count(), csv.lines().next()), (301, Some("id,action")));
}

#[test]
fn wide_rows_fit_the_terminal() {
    let project = loaded();
    let shown =
        typed(&project, &[("", READY), ("select * from events limit 3;\r", "3 rows in "), ("", READY), ("\u{4}", "")]);
    // What is typed is echoed: the terminal breaks that, not the table.
    let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{widest}\n{shown}");
}

#[test]
fn ctrl_c_stops_the_line_or_the_query() {
    let project = loaded();
    let long = "select count(*) from events a, events b, events c, events d where a.id || b.id || c.id > d.id;\r";
    let shown = typed(
        &project,
        &[
            ("", READY),
            ("select nonsense", "nonsense"),
            ("\u{3}", READY),
            (long, "d.id;\n"),
            ("\u{3}", "error: the query was stopped"),
            ("", READY),
            ("select 'still ' || 'here' as x;\r", "still here"),
            ("", READY),
            ("\u{4}", ""),
        ],
    );
    assert!(!shown.contains("stopping after what is under way"), "{shown}");
}

#[test]
fn the_history_is_there_again() {
    let project = loaded();
    typed(&project, &[("", READY), ("select 40 +\r 2 as answer;\r", "1 row in "), ("", READY), ("\u{4}", "")]);
    let shown =
        typed(&project, &[("", READY), ("\u{1b}[A", "answer;"), ("\r", "1 row in "), ("", READY), ("\u{4}", "")]);
    assert!(shown.contains("     42"), "{shown}");
    let history = project.path(".stillhouse/sql_history");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(history.metadata().unwrap().permissions().mode() & 0o077, 0, "nobody else reads it");
}

/// Statements from standard input.
fn piped(project: &TempProject, arguments: &[&str], text: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stillhouse"))
        .arg("-C")
        .arg(project.path("."))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn statements_come_from_standard_input() {
    let project = loaded();
    let (code, out, _) = piped(&project, &["sql", "--csv"], "-- two\nselect 1 as a;\nselect ';' as b");
    assert_eq!((code, out.as_str()), (0, "a\r\n1\r\nb\r\n;\r\n"));
    let (code, out, _) = piped(&project, &["--json", "sql", "-"], "select 1 as a; select 2 as a;");
    let values: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, &values[1]["rows"]), (0, &json!([[2]])));
    let (code, out, error) = piped(&project, &["sql", "--csv"], "select 1 as a;\n\nselect x;\nselect 3");
    assert_eq!((code, out.as_str()), (1, "a\r\n1\r\n"));
    assert!(error.starts_with("error: statement 2, which begins in line 3: line 1, column 8: "), "{error}");
    let nothing = program().run(&["-C", project.path(".").to_str().unwrap(), "sql"]).ended_with(2);
    assert!(nothing.stderr.contains("there is no query"), "{}", nothing.stderr);
}
