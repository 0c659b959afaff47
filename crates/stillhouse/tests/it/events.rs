//! The `events` template: months, spill, the same job twice, corrections.

use serde_json::Value;
use stillhouse_testkit::{Events, TempProject, shared_data};

use super::{assert_balanced, number, project, rows, run};

#[test]
fn april_gives_the_known_figures_and_keeps_the_neighbours_out_of_its_report() {
    let project = project("events");
    project.copy(shared_data("madkudu").join("2021/04/events.csv"), "data/2021/04/events.csv");
    let facts: Value =
        serde_json::from_slice(&std::fs::read(shared_data("madkudu").join("facts.json")).unwrap()).unwrap();
    let answer = run(&project, &["run", "2021-04", "--json"]).succeeded().json();

    assert_eq!(number(&project, "select count(*) from events"), facts["rows"].as_i64().unwrap());
    assert_eq!(number(&project, "select count(distinct id) from events"), facts["distinct_ids"].as_i64().unwrap());
    let days = rows(&answer, "events_per_day");
    assert_eq!(days.len() as u64, facts["days_with_events"].as_u64().unwrap());
    let in_month: i64 = days.iter().map(|row| row["events"].as_i64().unwrap()).sum();
    assert_eq!(in_month, facts["rows_in_month"].as_i64().unwrap());
    for (query, fact, name) in [
        ("top_users", "top_users", "user"),
        ("top_countries", "top_countries", "country"),
        ("top_domains", "top_companies_all_domains", "domain"),
    ] {
        let wanted = facts[fact].as_array().unwrap();
        for (row, wanted) in rows(&answer, query).iter().zip(wanted) {
            assert_eq!((&row[name], &row["events"]), (&wanted[0], &wanted[1]), "{query}");
        }
    }
    for row in rows(&answer, "top_actions") {
        assert_eq!(row["events"], facts["actions"][row["action"].as_str().unwrap()]);
    }
    let totals = &rows(&answer, "totals")[0];
    assert_eq!(totals["events"], facts["rows_in_month"]);
    assert_eq!(totals["users"], facts["distinct_users_in_month_case_folded"]);
    let companies = rows(&answer, "top_companies");
    let company = |name: &str| companies.iter().find(|row| row["company"] == name).map(|row| row["events"].clone());
    assert_eq!(company("wells.biz"), Some(Value::from(1371)));
    assert_eq!(company("novak.org"), Some(Value::from(1200)));
    assert_eq!(company("hotmail.com"), None, "free mail is no company");
    assert_balanced(&project, "events");
}

#[test]
fn the_same_run_twice_does_nothing_the_second_time_and_says_so() {
    let project = project("events");
    Events::new(1).write_months(&project.path("."), 2023, 2, 300);
    let first = run(&project, &["run", "all", "--json"]).succeeded().json();
    let versions = run(&project, &["--json", "tables"]).succeeded().json();
    let again = run(&project, &["run", "all"]).succeeded();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    let second = run(&project, &["run", "all", "--json"]).succeeded().json();
    let (first, second) = (&first["reports"][0], &second["reports"][0]);
    assert_eq!((&first["reused"], &second["reused"]), (&false.into(), &true.into()));
    for same in ["run_id", "inputs", "queries", "completeness"] {
        assert_eq!(first[same], second[same], "the same run is shown again");
    }
    assert_eq!(run(&project, &["--json", "tables"]).succeeded().json(), versions, "nothing was written");
}

#[test]
fn rows_and_tags_are_the_known_ones() {
    let project = project("events");
    let files = Events::new(7).write_months(&project.path("."), 2023, 3, 500);
    run(&project, &["run", "all"]).succeeded();
    let mut answers = stillhouse_testkit::Answers::default();
    files.iter().for_each(|file| answers += &file.answers);
    assert_eq!(number(&project, "select count(*) from events") as u64, answers.rows);
    assert_eq!(number(&project, "select count(*) from event_tags") as u64, answers.tags);
    let report = run(&project, &["report", "run", "monthly-activity", "all", "--json"]).succeeded().json();
    for row in rows(&report, "events_per_day") {
        assert_eq!(row["events"].as_u64(), answers.days.get(row["day"].as_str().unwrap()).copied(), "{row:?}");
    }
    assert_balanced(&project, "events");
}

#[test]
fn a_corrected_file_replaces_its_own_rows_and_nobody_elses() {
    let project = project("events");
    let files = Events::new(3).write_months(&project.path("."), 2023, 2, 200);
    run(&project, &["run", "all"]).succeeded();
    let text = std::fs::read_to_string(&files[0].path).unwrap();
    let kept: Vec<&str> = text.lines().take(51).collect();
    project.write("data/2023/01/events.csv", format!("{}\n", kept.join("\n")));
    let answer = run(&project, &["run", "all", "--json"]).succeeded().json();
    let statuses: Vec<&str> =
        answer["objects"].as_array().unwrap().iter().map(|o| o["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["loaded", "unchanged"]);
    assert_eq!(number(&project, "select count(*) from events"), 50 + 200);
    let tags: usize = kept[1..].iter().map(|line| tags_of(line)).sum();
    let others = files[1].answers.tags;
    assert_eq!(number(&project, "select count(*) from event_tags") as u64, tags as u64 + others);
    assert_balanced(&project, "events");
    let explained = run(&project, &["explain", "2023/01/events.csv"]).succeeded().stdout;
    assert!(explained.contains("generation 2: in the tables"), "{explained}");
    assert!(explained.contains("generation 1: replaced"), "{explained}");
}

/// Items of the list at the end of a line of our own generator, counted without our decoder.
fn tags_of(line: &str) -> usize {
    let Some(start) = line.rfind('[') else { return 0 };
    let list = &line[start + 1..line.rfind(']').unwrap()];
    if list.is_empty() { 0 } else { list.matches("', ").count() + list.matches("\", ").count() + 1 }
}

#[test]
fn reload_replaces_rows_without_doubling_them() {
    let project = project("events");
    Events::new(4).write_months(&project.path("."), 2023, 1, 100);
    run(&project, &["run", "all"]).succeeded();
    let answer = run(&project, &["run", "all", "--reload", "data/2023/01/events.csv", "--json"]).succeeded().json();
    assert_eq!((&answer["objects"][0]["status"], &answer["objects"][0]["generation"]), (&"loaded".into(), &2.into()));
    assert_eq!(number(&project, "select count(*) from events"), 100);
    let wrong = run(&project, &["run", "all", "--reload", "data/2023/1/events.csv"]).ended_with(2);
    assert!(wrong.stderr.contains("cannot be loaded again"), "{}", wrong.stderr);
}

#[test]
fn completeness_says_what_is_missing() {
    let project = project("events");
    Events::new(5).write_months(&project.path("."), 2023, 3, 100);
    std::fs::remove_file(project.path("data/2023/02/events.csv")).unwrap();
    let february = run(&project, &["run", "2023-02", "--json"]).succeeded().json();
    assert_ne!(february["reports"][0]["completeness"], "COMPLETE");
    let text = run(&project, &["run", "all"]).succeeded().stdout;
    assert!(text.contains("PARTIAL") && text.contains("data/2023/02/events.csv"), "{text}");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let project = project("events");
    Events::new(6).write_months(&project.path("."), 2023, 1, 10);
    let dry = run(&project, &["run", "all", "--dry-run"]).succeeded();
    assert!(dry.stdout.contains("to load  data/2023/01/events.csv"), "{}", dry.stdout);
    assert_eq!(number(&project, "select count(*) from events"), 0);
}

/// A history with rows in the months beside each file's own is still counted once.
#[test]
fn a_month_is_whole_only_with_its_neighbours() {
    let project = project("events");
    let header = "id,timestamp,email,country,ip,uri,action,tags\n";
    project.write(
        "data/2023/01/events.csv",
        format!("{header}a,2023-01-31,a@acme.com,X,1.1.1.1,u,visit,[]\nb,2023-02-01,a@acme.com,X,1.1.1.1,u,visit,[]\n"),
    );
    project.write(
        "data/2023/02/events.csv",
        format!("{header}c,2023-01-31,a@acme.com,X,1.1.1.1,u,visit,[]\nd,2023-02-28,a@acme.com,X,1.1.1.1,u,visit,[]\n"),
    );
    let january = run(&project, &["run", "2023-01", "--json"]).succeeded().json();
    let total: i64 = rows(&january, "events_per_day").iter().map(|row| row["events"].as_i64().unwrap()).sum();
    assert_eq!(total, 2, "January's rows of both files");
    let _: &TempProject = &project;
}
