//! Refused records, from the held file to the last one loaded; with crashes and corrected files in between.

use stillhouse_testkit::{Random, TempProject};

use super::orders::{assert_proved, file, ids, orders, source};
use super::{assert_balanced, number, program, run};

const STRICT: &str = "day = { type = \"date\", format = \"%Y-%m-%d\" }";
const MENDED: &str = "day = { type = \"date\", format = [\"%Y-%m-%d\", \"%d.%m.%Y\"] }";

/// A thousand orders, of which every twentieth has a date as Germans write it; and one date that is none in any form.
fn five_percent_bad() -> String {
    let row = |id: u32| match id % 20 {
        7 => format!("{id},{:02}.05.2024,a|b\n", id % 28 + 1),
        _ => format!("{id},2024-05-{:02},\n", id % 28 + 1),
    };
    "id,day,tags\n".to_owned() + &(0..1000).map(row).collect::<String>()
}

fn limit(project: &TempProject, from: &str, to: &str) {
    project.edit("sources/orders.toml", &format!("max_rejected = \"{from}\""), &format!("max_rejected = \"{to}\""));
}

/// Held, then loaded with quarantine.
fn with_quarantine() -> TempProject {
    let project = orders("");
    limit(&project, "50%", "1%");
    project.write("data/a.csv", five_percent_bad());
    let held = run(&project, &["ingest"]).ended_with(3);
    assert!(held.stdout.contains("50 of 1000 records were refused"), "{}", held.stdout);
    assert_eq!(number(&project, "select count(*) from orders"), 0);
    limit(&project, "1%", "5%");
    run(&project, &["ingest", "--held"]).succeeded();
    assert_counts(&project, 950, 50);
    project
}

fn assert_counts(project: &TempProject, loaded: i64, refused: i64) {
    assert_eq!(number(project, "select count(*) from orders"), loaded);
    let distinct = "select count(*) from (select distinct _object, _record from orders)";
    assert_eq!(number(project, distinct), loaded);
    assert_eq!(number(project, "select count(*) from _quarantine"), refused);
    assert_balanced(project, "orders");
}

fn mend(project: &TempProject) {
    let text = std::fs::read_to_string(project.path("sources/orders.toml")).unwrap();
    project.write("sources/orders.toml", text.replace(STRICT, MENDED));
}

#[test]
fn the_round_trip_from_held_to_whole() {
    let project = with_quarantine();
    let nothing = run(&project, &["--json", "quarantine", "replay"]).ended_with(3).json();
    assert_eq!(nothing["objects"][0]["refused"], 50, "under the same contract nothing passes: {nothing:#}");
    mend(&project);
    let replayed = run(&project, &["--json", "quarantine", "replay"]).succeeded().json();
    assert_eq!(replayed["objects"][0]["loaded"], 50, "{replayed:#}");
    assert_counts(&project, 1000, 0);
    assert_eq!(number(&project, "select count(*) from order_tags"), 100, "children come with their parents");
    let tags = "select count(*) from order_tags t join orders o on o._object = t._object and o._record = t._record \
                where o.id % 20 = 7";
    assert_eq!(number(&project, tags), 100);
    let receipt = run(&project, &["receipts", "show", "a.csv"]).succeeded().json();
    let receipt = receipt["receipts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(receipt["amendments"][0]["count"], 50);
    assert_eq!(receipt["reasons"], serde_json::json!({}));
    let again = run(&project, &["quarantine", "replay"]).succeeded();
    assert!(again.stderr.contains("nothing to replay") || again.stdout.contains("nothing to replay"), "{again:?}");
    assert_counts(&project, 1000, 0);
    assert_proved(&project);
    // The amended account survives the loss of the ledger, and nothing is loaded twice.
    run(&project, &["ledger", "rebuild"]).succeeded();
    run(&project, &["ingest"]).succeeded();
    assert_counts(&project, 1000, 0);
    assert_proved(&project);
}

#[test]
fn a_replay_that_is_killed_moves_every_record_once() {
    let project = with_quarantine();
    mend(&project);
    let folder = project.path(".");
    let replay = ["-C", folder.to_str().unwrap(), "quarantine", "replay"];
    let whole = run(&project, &["quarantine", "list"]).elapsed * 3;
    let mut random = Random::new(41);
    for _ in 0..12 {
        program().kill_at_random(&replay, 1, whole, &mut random);
        let loaded = number(&project, "select count(*) from orders");
        assert_eq!(loaded + number(&project, "select count(*) from _quarantine"), 1000);
    }
    run(&project, &["quarantine", "replay"]).succeeded();
    assert_counts(&project, 1000, 0);
    assert_proved(&project);
}

#[test]
fn a_corrected_file_takes_the_place_of_what_was_to_be_replayed() {
    let project = with_quarantine();
    mend(&project);
    project.write("data/a.csv", file(1..4));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ids(&project).0, [1, 2, 3]);
    run(&project, &["quarantine", "replay"]).succeeded();
    assert_eq!(ids(&project).0, [1, 2, 3]);
    assert_eq!(number(&project, "select count(*) from _quarantine"), 0);
    assert_proved(&project);
}

#[test]
fn records_are_replayed_without_their_file() {
    let project = with_quarantine();
    mend(&project);
    std::fs::remove_file(project.path("data/a.csv")).unwrap();
    run(&project, &["quarantine", "replay"]).succeeded();
    assert_counts(&project, 1000, 0);
    let audit = run(&project, &["--json", "audit"]).ended_with(3).json();
    assert_eq!(audit["audit"]["findings"][0]["difference"], "missing", "{audit:#}");
    let verified = run(&project, &["--json", "receipts", "verify"]).succeeded().json();
    assert_eq!(verified["receipts"][0]["proof"], "counts", "{verified:#}");
}

#[test]
fn a_record_too_long_to_be_kept_is_read_from_its_file_while_that_is_there() {
    let project = orders("max_record_bytes = \"100 B\"");
    let long = "x".repeat(150);
    project.write("data/a.csv", file(1..4) + &format!("4,2024-05-01,{long}\n") + &file([5])["id,day,tags\n".len()..]);
    run(&project, &["ingest"]).succeeded();
    assert_counts(&project, 4, 1);
    let refused = run(&project, &["quarantine", "replay"]).ended_with(3);
    assert!(refused.stdout.contains("max_record_bytes"), "{}", refused.stdout);
    project.edit("sources/orders.toml", "100 B", "10 kB");
    let path = project.path("data/a.csv");
    std::fs::rename(&path, project.path("away")).unwrap();
    let gone = run(&project, &["quarantine", "replay"]).ended_with(3);
    assert!(gone.stdout.contains("the file is gone"), "{}", gone.stdout);
    std::fs::rename(project.path("away"), &path).unwrap();
    run(&project, &["quarantine", "replay"]).succeeded();
    assert_counts(&project, 5, 0);
    assert_proved(&project);
}

#[test]
fn dropped_records_count_as_filtered_and_the_receipt_says_why() {
    let project = with_quarantine();
    let export = project.path("refused");
    run(&project, &["quarantine", "export", "--to", export.to_str().unwrap()]).succeeded();
    let exported = std::fs::read_to_string(export.join("data/a.csv")).unwrap();
    assert_eq!(exported.lines().count(), 50);
    let bad: Vec<String> =
        five_percent_bad().lines().filter(|line| line.contains(".05.2024")).map(str::to_owned).collect();
    assert_eq!(exported.lines().collect::<Vec<_>>(), bad, "byte for byte, in order");
    let again = run(&project, &["quarantine", "export", "--to", export.to_str().unwrap()]).ended_with(1);
    assert!(again.stderr.contains("there already"), "{}", again.stderr);
    run(&project, &["quarantine", "drop", "--object", "nothing.csv", "--why", "x"]).ended_with(2);
    run(&project, &["quarantine", "drop", "--object", "a.csv", "--why", "test data of the German shop"]).succeeded();
    assert_counts(&project, 950, 0);
    let receipt = run(&project, &["receipts", "show", "a.csv"]).succeeded().json();
    let receipt = receipt["receipts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(receipt["counts"]["filtered"], 50);
    assert_eq!(receipt["amendments"][0]["because"], "test data of the German shop");
    let explained = run(&project, &["explain", "a.csv"]).succeeded().stdout;
    assert!(explained.contains("50 refused records dropped"), "{explained}");
    assert_proved(&project);
}

#[test]
fn a_selection_replays_only_what_it_names() {
    let project = orders("");
    project.write("data/a.csv", file(1..9) + "x,2024-05-01,\n");
    project.write("data/b.csv", file(11..19) + "y,2024-05-01,\n19,01.05.2024,\n");
    run(&project, &["ingest"]).succeeded();
    assert_counts(&project, 16, 3);
    project.write("sources/orders.toml", source("", MENDED));
    run(&project, &["quarantine", "replay", "--object", "data/a.csv"]).ended_with(3);
    assert_counts(&project, 16, 3);
    run(&project, &["quarantine", "replay", "--column", "day"]).succeeded();
    assert_counts(&project, 17, 2);
    run(&project, &["quarantine", "replay", "--source", "nothing"]).succeeded();
    assert_counts(&project, 17, 2);
    assert_proved(&project);
}
