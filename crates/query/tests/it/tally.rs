//! Aggregations by a text column: the same rows, whether its dictionary is used or not.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, TimeUnit};
use insta::assert_snapshot;
use proptest::prelude::*;
use stillhouse_query::QueryResult;

use crate::lake::{Lake, batch, schema, shown};

const DAY: i64 = 86_400_000_000;

/// A row: e-mail, time in microseconds, number. Of few different e-mails, so that they repeat.
type Row = (Option<String>, i64, Option<i64>);

fn row() -> impl Strategy<Value = Row> {
    let email = prop_oneof![
        1 => Just(None),
        1 => Just(Some(String::new())),
        6 => "[ ]{0,1}[abAB]{1,2}@[xy]{1}\\.[a-z]{0,1}com[ ]{0,1}".prop_map(Some),
    ];
    let time = prop_oneof![(0..4_i64).prop_map(|day| day * DAY), -40 * DAY..40 * DAY];
    (email, time, proptest::option::of(-9..9_i64))
}

fn rows_batch(rows: &[Row]) -> RecordBatch {
    let email = StringArray::from_iter(rows.iter().map(|row| row.0.as_deref()));
    let time = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1)).with_timezone("UTC");
    let number = Int64Array::from_iter(rows.iter().map(|row| row.2));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("email", Arc::new(email)), ("time", Arc::new(time)), ("number", Arc::new(number))];
    batch(columns)
}

/// Files of these rows; a last one lacks the e-mail.
fn lake_of(files: &[Vec<Row>]) -> Lake {
    let mut lake = Lake::new();
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = [("email", DataType::Utf8), ("time", time), ("number", DataType::Int64)];
    lake.declare("t", schema(fields.map(|(name, kind)| Field::new(name, kind, true)).into()));
    for (number, rows) in files.iter().enumerate() {
        lake.add("t", &format!("{number}.parquet"), &[rows_batch(rows)]);
    }
    let older = batch(vec![("number", Arc::new(Int64Array::from(vec![1, 2])))]);
    lake.add("t", "older.parquet", &[older]);
    lake
}

/// Queries and their group keys. Written in a way that names a second column, a key is computed for each row.
const QUERIES: [(&str, &str); 15] = [
    ("select {} as k, count(*) as n from t group by 1 order by 1", "email"),
    (
        "select {} as k, count(*) as n, sum(number) as s, max(time) as m from t group by 1 order by 1",
        "lower(trim(email))",
    ),
    (
        "select {} as k, count(*) filter (where time >= date '1970-01-02') as n, min(email) as m from t where trim(email) <> '' group by 1 order by 1",
        "lower(trim(email))",
    ),
    (
        "select {} as k, count(number) as n from t where time >= date '1970-01-02' and number > 0 group by 1 order by 1",
        "coalesce(email, 'none')",
    ),
    ("select {} as k, sum(number) as n, avg(number) as a from t group by 1 order by 1", "email_domain(email)"),
    ("select {} as k, count(*) as n from t where email <> 'b@x.com' group by 1 order by 1", "length(email)"),
    (
        "select {} as k, count(*) as n, sum(length(email) + number) as s from t where email is null or number < 5 group by 1 order by 1",
        "email is null",
    ),
    ("select {} as k, count(*) as n, min(email) as m from t group by 1 order by 1", "cast(time as date)"),
    ("select {} as k, count(*) as n from t where email <> '' group by 1 order by 1", "coalesce(number, 3) % 4"),
    ("select {} as k, count(*) as n from t group by 1 order by 1", "date_trunc('month', time)"),
    ("select {} as k, count(*) as n, max(time) as m from t group by 1 order by 1", "date_trunc('hour', time)"),
    (
        "select {} as k, count(*) as n from t group by 1 order by 1",
        "date_bin(interval '7 days', time, timestamp '1970-01-05')",
    ),
    // These rise and fall.
    ("select {} as k, count(*) as n from t group by 1 order by 1", "date_part('hour', time)"),
    ("select {} as k, count(*) as n from t group by 1 order by 1", "cast(time as time) < time '12:00:00'"),
    ("select {} as k, count(*) as n from t group by 1 order by 1", "-cast(cast(time as date) as int)"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn dictionaries_change_no_result(files in proptest::collection::vec(proptest::collection::vec(row(), 0..60), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lake = lake_of(&files);
        for (query, key) in QUERIES {
            let by_dictionary = query.replace("{}", key);
            let by_row = query.replace("{}", &format!("case when number = 1000 and email = '?' then null else {key} end"));
            let plan = |sql: &str| runtime.block_on(lake.shown(&format!("explain {sql}")));
            prop_assert!(plan(&by_dictionary).contains("TallyExec"), "{}", plan(&by_dictionary));
            prop_assert!(!plan(&by_row).contains("TallyExec"), "{}", plan(&by_row));
            let rows = |sql: &str| runtime.block_on(lake.query(sql)).unwrap();
            let (one, other) = (rows(&by_dictionary), rows(&by_row));
            let types = |result: &QueryResult| -> Vec<DataType> {
                result.schema.fields().iter().map(|field| field.data_type().clone()).collect()
            };
            prop_assert_eq!(types(&one), types(&other));
            prop_assert_eq!(shown(&one), shown(&other), "{}", by_dictionary);
        }
    }
}

fn two_files() -> Lake {
    let texts = ["7", "", "8", "7"].map(|text| Some(text.to_owned()));
    let rows: Vec<Row> = texts.into_iter().zip(1..).map(|(text, day)| (text, day * DAY, Some(day))).collect();
    let mut lake = Lake::new();
    lake.add("t", "a.parquet", &[rows_batch(&rows)]);
    lake.add("t", "b.parquet", &[rows_batch(&rows[..2])]);
    lake
}

/// The dictionary holds a text that no row stands for once the filter has been applied.
#[tokio::test]
async fn an_expression_that_fails_on_another_row_does_not_fail() {
    let lake = two_files();
    let sql = "select cast(email as bigint) as n, count(*) as rows from t where email <> '' group by 1 order by 1";
    assert!(lake.shown(&format!("explain {sql}")).await.contains("TallyExec"));
    assert_snapshot!(lake.shown(sql).await, @r"
    +---+------+
    | n | rows |
    +---+------+
    | 7 | 3    |
    | 8 | 1    |
    +---+------+
    ");
    let error = lake.query("select cast(email as bigint) as n, count(*) from t group by 1").await.unwrap_err();
    assert_snapshot!(error, @"cast error: Cannot cast string '' to value of Int64 type");
}

/// Days 1 to 4 are in the files: nobody needs to look at the times of the rows to see that they are after day 0.
#[tokio::test]
async fn what_statistics_prove_is_not_read() {
    let lake = two_files();
    let scan = async |condition: &str| {
        let sql = format!(
            "explain select email, count(*) filter (where time >= date '1970-01-01') from t where {condition} group by 1"
        );
        let plan = lake.shown(&sql).await;
        let line = plan.lines().find(|line| line.contains("DataSourceExec")).unwrap().to_owned();
        line.split("projection=").nth(1).unwrap().split(", file_type").next().unwrap().to_owned()
    };
    assert_snapshot!(scan("time >= date '1970-01-02' and time < date '1970-01-06'").await, @"[email]");
    assert_snapshot!(scan("time >= date '1970-01-03' and time < date '1970-01-06'").await, @"[email, time]");
    assert_snapshot!(scan("time < date '1970-01-05'").await, @"[email, time]");
    assert_snapshot!(lake.shown("select email, count(*) as n from t where time < date '1970-01-05' group by 1 order by 1").await, @r"
    +-------+---+
    | email | n |
    +-------+---+
    |       | 2 |
    | 7     | 2 |
    | 8     | 1 |
    +-------+---+
    ");
}

/// One file of one row group, whose first batch knows other numbers than the ones after.
fn numbers_then(first: [i64; 2], then: impl Fn(i64) -> i64) -> Lake {
    const ROWS: i64 = 60_000;
    let numbers: Vec<i64> =
        (0..ROWS).map(|row| if row < 10_000 { first[usize::from(row % 2 == 1)] } else { then(row) }).collect();
    let times = TimestampMicrosecondArray::from_iter_values(numbers.iter().map(|number| number * 1_000_000));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("number", Arc::new(Int64Array::from(numbers))), ("time", Arc::new(times.with_timezone("UTC")))];
    let mut lake = Lake::new();
    lake.add("t", "a.parquet", &[batch(columns)]);
    let empty = batch(vec![("number", Arc::new(Int64Array::from(Vec::<i64>::new())))]);
    lake.add("t", "b.parquet", &[empty]);
    lake
}

/// In Newfoundland clocks went back from 00:01 to 23:01: for an hour it was the day before once more.
#[tokio::test]
async fn a_day_may_come_back_where_clocks_are_put_back_over_midnight() {
    let lake = numbers_then([1_162_089_030, 1_162_094_400], |_| 1_162_090_800);
    let days = async |zone: &str| {
        let time = format!("arrow_cast(time, 'Timestamp(Microsecond, Some(\"{zone}\"))')");
        let sql = format!("select cast({time} as date) as day, count(*) as n from t group by 1 order by 1");
        assert!(lake.shown(&format!("explain {sql}")).await.contains("TallyExec"));
        lake.shown(&sql).await
    };
    assert_snapshot!(days("America/St_Johns").await, @r"
    +------------+-------+
    | day        | n     |
    +------------+-------+
    | 2006-10-28 | 50000 |
    | 2006-10-29 | 10000 |
    +------------+-------+
    ");
    assert_snapshot!(days("UTC").await, @r"
    +------------+-------+
    | day        | n     |
    +------------+-------+
    | 2006-10-29 | 60000 |
    +------------+-------+
    ");
}

/// Each moment lies behind all before it, as in a log.
#[tokio::test]
async fn moments_that_rise_are_counted_by_their_days() {
    let lake = numbers_then([1_704_067_200, 1_704_067_201], |row| 1_704_067_200 + row * 5);
    let sql = "select cast(time as date) as day, count(*) as n, min(time) as first from t group by 1 order by 1";
    assert!(lake.shown(&format!("explain {sql}")).await.contains("TallyExec"));
    assert_snapshot!(lake.shown(sql).await, @r"
    +------------+-------+----------------------+
    | day        | n     | first                |
    +------------+-------+----------------------+
    | 2024-01-01 | 17280 | 2024-01-01T00:00:00Z |
    | 2024-01-02 | 17280 | 2024-01-02T00:00:00Z |
    | 2024-01-03 | 17280 | 2024-01-03T00:00:00Z |
    | 2024-01-04 | 8160  | 2024-01-04T00:00:00Z |
    +------------+-------+----------------------+
    ");
}

/// Each number is another one, more of them than are kept.
#[tokio::test]
async fn numbers_that_are_all_different_are_counted_as_well() {
    let lake = numbers_then([1, 2], |row| row * 7919);
    let sql = "select number % 3 as k, count(*) as n, min(number) as least from t group by 1 order by 1";
    assert!(lake.shown(&format!("explain {sql}")).await.contains("TallyExec"));
    assert_snapshot!(lake.shown(sql).await, @r"
    +---+-------+----------+
    | k | n     | least    |
    +---+-------+----------+
    | 0 | 16666 | 79205838 |
    | 1 | 21667 | 1        |
    | 2 | 21667 | 2        |
    +---+-------+----------+
    ");
    let sql = "select count(*) as seconds, max(n) as most from (select date_trunc('second', time) as s, count(*) as n from t group by 1)";
    assert_snapshot!(lake.shown(sql).await, @r"
    +---------+------+
    | seconds | most |
    +---------+------+
    | 50002   | 5000 |
    +---------+------+
    ");
}

/// More groups than memory: they go out early, and come together later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_do_not_fit_go_out_early() {
    const FILES: i64 = 12;
    const TEXTS: i64 = 15_000;
    let mut lake = Lake::new();
    for file in 0..FILES {
        // Half of the texts of a file are also in the next one.
        let ids: Vec<i64> = (file * TEXTS / 2..file * TEXTS / 2 + TEXTS).collect();
        let texts = ids.iter().chain(&ids).map(|id| format!("{id:020}-user-{id:020}@example.com"));
        let texts = StringArray::from_iter_values(texts);
        lake.add("t", &format!("{file}.parquet"), &[batch(vec![("email", Arc::new(texts))])]);
    }
    lake.options.memory_bytes = 12 << 20;
    let sql =
        "select n, count(*) as texts from (select lower(email), count(*) as n from t group by 1) group by 1 order by 1";
    assert!(lake.shown(&format!("explain {sql}")).await.contains("TallyExec"));
    assert_snapshot!(lake.shown(sql).await, @r"
    +---+-------+
    | n | texts |
    +---+-------+
    | 2 | 15000 |
    | 4 | 82500 |
    +---+-------+
    ");
}
