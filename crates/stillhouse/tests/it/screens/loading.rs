//! Files become tables and reports, and every file has its account.

use stillhouse_testkit::TempProject;

use super::super::run;
use super::twice::assert_looks;
use super::{with_events, with_transactions};

#[test]
fn a_month() {
    assert_looks!(
        "a_month",
        with_events,
        &[
            &["check"],
            &["run", "2023-01", "--dry-run"],
            &["run", "2023-01"],
            &["run", "2023-01"],
            &["ingest"],
            &["ingest", "--dry-run"],
            &["report", "list"],
            &["report", "show", "monthly-activity", "2022-12"],
            &["report", "show", "nothing"],
            &["report", "run", "nothing"],
        ]
    );
}

#[test]
fn an_account() {
    let rows = "0,7/15,+60.5\n1,7/28,-10.3\n2,8/2\n3,8/13,+10\n";
    assert_looks!(
        "an_account",
        || with_transactions(&format!("Id,Date,Transaction\n{rows}")),
        &[
            &["run", "all", "--quiet"],
            &["report", "show", "account-summary", "--out", "out", "--form", "html"],
            &["report", "show", "account-summary", "--out", "out", "--form", "svg"],
            &["report", "run", "account-summary", "all", "--out", "out"],
        ]
    );
}

fn ingested() -> TempProject {
    let project = with_events();
    run(&project, &["ingest"]).succeeded();
    project
}

#[test]
fn accounts_of_files() {
    assert_looks!(
        "accounts_of_files",
        ingested,
        &[
            &["receipts", "list"],
            &["receipts", "show", "events.csv"],
            &["receipts", "show", "nothing"],
            &["receipts", "verify"],
            &["receipts", "verify", "--counts-only"],
            &["receipts", "verify", "nothing"],
            &["receipts", "verify", "--source", "nothing"],
            &["explain", "events.csv"],
            &["explain", "data/2023/02/events.csv"],
            &["explain", "nothing"],
            &["jobs", "list"],
            &["jobs", "log", "events.csv"],
            &["jobs", "log", "nothing"],
            &["audit"],
        ]
    );
}

#[test]
fn refused_records() {
    assert_looks!(
        "refused_records",
        ingested,
        &[
            &["quarantine", "list"],
            &["quarantine", "show"],
            &["quarantine", "show", "nothing"],
            &["quarantine", "export", "--to", "refused"],
            &["quarantine", "export", "--to", "refused"],
            &["quarantine", "replay"],
            &["quarantine", "drop", "--why", ""],
            &["quarantine", "drop", "--why", "no such day"],
            &["quarantine", "replay"],
            &["quarantine", "list"],
            &["receipts", "list"],
            &["explain", "events.csv"],
        ]
    );
}

#[test]
fn a_held_file() {
    assert_looks!(
        "a_held_file",
        || with_transactions("Id,Date,Transaction\n0,2/8/2024,+60.5\n1,3/4/2024,-10.3\n"),
        &[
            &["run", "all"],
            &["ingest", "--held"],
            &["explain", "transactions.csv"],
            &["receipts", "list"],
            &["jobs", "list"],
            &["jobs", "log", "transactions.csv"],
            &["audit"],
            &["report", "list"],
        ]
    );
}

#[test]
fn a_path_that_is_long() {
    let make = || {
        let project = with_events();
        let long = "data/{yyyy}/{MM}/";
        project.edit("sources/events.toml", long, "data/shops-of-the-northern-region/every-night/{yyyy}/{MM}/");
        let folder = project.path("data/shops-of-the-northern-region/every-night/2023/01");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::rename(project.path("data/2023/01/events.csv"), folder.join("events.csv")).unwrap();
        project
    };
    assert_looks!(
        "a_path_that_is_long",
        make,
        &[
            &["ingest"],
            &["receipts", "list"],
            &["jobs", "list"],
            &["quarantine", "list"],
            &["quarantine", "show"],
            &["explain", "events.csv"]
        ]
    );
}

#[test]
fn a_large_file_has_a_bar() {
    let make = || {
        let project = super::super::project("events");
        run(&project, &["generate", "events", "--rows", "40k", "--from", "2022-01", "--to", "2022-01"]).succeeded();
        project
    };
    assert_looks!("a_large_file", make, &[&["ingest"], &["ingest"]]);
}
