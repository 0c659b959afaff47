//! What a person reads: messages, exit codes, listings.

use stillhouse_testkit::{Events, TempProject};

use super::{program, project, run};

#[test]
fn the_templates_work_at_once() {
    for template in ["events", "transactions"] {
        let project = TempProject::new();
        let folder = project.path("new");
        program().run(&["init", folder.to_str().unwrap(), "--template", template]).succeeded();
        let here = program().in_folder(&folder);
        here.run(&["check"]).succeeded();
        let answer = here.run(&["run", "all", "--json"]).succeeded().json();
        assert_eq!(answer["format"], 1);
        for report in answer["reports"].as_array().unwrap() {
            for (name, query) in report["queries"].as_object().unwrap() {
                let may_be_empty = ["quiet_users", "growing_companies", "repeated_ids"].contains(&name.as_str());
                assert!(may_be_empty || !query["rows"].as_array().unwrap().is_empty(), "{template}: {name} is empty");
            }
        }
    }
}

#[test]
fn init_never_writes_over_anything() {
    let project = TempProject::new();
    project.write("mine.txt", "precious");
    let folder = project.path(".");
    let refused = program().run(&["init", folder.to_str().unwrap(), "--template", "events"]).ended_with(2);
    assert!(refused.stderr.contains("not an empty folder"), "{}", refused.stderr);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_folder_without_a_project_says_what_to_do() {
    let project = TempProject::new();
    let refused = run(&project, &["run", "all"]).ended_with(2);
    assert!(refused.stderr.contains("stillhouse init"), "{}", refused.stderr);
}

#[test]
fn a_wrong_key_names_file_line_and_nearest_key() {
    let project = project("events");
    project.edit("sources/events.toml", "every =", "evry =");
    let refused = run(&project, &["check"]).ended_with(2);
    assert!(
        refused.stderr.contains("sources/events.toml:") && refused.stderr.contains("`every`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn check_plans_the_sql_against_the_contracts() {
    let project = project("events");
    let sql = project.path("reports/monthly-activity/top_users.sql");
    let text = std::fs::read_to_string(&sql).unwrap();
    std::fs::write(&sql, text.replace("email", "emial")).unwrap();
    let refused = run(&project, &["check"]).ended_with(2);
    assert!(refused.stderr.contains("top_users.sql") && refused.stderr.contains("emial"), "{}", refused.stderr);
}

#[test]
fn sql_is_read_only_and_bound() {
    let project = project("events");
    Events::new(61).write_months(&project.path("."), 2023, 1, 50);
    run(&project, &["run", "all"]).succeeded();
    for statement in [
        "drop table events",
        "insert into events values (1)",
        "create table x as select 1",
        "set a.b = 1",
        "copy events to 'x.csv'",
    ] {
        let refused = run(&project, &["sql", statement]);
        assert!(matches!(refused.code, Some(1 | 2)), "{statement}: {refused:?}");
        assert!(!refused.stderr.is_empty());
    }
    let answer = run(
        &project,
        &["sql", "select count(*) n from events where action = $action", "-p", "action=visit' or '1'='1", "--json"],
    );
    assert_eq!(answer.succeeded().json()["rows"][0][0], 0);
}

#[test]
fn listings_have_text_and_json() {
    let project = project("events");
    Events::new(62).write_months(&project.path("."), 2023, 2, 50);
    run(&project, &["run", "all"]).succeeded();
    for listing in [
        &["tables"][..],
        &["tables", "events"],
        &["receipts", "list"],
        &["quarantine", "list"],
        &["quarantine", "show"],
        &["report", "list"],
        &["report", "show", "monthly-activity"],
        &["receipts", "show", "2023/01/events.csv"],
        &["explain", "2023/01/events.csv"],
    ] {
        let text = run(&project, listing).succeeded();
        assert!(!text.stdout.is_empty() || !text.stderr.is_empty(), "{listing:?}");
        let mut json = vec!["--json"];
        json.extend(listing);
        assert!(run(&project, &json).succeeded().json().is_object(), "{listing:?}");
    }
}

#[test]
fn results_can_be_written_as_files() {
    let project = project("events");
    Events::new(63).write_months(&project.path("."), 2023, 1, 50);
    run(&project, &["ingest"]).succeeded();
    for form in ["csv", "json", "parquet"] {
        let out = project.path(form);
        run(
            &project,
            &["report", "run", "monthly-activity", "2023-01", "--out", out.to_str().unwrap(), "--form", form],
        )
        .succeeded();
        let file = out.join(format!("events_per_day.{form}"));
        assert!(file.metadata().unwrap().len() > 0);
    }
}
