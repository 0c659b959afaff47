//! Views of the current state: of each key the latest row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;
use insta::assert_snapshot;
use proptest::prelude::*;
use stillhouse_query::{Engine, Params, Value};
use stillhouse_spec::{CurrentView, DeleteMarker, DeleteValues};

use crate::lake::{Lake, batch, shown, told};

fn rule(key: &[&str], latest_by: &[&str], deleted: Option<(&str, DeleteValues)>) -> CurrentView {
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let deleted = deleted.map(|(column, values)| DeleteMarker { column: column.parse().unwrap(), values });
    CurrentView { name: "changes_current".parse().unwrap(), key: names(key), latest_by: names(latest_by), deleted }
}

fn op() -> Option<(&'static str, DeleteValues)> {
    Some(("op", DeleteValues::Texts(vec!["D".to_owned(), "it's; gone".to_owned()])))
}

/// One change: id, part, at, op, value.
type Change<'a> = (Option<&'a str>, i64, Option<i64>, Option<&'a str>, i64);

/// The rows of one object, as the lake holds them.
fn rows(object: i64, changes: &[Change<'_>]) -> RecordBatch {
    let object = Int64Array::from_value(object, changes.len());
    let records = Int64Array::from_iter_values(0..i64::try_from(changes.len()).unwrap());
    batch(vec![
        ("id", Arc::new(StringArray::from_iter(changes.iter().map(|change| change.0)))),
        ("part", Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.1)))),
        ("at", Arc::new(Int64Array::from_iter(changes.iter().map(|change| change.2)))),
        ("op", Arc::new(StringArray::from_iter(changes.iter().map(|change| change.3)))),
        ("value", Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.4)))),
        ("_object", Arc::new(object)),
        ("_record", Arc::new(records)),
    ])
}

#[tokio::test]
async fn of_each_key_the_latest_row_unless_it_is_a_delete() {
    let mut lake = Lake::new();
    let first: &[Change<'_>] = &[
        (Some("out of order"), 0, Some(1), Some("I"), 1),
        (Some("out of order"), 0, Some(3), Some("U"), 3),
        (Some("deleted"), 0, Some(1), Some("I"), 1),
        (Some("deleted"), 0, Some(2), Some("D"), 2),
        (Some("back again"), 0, Some(2), Some("D"), 2),
        (Some("tie in a file"), 0, Some(1), Some("U"), 1),
        (Some("tie in a file"), 0, Some(1), Some("U"), 2),
        (Some("tie of files"), 0, Some(1), Some("U"), 1),
        (Some("tie with a delete"), 0, Some(1), Some("U"), 1),
        (Some("older than null"), 0, Some(1), Some("U"), 1),
        (None, 0, Some(1), Some("U"), 1),
    ];
    let second: &[Change<'_>] = &[
        (Some("out of order"), 0, Some(2), Some("U"), 2),
        (Some("deleted"), 0, Some(1), Some("I"), 1),
        (Some("back again"), 0, Some(3), Some("I"), 3),
        (Some("tie of files"), 0, Some(1), Some("U"), 2),
        (Some("tie with a delete"), 0, Some(1), Some("it's; gone"), 2),
        (Some("older than null"), 0, None, Some("U"), 2),
        (Some("only null"), 0, None, Some("U"), 1),
        (Some("no marker"), 0, Some(1), None, 1),
        (Some("other marker"), 0, Some(1), Some("d"), 1),
    ];
    lake.add("changes", "b.parquet", &[rows(2 << 16, second)]);
    lake.add("changes", "a.parquet", &[rows(1 << 16, first)]);
    lake.view("changes", rule(&["id"], &["at"], op()));
    let sql = "select id, at, op, value, _object / 65536 as object, _record from changes_current order by id";
    assert_snapshot!(lake.shown(sql).await, @r"
    +-----------------+----+----+-------+--------+---------+
    | id              | at | op | value | object | _record |
    +-----------------+----+----+-------+--------+---------+
    | back again      | 3  | I  | 3     | 2      | 2       |
    | no marker       | 1  |    | 1     | 2      | 7       |
    | older than null | 1  | U  | 1     | 1      | 9       |
    | only null       |    | U  | 1     | 2      | 6       |
    | other marker    | 1  | d  | 1     | 2      | 8       |
    | out of order    | 3  | U  | 3     | 1      | 1       |
    | tie in a file   | 1  | U  | 2     | 1      | 6       |
    | tie of files    | 1  | U  | 2     | 2      | 3       |
    +-----------------+----+----+-------+--------+---------+
    ");
    assert_snapshot!(lake.shown("select count(*), count(distinct id) from changes").await, @r"
    +----------+----------------------------+
    | count(*) | count(DISTINCT changes.id) |
    +----------+----------------------------+
    | 20       | 10                         |
    +----------+----------------------------+
    ");
    let columns = |sql: &'static str| {
        let lake = &lake;
        async move { lake.query(sql).await.unwrap().schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>() }
    };
    assert_eq!(columns("select * from changes_current").await, columns("select * from changes").await);
}

#[tokio::test]
async fn every_kind_of_delete_marker() {
    let instants = TimestampMicrosecondArray::from(vec![None, Some(0), None]).with_timezone("UTC");
    let kinds = [
        ("code", DeleteValues::Numbers(vec![3, -4]), "2"),
        ("gone", DeleteValues::True, "1, 3"),
        ("deleted_at", DeleteValues::Any, "1, 3"),
    ];
    for (column, values, left) in kinds {
        let mut lake = Lake::new();
        let batch = batch(vec![
            // The case of names does not count; the lake's stands.
            ("Id", Arc::new(StringArray::from(vec!["1", "2", "3"]))),
            ("code", Arc::new(Int64Array::from(vec![Some(3), None, Some(-4)]))),
            ("gone", Arc::new(BooleanArray::from(vec![Some(false), Some(true), None]))),
            ("deleted_at", Arc::new(instants.clone())),
            ("_object", Arc::new(Int64Array::from(vec![1; 3]))),
            ("_record", Arc::new(Int64Array::from(vec![0, 1, 2]))),
        ]);
        lake.add("changes", "a.parquet", &[batch]);
        lake.view("changes", rule(&["id"], &["CODE"], Some((column, values))));
        let result = lake.query("select \"Id\" from changes_current order by 1").await.unwrap();
        let ids: Vec<_> = result.batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter()).collect();
        assert_eq!(ids.into_iter().flatten().collect::<Vec<_>>().join(", "), left, "{column}");
    }
}

#[tokio::test]
async fn a_table_without_files_has_a_view_without_rows() {
    let mut lake = Lake::new();
    lake.declare("changes", rows(1, &[]).schema());
    lake.view("changes", rule(&["id"], &["at"], op()));
    assert_eq!(lake.query("select * from changes_current where id = 'x'").await.unwrap().rows, 0);
}

/// A key whose changes lie in one of four files of two row groups each.
fn wide_lake() -> Lake {
    let mut lake = Lake::new();
    for file in 0..4_i64 {
        let ids: Vec<i64> = (0..200_000).map(|row| file * 100_000 + row / 2).collect();
        let count = ids.len();
        let records: Vec<i64> = (0..200_000).collect();
        let batch = batch(vec![
            ("id", Arc::new(Int64Array::from(ids.clone()))),
            ("region", Arc::new(Int64Array::from_iter_values(ids.iter().map(|id| id % 7)))),
            ("at", Arc::new(Int64Array::from_iter_values(records.iter().map(|record| record % 2)))),
            ("note", Arc::new(StringArray::from_iter_values(records.iter().map(|record| format!("note {record}"))))),
            ("_object", Arc::new(Int64Array::from_value(file, count))),
            ("_record", Arc::new(Int64Array::from(records))),
        ]);
        lake.add("changes", &format!("{file}.parquet"), &[batch]);
    }
    lake.view("changes", rule(&["region", "id"], &["at"], None));
    lake
}

/// The line of a plan that tells of the scan.
async fn scan(lake: &Lake, sql: &str, params: &Params) -> String {
    let plan = shown(&lake.session().query(sql, params).await.unwrap());
    let line = plan.lines().find(|line| line.contains("DataSourceExec")).unwrap_or_else(|| panic!("no scan in {plan}"));
    line.to_owned()
}

#[tokio::test]
async fn a_filter_on_the_key_reaches_the_scan() {
    let lake = wide_lake();
    let none = Params::new();
    let range = scan(&lake, "explain analyze select count(*) from changes_current where id >= 360000", &none).await;
    assert!(range.contains("row_groups_pruned_statistics=8 total → 1 matched"), "{range}");
    let wanted = Params::from([("id".to_owned(), Value::Int(123_456))]);
    let one = scan(&lake, "explain analyze select note from changes_current where id = $id", &wanted).await;
    assert!(one.contains("row_groups_pruned_statistics=8 total → 1 matched"), "{one}");
    let deeper = "explain analyze with c as (select * from changes_current where region < 7) \
        select max(note) from c where id in (5, 6) group by region";
    let deeper = scan(&lake, deeper, &none).await;
    assert!(deeper.contains("row_groups_pruned_statistics=8 total → 1 matched"), "{deeper}");
    let result = lake.session().query("select note, at from changes_current where id = $id", &wanted).await.unwrap();
    assert_snapshot!(shown(&result), @r"
    +------------+----+
    | note       | at |
    +------------+----+
    | note 46913 | 1  |
    +------------+----+
    ");
}

#[tokio::test]
async fn columns_that_nobody_asks_for_are_not_read() {
    let lake = wide_lake();
    let scan = scan(&lake, "explain select count(*) from changes_current", &Params::new()).await;
    assert!(scan.contains("region, ") && !scan.contains("note"), "{scan}");
}

#[tokio::test]
async fn a_filter_on_another_column_looks_at_the_latest_rows_only() {
    let mut lake = Lake::new();
    lake.add("changes", "a.parquet", &[rows(1, &[(Some("a"), 0, Some(1), None, 5), (Some("a"), 0, Some(2), None, 7)])]);
    lake.view("changes", rule(&["id"], &["at"], op()));
    for (filter, count) in [("value = 5", 0), ("value = 7", 1), ("at < 2", 0), ("id = 'a' and value = 5", 0)] {
        let rows = lake.query(&format!("select * from changes_current where {filter}")).await.unwrap().rows;
        assert_eq!(rows, count, "{filter}");
    }
}

#[tokio::test]
async fn a_plan_tells_the_table_below_the_view_and_the_rule() {
    let mut lake = Lake::new();
    lake.declare("changes", rows(1, &[]).schema());
    lake.declare("others", rows(1, &[]).schema());
    let rule = rule(&["id"], &["at"], op());
    lake.view("changes", rule.clone());
    let uses = |sql: &'static str| {
        let session = lake.session();
        async move {
            let planned = session.plan(sql, &Params::new()).await.unwrap();
            (planned.tables, planned.views)
        }
    };
    let (tables, view) =
        (BTreeSet::from(["changes".to_owned()]), BTreeMap::from([("changes_current".to_owned(), rule)]));
    assert_eq!(uses("select * from changes_current").await, (tables.clone(), view.clone()));
    assert_eq!(uses("select (select max(value) from \"changes_current\")").await, (tables.clone(), view.clone()));
    assert_eq!(
        uses("with x as (select id from CHANGES_CURRENT) select * from x").await,
        (tables.clone(), view.clone())
    );
    assert_eq!(uses("select * from changes as changes_current").await, (tables, BTreeMap::new()));
    let own = uses("with changes_current as (select * from others) select * from changes_current").await;
    assert_eq!(own, (BTreeSet::from(["others".to_owned()]), BTreeMap::new()));
}

#[tokio::test]
async fn a_view_is_read_only_and_known_by_name() {
    let mut lake = Lake::new();
    lake.declare("changes", rows(1, &[]).schema());
    lake.view("changes", rule(&["id"], &["at"], op()));
    for sql in [
        "insert into changes_current select * from changes",
        "drop view changes_current",
        "delete from changes_current",
    ] {
        let refused = lake.refused(sql).await;
        assert!(refused.contains("queries only read") || refused.contains("not offered"), "{sql}: {refused}");
    }
    assert_snapshot!(lake.refused("select * from changes_curent").await, @r"
    FixData: line 1, column 15: table `changes_curent` is not there
    hint: did you mean `changes_current`?
    ");
    assert_eq!(lake.session().tables(), ["changes", "changes_current"]);
    let input = |name: &str, current| stillhouse_query::TableInput {
        name: name.to_owned(),
        schema: rows(1, &[]).schema(),
        folder: object_store::path::Path::from("x"),
        files: vec![],
        current,
    };
    let tables = vec![input("changes", Some(rule(&["id"], &["at"], None))), input("changes_current", None)];
    assert_snapshot!(told(&Engine::new(lake.options.clone()).unwrap().open(tables).unwrap_err()), @r"
    FixSettings: two tables are named `changes_current`
    hint: give one of them another name in its contract; that of a view is `current`
    ");
}

/// 600,000 rows of about 100 bytes in 16 MB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_larger_than_memory_spills() {
    const KEYS: i64 = 200_000;
    let mut lake = Lake::new();
    lake.options.memory_bytes = 16 << 20;
    for object in 0..3 {
        let ids: Vec<i64> = (0..KEYS).map(|id| id * 7_919 % KEYS).collect();
        let notes = ids.iter().map(|id| format!("{object} {id:040} {id:040}"));
        let batch = batch(vec![
            ("id", Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("key-{id:010}"))))),
            ("at", Arc::new(Int64Array::from_value((object + 1) % 3, ids.len()))),
            ("note", Arc::new(StringArray::from_iter_values(notes))),
            ("_object", Arc::new(Int64Array::from_value(object, ids.len()))),
            ("_record", Arc::new(Int64Array::from_iter_values(0..KEYS))),
        ]);
        lake.add("changes", &format!("{object}.parquet"), &[batch]);
    }
    lake.view("changes", rule(&["id"], &["at"], None));
    let session = lake.session();
    let sql = "select count(*), min(at), max(length(note)), count(distinct substr(note, 1, 1)) from changes_current";
    assert_snapshot!(shown(&session.query(sql, &Params::new()).await.unwrap()), @r"
    +----------+-------------------------+-----------------------------------+----------------------------------------------------------------+
    | count(*) | min(changes_current.at) | max(length(changes_current.note)) | count(DISTINCT substr(changes_current.note,Int64(1),Int64(1))) |
    +----------+-------------------------+-----------------------------------+----------------------------------------------------------------+
    | 200000   | 2                       | 83                                | 1                                                              |
    +----------+-------------------------+-----------------------------------+----------------------------------------------------------------+
    ");
    let plan = shown(&session.query(&format!("explain analyze {sql}"), &Params::new()).await.unwrap());
    let sort = plan.lines().find(|line| line.contains("SortExec")).unwrap_or_else(|| panic!("no sort in {plan}"));
    assert!(!sort.contains("spill_count=0,"), "{sort}");
}

/// A row of the property test: id, part, at, sequence, marker, object.
type Row = (u8, i64, Option<i64>, Option<i64>, Option<bool>, i64);

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let few = || prop::option::weighted(0.8, 0..4_i64);
    prop::collection::vec((0..4_u8, 0..2_i64, few(), few(), prop::option::of(any::<bool>()), 0..5_i64), 0..120)
}

/// What the view must show: the `_object` and `_record` of the latest row of each key that is there.
fn expected(rows: &[Row]) -> BTreeSet<(i64, i64)> {
    let mut latest: BTreeMap<(u8, i64), (_, bool)> = BTreeMap::new();
    for (record, (id, part, at, sequence, gone, object)) in rows.iter().enumerate() {
        // `None` is less than any number.
        let place = (*at, *sequence, *object, i64::try_from(record).unwrap());
        let slot = latest.entry((*id, *part)).or_insert((place, *gone == Some(true)));
        if place >= slot.0 {
            *slot = (place, *gone == Some(true));
        }
    }
    latest.into_values().filter(|(_, gone)| !gone).map(|((_, _, object, record), _)| (object, record)).collect()
}

async fn shown_by_the_view(rows: &[Row], files: usize) -> BTreeSet<(i64, i64)> {
    let mut lake = Lake::new();
    for file in 0..files {
        let part: Vec<(usize, &Row)> = rows.iter().enumerate().filter(|(place, _)| place % files == file).collect();
        let numbers =
            |of: &dyn Fn(&Row) -> Option<i64>| Arc::new(Int64Array::from_iter(part.iter().map(|(_, row)| of(row))));
        let records = part.iter().map(|(record, _)| i64::try_from(*record).unwrap());
        let batch = batch(vec![
            ("id", Arc::new(StringArray::from_iter_values(part.iter().map(|(_, row)| format!("id {}", row.0))))),
            ("part", numbers(&|row| Some(row.1))),
            ("at", numbers(&|row| row.2)),
            ("sequence", numbers(&|row| row.3)),
            ("gone", Arc::new(BooleanArray::from_iter(part.iter().map(|(_, row)| row.4)))),
            ("_object", numbers(&|row| Some(row.5))),
            ("_record", Arc::new(Int64Array::from_iter_values(records))),
        ]);
        lake.add("changes", &format!("{file}.parquet"), &[batch]);
    }
    lake.view("changes", rule(&["id", "part"], &["at", "sequence"], Some(("gone", DeleteValues::True))));
    let result = lake.query("select _object, _record from changes_current").await.unwrap();
    let pairs = result.batches.iter().flat_map(|batch| {
        let column = |index: usize| batch.column(index).as_primitive::<Int64Type>().values().to_vec();
        column(0).into_iter().zip(column(1))
    });
    let pairs: Vec<(i64, i64)> = pairs.collect();
    let set: BTreeSet<(i64, i64)> = pairs.iter().copied().collect();
    assert_eq!(set.len(), pairs.len(), "a row is shown twice");
    set
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// The view is the latest row of each key, however the rows are spread over files.
    #[test]
    fn the_view_agrees_with_a_model(rows in any_rows(), files in 1..4_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        prop_assert_eq!(runtime.block_on(shown_by_the_view(&rows, files)), expected(&rows));
    }
}
