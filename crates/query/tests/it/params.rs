use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array, TimestampMicrosecondArray};
use insta::assert_snapshot;
use stillhouse_query::{Params, Value};

use crate::lake::{Lake, batch, shown, told};

const DAY: i64 = 86_400_000_000;

/// Ten days from 2021-03-28, one event each.
fn lake() -> Lake {
    let mut lake = Lake::new();
    let first = 18_714; // 2021-03-28
    let times: Vec<i64> = (0..10).map(|day| (first + day) * DAY + 3_600_000_000).collect();
    let days: Vec<i32> = (0..10).map(|day| i32::try_from(first + day).unwrap()).collect();
    let times = Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"));
    let ids = Arc::new(Int64Array::from_iter_values(0..10));
    let days = Arc::new(Date32Array::from(days));
    lake.add("events", "a.parquet", &[batch(vec![("time", times), ("day", days), ("id", ids)])]);
    lake
}

fn april() -> Params {
    let at = |day: i64| Value::Timestamp(day * DAY);
    [
        ("period_start", at(18_718)), // 2021-04-01
        ("period_end", at(18_748)),
        ("top", Value::Int(2)),
        ("word", Value::Text("o'; drop table events --".to_owned())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Everything that a report does with its period has to plan and to run.
#[tokio::test]
async fn parameters_have_types_wherever_they_stand() {
    let lake = lake();
    let session = lake.session();
    for (sql, expected) in [
        ("select count(*) from events where time >= $period_start and time < $period_end", "6"),
        ("select count(*) from events where time between $period_start and $period_end", "6"),
        ("select count(*) from events where day >= $period_start and day < $period_end", "6"),
        ("select count(*) from events where day >= cast($period_start as date)", "6"),
        ("select count(*) from events where time >= $period_start - interval '1 day'", "7"),
        ("select count(*) from events where time >= date_trunc('month', $period_start)", "6"),
        ("select count(*) from events where date_trunc('month', time) = $period_start", "6"),
        ("select date_part('year', $period_start)", "2021"),
        ("select to_char($period_start, '%Y-%m')", "2021-04"),
        ("select id from events where time >= $period_start order by id limit $top", "5"),
        ("with p as (select $period_start as start) select count(*) from events, p where time >= p.start", "6"),
        ("select count(*) from events where (case when $top = 2 then time end) >= $period_start", "6"),
        ("select sum(case when time >= $period_start then 1 else 0 end) from events", "6"),
        ("select id + $top from events order by 1 limit 1", "2"),
        ("select count(*) from events where id in ($top, 3)", "2"),
        ("select max(id) from events having count(*) > $top", "9"),
        ("select $word", "o'; drop table events --"),
        ("select concat($word, '') || 'x'", "o'; drop table events --x"),
        ("select length($word)", "24"),
        ("select $period_start < $period_end", "true"),
        ("select sum(cast($top as bigint)) from events", "20"),
        ("select coalesce(null, $top)", "2"),
        ("select $period_start union all select $period_start limit 1", "2021-04-01T00:00:00Z"),
        ("select count(*) from (select distinct $period_start as p, id from events) where p >= $period_start", "10"),
        ("select row_number() over (order by id) + $top from events limit 1", "3"),
    ] {
        let result = session.query(sql, &april()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(shown(&result).contains(&format!(" {expected} ")), "{sql}: {}", shown(&result));
        let planned = session.plan(sql, &april()).await.unwrap();
        let types = |schema: &arrow::datatypes::Schema| {
            schema.fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>()
        };
        assert_eq!(types(&planned.schema), types(&result.schema), "{sql}");
    }
}

/// The bounds of `all` are far from the years that nanoseconds can hold.
#[tokio::test]
async fn parameters_may_be_far_away() {
    let lake = lake();
    let session = lake.session();
    let params: Params = [("period_start", -62_135_596_800_000_000), ("period_end", 253_402_300_800_000_000)]
        .map(|(name, micros)| (name.to_owned(), Value::Timestamp(micros)))
        .into();
    for sql in [
        "select count(*) from events where time >= $period_start and time < $period_end",
        "select count(*) from events where day >= $period_start and day < $period_end",
        "select count(*) from events where day >= cast($period_start as date)",
        "select count(*) from events where day between $period_start and $period_end",
        "select count(*) from events where $period_start <= day and day not in ($period_start, $period_end)",
        "select count(*) from events where (case when day < $period_start then 0 else id end) >= 0",
        "select count(*) from events where time >= $period_start + interval '1 month'",
        "select count(*) from events where date_trunc('month', time) >= $period_start",
    ] {
        let result = session.query(sql, &params).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(shown(&result).contains(" 10 "), "{sql}: {}", shown(&result));
    }
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let lake = lake();
    let session = lake.session();
    let sql = "select count(*)\nfrom events where time >= $period_strat";
    assert_snapshot!(told(&session.query(sql, &april()).await.unwrap_err()), @r"
    FixData: line 2, column 27: parameter `$period_strat` has no value
    hint: did you mean `$period_start`?
    ");
    assert_snapshot!(told(&session.query("select $x", &Params::new()).await.unwrap_err()), @r"
    FixData: line 1, column 8: parameter `$x` has no value
    hint: there are no parameters here
    ");
}

#[tokio::test]
async fn a_plan_tells_what_a_query_uses() {
    let lake = {
        let mut lake = lake();
        lake.declare("other", crate::lake::schema(vec![]));
        lake
    };
    let sql = "select now(), id from events where id > $top and id not in (select id from events where random() > 1)";
    let planned = lake.session().plan(sql, &april()).await.unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(planned.tables, names(&["events"]));
    assert_eq!(planned.parameters, names(&["top"]));
    assert_eq!(planned.unstable, names(&["now", "random"]));
}
