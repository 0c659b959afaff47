use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use insta::assert_snapshot;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use stillhouse_report::render::json;
use stillhouse_report::{Error, Kind, RunView, SourceState, StoppedObject, load};
use stillhouse_spec::{Choice, Project, Receipt, RejectPlace};

use crate::fixture::{Lake, MONTHLY, project, receipt};

const REPORT: &str = r#"
format = 1
title = "Account summary"
period = { type = "month" }
parameters = { top = 2 }
[queries.summary]
title = "Summary"
[queries.summary.columns.average]
decimals = 2
[queries.days]
title = "Days"
"#;

const SUMMARY: &str = "select count(*) as n, sum(amount) as total, avg(amount) as average from events \
    where time >= $period_start and time < $period_end";
const DAYS: &str = "select date_trunc('day', time) as day, count(*) as n from events \
    where time >= $period_start and time < $period_end group by 1 order by 1 limit $top";

fn april() -> Project {
    project(MONTHLY, REPORT, &[("summary", SUMMARY), ("days", DAYS)])
}

const DAY: i64 = 86_400_000_000;

fn rows(days: &[i64], cents: &[i128]) -> Vec<(&'static str, ArrayRef)> {
    let april = 18_718 * DAY - DAY; // so that day 1 is the first of April 2021
    let times = days.iter().map(|day| april + day * DAY).collect::<Vec<_>>();
    let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
    let amounts = Decimal128Array::from(cents.to_vec()).with_precision_and_scale(12, 2).unwrap();
    vec![("time", Arc::new(times)), ("amount", Arc::new(amounts))]
}

fn receipts() -> Vec<Receipt> {
    vec![
        receipt("data/2021/04/events.csv", &[("2021-03-31", 1), ("2021-04-01", 2), ("2021-04-02", 1)]),
        receipt("data/2021/05/events.csv", &[("2021-05-01", 1)]),
    ]
}

async fn lake() -> Lake {
    let mut lake = Lake::new();
    lake.add("events", "a.parquet", rows(&[0, 1, 1, 2], &[100, 6_050, -2_030, 1_005])).await;
    lake.add("events", "b.parquet", rows(&[31], &[1])).await;
    lake
}

async fn run(lake: &Lake, project: &Project, receipts: &[Receipt], run_id: &str) -> Result<RunView, Error> {
    let state = SourceState { source: &project.sources[0], receipts: receipts.iter().collect(), stopped: Vec::new() };
    lake.run(&project.reports[0], "2021-04", &[state], run_id).await
}

fn shown(view: &RunView) -> String {
    let mut out = Vec::new();
    json(std::slice::from_ref(view), &[], &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    serde_json::to_string(&value["reports"][0]["queries"]).unwrap()
}

#[tokio::test]
async fn a_run_gives_results_and_what_they_were_made_from() {
    let (lake, project) = (lake().await, april());
    let view = run(&lake, &project, &receipts(), "r1").await.unwrap();
    assert!(!view.reused);
    assert_eq!(view.completeness.to_string(), "COMPLETE");
    assert_snapshot!(shown(&view), @r#"{"summary":{"columns":[{"name":"n","type":"int64"},{"name":"total","type":"decimal(22,2)"},{"name":"average","type":"decimal(16,6)"}],"rows":[[3,"50.25","16.75"]]},"days":{"columns":[{"name":"day","type":"timestamp"},{"name":"n","type":"int64"}],"rows":[["2021-04-01T00:00:00Z",2],["2021-04-02T00:00:00Z",1]]}}"#);

    let record = lake.runs.0.lock().unwrap()[0].clone();
    let manifest = lake.store.get(&Path::from(record.manifest.as_str())).await.unwrap().bytes().await.unwrap();
    let manifest = String::from_utf8(manifest.to_vec()).unwrap();
    insta::with_settings!({filters => vec![(r"[0-9a-f]{64}", "[digest]")]}, {
        assert_snapshot!(manifest, @r#"
        {
          "format": 1,
          "run_id": "r1",
          "report": "activity",
          "title": "Account summary",
          "period": "2021-04",
          "report_fingerprint": "[digest]",
          "fingerprint": "[digest]",
          "program": "stillhouse 0.1.0",
          "snapshot_seq": 7,
          "started_at": 1623758400000000,
          "finished_at": 1623758400000000,
          "parameters": {
            "period_end": {
              "micros": 1619827200000000
            },
            "period_start": {
              "micros": 1617235200000000
            },
            "previous_start": {
              "micros": 1614556800000000
            },
            "top": 2,
            "year_start": {
              "micros": 1609459200000000
            }
          },
          "tables": {
            "events": {
              "version": 2,
              "files": [
                "a.parquet",
                "b.parquet"
              ]
            }
          },
          "inputs": [
            {
              "source": "events",
              "key": "data/2021/04/events.csv",
              "member": "",
              "generation": 1,
              "digest": "[digest]",
              "batch": "b1",
              "rows": 3
            }
          ],
          "sources": {
            "events": [
              "s"
            ]
          },
          "completeness": "COMPLETE",
          "reasons": [],
          "notes": [],
          "queries": [
            {
              "name": "summary",
              "title": "Summary",
              "source": "reports/activity/summary.sql",
              "sql": "select count(*) as n, sum(amount) as total, avg(amount) as average from events where time >= $period_start and time < $period_end",
              "formats": {
                "average": {
                  "decimals": 2
                }
              },
              "file": "summary.parquet",
              "rows": 1,
              "digest": "[digest]",
              "file_digest": "[digest]"
            },
            {
              "name": "days",
              "title": "Days",
              "source": "reports/activity/days.sql",
              "sql": "select date_trunc('day', time) as day, count(*) as n from events where time >= $period_start and time < $period_end group by 1 order by 1 limit $top",
              "formats": {},
              "file": "days.parquet",
              "rows": 2,
              "digest": "[digest]",
              "file_digest": "[digest]"
            }
          ]
        }
        "#);
    });
    let again = load(&lake.store, &Path::default(), &record).await.unwrap();
    assert_eq!(shown(&again), shown(&view));
}

#[tokio::test]
async fn the_same_is_not_run_twice() {
    let (lake, project) = (lake().await, april());
    let first = run(&lake, &project, &receipts(), "r1").await.unwrap();
    let second = run(&lake, &project, &receipts(), "r2").await.unwrap();
    assert!(second.reused);
    assert_eq!(second.run_id, "r1");
    assert_eq!(shown(&second), shown(&first));
    assert_eq!(lake.runs.0.lock().unwrap().len(), 1);
}

/// Whatever could change the result or what is said of it makes a new run.
#[tokio::test]
async fn a_change_runs_again() {
    let (mut lake, mut project) = (lake().await, april());
    let mut receipts = receipts();
    run(&lake, &project, &receipts, "r1").await.unwrap();
    let again = |view: &RunView, id: &str| assert_eq!((view.reused, view.run_id.as_str()), (false, id));

    // Files may be merged or split: what was put into the tables is the same.
    lake.add("events", "c.parquet", rows(&[3], &[1])).await;
    let merged = run(&lake, &project, &receipts, "merged").await.unwrap();
    assert_eq!((merged.reused, merged.run_id.as_str()), (true, "r1"));

    receipts[0].batch = "b2".to_owned();
    again(&run(&lake, &project, &receipts, "replayed").await.unwrap(), "replayed");

    receipts[0].generation = 2;
    again(&run(&lake, &project, &receipts, "corrected").await.unwrap(), "corrected");

    receipts.pop();
    let view = run(&lake, &project, &receipts, "less complete").await.unwrap();
    again(&view, "less complete");
    assert_eq!(view.completeness.to_string(), "PARTIAL");

    project = crate::fixture::project(
        MONTHLY,
        &REPORT.replace("top = 2", "top = 1"),
        &[("summary", SUMMARY), ("days", DAYS)],
    );
    again(&run(&lake, &project, &receipts, "parameters").await.unwrap(), "parameters");
}

/// The current state of a thing of April may be decided by a change of any month.
#[tokio::test]
async fn a_report_on_the_current_state_depends_on_every_file_and_on_the_rule() {
    let contract = |rule: &str| {
        let source = MONTHLY.replace("time = \"timestamp\"", "time = { type = \"timestamp\", required = true }");
        let source = source.replace("[table.columns]", &format!("{rule}\n[table.columns]"));
        let sql = SUMMARY.replace("from events", "from events_current");
        project(&source, REPORT, &[("summary", &sql), ("days", DAYS)])
    };
    let rule = "key = \"time\"\nkeep = \"latest by amount\"";
    let (mut lake, mut project) = (Lake::new(), contract(rule));
    let mut columns = rows(&[1, 1, 2], &[100, 300, 5]);
    columns.push(("_object", Arc::new(Int64Array::from(vec![1; 3]))));
    columns.push(("_record", Arc::new(Int64Array::from(vec![0, 1, 2]))));
    lake.add("events", "a.parquet", columns).await;
    lake.view(&project);
    let receipts = receipts();
    let held =
        StoppedObject { key: "data/2021/06/events.csv".to_owned(), state: "held".to_owned(), reason: String::new() };
    let run = async |lake: &Lake, project: &Project, run_id: &str| {
        let receipts = receipts.iter().collect();
        let state = SourceState { source: &project.sources[0], receipts, stopped: vec![held.clone()] };
        lake.run(&project.reports[0], "2021-04", &[state], run_id).await.unwrap()
    };
    let view = run(&lake, &project, "r1").await;
    assert!(shown(&view).contains(r#""rows":[[2,"3.05","#), "{}", shown(&view));
    assert_eq!(view.inputs.len(), 2);
    assert_eq!(
        (view.completeness.to_string(), view.reasons.join("; ")),
        ("PARTIAL".to_owned(), "held: data/2021/06/events.csv".to_owned())
    );
    assert!(run(&lake, &project, "r2").await.reused);
    let record = lake.runs.0.lock().unwrap()[0].clone();
    let manifest = lake.store.get(&Path::from(record.manifest)).await.unwrap().bytes().await.unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["views"]["events_current"]["key"], serde_json::json!(["time"]));
    assert!(manifest["tables"]["events"].is_object());

    project = contract(&format!("{rule}\ndeleted = {{ column = \"time\" }}"));
    lake.view(&project);
    let view = run(&lake, &project, "r3").await;
    assert_eq!((view.reused, view.run_id.as_str()), (false, "r3"));
    assert!(shown(&view).contains(r#""rows":[[0,null,"#), "{}", shown(&view));
}

/// A table of somebody else's counts by its version, and is no input that could be missing.
#[tokio::test]
async fn a_report_depends_on_the_versions_of_the_foreign_tables_that_it_reads() {
    let joined = "select count(*) as n from events join plans on true where time >= $period_start";
    let of = |sql| project(MONTHLY, &REPORT.replace("[queries.days]\ntitle = \"Days\"\n", ""), &[("summary", sql)]);
    let (joins, other) = (of(joined), of(SUMMARY));
    let mut lake = lake().await;
    lake.add("plans", "p.parquet", vec![("plan", Arc::new(StringArray::from(vec!["a", "b"])))]).await;
    lake.foreign("plans", 3);
    let first = run(&lake, &joins, &receipts(), "r1").await.unwrap();
    assert_eq!((first.reused, first.provenance.foreign["plans"].version), (false, 3));
    assert_eq!(first.completeness.to_string(), "COMPLETE");
    assert!(!first.provenance.tables.contains_key("plans"), "nobody keeps that version: {:?}", first.provenance.tables);
    assert!(run(&lake, &joins, &receipts(), "r2").await.unwrap().reused);
    assert!(run(&lake, &other, &receipts(), "r3").await.unwrap().provenance.foreign.is_empty());

    lake.foreign("plans", 4);
    let second = run(&lake, &joins, &receipts(), "r4").await.unwrap();
    assert_eq!((second.reused, second.provenance.foreign["plans"].version), (false, 4));
    assert!(run(&lake, &other, &receipts(), "r5").await.unwrap().reused, "it reads no table that changed");
    lake.foreign.get_mut("plans").unwrap().folder = "/elsewhere".to_owned();
    assert!(run(&lake, &joins, &receipts(), "r6").await.unwrap().reused, "where a table lies does not matter");
    lake.foreign.get_mut("plans").unwrap().id = "another".to_owned();
    assert!(!run(&lake, &joins, &receipts(), "r7").await.unwrap().reused, "it is another table");
    lake.foreign("plans", 3);
    let third = run(&lake, &joins, &receipts(), "r8").await.unwrap();
    assert_eq!((third.reused, third.run_id.as_str()), (true, "r1"), "what was shown then can be shown again");
}

#[tokio::test]
async fn a_damaged_result_is_made_again() {
    let (lake, project) = (lake().await, april());
    run(&lake, &project, &receipts(), "r1").await.unwrap();
    let record = lake.runs.0.lock().unwrap()[0].clone();
    let path = Path::from("_results/activity/r1/summary.parquet");
    lake.store.put(&path, vec![0; 10].into()).await.unwrap();
    let error = load(&lake.store, &Path::default(), &record).await.unwrap_err();
    assert_eq!(error.kind(), Kind::FixData);
    assert_snapshot!(error, @"`_results/activity/r1/summary.parquet` is not what the run wrote, or is gone");
    let view = run(&lake, &project, &receipts(), "r2").await.unwrap();
    assert_eq!((view.reused, view.run_id.as_str()), (false, "r2"));
    lake.store.delete(&Path::from("_results/activity/r2/manifest.json")).await.unwrap();
    let view = run(&lake, &project, &receipts(), "r3").await.unwrap();
    assert_eq!((view.reused, view.run_id.as_str()), (false, "r3"));
}

#[tokio::test]
async fn nothing_loaded_is_empty_and_has_no_averages() {
    let mut lake = Lake::new();
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = vec![Field::new("time", time, true), Field::new("amount", DataType::Decimal128(12, 2), true)];
    lake.declare("events", Arc::new(Schema::new(fields)));
    let view = run(&lake, &april(), &[], "r1").await.unwrap();
    assert_eq!(view.completeness.to_string(), "EMPTY");
    assert_snapshot!(shown(&view), @r#"{"summary":{"columns":[{"name":"n","type":"int64"},{"name":"total","type":"decimal(22,2)"},{"name":"average","type":"decimal(16,6)"}],"rows":[[0,null,null]]},"days":{"columns":[{"name":"day","type":"timestamp"},{"name":"n","type":"int64"}],"rows":[]}}"#);
}

#[tokio::test]
async fn a_query_that_fails_leaves_no_run() {
    let lake = lake().await;
    let check = |sql: &'static str| {
        let lake = &lake;
        async move {
            let project = project(MONTHLY, REPORT, &[("summary", SUMMARY), ("days", sql)]);
            let error = run(lake, &project, &receipts(), "r1").await.unwrap_err();
            assert!(lake.runs.0.lock().unwrap().is_empty());
            format!("{:?}: {error}\nhint: {}", error.kind(), error.hint().unwrap_or("-"))
        }
    };
    assert_snapshot!(check("select amonut from events").await, @r"
    FixData: query `days` (reports/activity/days.sql): line 1, column 8: column `amonut` is not there
    hint: did you mean `amount`?
    ");
    assert_snapshot!(check("select count(*) from events where time < now()").await, @r"
    FixSettings: query `days` (reports/activity/days.sql): `now()` gives another answer each time, so the run could not be repeated
    hint: use `$period_start` or `$period_end` instead
    ");
    assert_snapshot!(check("select cast('x' || amount as bigint) from events where amount = 1").await, @r"
    FixData: query `days` (reports/activity/days.sql): cast error: Cannot cast string 'x1.00' to value of Int64 type
    hint: -
    ");
    assert_snapshot!(check("drop table events").await, @r"
    FixData: query `days` (reports/activity/days.sql): `drop table` is refused: queries only read
    hint: start with `select`, `with`, `values` or `explain`; tables change by `stillhouse run`
    ");
    assert_snapshot!(check("select $nothing from events").await, @r"
    FixData: query `days` (reports/activity/days.sql): line 1, column 8: parameter `$nothing` has no value
    hint: parameters are $period_end, $period_start, $previous_start, $top, $year_start
    ");
}

#[tokio::test]
async fn people_are_told_what_was_refused_and_assumed() {
    let (lake, project) = (lake().await, april());
    let mut receipts = receipts();
    let places = [8, 10].map(|line| RejectPlace {
        record: line - 2,
        part: String::new(),
        line,
        offset: 0,
        bytes: 1,
        column: None,
        reason: "field count".to_owned(),
        expected: "3 fields".to_owned(),
        found: "2".to_owned(),
    });
    receipts[0].counts.quarantined = 2;
    receipts[0].counts.read += 3;
    receipts[0].counts.blank = 1;
    receipts[0].rejects = places.into();
    receipts[0].decided.insert("year of time".to_owned(), Choice::default_value("2026 (file time)".to_owned()));
    receipts[0].decided.insert("delimiter".to_owned(), Choice::detected(";".to_owned()));
    receipts[0].warnings.push("2 repeated ids".to_owned());
    let view = run(&lake, &project, &receipts, "r1").await.unwrap();
    assert_snapshot!(view.notes.join("\n"), @r"
    data/2021/04/events.csv: 2 of 6 records refused (lines 8, 10): see `stillhouse quarantine show`
    data/2021/04/events.csv: 2 repeated ids
    data/2021/04/events.csv: `time` states no year; taken: 2026 (file time)
    ");
    assert_eq!(
        view.inputs.iter().map(|input| (input.key.as_str(), input.rows)).collect::<Vec<_>>(),
        [("data/2021/04/events.csv", 3)]
    );

    // What many have in common is one line.
    let mut receipts: Vec<Receipt> =
        (1..=30).map(|day| receipt(&format!("data/2021/04/{day}.csv"), &[(&format!("2021-04-{day:02}"), 1)])).collect();
    for receipt in &mut receipts {
        receipt.decided.insert("year of time".to_owned(), Choice::detected("2021 (path)".to_owned()));
    }
    let view = run(&lake, &project, &receipts, "r2").await.unwrap();
    assert_snapshot!(view.notes.join("\n"), @"data/2021/04/1.csv, data/2021/04/10.csv, data/2021/04/11.csv and 27 more: `time` states no year; taken: 2021 (path)");
}

#[tokio::test]
async fn sources_that_do_not_feed_the_report_do_not_count() {
    let (mut lake, project) = (lake().await, april());
    lake.add(
        "other",
        "a.parquet",
        vec![("x", Arc::new(Int64Array::from(vec![1]))), ("y", Arc::new(StringArray::from(vec!["a"])))],
    )
    .await;
    let mut other = project.sources[0].clone();
    other.contract.parent.name = "other".parse().unwrap();
    other.contract.children.clear();
    let receipts = receipts();
    let strange = [receipt("data/2021/04/other.csv", &[("2021-04-01", 3)])];
    let states = [
        SourceState { source: &project.sources[0], receipts: receipts.iter().collect(), stopped: Vec::new() },
        SourceState {
            source: &other,
            receipts: strange.iter().collect(),
            stopped: vec![stillhouse_report::StoppedObject {
                key: "x".to_owned(),
                state: "held".to_owned(),
                reason: String::new(),
            }],
        },
    ];
    let zone = jiff::tz::TimeZone::UTC;
    let feeding = stillhouse_report::feeding(&lake.session(), &project.reports[0], &zone, &states).await.unwrap();
    assert_eq!(feeding.len(), 1);
    assert_eq!(feeding[0].source.contract.parent.name.as_str(), "events");
    let view = lake.run(&project.reports[0], "2021-04", &states, "r1").await.unwrap();
    assert_eq!(view.completeness.to_string(), "COMPLETE");
    assert_eq!(view.inputs.len(), 1);
    let record = lake.runs.0.lock().unwrap()[0].clone();
    assert_eq!(record.tables.keys().collect::<Vec<_>>(), ["events"]);
    // A commit to another table changes nothing here.
    lake.add(
        "other",
        "b.parquet",
        vec![("x", Arc::new(Int64Array::from(vec![1]))), ("y", Arc::new(StringArray::from(vec!["a"])))],
    )
    .await;
    assert!(lake.run(&project.reports[0], "2021-04", &states, "r2").await.unwrap().reused);
}
