//! Charts and pages of reports, from the settings to the files.

use stillhouse_testkit::{Events, TempProject};

use super::{project, rows, run};

const REPORT: &str = "reports/monthly-activity/report.toml";

fn january() -> TempProject {
    let project = project("events");
    Events::new(63).write_months(&project.path("."), 2023, 1, 50);
    project
}

#[test]
fn a_report_as_page_and_pictures() {
    let project = january();
    let answer = run(&project, &["run", "2023-01", "--json"]).succeeded().json();
    let days = rows(&answer, "events_per_day").len();
    let out = project.path("out");
    for form in ["html", "svg", "png"] {
        let arguments =
            ["report", "show", "monthly-activity", "2023-01", "--out", out.to_str().unwrap(), "--form", form];
        let said = run(&project, &arguments).succeeded().stderr;
        assert!(said.contains(if form == "html" { "monthly-activity.html" } else { "written: " }), "{said}");
    }
    let page = std::fs::read_to_string(out.join("monthly-activity.html")).unwrap();
    assert!(page.contains("Monthly activity · 2023-01") && page.contains("<svg") && page.contains("Fingerprint"));
    let picture = std::fs::read_to_string(out.join("events_per_day.svg")).unwrap();
    assert_eq!(picture.matches("</title></rect>").count(), days, "a bar for each of the days: {picture}");
    assert!(std::fs::read(out.join("top_actions.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(!out.join("quiet_users.svg").exists(), "it has no chart");
}

#[test]
fn a_changed_chart_is_drawn_anew() {
    let project = january();
    run(&project, &["run", "2023-01"]).succeeded();
    project.edit(
        REPORT,
        "title = \"Events per day\"\nchart = { kind = \"bar\" }",
        "title = \"Events per day\"\nchart = { kind = \"area\" }",
    );
    let answer = run(&project, &["run", "2023-01", "--json"]).succeeded().json();
    let report = &answer["reports"][0];
    let kind = &report["queries"]["events_per_day"]["chart"]["kind"];
    assert_eq!((&report["reused"], kind), (&false.into(), &"area".into()));
}

#[test]
fn a_chart_of_a_column_that_is_not_there_is_found_by_check() {
    let project = january();
    let settings = "title = \"Events per day\"\nchart = { kind = \"bar\"";
    project.edit(REPORT, &format!("{settings} }}"), &format!("{settings}, y = \"event\" }}"));
    let finished = run(&project, &["check"]).ended_with(2);
    let expected =
        "`y` of its chart: the result has no column `event`, only day, events\n    hint: did you mean `events`?";
    assert!(finished.stderr.contains(expected), "{}", finished.stderr);
}
