use std::sync::Arc;

use arrow::array::{Decimal128Array, Int64Array, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, TimeUnit};
use insta::assert_snapshot;
use stillhouse_query::{Engine, Kind, Params};

use crate::lake::{Lake, batch, schema, told};

fn tags(rows: &[Option<&[&str]>]) -> Arc<arrow::array::ListArray> {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        match row {
            Some(items) => builder.append_value(items.iter().map(Some)),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// The table has gained columns since the first file was written, and its columns stand in another order there.
#[tokio::test]
async fn columns_that_older_files_lack_are_null() {
    let mut lake = Lake::new();
    let amount = DataType::Decimal128(12, 2);
    lake.declare(
        "events",
        schema(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
            Field::new("amount", amount, false),
            Field::new("tags", DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))), true),
        ]),
    );
    lake.add("events", "old.parquet", &[batch(vec![("id", Arc::new(Int64Array::from(vec![1, 2])))])]);
    let amounts = Decimal128Array::from(vec![Some(150), None]).with_precision_and_scale(12, 2).unwrap();
    let times = TimestampMicrosecondArray::from(vec![0, 86_400_000_000]).with_timezone("UTC");
    let new = batch(vec![
        ("tags", tags(&[Some(&["a", "b"]), Some(&[])])),
        ("amount", Arc::new(amounts)),
        ("time", Arc::new(times)),
        ("id", Arc::new(Int64Array::from(vec![3, 4]))),
    ]);
    lake.add("events", "deep/er/new.parquet", &[new]);
    assert_snapshot!(lake.shown("select * from events order by id").await, @r"
    +----+----------------------+--------+--------+
    | id | time                 | amount | tags   |
    +----+----------------------+--------+--------+
    | 1  |                      |        |        |
    | 2  |                      |        |        |
    | 3  | 1970-01-01T00:00:00Z | 1.50   | [a, b] |
    | 4  | 1970-01-02T00:00:00Z |        | []     |
    +----+----------------------+--------+--------+
    ");
    assert_snapshot!(lake.shown("select count(*), sum(amount), count(time) from events where amount is null").await, @r"
    +----------+--------------------+--------------------+
    | count(*) | sum(events.amount) | count(events.time) |
    +----------+--------------------+--------------------+
    | 3        |                    | 1                  |
    +----------+--------------------+--------------------+
    ");
    assert_snapshot!(lake.shown("select id, unnest(tags) as tag from events order by 1, 2").await, @r"
    +----+-----+
    | id | tag |
    +----+-----+
    | 3  | a   |
    | 3  | b   |
    +----+-----+
    ");
    assert_snapshot!(lake.shown("select count(*) as n from events where time >= timestamp '1970-01-02'").await, @r"
    +---+
    | n |
    +---+
    | 1 |
    +---+
    ");
}

#[tokio::test]
async fn a_table_without_files_is_empty() {
    let mut lake = Lake::new();
    lake.declare(
        "events",
        schema(vec![Field::new("id", DataType::Int64, true), Field::new("x", DataType::Utf8, true)]),
    );
    assert_snapshot!(lake.shown("select count(*), sum(id), min(x) from events").await, @r"
    +----------+----------------+---------------+
    | count(*) | sum(events.id) | min(events.x) |
    +----------+----------------+---------------+
    | 0        |                |               |
    +----------+----------------+---------------+
    ");
    assert_eq!(lake.query("select x from events where id > 1 order by id").await.unwrap().rows, 0);
    assert_eq!(lake.query("select * from events").await.unwrap().schema.fields().len(), 2);
}

#[tokio::test]
async fn only_the_named_files_are_read() {
    let mut lake = Lake::new();
    let rows = |ids: Vec<i64>| batch(vec![("id", Arc::new(Int64Array::from(ids)))]);
    lake.add("events", "a.parquet", &[rows(vec![1])]);
    std::fs::copy(lake.folder.path().join("events/a.parquet"), lake.folder.path().join("events/stray.parquet"))
        .unwrap();
    assert_snapshot!(lake.shown("select count(*) as n from events").await, @r"
    +---+
    | n |
    +---+
    | 1 |
    +---+
    ");
}

#[tokio::test]
async fn row_groups_are_left_out_by_their_statistics() {
    let mut lake = Lake::new();
    for file in 0..4_i64 {
        let ids = Int64Array::from_iter_values(file * 200_000..(file + 1) * 200_000);
        lake.add("events", &format!("{file}.parquet"), &[batch(vec![("id", Arc::new(ids))])]);
    }
    let shown = lake.shown("explain analyze select count(*) from events where id >= 750000").await;
    let scan = shown.lines().find(|line| line.contains("DataSourceExec")).unwrap();
    assert!(scan.contains("row_groups_pruned_statistics=8 total → 1 matched"), "{scan}");
    assert_snapshot!(lake.shown("select count(*) as n from events where id >= 750000").await, @r"
    +-------+
    | n     |
    +-------+
    | 50000 |
    +-------+
    ");
}

#[tokio::test]
async fn a_file_that_is_gone_is_named() {
    let mut lake = Lake::new();
    lake.add("events", "a.parquet", &[batch(vec![("x", Arc::new(StringArray::from(vec!["a"])))])]);
    let path = lake.folder.path().join("events/a.parquet");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = lake.query("select * from events").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(error.to_string().contains("events/a.parquet"), "{error}");

    std::fs::write(&path, vec![0; bytes.len()]).unwrap();
    let error = lake.query("select * from events").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry, "{error}");
}

#[tokio::test]
async fn two_tables_of_one_name_are_refused() {
    let mut lake = Lake::new();
    lake.declare("events", schema(vec![]));
    let input = |name: &str| stillhouse_query::TableInput {
        name: name.to_owned(),
        schema: schema(vec![]),
        folder: object_store::path::Path::from("x"),
        files: vec![],
        current: None,
    };
    let engine = Engine::new(lake.options.clone()).unwrap();
    assert_snapshot!(told(&engine.open(vec![input("a"), input("a")]).unwrap_err()), @r"
    FixSettings: two tables are named `a`
    hint: give one of them another name in its contract; that of a view is `current`
    ");
}

#[tokio::test]
async fn names_with_capitals_are_found_in_quotes() {
    let mut lake = Lake::new();
    lake.add("Events", "a.parquet", &[batch(vec![("userName", Arc::new(StringArray::from(vec!["a"])))])]);
    assert_eq!(lake.query("select \"userName\" from \"Events\"").await.unwrap().rows, 1);
    assert_snapshot!(lake.refused("select userName from \"Events\"").await, @r#"
    FixData: line 1, column 8: column `username` is not there
    hint: did you mean `"userName"`?
    "#);
    assert_snapshot!(lake.refused("select 1 from Events").await, @r#"
    FixData: line 1, column 15: table `events` is not there
    hint: did you mean `"Events"`?
    "#);
}

#[tokio::test]
async fn a_session_is_a_snapshot_of_its_own() {
    let mut lake = Lake::new();
    lake.add("events", "a.parquet", &[batch(vec![("id", Arc::new(Int64Array::from(vec![1])))])]);
    let before = lake.session();
    lake.add("events", "b.parquet", &[batch(vec![("id", Arc::new(Int64Array::from(vec![2])))])]);
    let rows = |result: stillhouse_query::QueryResult| result.rows;
    assert_eq!(rows(before.query("select * from events", &Params::new()).await.unwrap()), 1);
    assert_eq!(rows(lake.query("select * from events").await.unwrap()), 2);
}
