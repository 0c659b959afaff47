//! Files that are changed, renamed, repeated or removed after they were loaded: the rows before and after, and what the
//! commands say.

use insta::assert_snapshot;
use stillhouse_testkit::TempProject;

use super::orders::{assert_proved, expected, file, ids, orders};
use super::{number, program, run};

/// What `ingest` says, without times and ids.
fn ingest(project: &TempProject, code: i32) -> String {
    let here = program().in_folder(project.path("."));
    let finished = here.run(&["ingest"]).ended_with(code);
    finished.stdout + &finished.stderr
}

fn state(project: &TempProject) -> State {
    State { receipts: number(project, "select count(*) from _receipts where kind = 'load'"), ids: ids(project) }
}

#[derive(Debug, PartialEq)]
struct State {
    receipts: i64,
    ids: (Vec<i64>, Vec<i64>),
}

#[test]
fn a_corrected_file_replaces_its_own_rows_and_no_others() {
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    project.write("data/b.csv", file(11..15));
    assert_snapshot!("corrected_1", ingest(&project, 0));
    assert_eq!(ids(&project), expected([1, 2, 3, 4, 11, 12, 13, 14]));
    project.write("data/a.csv", file([2, 3, 9]));
    assert_snapshot!("corrected_2", ingest(&project, 0));
    assert_eq!(ids(&project), expected([2, 3, 9, 11, 12, 13, 14]));
    assert_proved(&project);
}

/// After a merge, rows of several files lie in one data file, which has to be rewritten.
#[test]
fn a_correction_after_compaction_touches_only_its_own_rows() {
    let project = orders("");
    for number in 0..12 {
        project.write(format!("data/{number}.csv"), file([number * 10, number * 10 + 1]));
        run(&project, &["ingest"]).succeeded();
    }
    let before = ids(&project);
    let files = |project: &TempProject| {
        let tables = run(project, &["--json", "tables"]).succeeded().json();
        let table = tables["tables"].as_array().unwrap().iter().find(|table| table["table"] == "orders").cloned();
        table.unwrap()["files"].as_u64().unwrap()
    };
    assert_eq!(files(&project), 12);
    run(&project, &["maintain", "--keep", "0 s"]).succeeded();
    assert_eq!(files(&project), 1);
    assert_eq!(ids(&project), before);
    project.write("data/3.csv", file([30, 32]));
    run(&project, &["ingest"]).succeeded();
    let corrected = (0..12).flat_map(|number| if number == 3 { [30, 32] } else { [number * 10, number * 10 + 1] });
    assert_eq!(ids(&project), expected(corrected));
    assert_proved(&project);
}

#[test]
fn a_file_that_shrank_to_a_header_has_no_rows_left_in_any_table() {
    let project = orders("");
    project.write("data/a.csv", file(1..9) + "x,2024-05-01,\n");
    project.write("data/b.csv", file([50]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(number(&project, "select count(*) from _quarantine"), 1);
    project.write("data/a.csv", file([2]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected([2, 50]));
    assert_eq!(number(&project, "select count(*) from _quarantine"), 0);
    project.write("data/a.csv", "id,day,tags\n");
    assert_snapshot!("shrunk_1", ingest(&project, 0));
    assert_eq!(ids(&project), expected([50]));
    assert_proved(&project);
}

#[test]
fn a_renamed_file_is_known_by_its_content() {
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    run(&project, &["ingest"]).succeeded();
    std::fs::rename(project.path("data/a.csv"), project.path("data/z.csv")).unwrap();
    assert_snapshot!("renamed_1", ingest(&project, 0));
    assert_eq!(ids(&project), expected(1..5));
    assert_snapshot!(
        "renamed_2",
        run(&project, &["receipts", "list"])
            .stdout
            .lines()
            .map(|line| &line[..line.len().min(60)])
            .collect::<Vec<_>>()
            .join("\n")
    );
    // The old name comes back with other rows: those that the new name stands for must not get lost.
    project.write("data/a.csv", file(20..22));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected([1, 2, 3, 4, 20, 21]));
    assert_proved(&project);
}

#[test]
fn a_renamed_file_is_loaded_under_its_new_name_where_missing_files_go() {
    let project = orders("on_missing = \"remove\"");
    project.write("data/a.csv", file(1..5));
    project.write("data/b.csv", file(11..13));
    run(&project, &["ingest"]).succeeded();
    std::fs::rename(project.path("data/a.csv"), project.path("data/z.csv")).unwrap();
    assert_snapshot!("renamed_and_removed_1", ingest(&project, 0));
    assert_eq!(ids(&project), expected([1, 2, 3, 4, 11, 12]));
    assert_proved(&project);
}

#[test]
fn a_file_that_is_touched_or_repeated_changes_nothing() {
    let project = orders("");
    let path = project.write("data/a.csv", file(1..5));
    run(&project, &["ingest"]).succeeded();
    let touched = std::fs::File::options().write(true).open(&path).unwrap();
    touched.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    project.write("data/copy.csv", file(1..5));
    let before = state(&project);
    assert_snapshot!("touched_1", ingest(&project, 0));
    let after = state(&project);
    assert_eq!((after.ids, after.receipts), (before.ids, before.receipts + 2), "a receipt each, and no rows");
    assert_eq!(state(&project).receipts, before.receipts + 2);
    assert_snapshot!("touched_2", ingest(&project, 0));
    assert_proved(&project);
    // Asked for by name, it is loaded again: in the place of its own rows.
    run(&project, &["ingest", "--reload", "data/a.csv"]).succeeded();
    assert_eq!(ids(&project), expected(1..5));
    assert_proved(&project);
}

#[test]
fn the_same_content_is_loaded_twice_where_the_source_says_so() {
    let project = orders("on_same_content = \"load\"");
    project.write("data/a.csv", file([1, 2]));
    project.write("data/b.csv", file([1, 2]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project).0, [1, 1, 2, 2]);
    assert_proved(&project);
}

#[test]
fn a_file_that_is_gone_keeps_its_rows_or_loses_them() {
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    project.write("data/b.csv", file(11..13));
    run(&project, &["ingest"]).succeeded();
    std::fs::remove_file(project.path("data/a.csv")).unwrap();
    assert_snapshot!("gone_1", ingest(&project, 0));
    assert_eq!(ids(&project), expected([1, 2, 3, 4, 11, 12]));
    project.edit("sources/orders.toml", "settle", "on_missing = \"remove\"\nsettle");
    assert_snapshot!("gone_2", run(&project, &["ingest", "--dry-run"]).succeeded().stdout);
    assert_snapshot!("gone_3", ingest(&project, 0));
    assert_eq!(ids(&project), expected([11, 12]));
    assert_proved(&project);
    // Everything gone at once looks like a folder that is not mounted.
    std::fs::remove_file(project.path("data/b.csv")).unwrap();
    assert_snapshot!("gone_4", ingest(&project, 0));
    assert_eq!(ids(&project), expected([11, 12]));
    // It comes back under its own name.
    project.write("data/a.csv", file([1, 3]));
    project.write("data/b.csv", file(11..13));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected([1, 3, 11, 12]));
    assert_proved(&project);
}

#[test]
fn a_removal_does_not_wait_for_a_file_that_the_table_cannot_take() {
    let project = orders("on_missing = \"remove\"");
    project.write("data/a.csv", file(1..5));
    project.write("data/b.csv", file(11..13));
    run(&project, &["ingest"]).succeeded();
    project.edit("sources/orders.toml", "type = \"int64\"", "type = \"string\"");
    std::fs::rename(project.path("data/a.csv"), project.path("data/c.csv")).unwrap();
    assert_snapshot!("removed_beside_held", ingest(&project, 3));
    assert_eq!(ids(&project), expected([11, 12]), "the old name's rows are gone, the new one waits for a person");
    project.edit("sources/orders.toml", "type = \"string\"", "type = \"int64\"");
    run(&project, &["ingest", "--held"]).succeeded();
    assert_eq!(ids(&project), expected([1, 2, 3, 4, 11, 12]));
    assert_proved(&project);
}

#[test]
fn versions_of_a_growing_file_add_up_where_the_source_says_so() {
    let project = orders("on_change = \"append\"");
    project.write("data/a.csv", file([1, 2]));
    run(&project, &["ingest"]).succeeded();
    project.write("data/a.csv", file([3, 4, 5]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected(1..6));
    // Loading it again replaces what this version brought, and nothing else.
    run(&project, &["ingest", "--reload", "data/a.csv"]).succeeded();
    assert_eq!(ids(&project), expected(1..6));
    assert_eq!(number(&project, "select count(*) from _receipts where kind = 'load'"), 3);
    assert_proved(&project);
    run(&project, &["ledger", "rebuild"]).succeeded();
    project.write("data/a.csv", file([6]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected(1..7));
    assert_proved(&project);
}

#[test]
fn a_changed_file_waits_where_the_source_says_so() {
    let project = orders("on_change = \"hold\"");
    project.write("data/a.csv", file([1, 2]));
    run(&project, &["ingest"]).succeeded();
    project.write("data/a.csv", file([3, 4]));
    assert_snapshot!("waiting_1", ingest(&project, 3));
    assert_eq!(ids(&project), expected([1, 2]));
    assert_snapshot!("waiting_2", ingest(&project, 3));
    run(&project, &["ingest", "--held"]).succeeded();
    assert_eq!(ids(&project), expected([3, 4]));
    assert_proved(&project);
}

/// Two files have the same content; the one that was loaded is corrected. The other one's rows must appear.
#[test]
fn the_twin_of_a_corrected_file_is_loaded_itself() {
    let project = orders("");
    project.write("data/a.csv", file([1, 2]));
    run(&project, &["ingest"]).succeeded();
    project.write("data/b.csv", file([1, 2]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected([1, 2]));
    project.write("data/a.csv", file([7]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected([1, 2, 7]));
    // And a file that was changed into what another one holds gives up its own rows.
    project.write("data/a.csv", file([1, 2]));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project), expected([1, 2]));
    assert_proved(&project);
}
