//! Statements that share what they have in common give the rows that each would give alone.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::util::pretty::pretty_format_batches;
use futures::StreamExt;
use insta::assert_snapshot;
use proptest::prelude::*;
use stillhouse_query::{Params, RowStream, Session, Value};

use crate::lake::{Lake, batch, schema, told};

macro_rules! queries {
    ($($name:literal),*) => {
        [$(include_str!(concat!("../../../../templates/events/reports/monthly-activity/", $name, ".sql"))),*]
    };
}

/// The report of the template, in its order.
const REPORT: [&str; 13] = queries!(
    "totals",
    "events_per_day",
    "events_per_month",
    "year_to_date",
    "top_users",
    "top_companies",
    "top_domains",
    "top_countries",
    "top_actions",
    "busiest_date",
    "top_tags",
    "growing_companies",
    "quiet_users"
);

const DAY: i64 = 86_400_000_000;

fn month() -> Params {
    let day = |day: i64| Value::Timestamp(day * DAY);
    let times = [("year_start", 0), ("previous_start", 0), ("period_start", 31), ("period_end", 59)];
    let mut params: Params = times.map(|(name, at)| (name.to_owned(), day(at))).into();
    params.insert("top".to_owned(), Value::Int(4));
    params
}

type Row = (Option<String>, Option<i64>, Option<String>);

fn row() -> impl Strategy<Value = Row> {
    let email = prop_oneof![
        1 => Just(None),
        1 => Just(Some(" ".to_owned())),
        8 => "[ ]{0,1}[abAB]{1,2}@(x\\.com|y\\.co\\.uk|gmail\\.com)".prop_map(Some),
    ];
    let word = proptest::option::weighted(0.9, "[abc]{0,1}");
    (email, proptest::option::weighted(0.9, 0..90_i64), word)
}

fn times(rows: &[Row]) -> ArrayRef {
    let times = rows.iter().map(|row| row.1.map(|day| day * DAY + 3_600_000_000));
    Arc::new(TimestampMicrosecondArray::from_iter(times).with_timezone("UTC"))
}

fn words(rows: &[Row]) -> ArrayRef {
    Arc::new(StringArray::from_iter(rows.iter().map(|row| row.2.as_deref())))
}

fn events(rows: &[Row]) -> RecordBatch {
    let email = StringArray::from_iter(rows.iter().map(|row| row.0.as_deref()));
    batch(vec![
        ("timestamp", times(rows)),
        ("email", Arc::new(email)),
        ("country", words(rows)),
        ("action", words(rows)),
    ])
}

/// The two tables of the template, as far as its report reads them.
fn lake_of(files: &[Vec<Row>]) -> Lake {
    let mut lake = Lake::new();
    let time = Field::new("timestamp", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    lake.declare("events", schema(vec![time.clone(), text("email"), text("country"), text("action")]));
    lake.declare("event_tags", schema(vec![time, text("tag")]));
    for (number, rows) in files.iter().enumerate() {
        let file = format!("{number}.parquet");
        lake.add("events", &file, &[events(rows)]);
        lake.add("event_tags", &file, &[batch(vec![("timestamp", times(rows)), ("tag", words(rows))])]);
    }
    lake
}

async fn told_by(mut stream: RowStream) -> String {
    let schema = stream.schema();
    let mut batches = Vec::new();
    while let Some(rows) = stream.next().await {
        batches.push(rows.unwrap());
    }
    format!("{:?}\n{}", schema.fields(), pretty_format_batches(&batches).unwrap())
}

/// Runs the statements together and alone, compares, and tells how many shared something.
async fn compare(session: &Session, statements: &[&str], params: &Params) -> usize {
    let mut together = session.together(statements, params).await;
    let sharing = together.sharing();
    for (place, sql) in statements.iter().enumerate() {
        let shared = told_by(together.stream(place).await.unwrap()).await;
        let alone = told_by(session.stream(sql, params).await.unwrap()).await;
        assert_eq!(shared, alone, "{sql}");
    }
    sharing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_template_s_report_gives_what_its_queries_give(
        files in proptest::collection::vec(proptest::collection::vec(row(), 0..80), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lake = lake_of(&files);
        let session = lake.session();
        let sharing = runtime.block_on(compare(&session, &REPORT, &month()));
        // All that read the events; the tags are read once.
        prop_assert_eq!(sharing, 12);
    }

    #[test]
    fn one_pass_gives_what_each_query_gives(
        files in proptest::collection::vec(proptest::collection::vec(row(), 0..40), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lake = lake_of(&files);
        let sharing = runtime.block_on(compare(&lake.session(), &OF_ONE_TABLE, &month()));
        prop_assert_eq!(sharing, OF_ONE_TABLE.len());
    }
}

/// Groupings of one table: equal and different keys, conditions that all have, some have and one has, and none at all.
const OF_ONE_TABLE: [&str; 9] = [
    "select lower(email) as k, count(*) as n from events group by 1 order by 1",
    "select lower(email) as k, count(*) as n, max(timestamp) as last from events where country <> '' group by 1 order by 1",
    "select lower(email) as k, min(action) as a, count(country) as c from events where timestamp >= $period_start and country <> '' group by 1 order by 1",
    "select lower(email) as k, count(*) filter (where action = 'a') as a, count(*) filter (where action = 'b') as b from events where action is null or action <> 'c' group by 1 order by 1",
    "select country as k, count(*) as n from events where timestamp >= $period_start and timestamp < $period_end group by 1 order by 1",
    "select country as k, sum(length(email)) as s from events where timestamp < $period_start group by 1 order by 1",
    "select country as k, count(*) as n from events where timestamp < $year_start group by 1 order by 1",
    "select cast(timestamp as date) as k, count(*) as n, count(distinct action) as d from events where email <> '' group by 1 order by 1",
    "select date_trunc('month', timestamp) as k, max(email) as m from events where email <> '' or action = 'a' group by 1 order by 1",
];

/// The first query that reads a table reads it for all: the others need its files no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_of_a_table_are_read_once() {
    let rows = |file: i64| {
        (0..50).map(move |row| (Some(format!("u{}@x.com", (row + file) % 9)), Some(row), Some("a".to_owned())))
    };
    let lake = lake_of(&[rows(0).collect::<Vec<_>>(), rows(1).collect(), rows(2).collect()]);
    let session = lake.session();
    let mut alone = Vec::new();
    for sql in REPORT {
        alone.push(told_by(session.stream(sql, &month()).await.unwrap()).await);
    }
    let mut together = session.together(&REPORT, &month()).await;
    for (place, (sql, alone)) in REPORT.iter().zip(alone).enumerate() {
        assert_eq!(told_by(together.stream(place).await.unwrap()).await, alone, "{sql}");
        if place == 0 {
            std::fs::remove_dir_all(lake.folder.path().join("events")).unwrap();
        }
    }
}

fn numbers(count: i64) -> Lake {
    let mut lake = Lake::new();
    for file in 0..2 {
        let ids = Int64Array::from_iter_values(0..count);
        let texts = StringArray::from_iter_values((0..count).map(|id| format!("{:030}", id / 2 * 2 + file)));
        let columns: Vec<(&str, ArrayRef)> = vec![("id", Arc::new(ids)), ("x", Arc::new(texts))];
        lake.add("t", &format!("{file}.parquet"), &[batch(columns)]);
    }
    lake
}

#[tokio::test]
async fn groupings_of_one_table_are_shared() {
    let lake = numbers(100);
    let session = lake.session();
    let share = async |one: &'static str, other: &'static str| compare(&session, &[one, other], &Params::new()).await;
    let counted = "select x, count(*) as n from t where id > 7 group by x order by x";
    for other in [
        counted,
        "select sum(s) as s, sum(n) as n from (select x, sum(id) as s, count(*) as n from t where id > 7 group by x) as g",
        "select max(a.id) as m, min(y) as y from (select x as y, max(id) as id from t where 7 < id group by x) as a",
        "select a.n + b.n as n from (select x, count(*) as n from t where id > 7 group by x) a join (select x, count(id) as n from t where id > 7 group by x) b on a.x = b.x order by 1",
    ] {
        assert_eq!(share(counted, other).await, 2, "{other}");
    }
    for other in [
        "select x, count(*) as n from t where id > 8 group by x order by x",
        "select x, count(*) as n from t group by x order by x",
        "select id, count(*) as n from t where id > 7 group by id order by id",
    ] {
        assert_eq!(share(counted, other).await, 2, "{other}");
    }
    for other in [
        "select x, count(*) as n from t where id > 7 and id in (select max(id) - 1 from t) group by x order by x",
        "select count(*) as n from t where id > 7",
        "select x, count(*) as n from (select * from t limit 1000) where id > 7 group by x order by x",
    ] {
        assert_eq!(share(counted, other).await, 0, "{other}");
    }
}

/// What is wrong with a statement is told when it is run, in the words that it would have alone.
#[tokio::test]
async fn errors_are_told_by_the_statement_that_has_them() {
    let lake = numbers(10);
    let session = lake.session();
    let good = "select x, count(*) as n from t group by x order by x";
    let bad = "select x, count(*) / 0 as n from t group by x";
    // Fails while the groups are made.
    let worse = "select cast(x as int) / (id - id) as n, count(*) from t group by 1";
    let worst = "select cast('a' || left(x, 1) as bigint) as n, count(*) from t group by 1";
    let mut together = session.together(&[good, "select y from t", bad, worse, worst], &Params::new()).await;
    assert_eq!(together.sharing(), 4);
    assert!(told_by(together.stream(0).await.unwrap()).await.contains("000000000000000000000000000000"));
    assert_snapshot!(told(&together.stream(1).await.unwrap_err()), @r"
    FixData: line 1, column 8: column `y` is not there
    hint: did you mean `x`?
    ");
    assert_snapshot!(told(&together.stream(2).await.unwrap_err()), @"FixData: divide by zero error");
    assert_snapshot!(told(&together.stream(3).await.unwrap_err()), @"FixData: divide by zero error");
    assert_snapshot!(told(&together.stream(4).await.unwrap_err()), @"FixData: cast error: Cannot cast string 'a0' to value of Int64 type");
}

/// One guards its cast by a condition, the other has none: over the rows of both, the cast fails.
#[tokio::test]
async fn what_fails_over_the_rows_of_others_does_not_fail_alone() {
    let text = |texts: [&str; 4]| batch(vec![("x", Arc::new(StringArray::from(texts.to_vec())) as ArrayRef)]);
    let mut lake = Lake::new();
    for file in 0..3 {
        lake.add("t", &format!("{file}.parquet"), &[text(["1", "", "2", "2"])]);
    }
    let statements = [
        "select x, count(*) as n from t group by x order by x",
        "select cast(x as int) as i, count(*) as n from t where x <> '' group by 1 order by 1",
        "select x, sum(cast(x as int)) as s from t where x <> '' and cast(x as int) > 1 group by x order by x",
    ];
    assert_eq!(compare(&lake.session(), &statements, &Params::new()).await, 3);
}

/// A grouping by two keys is no tally: it is computed by the query that wants it, which reads the others from the pass.
#[tokio::test]
async fn a_query_may_share_only_a_part() {
    let lake = numbers(200);
    let statements = [
        "select a.x, a.n, b.n as m from (select x, count(*) as n from t group by x) a join (select x, id, count(*) as n from t where id < 9 group by x, id) b on a.x = b.x order by 1, 2, 3",
        "select x, count(*) as n from t group by x order by x",
        "select x, max(id) as n from t where id > 3 group by x order by x",
    ];
    assert_eq!(compare(&lake.session(), &statements, &Params::new()).await, 3);
}

/// The groups of 60,000 texts are more than the eighth of 8 MB that may be kept.
#[tokio::test]
async fn groups_that_do_not_fit_are_not_shared() {
    let mut lake = numbers(60_000);
    lake.options.memory_bytes = 8 << 20;
    let session = lake.session();
    let statements = [
        "select x, count(*) as n from t group by x order by x desc limit 2",
        "select count(*) as n from (select x, count(*) from t group by x)",
    ];
    assert_eq!(compare(&session, &statements, &Params::new()).await, 2);
}
