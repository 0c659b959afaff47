use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, StringArray};
use futures::StreamExt;
use insta::assert_snapshot;
use stillhouse_query::{Engine, Params};

use crate::lake::{Lake, batch, told};

/// `count` rows with a distinct text of about 50 bytes each, in no order.
fn lake(count: i64) -> Lake {
    let mut lake = Lake::new();
    const PART: i64 = 250_000;
    for (file, start) in (0..count).step_by(usize::try_from(PART).unwrap()).enumerate() {
        let ids: Vec<i64> = (start..count.min(start + PART)).map(|id| id * 7_919 % count).collect();
        let texts = StringArray::from_iter_values(ids.iter().map(|id| format!("{id:020}-user-{id:020}@example.com")));
        let rows = batch(vec![("id", Arc::new(Int64Array::from(ids))), ("email", Arc::new(texts))]);
        lake.add("events", &format!("{file}.parquet"), &[rows]);
    }
    lake
}

/// 1.5 million distinct texts are about 90 MB, more than the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_data_than_memory_spills_and_comes_out_right() {
    const ROWS: i64 = 1_500_000;
    let lake = lake(ROWS);
    let session = lake.session();
    let one = |sql: &'static str| {
        let session = &session;
        async move {
            let result = session.query(sql, &Params::new()).await.unwrap_or_else(|error| {
                panic!("{sql}: {error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
            });
            let column = result.batches[0].column(0);
            column.as_any().downcast_ref::<Int64Array>().unwrap().value(0)
        }
    };
    assert_eq!(
        one("select count(*) from (select email, count(*) as n from events group by email) where n = 1").await,
        ROWS
    );
    assert_eq!(one("select count(distinct email) from events").await, ROWS);
    assert_eq!(
        one("select sum(id - cast(r as bigint)) from (select id, row_number() over (order by email) - 1 as r from events)").await,
        0
    );
    assert_eq!(
        one("select max(n) from (select email, sum(id) as n from events group by email order by email)").await,
        ROWS - 1
    );
    // The greater side is too large for a hash table in 64 MB.
    assert_eq!(one("select count(*) from events a join events b on a.email = b.email and a.id = b.id").await, ROWS);
    // Starting again in another way leaves the session as it was.
    assert_eq!(one("select count(*) from events").await, ROWS);
    assert_eq!(spilled(&lake.options.spill_dir), 0, "spill files are gone after the queries");
}

/// Files below `folder`, locks not counted.
fn spilled(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { spilled(&path) } else { usize::from(!path.ends_with("lock")) }).sum()
}

/// What a killed process leaves behind goes when the next engine starts; what a living one uses stays.
#[tokio::test]
async fn left_over_spill_files_are_removed() {
    let lake = lake(10);
    let folder = &lake.options.spill_dir;
    std::fs::create_dir_all(folder.join("engine-7/deep")).unwrap();
    std::fs::write(folder.join("engine-7/lock"), "").unwrap();
    std::fs::write(folder.join("engine-7/deep/rows"), "left over").unwrap();
    std::fs::write(folder.join("not-ours"), "").unwrap();
    let living = Engine::new(lake.options.clone()).unwrap();
    assert_eq!(spilled(folder), 1);
    let folders = || std::fs::read_dir(folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    let session = lake.session();
    assert_eq!(folders(), 2, "one for each engine");
    assert_eq!(session.query("select * from events", &Params::new()).await.unwrap().rows, 10);
    drop(session);
    assert_eq!(folders(), 1);
    drop(living);
    assert_eq!(folders(), 0);
}

#[tokio::test]
async fn a_sort_streams_in_order() {
    const ROWS: i64 = 1_200_000;
    let mut lake = lake(ROWS);
    lake.options.result_rows = u64::MAX;
    let session = lake.session();
    let mut stream = session.stream("select id from events order by email", &Params::new()).await.unwrap();
    let mut next = 0;
    while let Some(rows) = stream.next().await {
        let rows = rows.unwrap();
        for id in rows.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values() {
            assert_eq!(*id, next);
            next += 1;
        }
    }
    assert_eq!(next, ROWS);
}

#[tokio::test]
async fn a_query_that_cannot_spill_enough_names_the_setting() {
    let mut lake = lake(300_000);
    lake.options.memory_bytes = 1 << 20;
    assert_snapshot!(lake.refused("select array_agg(email) from events").await, @r"
    FixSettings: the query needs more memory than `limits.query_memory` allows
    hint: raise `limits.query_memory` in stillhouse.toml, or let the query read or keep less
    ");
}

#[tokio::test]
async fn the_disk_has_a_limit_too() {
    let mut lake = lake(1_000_000);
    lake.options.memory_bytes = 16 << 20;
    lake.options.spill_bytes = 1 << 20;
    assert_snapshot!(lake.refused("select max(r) from (select row_number() over (order by email) as r from events)").await, @r"
    FixSettings: the query needs more disk to spill than `limits.spill` allows
    hint: raise `limits.spill` in stillhouse.toml, or let the query read or keep less
    ");
}

#[tokio::test]
async fn too_many_rows_are_an_error_not_a_cut() {
    let mut lake = lake(1_001);
    lake.options.result_rows = 1_000;
    assert_snapshot!(lake.refused("select * from events").await, @r"
    FixSettings: the result has more rows than `limits.result_rows` allows: 1000
    hint: add `limit`, group the rows, or raise `limits.result_rows` in stillhouse.toml
    ");
    assert_eq!(lake.query("select * from events limit 1000").await.unwrap().rows, 1_000);
}

#[tokio::test]
async fn a_result_has_to_fit_the_memory_when_it_is_collected() {
    let mut lake = lake(100_000);
    lake.options.memory_bytes = 4 << 20;
    assert_snapshot!(lake.refused("select * from events").await, @r"
    FixSettings: the query needs more memory than `limits.query_memory` allows
    hint: raise `limits.query_memory` in stillhouse.toml, or let the query read or keep less
    ");
    let session = lake.session();
    let rows = session.stream("select * from events", &Params::new()).await.unwrap();
    assert_eq!(rows.map(|rows| rows.unwrap().num_rows()).fold(0, |sum, rows| async move { sum + rows }).await, 100_000);
}

const ENDLESS: &str =
    "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value + b.value = 3";

#[tokio::test]
async fn a_query_that_runs_too_long_is_stopped() {
    let mut lake = Lake::new();
    lake.options.query_seconds = 1;
    assert_snapshot!(lake.refused(ENDLESS).await, @r"
    FixSettings: the query was stopped after 1 s, as `limits.query_seconds` says
    hint: raise `limits.query_seconds` in stillhouse.toml, or let the query read less
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_stream_stops_the_query_and_frees_its_memory() {
    let lake = lake(500_000);
    let engine = Engine::new(lake.options.clone()).unwrap();
    let session = lake.session();
    let mut stream = session.stream("select email from events order by email", &Params::new()).await.unwrap();
    if let Err(error) = stream.next().await.unwrap() {
        panic!("{}: {:?}", told(&error), std::error::Error::source(&error).map(ToString::to_string));
    }
    drop(stream);
    let none = Params::new();
    let endless = session.query(ENDLESS, &none);
    assert!(tokio::time::timeout(Duration::from_millis(300), endless).await.is_err());
    // What they held is free again: the whole pool can be used.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let count = session.query("select count(distinct email) from events", &Params::new()).await;
    assert!(count.is_ok(), "{}", told(&count.unwrap_err()));
    drop(engine);
}
