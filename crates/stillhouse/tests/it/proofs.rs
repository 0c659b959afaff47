//! What can be proved, and what a proof finds.

use std::path::PathBuf;

use stillhouse_testkit::{Events, Postgres, TempProject};

use super::orders::{assert_proved, expected, file, ids, orders};
use super::{assert_balanced, number, project, run};

fn findings(project: &TempProject) -> Vec<(String, String)> {
    let audit = run(project, &["--json", "audit"]).ended_with(3).json();
    let text = |finding: &serde_json::Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = audit["audit"]["findings"].as_array().unwrap();
    findings.iter().map(|finding| (text(finding, "difference"), text(finding, "key"))).collect()
}

fn found(difference: &str, key: &str) -> (String, String) {
    (difference.to_owned(), key.to_owned())
}

fn data_files(project: &TempProject, table: &str) -> Vec<PathBuf> {
    let folder = project.path("lake").join(table).read_dir().unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "parquet")).collect()
}

#[test]
fn a_month_is_proved_by_content() {
    let project = project("events");
    Events::new(51).write_months(&project.path("."), 2023, 3, 500);
    run(&project, &["ingest"]).succeeded();
    let verified = run(&project, &["--json", "receipts", "verify"]).succeeded().json();
    let receipts = verified["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 3);
    assert!(receipts.iter().all(|receipt| receipt["proof"] == "content"), "{verified:#}");
    assert_proved(&project);
}

#[test]
fn an_audit_names_every_difference_between_files_and_receipts() {
    let project = orders("on_change = \"hold\"");
    for (name, ids) in [("changed", 1..3), ("gone", 11..13), ("same", 21..23)] {
        project.write(format!("data/{name}.csv"), file(ids));
    }
    run(&project, &["ingest"]).succeeded();
    assert_proved(&project);
    project.write("data/changed.csv", file(1..9));
    project.write("data/unknown.csv", file(31..33));
    std::fs::remove_file(project.path("data/gone.csv")).unwrap();
    let expected =
        [found("unknown", "data/unknown.csv"), found("changed", "data/changed.csv"), found("missing", "data/gone.csv")];
    assert_eq!(findings(&project), expected);
    let text = run(&project, &["audit"]).ended_with(3).stdout;
    assert!(text.contains("gone since they were loaded: 1"), "{text}");
    run(&project, &["ingest"]).ended_with(3);
    assert_eq!(findings(&project), [found("missing", "data/gone.csv"), found("held", "data/changed.csv")]);
}

#[test]
fn a_damaged_lake_is_noticed() {
    let project = orders("");
    project.write("data/a.csv", file(1..300));
    run(&project, &["ingest"]).succeeded();
    let path = data_files(&project, "order_tags").remove(0);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let name = format!("order_tags/{}", path.file_name().unwrap().to_str().unwrap());
    assert_eq!(findings(&project), [found("damaged", &name)]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(findings(&project), [found("damaged", &name)]);
    std::fs::write(&path, &bytes).unwrap();
    assert_proved(&project);
}

/// The same number of rows and bytes with one other value: counts agree, the content does not.
#[test]
fn one_changed_value_in_a_table_is_found_by_verify() {
    let project = orders("");
    for last in 30..60 {
        project.write(format!("data/{last}.csv"), file([1, 3, 5, last * 2 + 1]));
        run(&project, &["ingest"]).succeeded();
        let files = data_files(&project, "orders");
        let twins =
            files.iter().flat_map(|a| files.iter().map(move |b| (a, b))).find(|(a, b)| a != b && size(a) == size(b));
        let Some((a, b)) = twins else { continue };
        let (a_bytes, b_bytes) = (std::fs::read(a).unwrap(), std::fs::read(b).unwrap());
        // What one file gave takes the place of what the other gave.
        std::fs::write(a, &b_bytes).unwrap();
        std::fs::write(b, &a_bytes).unwrap();
        let answer = run(&project, &["--json", "receipts", "verify"]).ended_with(3).json();
        assert_eq!(answer["failed"], 2, "{answer:#}");
        std::fs::write(a, &a_bytes).unwrap();
        // A file that cannot be read is one receipt that fails, and no reason to stop.
        std::fs::write(b, &b_bytes[..20]).unwrap();
        let answer = run(&project, &["--json", "receipts", "verify"]).ended_with(3).json();
        assert_eq!(answer["failed"], 1, "{answer:#}");
        return;
    }
    panic!("no two data files of the same size");
}

fn size(path: &std::path::Path) -> u64 {
    path.metadata().unwrap().len()
}

/// Lose the ledger, whatever was going on: rebuild, audit, and go on.
#[test]
fn after_the_loss_of_the_ledger_everything_is_proved_and_nothing_is_repeated() {
    let project = project("events");
    Events::new(52).write_months(&project.path("."), 2023, 4, 200);
    run(&project, &["run", "all"]).succeeded();
    let runs = number(&project, "select count(*) from _runs");
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(project.path(".stillhouse").join(name));
    }
    run(&project, &["ledger", "rebuild"]).succeeded();
    assert_proved(&project);
    let again = run(&project, &["--json", "run", "all"]).succeeded().json();
    assert!(again["objects"].as_array().unwrap().iter().all(|object| object["status"] == "unchanged"), "{again:#}");
    assert_eq!(number(&project, "select count(*) from _runs"), runs, "no run is made twice");
    assert_balanced(&project, "events");
}

#[test]
fn merging_files_repeats_no_run() {
    let project = project("events");
    let mut events = Events::new(53);
    for year in 2010..2022 {
        events.write_months(&project.path("."), year, 1, 50);
        run(&project, &["ingest"]).succeeded();
    }
    run(&project, &["run", "all"]).succeeded();
    let runs = number(&project, "select count(*) from _runs");
    run(&project, &["maintain", "--keep", "0 s"]).succeeded();
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select count(*) from _runs"), runs);
    assert_proved(&project);
}

#[test]
fn a_copy_of_the_lake_is_a_lake() {
    let project = orders("");
    project.write("data/a.csv", file(1..9));
    run(&project, &["ingest"]).succeeded();
    let copy = TempProject::new();
    let to = copy.path("lake");
    run(&project, &["lake", "copy", to.to_str().unwrap()]).succeeded();
    project.write("data/b.csv", file(11..13));
    run(&project, &["ingest"]).succeeded();
    run(&project, &["lake", "copy", to.to_str().unwrap()]).succeeded();
    for name in ["stillhouse.toml", "sources/orders.toml"] {
        copy.copy(project.path(name), name);
    }
    std::fs::create_dir(copy.path("data")).unwrap();
    assert_eq!(ids(&copy), expected((1..9).chain(11..13)));
    run(&copy, &["ledger", "rebuild"]).succeeded();
    let verified = run(&copy, &["--json", "receipts", "verify"]).succeeded().json();
    assert_eq!(verified["receipts"].as_array().unwrap().len(), 2);
    // Its own life from here on.
    copy.write("data/c.csv", file([40]));
    run(&copy, &["ingest"]).succeeded();
    assert_eq!(ids(&copy), expected((1..9).chain(11..13).chain([40])));
    assert_eq!(ids(&project), expected((1..9).chain(11..13)));
}

#[test]
fn a_ledger_is_backed_up_and_put_back() {
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    run(&project, &["ingest"]).succeeded();
    let backup = project.path("ledger.backup");
    run(&project, &["ledger", "backup", backup.to_str().unwrap()]).succeeded();
    run(&project, &["ledger", "backup", backup.to_str().unwrap()]).ended_with(2);
    project.write("data/b.csv", file(11..15));
    run(&project, &["ingest"]).succeeded();
    // Restored, it does not know the second file; the lake does.
    run(&project, &["ledger", "restore", backup.to_str().unwrap()]).succeeded();
    let again = run(&project, &["--json", "ingest"]).succeeded().json();
    assert!(again["objects"].as_array().unwrap().iter().all(|object| object["status"] == "unchanged"), "{again:#}");
    assert_eq!(ids(&project), expected((1..5).chain(11..15)));
    assert_proved(&project);
}

#[test]
fn what_ran_can_be_read_again() {
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    run(&project, &["ingest"]).succeeded();
    let source = std::fs::read_to_string(project.path("sources/orders.toml")).unwrap();
    let receipt = run(&project, &["receipts", "show", "a.csv"]).succeeded().json();
    let fingerprint = receipt["receipts"][0]["source_fingerprint"].as_str().unwrap().to_owned();
    project.edit("sources/orders.toml", "50%", "40%");
    assert_eq!(run(&project, &["text", &fingerprint]).succeeded().stdout, source);
    let log = run(&project, &["jobs", "log", "a.csv"]).succeeded().stdout;
    assert!(log.contains("4 read = 4 loaded"), "{log}");
    let jobs = run(&project, &["--json", "jobs", "list"]).succeeded().json();
    assert_eq!(jobs["attempts"].as_array().unwrap().len(), 1, "{jobs:#}");
}

#[test]
fn a_ledger_moves_to_postgresql_and_back() {
    let server = Postgres::start();
    let address = server.create_database("diary");
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    run(&project, &["ingest"]).succeeded();
    run(&project, &["ledger", "move", &address]).succeeded();
    let refused = run(&project, &["ingest"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("moved to"), "{}", refused.stderr);
    let settings = std::fs::read_to_string(project.path("stillhouse.toml")).unwrap();
    project.write("stillhouse.toml", format!("{settings}[ledger]\npath = \"{address}\"\n"));
    project.write("data/b.csv", file(11..15));
    let there = run(&project, &["--json", "ingest"]).succeeded().json();
    let states: Vec<_> = there["objects"].as_array().unwrap().iter().map(|object| object["status"].clone()).collect();
    assert_eq!(states, ["unchanged", "loaded"], "{there:#}");
    assert_proved(&project);
    let back = format!("sqlite://{}", project.path("back.db").display());
    run(&project, &["ledger", "move", &back]).succeeded();
    project.write("stillhouse.toml", format!("{settings}[ledger]\npath = \"back.db\"\n"));
    project.write("data/c.csv", file([20]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected((1..5).chain(11..15).chain([20])));
    assert_proved(&project);
}
