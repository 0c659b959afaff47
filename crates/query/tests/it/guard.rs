use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use insta::assert_snapshot;

use crate::lake::{Lake, batch};

fn lake() -> Lake {
    let mut lake = Lake::new();
    let ids = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let names = Arc::new(StringArray::from(vec!["ann", "bo", "cy"]));
    lake.add("events", "a.parquet", &[batch(vec![("id", ids), ("user_name", names)])]);
    lake
}

#[tokio::test]
async fn reads_are_let_through() {
    let lake = lake();
    for sql in [
        "select * from events",
        "select * from events;",
        "with x as (select id from events) select count(*) from x",
        "values (1), (2)",
        "explain select * from events",
        "explain analyze select * from events",
        "select * from generate_series(1, 3)",
        "with recursive n as (select 1 as i union all select i + 1 from n where i < 3) select * from n",
        "select id from events where id in (select id from events where id > 1)",
        "select (select max(id) from events)",
        "select * from events a join events b on a.id = b.id",
        "describe events",
    ] {
        if let Err(error) = lake.query(sql).await {
            panic!("{sql}: {error}");
        }
    }
}

#[tokio::test]
async fn everything_that_writes_is_refused() {
    let lake = lake();
    let target = lake.folder.path().join("out.csv");
    let copy = format!("copy events to '{}'", target.display());
    let external = format!("create external table x stored as parquet location '{}'", lake.folder.path().display());
    let explained = format!("explain analyze copy events to '{}'", target.display());
    for sql in [
        "create table x as select * from events",
        "create view v as select * from events",
        "create function f(int) returns int return $1",
        "create schema s",
        "drop table events",
        "insert into events values (4, 'di')",
        "explain insert into events values (4, 'di')",
        "update events set id = 1",
        "delete from events",
        "truncate table events",
        "set datafusion.execution.batch_size = 1",
        "reset datafusion.execution.batch_size",
        "begin",
        "commit",
        "prepare p as select * from events",
        "execute p",
        "show all",
        copy.as_str(),
        explained.as_str(),
        external.as_str(),
    ] {
        let error = lake.query(sql).await.expect_err(sql);
        assert_ne!(error.kind(), stillhouse_query::Kind::Bug, "{sql}: {error}");
    }
    assert!(!target.exists());
    let rows = lake.query("select * from events").await.unwrap().rows;
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn nothing_outside_the_tables_is_read() {
    let lake = lake();
    std::fs::write(lake.folder.path().join("secret.csv"), "a\n1\n").unwrap();
    let path = lake.folder.path().join("secret.csv");
    for sql in [
        format!("select * from '{}'", path.display()),
        format!("select * from read_csv('{}')", path.display()),
        "select * from information_schema.tables".to_owned(),
        "select * from other.public.events".to_owned(),
        "select * from 'events/a.parquet'".to_owned(),
    ] {
        lake.query(&sql).await.expect_err(&sql);
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let lake = lake();
    assert_snapshot!(lake.refused("drop table events").await, @r"
    FixData: `drop table` is refused: queries only read
    hint: start with `select`, `with`, `values` or `explain`; tables change by `stillhouse run`
    ");
    assert_snapshot!(lake.refused("insert into events values (4, 'di')").await, @r"
    FixData: `insert into` is refused: queries only read
    hint: start with `select`, `with`, `values` or `explain`; tables change by `stillhouse run`
    ");
    assert_snapshot!(lake.refused("set a = 1").await, @r"
    FixData: `set variable` is refused: queries only read
    hint: start with `select`, `with`, `values` or `explain`; tables change by `stillhouse run`
    ");
    assert_snapshot!(lake.refused("select 1; select 2").await, @r"
    FixData: expected one query, found 2 statements
    hint: run them one by one; `with NAME as (…)` joins several steps into one query
    ");
    assert_snapshot!(lake.refused(" ").await, @r"
    FixData: expected one query, found no statement
    hint: write a query such as `select count(*) from TABLE`
    ");
}

#[tokio::test]
async fn mistakes_are_told_with_their_place_and_the_nearest_name() {
    let lake = lake();
    assert_snapshot!(lake.refused("select id,\n  usr_name from events").await, @r"
    FixData: line 2, column 3: column `usr_name` is not there
    hint: did you mean `user_name`?
    ");
    assert_snapshot!(lake.refused("select nothing_like_it from events").await, @r"
    FixData: line 1, column 8: column `nothing_like_it` is not there
    hint: columns are id, user_name
    ");
    assert_snapshot!(lake.refused("select *\nfrom evnts").await, @r"
    FixData: line 2, column 6: table `evnts` is not there
    hint: did you mean `events`?
    ");
    assert_snapshot!(lake.refused("select conut(*) from events").await, @r"
    FixData: line 1, column 8: function `conut` is not there
    hint: did you mean `count`?
    ");
    assert_snapshot!(lake.refused("select id from events where").await, @"FixData: expected: an expression, found: the end");
    assert_snapshot!(lake.refused("select a.id from events a join events b on id = 1").await, @r"
    FixData: line 1, column 44: column `id` is in more than one table
    hint: write the table before it: `TABLE.id`
    ");
    assert_snapshot!(lake.refused("select id, count(*) from events").await, @"FixData: line 1, column 8: 'events.id' must appear in GROUP BY clause because it's not an aggregate expression");
    assert_snapshot!(lake.refused("select date_trunc(id) from events").await, @"FixData: function 'date_trunc' expects 2 arguments but received 1");
    assert_snapshot!(lake.refused("select 1 / 0").await, @"FixData: divide by zero error");
    assert_snapshot!(lake.refused("select cast(user_name as bigint) from events").await, @"FixData: cast error: Cannot cast string 'ann' to value of Int64 type");
}
