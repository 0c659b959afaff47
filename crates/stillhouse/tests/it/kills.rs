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
