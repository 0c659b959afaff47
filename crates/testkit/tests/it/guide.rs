//! The settings that the guide shows are settings that the program reads.

use stillhouse_spec::{Project, ProjectFiles};
use stillhouse_testkit::workspace;

/// The ```toml blocks of a page, in order.
fn toml_blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn the_project_page_shows_a_valid_project() {
    let page = std::fs::read_to_string(workspace().join("docs/guide/project.md")).expect("the page is there");
    let blocks = toml_blocks(&page);
    let [settings, source, table, child, publish, report, chart] = blocks.as_slice() else {
        panic!("seven blocks, found {}", blocks.len())
    };
    let copies: Vec<&str> = publish.lines().filter(|line| line.starts_with("publish")).collect();
    let [table_copy, child_copy] = copies.as_slice() else { panic!("two copies, found {copies:?}") };
    assert!(table.contains("[table]\n"), "{table}");
    let table = table.replacen("[table]\n", &format!("[table]\n{table_copy}\n"), 1);
    let mut files = ProjectFiles::default();
    let mut add = |path: &str, text: &str| files.files.insert(path.to_owned(), text.to_owned());
    add("stillhouse.toml", settings);
    add("sources/events.toml", &format!("{source}\n{table}\n{child}\n{child_copy}\n"));
    let chart = chart.replace("queries.sales", "queries.summary");
    add("reports/activity/report.toml", &format!("{report}\n{chart}"));
    add("reports/activity/top_countries.sql", "SELECT 1");
    add("reports/activity/summary.sql", "SELECT 1");
    let project = Project::parse(&files, &|_| None).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(project.sources[0].contract.children[0].name.as_str(), "event_tags");
    assert_eq!(project.reports[0].queries.len(), 2);
}
