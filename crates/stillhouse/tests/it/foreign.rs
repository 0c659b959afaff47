//! Delta tables that delta-rs writes, beside the tables of the lake.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;
use stillhouse_testkit::{TempProject, write_delta};

use super::orders::{file, orders};
use super::{number, run};

/// A project of orders, and a foreign table `NAME` of these steps beside its lake.
fn beside(name: &str, steps: &[&str]) -> (TempProject, Value) {
    let project = orders("");
    project.write("data/a.csv", file(1..5));
    run(&project, &["ingest"]).succeeded();
    let seen = write_delta(&table(&project, name), steps);
    let settings = std::fs::read_to_string(project.path("stillhouse.toml")).unwrap();
    project.write("stillhouse.toml", format!("{settings}[tables.{name}]\ndelta = \"warehouse/{name}\"\n"));
    (project, seen)
}

fn table(project: &TempProject, name: &str) -> std::path::PathBuf {
    let folder = project.path("warehouse").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Its rows as our program sees them, in the form of the script that wrote it.
fn rows(project: &TempProject, name: &str) -> Value {
    let answer = run(project, &["--json", "sql", &format!("select * from {name}")]).succeeded().json();
    let text = |cell: &Value| match cell {
        Value::Null | Value::String(_) => cell.clone(),
        other => Value::String(other.to_string()),
    };
    let row = |row: &Value| row.as_array().unwrap().iter().map(text).collect::<Vec<_>>();
    let mut rows: Vec<Vec<Value>> = answer["rows"].as_array().unwrap().iter().map(row).collect();
    rows.sort_by_key(|row| serde_json::to_string(row).unwrap());
    serde_json::json!(rows)
}

fn sorted(rows: &Value) -> Value {
    let mut rows = rows.as_array().unwrap().clone();
    rows.sort_by_key(Value::to_string);
    Value::Array(rows)
}

/// Every file below a folder, with its bytes.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn we_see_what_other_readers_see() {
    let (project, seen) = beside("plans", &["plans"]);
    assert_eq!(rows(&project, "plans"), sorted(&seen["rows"]));
    let seen = write_delta(&table(&project, "plans"), &["grow", "delete"]);
    assert_eq!((seen["rows"].as_array().unwrap().len(), seen["version"].as_u64()), (3, Some(2)));
    assert_eq!(rows(&project, "plans"), sorted(&seen["rows"]));
    let seen = write_delta(&table(&project, "plans"), &["checkpoint", "clean", "grow"]);
    assert_eq!(seen["version"].as_u64(), Some(3));
    assert_eq!(rows(&project, "plans"), sorted(&seen["rows"]));
    assert_eq!(number(&project, "select count(tier) from plans"), 2);
}

#[test]
fn a_partitioned_table_is_read_with_all_its_columns() {
    let (project, seen) = beside("cities", &["cities"]);
    assert_eq!(rows(&project, "cities"), sorted(&seen["rows"]));
    let of = |condition: &str| number(&project, &format!("select sum(people) from cities where {condition}"));
    assert_eq!(of("country = 'DE'"), 1418);
    assert_eq!(of("country = 'a b/c=d&é%20'"), 522);
    assert_eq!(of("country is null"), 0);
    assert_eq!(of("day = date '2024-02-29' and level = 1 and at > timestamp '2024-02-29 12:00:00'"), 1418);
    assert_eq!(of("day is null and not big and share = 1.5"), 522);
    assert_eq!(number(&project, "select count(distinct country) from cities"), 3);
}

#[test]
fn tables_lists_it_apart_and_nothing_is_written_into_it() {
    let (project, _) = beside("plans", &["plans", "grow"]);
    let before = content(&project.path("warehouse"));
    let said = run(&project, &["tables"]).succeeded().stdout;
    let listed = said.split("\n\n").last().unwrap().replace(char::is_numeric, "9");
    assert_snapshot!(listed, @r"
     foreign table   rows   files     size   version   folder
    ───────────────────────────────────────────────────────────────────
     plans              9       9   9.9 kB         9   warehouse/plans
    ");
    let answer = run(&project, &["--json", "tables"]).succeeded().json();
    let listed = &answer["foreign"][0];
    assert_eq!(
        (&listed["table"], &listed["version"], &listed["rows"], &listed["pinned"]),
        (&"plans".into(), &1.into(), &4.into(), &false.into())
    );
    assert!(answer["tables"].as_array().unwrap().iter().all(|table| table["table"] != "plans"), "{answer:#}");
    let columns = run(&project, &["tables", "plans"]).succeeded();
    assert_snapshot!(columns.stdout + &columns.stderr, @r"
     column   type
    ────────────────────────
     plan     string
     price    decimal(10,2)
     since    date
     at       timestamp
     tier     int64
    a foreign table: version 1 of `warehouse/plans`
    ");
    for command in [&["maintain", "--keep", "0 s"][..], &["audit"], &["check"], &["profile", "plans"], &["run", "all"]]
    {
        run(&project, command).succeeded();
    }
    let export = project.path("plans.csv");
    run(&project, &["export", "plans", "--to", export.to_str().unwrap()]).succeeded();
    assert_eq!(std::fs::read_to_string(export).unwrap().lines().count(), 5);
    assert_eq!(content(&project.path("warehouse")), before, "somebody else's table is only read");
}

#[test]
fn a_report_runs_again_when_the_table_has_changed() {
    let (project, _) = beside("plans", &["plans"]);
    project.write(
        "reports/costs/report.toml",
        "format = 1\ntitle = \"Costs\"\nperiod = { type = \"all\" }\n[queries.costs]\ntitle = \"Costs\"\n",
    );
    project.write(
        "reports/costs/costs.sql",
        "select plan, count(*) as orders, sum(price) as total from orders join plans on true group by 1 order by 1",
    );
    let report = || {
        let answer = run(&project, &["--json", "report", "run", "costs", "all"]).succeeded().json();
        answer["reports"][0].clone()
    };
    let first = report();
    assert_eq!((&first["reused"], &first["foreign"]["plans"]["version"]), (&false.into(), &0.into()));
    assert_eq!(first["queries"]["costs"]["rows"].as_array().unwrap().len(), 3);
    assert_eq!(report()["reused"], true);
    write_delta(&table(&project, "plans"), &["grow"]);
    let second = report();
    assert_eq!((&second["reused"], &second["foreign"]["plans"]["version"]), (&false.into(), &1.into()));
    assert_eq!(second["queries"]["costs"]["rows"].as_array().unwrap().len(), 4);
    // Pinned to what the first run read, it is that run.
    project.edit("stillhouse.toml", "[tables.plans]\n", "[tables.plans]\nversion = 0\n");
    let third = report();
    assert_eq!((&third["reused"], &third["run_id"]), (&true.into(), &first["run_id"]));
    let shown = run(&project, &["--json", "report", "show", first["run_id"].as_str().unwrap()]).succeeded().json();
    assert_eq!(shown["reports"][0]["foreign"]["plans"]["folder"], "warehouse/plans", "{shown:#}");
    // Versions of a table that is not the lake's pin nothing there.
    run(&project, &["maintain", "--keep", "0 s"]).succeeded();
}

#[test]
fn personal_data_stays_hidden() {
    let (project, _) = beside("plans", &["plans"]);
    project.edit("stillhouse.toml", "[tables.plans]\n", "[tables.plans]\npii = \"plan\"\n");
    let said = run(&project, &["profile", "plans"]).succeeded().stdout;
    assert!(!said.contains("basic") && said.contains("29.00"), "{said}");
    let said = run(&project, &["profile", "plans", "--show-personal"]).succeeded().stdout;
    assert!(said.contains("basic"), "{said}");
    project.edit("stillhouse.toml", "pii = \"plan\"\n", "pii = \"plam\"\n");
    let refused = run(&project, &["sql", "select * from plans"]).ended_with(2);
    assert_snapshot!(refused.stderr, @r"
    error: table `plans`: `pii` of [tables.plans] names `plam`, which is no column of it

    hint: did you mean `plan`?
    ");
}

/// What cannot be read fails commands that ask for it, and no others.
#[test]
fn a_table_that_cannot_be_read_stops_only_who_asks_for_it() {
    let (project, _) = beside("plans", &["plans"]);
    std::fs::rename(project.path("warehouse"), project.path("moved")).unwrap();
    run(&project, &["ingest"]).succeeded();
    assert_eq!(number(&project, "select count(*) from orders"), 4);
    let refused = run(&project, &["sql", "select * from plans"]).ended_with(2);
    assert_snapshot!(refused.stderr, @r"
    error: table `plans`: there is no folder `warehouse/plans`

    hint: mend `delta` of [tables.plans] in stillhouse.toml; relative paths start at the project folder
    ");
    let refused = run(&project, &["check"]).ended_with(2);
    assert_snapshot!(refused.stderr, @r"
    error: 1 problem:
      stillhouse.toml: table `plans`: there is no folder `warehouse/plans`
        hint: mend `delta` of [tables.plans] in stillhouse.toml; relative paths start at the project folder

    hint: mend them, then check again
    ");
    let listed = run(&project, &["tables"]).succeeded();
    assert!(listed.stdout.contains("not readable"), "{}", listed.stdout);
    let refused = run(&project, &["export", "plans", "--to", "plans.csv"]).ended_with(2);
    assert!(refused.stderr.contains("there is no folder `warehouse/plans`"), "{}", refused.stderr);
}

#[test]
fn features_that_are_not_read_are_refused() {
    let (project, _) = beside("plans", &["plans"]);
    let log = project.path("warehouse/plans/_delta_log");
    let next = |line: &str| std::fs::write(log.join("00000000000000000001.json"), line).unwrap();
    let protocol = |feature: &str| {
        format!(
            "{{\"protocol\":{{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"{feature}\"],\"writerFeatures\":[\"{feature}\"]}}}}\n"
        )
    };
    for feature in ["deletionVectors", "columnMapping", "thingOfTomorrow"] {
        next(&protocol(feature));
        let refused = run(&project, &["sql", "select count(*) from plans"]).ended_with(2);
        assert!(refused.stderr.contains(&format!("feature `{feature}`")), "{}", refused.stderr);
        assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    }
    next("{\"add\":{\"pa");
    let refused = run(&project, &["sql", "select count(*) from plans"]).ended_with(1);
    assert!(refused.stderr.contains("the log in `warehouse/plans` cannot be read"), "{}", refused.stderr);
}

#[test]
fn a_table_of_the_lake_is_no_foreign_one() {
    let (project, _) = beside("plans", &["plans"]);
    project.edit("stillhouse.toml", "warehouse/plans", "lake/orders");
    let refused = run(&project, &["sql", "select * from plans"]).ended_with(2);
    assert_snapshot!(refused.stderr, @r"
    error: table `plans`: `lake/orders` is the table `orders` of this lake

    hint: ask for `orders`, which queries know anyway
    ");
}
