//! What is typed or written wrong.

use stillhouse_testkit::TempProject;

use super::super::project;
use super::twice::assert_looks;

#[test]
fn on_the_command_line() {
    assert_looks!(
        "on_the_command_line",
        || project("events"),
        &[
            &[],
            &["rnu"],
            &["report"],
            &["run"],
            &["run", "2023-13"],
            &["run", "2023-01"],
            &["run", "all", "--reload", "nothing.csv"],
            &["ingest", "nothing"],
            &["--jsn", "check"],
            &["maintain", "--file-size", "0"],
            &["-C", "nowhere", "check"],
        ]
    );
}

#[test]
fn no_project() {
    assert_looks!(
        "no_project",
        TempProject::new,
        &[&["run", "all"], &["sql", "select 1"], &["profile", "nothing.csv"]]
    );
}

#[test]
fn in_project_files() {
    assert_looks!(
        "unknown_settings",
        || {
            let project = project("events");
            project.edit("sources/events.toml", "max_rejected", "max_rejectd");
            project.edit("sources/events.toml", "type = \"csv\"", "type = \"cvs\"");
            project
        },
        &[&["check"], &["run", "all"]]
    );
    assert_looks!(
        "no_toml",
        || {
            let project = project("events");
            project.write("stillhouse.toml", "format = 1\n[project\n");
            project
        },
        &[&["check"]]
    );
    assert_looks!(
        "bad_sql",
        || {
            let project = project("events");
            project
                .write("reports/monthly-activity/busiest_date.sql", "select actoin, count(*) from event group by 1\n");
            project
        },
        &[&["check"], &["report", "run", "monthly-activity", "2023-01"]]
    );
}
