//! Small files that are replaced whole and joined: the guide's own page about them.

use serde_json::{Value, json};
use stillhouse_testkit::{TempProject, workspace, write_delta};

use super::orders::{file, orders};
use super::{number, run};

fn guide() -> String {
    std::fs::read_to_string(workspace().join("docs/guide/reference-tables.md")).unwrap()
}

fn block<'a>(page: &'a str, language: &str, index: usize) -> &'a str {
    page.split(&format!("```{language}\n")).nth(index + 1).unwrap().split("```").next().unwrap()
}

/// The guide's project, without waiting for files to settle, beside orders.
fn project() -> TempProject {
    let (project, guide) = (orders(""), guide());
    project.write("data/a.csv", file(1..5));
    project.edit("sources/orders.toml", "data/*.csv", "data/a.csv");
    project.write("sources/plans.toml", block(&guide, "toml", 0).replace("[source]\n", "[source]\nsettle = \"0s\"\n"));
    project.write("data/plans.csv", block(&guide, "csv", 0));
    run(&project, &["ingest"]).succeeded();
    project
}

fn plans(project: &TempProject) -> Value {
    run(project, &["--json", "sql", "select plan, price from plans order by plan"]).succeeded().json()["rows"].clone()
}

#[test]
fn a_file_that_changes_replaces_the_table() {
    let project = project();
    let first = block(&guide(), "csv", 0).to_owned();
    assert_eq!(plans(&project), json!([["basic", "9.99"], ["pro", "29.00"]]));
    for (text, expected) in [
        ("plan,price\npro,31.50\nteam,99.00\n", json!([["pro", "31.50"], ["team", "99.00"]])),
        ("price,plan\n1.00,solo\n", json!([["solo", "1.00"]])),
        ("plan,price\n", json!([])),
        // What it said at first, it says again.
        (first.as_str(), json!([["basic", "9.99"], ["pro", "29.00"]])),
    ] {
        project.write("data/plans.csv", text);
        run(&project, &["ingest"]).succeeded();
        assert_eq!(plans(&project), expected, "{text}");
    }
    project.write("data/plans.csv", "plan,cost\nx,1\n");
    run(&project, &["ingest"]).ended_with(3);
    assert_eq!(plans(&project), json!([["basic", "9.99"], ["pro", "29.00"]]), "a file that is held changes nothing");
    run(&project, &["audit"]).ended_with(3);
}

#[test]
fn a_report_that_joins_it_runs_again() {
    let project = project();
    project.write(
        "reports/costs/report.toml",
        "format = 1\ntitle = \"Costs\"\nperiod = { type = \"month\" }\n[queries.costs]\ntitle = \"Costs\"\n",
    );
    project.write(
        "reports/costs/costs.sql",
        "select plan, count(*) as orders, max(price) as price from orders join plans on true \
         where day >= $period_start and day < $period_end group by 1 order by 1",
    );
    let report = |period: &str| {
        let answer = run(&project, &["--json", "run", period]).succeeded().json();
        answer["reports"][0].clone()
    };
    let first = report("2024-05");
    assert_eq!(first["queries"]["costs"]["rows"], json!([["basic", 4, "9.99"], ["pro", 4, "29.00"]]));
    assert_eq!(first["completeness"], "COMPLETE");
    assert_eq!(report("2024-05")["reused"], true);
    assert_eq!(report("2024-07")["completeness"], "EMPTY", "plans are no orders");
    project.write("data/plans.csv", "plan,price\npro,31.50\n");
    let second = report("2024-05");
    assert_eq!(
        (&second["reused"], &second["queries"]["costs"]["rows"]),
        (&json!(false), &json!([["pro", 4, "31.50"]]))
    );
}

#[test]
fn both_ways_of_the_guide_work_together() {
    let (project, guide) = (project(), guide());
    let folder = project.path("warehouse/prices");
    std::fs::create_dir_all(&folder).unwrap();
    write_delta(&folder, &["plans"]);
    let settings = std::fs::read_to_string(project.path("stillhouse.toml")).unwrap();
    let foreign = block(&guide, "toml", 1).replace("../warehouse", "warehouse");
    project.write("stillhouse.toml", format!("{settings}{foreign}"));
    let console = block(&guide, "console", 0);
    let query = console.split('\'').nth(1).unwrap();
    let answer = run(&project, &["--json", "sql", query]).succeeded().json();
    assert_eq!(answer["rows"], json!([["basic", "9.99"], ["pro", "29.00"]]));
    assert_eq!(number(&project, "select count(*) from prices"), 3);
}
