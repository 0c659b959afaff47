//! A project begins: `init`, `sniff`, `check`, `doctor`, `generate`.

use regex::Regex;
use stillhouse_testkit::TempProject;

use super::super::project;
use super::twice::{assert_looks, twice};
use super::with_events;

#[test]
fn a_new_project() {
    assert_looks!(
        "a_new_project",
        TempProject::new,
        &[
            &["init", "my-project", "--template", "events"],
            &["init", "my-project"],
            &["init", "other", "--template", "transactions", "--no-data"],
            &["init", "other", "--template", "nothing"],
            &["-C", "my-project", "check"],
            &["-C", "my-project", "tables"],
            &["-C", "my-project", "receipts", "list"],
            &["-C", "my-project", "jobs", "list"],
            &["-C", "my-project", "report", "list"],
            &["-C", "my-project", "quarantine", "list"],
            &["-C", "my-project", "quarantine", "show"],
            &["-C", "my-project", "explain", "data/2021/04/events.csv"],
            &["-C", "my-project", "publish"],
        ]
    );
}

/// A project with a file that no source wants yet.
fn with_a_file() -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"fresh\"\n");
    let rows = "1,ann@mail.example,4/1/2021,12.50\n2,bo@mail.example,4/2/2021,-3.10\n3,cy@mail.example,4/13/2021,7\n";
    project.write("data/2021/04/shop.csv", format!("Id,Email,Day,Amount\n{rows}"));
    project
}

#[test]
fn a_file_of_your_own() {
    let file = "data/2021/04/shop.csv";
    assert_looks!(
        "a_file_of_your_own",
        with_a_file,
        &[
            &["sniff", file],
            &["sniff", "--explain", file],
            &["sniff", "--write", file],
            &["sniff", "--write", file],
            &["sniff", "data/nothing.csv"],
            &["sniff", "data"],
            &["sniff", "--json", file],
            &["check"],
        ]
    );
}

#[test]
fn the_surroundings() {
    let looks = twice(
        || {
            let project = with_events();
            project.edit("sources/events.toml", "[table]\n", "[table]\npublish = { to = \"sqlite://out/w.db\" }\n");
            project
        },
        &[&["doctor"], &["ingest"], &["doctor"]],
    );
    insta::assert_snapshot!("the_surroundings", without_the_machine(&looks));
    let broken = || {
        let project = project("events");
        project.edit("sources/events.toml", "max_rejected", "max_rejectd");
        project
    };
    insta::assert_snapshot!("broken_surroundings", without_the_machine(&twice(broken, &[&["doctor"]])));
}

/// Without what `doctor` says of the machine, and without the width that this gives to the table.
fn without_the_machine(text: &str) -> String {
    let machine =
        Regex::new("(?m)^ *(ok|note|problem) +(memory|clock|processor|limits|terminal) .*\n( {5,}.*\n)*").unwrap();
    let text = machine.replace_all(text, "");
    let closing = Regex::new("(?m)^(all is well|no problem; .*)$").unwrap();
    let text = closing.replace_all(&text, "<all in all>");
    let text = Regex::new("  +").unwrap().replace_all(&text, "  ");
    Regex::new("─+").unwrap().replace_all(&text, "─").into_owned()
}

#[test]
fn invented_data() {
    assert_looks!(
        "invented_data",
        TempProject::new,
        &[
            &["generate", "events", "out", "--rows", "200k", "--to", "2022-02", "--rejects", "2%"],
            &["generate", "events", "out", "--rows", "10"],
            &["generate", "events", "--rows", "10"],
            &["generate", "events", "out", "--rows", "ten", "--nulls", "5"],
        ]
    );
}
