//! The process is killed at random moments and started again: exact contents at the end.

use stillhouse_testkit::{Answers, Events, Random};

use super::{assert_balanced, number, program, project, run};

#[test]
fn twenty_kills_during_a_load_of_five_hundred_files_lose_and_double_nothing() {
    let undisturbed = project("events");
    Events::new(31).write_months(&undisturbed.path("."), 1980, 500, 1_500);
    let whole = run(&undisturbed, &["run", "all"]).succeeded().elapsed;
    let project = project("events");
    let files = Events::new(31).write_months(&project.path("."), 1980, 500, 1_500);
    let folder = project.path(".");
    let arguments = ["-C", folder.to_str().unwrap(), "run", "all"];
    // Twenty moments of an eighth at most, half of that on average, fill the time of one undisturbed load.
    let kills = program().kill_at_random(&arguments, 20, whole / 8, &mut Random::new(32));
    assert_eq!(kills.hit, 20, "the runs were over before they could be killed: {kills:?}");
    run(&project, &["run", "all"]).succeeded();
    let mut answers = Answers::default();
    files.iter().for_each(|file| answers += &file.answers);
    assert_eq!(number(&project, "select count(*) from events") as u64, answers.rows);
    assert_eq!(number(&project, "select count(distinct id) from events") as u64, answers.rows);
    assert_eq!(number(&project, "select count(*) from event_tags") as u64, answers.tags);
    assert_balanced(&project, "events");
}

#[test]
fn a_lost_ledger_is_rebuilt_from_the_lake_and_nothing_is_loaded_twice() {
    let project = project("events");
    Events::new(33).write_months(&project.path("."), 2023, 3, 100);
    run(&project, &["run", "all"]).succeeded();
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(project.path(".stillhouse").join(name));
    }
    let refused = run(&project, &["run", "all"]).ended_with(1);
    assert!(refused.stderr.contains("ledger rebuild"), "{}", refused.stderr);
    run(&project, &["ledger", "rebuild"]).succeeded();
    let again = run(&project, &["run", "all", "--json"]).succeeded().json();
    assert!(again["objects"].as_array().unwrap().iter().all(|object| object["status"] == "unchanged"), "{again:#}");
    assert_eq!(number(&project, "select count(*) from events"), 300);
    assert_balanced(&project, "events");
}

/// A rebuild that was cut short must never be taken for a new, empty ledger.
#[test]
fn a_rebuild_that_was_killed_is_begun_again_and_loads_nothing_twice() {
    let project = project("events");
    Events::new(34).write_months(&project.path("."), 2020, 24, 100);
    let whole = run(&project, &["run", "all"]).succeeded().elapsed;
    let folder = project.path(".");
    let rebuild = ["-C", folder.to_str().unwrap(), "ledger", "rebuild"];
    let mut random = Random::new(35);
    for _ in 0..8 {
        program().kill_at_random(&rebuild, 1, whole / 4, &mut random);
        let after = run(&project, &["ingest"]);
        assert!(after.code == Some(0) || after.stderr.contains("stillhouse ledger rebuild"), "{}", after.stderr);
    }
    run(&project, &["ledger", "rebuild"]).succeeded();
    let again = run(&project, &["ingest", "--json"]).succeeded().json();
    assert!(again["objects"].as_array().unwrap().iter().all(|object| object["status"] == "unchanged"), "{again:#}");
    assert_eq!(number(&project, "select count(*) from events"), 2_400);
    assert_eq!(number(&project, "select count(distinct id) from events"), 2_400);
    assert_balanced(&project, "events");
}

/// Yesterday's copy of the ledger has the same id and counts the same places of the queue again.
#[test]
fn an_older_copy_of_the_ledger_is_refused_until_it_is_made_anew() {
    let project = project("events");
    let mut events = Events::new(36);
    // SQLite keeps what is new in a file of its own, so the three belong together.
    let files = ["ledger.db", "ledger.db-wal", "ledger.db-shm"].map(|name| project.path(".stillhouse").join(name));
    let months = |events: &mut Events, year| events.write_months(&project.path("."), year, 1, 100);
    months(&mut events, 2021);
    run(&project, &["ingest"]).succeeded();
    let copy = files.clone().map(|file| std::fs::read(file).ok());
    months(&mut events, 2022);
    run(&project, &["ingest"]).succeeded();
    for (file, bytes) in files.iter().zip(copy) {
        match bytes {
            Some(bytes) => std::fs::write(file, bytes).unwrap(),
            None => _ = std::fs::remove_file(file),
        }
    }
    months(&mut events, 2023);
    let refused = run(&project, &["ingest"]).ended_with(1);
    assert!(refused.stderr.contains("stillhouse ledger rebuild"), "{}", refused.stderr);
    run(&project, &["ledger", "rebuild"]).succeeded();
    run(&project, &["ingest"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events"), 300);
    assert_eq!(number(&project, "select count(distinct id) from events"), 300);
    assert_balanced(&project, "events");
}
