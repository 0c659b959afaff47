//! What a person sees, command by command: on a terminal of 80 columns (the modules below), and here in a pipe, where both
//! outputs are told apart. The pictures are in `snapshots/` and `screens/snapshots/`; accept changed ones with
//! `INSTA_UPDATE=always` after looking at the difference.

mod asking;
mod caring;
mod helps;
mod loading;
mod mistakes;
mod starting;
pub(crate) mod terminal;
mod twice;

use std::time::{Duration, SystemTime};

use regex::{Captures, Regex};
use stillhouse_testkit::{Program, TempProject};

use super::{program, project};

/// Runs the commands one after the other; each with both outputs and its exit code.
pub(crate) fn screens(project: &TempProject, commands: &[&[&str]]) -> String {
    screens_with(&program(), project, commands)
}

/// The same by a program with an environment of its own.
pub(crate) fn screens_with(program: &Program, project: &TempProject, commands: &[&[&str]]) -> String {
    let here = program.in_folder(project.path(".")).with_variable("COLUMNS", "80");
    let mut text = String::new();
    for command in commands {
        let finished = here.run(command);
        text.push_str(&format!("$ stillhouse {}\n{}", command.join(" "), finished.stdout));
        if !finished.stderr.is_empty() {
            text.push_str(&format!("(standard error)\n{}", finished.stderr));
        }
        text.push_str(&format!("(exit code {})\n\n", finished.code.unwrap()));
    }
    text
}

/// Without what differs from run to run: ids, times, sizes of compressed files. As far as possible sign by sign, so that
/// columns stay where they are.
pub(crate) fn same_every_time(text: &str) -> String {
    // What is masked is the group, where there is one.
    let masked = [
        (r"\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b", "x"),
        (r"\b(?:PARTIAL|COMPLETE|EMPTY) +([0-9a-f]{8}) ", "x"),
        (r"\b(?:attempt|batch) ([0-9a-f]{8})\b", "x"),
        (r"(?m)^ ?([0-9a-f]{8}) +data/", "x"),
        (r"20\d\d-\d\d-\d\d\s+\d\d:\d\d(?::\d\d)?Z", "0"),
        (r"20\d\d-\d\d-\d\d \d\d:\d\d \+00:00", "0"),
        (r"(\d+\.\d) [kGT]B\b", "n"),
        // In a table only: elsewhere bytes are those of texts, which are always as many.
        (r" {3,}([1-9]\d\d) B\b", "n"),
        (r"\b1[78]\d{14}\b", "0"),
    ];
    let replaced = [
        (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z", "<instant>"),
        (r"\bin \d+ ms\b", "in <ms>"),
        (r"\b\d+\.\d+ s\b", "<seconds>"),
        (r#""etag": "[^"]+""#, r#""etag": "<etag>""#),
    ];
    let text = masked.iter().fold(text.to_owned(), |text, (pattern, sign)| mask(&text, pattern, sign));
    replaced
        .iter()
        .fold(text, |text, (pattern, with)| Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned())
}

fn mask(text: &str, pattern: &str, sign: &str) -> String {
    let masked = |found: &Captures<'_>| {
        let whole = found.get_match();
        let part = found.get(1).unwrap_or(whole);
        let hidden: String = part
            .as_str()
            .chars()
            .map(|c| if matches!(c, '0'..='9' | 'a'..='f') { sign.to_owned() } else { c.into() })
            .collect();
        format!("{}{hidden}{}", &text[whole.start()..part.start()], &text[part.end()..whole.end()])
    };
    Regex::new(pattern).unwrap().replace_all(text, masked).into_owned()
}

/// Holds what the commands print, each output by itself.
macro_rules! assert_screens {
    ($name:literal, $project:expr, $commands:expr) => {
        insta::assert_snapshot!(
            $name,
            $crate::screens::same_every_time(&$crate::screens::screens(&$project, $commands))
        )
    };
}
pub(crate) use assert_screens;

/// A month of events with one bad record.
fn with_events() -> TempProject {
    let project = project("events");
    let head = "id,timestamp,email,country,ip,uri,action,tags\n";
    let rows = "e1,2023-01-05,ann@acme.com,Norway,10.0.0.1,index,visit,\"['walk', 'data']\"\n\
                e2,2023-01-06T10:30:00Z,bob@shop.acme.com,Chad,10.0.0.2,index,click,[]\n";
    let bad = "e3,2023-01-32,ann@acme.com,Norway,10.0.0.1,index,visit,[]\n";
    project.write("data/2023/01/events.csv", format!("{head}{}{bad}", rows.repeat(60)));
    project
}

/// A file of 2024, whenever the test runs: dates without a year take it from the file.
fn with_transactions(text: &str) -> TempProject {
    let project = project("transactions");
    let path = project.write("data/transactions.csv", text);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_720_000_000)).unwrap();
    project
}

#[test]
fn an_account() {
    let project =
        with_transactions("Id,Date,Transaction\n0,7/15,+60.5\n1,7/28,-10.3\n2,8/2\n3,8/13,+10\n3,8/14,-20.46\n");
    assert_screens!(
        "an_account",
        project,
        &[
            &["check"],
            &["run", "all"],
            &["run", "all"],
            &["quarantine", "list"],
            &["quarantine", "show"],
            &["explain", "data/transactions.csv"]
        ]
    );
}

#[test]
fn a_held_file() {
    let project = with_transactions("Id,Date,Transaction\n0,2/8/2024,+60.5\n1,3/4/2024,-10.3\n");
    assert_screens!(
        "a_held_file",
        project,
        &[&["run", "all"], &["explain", "transactions.csv"], &["receipts", "list"]]
    );
}

#[test]
fn a_month() {
    let project = with_events();
    assert_screens!(
        "a_month",
        project,
        &[
            &["run", "2023-01", "--dry-run"],
            &["run", "2023-01"],
            &["report", "list"],
            &["receipts", "list"],
            &["quarantine", "show"],
            &["tables"],
            &["tables", "events"],
            &["sql", "select action, count(*) as events from events group by action order by action"],
        ]
    );
}

#[test]
fn a_view() {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"feed\"\n");
    let table = "[table]\nname = 'shops'\nkey = ['region', 'id']\nkeep = 'latest by version'\n\
        deleted = { column = 'op', values = ['D', 'delete'] }\n[table.columns]\nop = 'string'\n\
        region = { type = 'string', required = true }\nid = { type = 'int64', required = true }\nversion = 'int64'\n";
    let source = format!("format = 1\n[source]\ntype = 'csv'\npath = 'data/*.csv'\nsettle = '0s'\n{table}");
    project.write("sources/shops.toml", source);
    project.write("data/1.csv", "op,region,id,version\nI,north,1,1\nI,south,1,2\nU,north,1,4\nD,south,1,3\n");
    assert_screens!(
        "a_view",
        project,
        &[
            &["check"],
            &["ingest"],
            &["tables"],
            &["tables", "shops_current"],
            &["tables", "shops_now"],
            &["sql", "select region, id, version from shops_current"],
            &["sql", "delete from shops_current"],
        ]
    );
}

#[test]
fn mistakes() {
    let project = project("events");
    project.edit("sources/events.toml", "max_rejected", "max_rejectd");
    let empty = TempProject::new();
    assert_screens!("a_setting_that_does_not_exist", project, &[&["check"]]);
    project.edit("sources/events.toml", "max_rejectd", "max_rejected");
    assert_screens!(
        "mistakes",
        project,
        &[
            &["run", "2023-13"],
            &["run", "2023-01"],
            &["sql", "select actoin from events"],
            &["sql", "delete from events"],
            &["explain", "nothing.csv"],
            &["report", "show", "nothing"],
            &["rnu"],
        ]
    );
    assert_screens!("no_project", empty, &[&["run", "all"], &["init", ".", "--template", "nothing"]]);
}

#[test]
fn there_are_no_colours_in_a_pipe() {
    let project = with_events();
    let program = program().in_folder(project.path(".")).with_variable("NO_COLOR", "");
    let program = program.with_variable("TERM", "xterm-256color").with_variable("STILLHOUSE_LOG", "debug");
    for command in
        [&["run", "2023-01"][..], &["sql", "selec 1"], &["--help"], &["rnu"], &["doctor"], &["ingest", "--reload", "x"]]
    {
        let finished = program.run(command);
        assert!(!(finished.stdout + &finished.stderr).contains('\u{1b}'), "{command:?}");
    }
}

#[test]
fn help() {
    assert_screens!("help", TempProject::new(), &[&["--help"], &["run", "--help"]]);
}
