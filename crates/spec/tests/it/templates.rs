//! The starter projects are right.

use stillhouse_spec::{Grain, MaxRejected, PeriodKind, Project, ProjectFiles, TimeFormat};

use super::template;

fn project(name: &str) -> Project {
    let files = ProjectFiles { files: template(name) };
    Project::parse(&files, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn events() {
    let project = project("events");
    let source = &project.sources[0];
    assert_eq!(source.path.period("data/2021/04/events.csv").unwrap().to_string(), "2021-04");
    assert_eq!(source.cadence.unwrap().every, Grain::Month);
    assert_eq!(source.contract.children[0].name.as_str(), "event_tags");
    let report = &project.reports[0];
    let names: Vec<&str> = report.queries.iter().map(|query| query.name.as_str()).collect();
    let expected = "totals events_per_day events_per_month year_to_date top_users top_companies top_domains \
        top_countries top_actions busiest_date top_tags growing_companies quiet_users";
    assert_eq!(names.join(" "), expected);
    assert_eq!(report.period.kind, PeriodKind::Any);
}

#[test]
fn transactions() {
    let project = project("transactions");
    let contract = &project.sources[0].contract;
    assert_eq!(contract.max_rejected, MaxRejected::Share(5000));
    // Month/day is the convention for dates without a year: a second reading would make every such file ambiguous.
    let date = contract.parent.column("date").unwrap();
    assert_eq!(
        date.formats.iter().filter(|format| format.lacks_year()).map(TimeFormat::as_str).collect::<Vec<_>>(),
        ["%m/%d"]
    );
    let report = &project.reports[0];
    assert_eq!(report.period.kind, PeriodKind::All);
    assert_eq!(
        report.queries.iter().map(|query| query.name.as_str()).collect::<Vec<_>>(),
        ["summary", "months", "repeated_ids"]
    );
}
