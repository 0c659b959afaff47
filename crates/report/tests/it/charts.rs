//! Charts of results: which columns they take, and what they say of what cannot be drawn.

use insta::assert_snapshot;
use stillhouse_chart::Chart;
use stillhouse_report::render::json;
use stillhouse_report::{Error, Kind, RunView};
use stillhouse_spec::Project;

use crate::fixture::{Lake, MONTHLY, project};

fn report(chart: &str, sql: &str) -> Project {
    let text = format!("format = 1\ntitle = 'Shop'\nperiod = {{ type = 'any' }}\n[queries.q]\ntitle = 'Q'\n{chart}\n");
    project(MONTHLY, &text, &[("q", sql)])
}

async fn run(lake: &Lake, chart: &str, sql: &str, id: &str) -> Result<RunView, Error> {
    lake.run(&report(chart, sql).reports[0], "2021-04", &[], id).await
}

async fn chart(settings: &str, sql: &str) -> Chart {
    let view = run(&Lake::new(), settings, sql, "r1").await.unwrap_or_else(|error| panic!("{error}"));
    let chart = view.queries[0].chart.clone().unwrap();
    // Its JSON can be read again, and it can be drawn.
    assert_eq!(Chart::parse(&serde_json::to_string(&chart).unwrap()).unwrap(), chart);
    assert!(stillhouse_chart::svg(&chart).starts_with("<svg"));
    chart
}

async fn shown(settings: &str, sql: &str) -> String {
    let chart = chart(settings, sql).await;
    let x = serde_json::to_string(&chart.x).unwrap();
    let series =
        chart.series.iter().map(|series| format!("{} {}", series.name, serde_json::to_string(&series.values).unwrap()));
    let series: Vec<String> = series.collect();
    let problem = chart.problem.map(|problem| format!(" ({problem})")).unwrap_or_default();
    format!("{x} {}{problem}", series.join(" | "))
}

const SALES: &str = "select * from (values ('2021-04', 'north', 3, 1.50), ('2021-05', 'south', 4, -2.25)) \
    as t(month, region, orders, net_total)";

#[tokio::test]
async fn columns_are_chosen_by_type() {
    assert_snapshot!(shown("chart = { kind = 'bar' }", SALES).await, @r#"{"type":"date","values":["2021-04","2021-05"]} orders [3,4] | net total [1.5,-2.25]"#);
    assert_snapshot!(shown("chart = { kind = 'pie' }", SALES).await, @r#"{"type":"category","values":["2021-04","2021-05"]} orders [3,4]"#);
    assert_snapshot!(shown("chart = { kind = 'bar', x = 'region', y = 'net_total' }", SALES).await, @r#"{"type":"category","values":["north","south"]} net total [1.5,-2.25]"#);
    assert_snapshot!(shown("chart = { kind = 'line', x = 'orders' }", SALES).await, @r#"{"type":"number","values":[3,4]} net total [1.5,-2.25]"#);
    let totals = "select 1986 as events, 12 as companies";
    assert_snapshot!(shown("chart = { kind = 'figure' }", totals).await, @r#"{"type":"category","values":[null]} events [1986] | companies [12]"#);
    assert_snapshot!(shown("chart = { kind = 'bar' }", totals).await, @r#"{"type":"number","values":[1986]} companies [12]"#);
}

#[tokio::test]
async fn a_column_may_name_the_series() {
    let long =
        "select * from (values ('a', 'x', 1), ('b', 'x', 2), ('a', 'y', 3), (null, 'y', 4)) as t(place, kind, n)";
    assert_snapshot!(shown("chart = { kind = 'stacked', series = 'kind' }", long).await, @r#"{"type":"category","values":["a","b",null]} x [1,2,null] | y [3,null,4]"#);
    let twice = "select * from (values ('a', 'x', 1), ('a', 'x', 2)) as t(place, kind, n)";
    assert_snapshot!(shown("chart = { kind = 'stacked', series = 'kind' }", twice).await, @r#"{"type":"category","values":[]}  (two rows are about a and x; group them in the query)"#);
}

#[tokio::test]
async fn days_are_days_and_a_ranking_keeps_its_order() {
    let days = |order: &str| {
        format!(
            "select cast(day as date) as day, n from (values ('2021-04-02', 1), ('2021-04-01', 5)) as t(day, n) order by {order}"
        )
    };
    assert_snapshot!(shown("chart = { kind = 'bar' }", &days("day")).await, @r#"{"type":"date","values":["2021-04-01","2021-04-02"]} n [5,1]"#);
    assert_snapshot!(shown("chart = { kind = 'bar' }", &days("n")).await, @r#"{"type":"category","values":["2021-04-02","2021-04-01"]} n [1,5]"#);
    assert_snapshot!(shown("chart = { kind = 'line' }", &days("n")).await, @r#"{"type":"date","values":["2021-04-02","2021-04-01"]} n [1,5]"#);
    // Four digits alone are no year.
    let ids = "select * from (values ('1001', 1), ('1002', 5)) as t(id, n)";
    assert_snapshot!(shown("chart = { kind = 'bar' }", ids).await, @r#"{"type":"category","values":["1001","1002"]} n [1,5]"#);
}

#[tokio::test]
async fn values_are_exact_and_printed_like_the_columns() {
    let sql =
        "select 'a' as name, cast('12345678901234567890.125' as decimal(30,3)) as total, 'NaN'::double as nothing";
    let chart = chart(
        "columns.total = { decimals = 2 }\nchart = { kind = 'bar', y = 'total', format = { unit = 'EUR' } }",
        sql,
    )
    .await;
    assert_eq!(
        chart.number.exact(chart.series[0].values[0].as_ref().unwrap()),
        "12,345,678,901,234,567,890.13\u{a0}EUR"
    );
    assert_eq!((&*chart.title, &*chart.subtitle), ("Q", "Shop · 2021-04 · COMPLETE"));
    assert_snapshot!(shown("chart = { kind = 'bar', y = 'nothing' }", sql).await, @r#"{"type":"category","values":["a"]} nothing [null]"#);
}

#[tokio::test]
async fn what_is_not_there_is_said_before_anything_runs() {
    let lake = Lake::new();
    let mut mistakes = String::new();
    for settings in
        ["{ kind = 'bar', y = 'order' }", "{ kind = 'bar', series = 'shop' }", "{ kind = 'bar', y = 'region' }"]
    {
        let error = run(&lake, &format!("chart = {settings}"), SALES, "r1").await.unwrap_err();
        assert_eq!(error.kind(), Kind::FixSettings);
        mistakes.push_str(&format!("{error}\n  hint: {}\n", error.hint().unwrap()));
    }
    for sql in ["select 'a' as name", "select 1 as n"] {
        let error = run(&lake, "chart = { kind = 'bar' }", sql, "r1").await.unwrap_err();
        mistakes.push_str(&format!("{error}\n  hint: {}\n", error.hint().unwrap()));
    }
    assert!(lake.runs.0.lock().unwrap().is_empty());
    assert_snapshot!(mistakes, @r#"
    query `q` (reports/activity/q.sql): `y` of its chart: the result has no column `order`, only month, region, orders, net_total
      hint: did you mean `orders`?
    query `q` (reports/activity/q.sql): `series` of its chart: the result has no column `shop`, only month, region, orders, net_total
      hint: columns are month, region, orders, net_total
    query `q` (reports/activity/q.sql): `y` of its chart: column `region` is string, not a number
      hint: cast it in the query, or name another column
    query `q` (reports/activity/q.sql): its chart: the result has no column of numbers, only name
      hint: select a number, or leave `chart` out
    query `q` (reports/activity/q.sql): its chart: no column is left for `x`, there is only n
      hint: select a text or a date as well, or write `kind = "figure"`
    "#);
}

#[tokio::test]
async fn too_many_rows_are_a_table_without_a_picture() {
    let sql = "select unnest(range(0, 20001)) as n, 1.5 as value";
    assert_snapshot!(shown("chart = { kind = 'line' }", sql).await, @r#"{"type":"category","values":[]}  (20001 rows are too many for a picture (at most 20000); group them in the query)"#);
}

#[tokio::test]
async fn another_chart_is_another_run() {
    let lake = Lake::new();
    let bar = run(&lake, "chart = { kind = 'bar' }", SALES, "r1").await.unwrap();
    let again = run(&lake, "chart = { kind = 'bar' }", SALES, "r2").await.unwrap();
    assert_eq!((again.reused, &*again.run_id), (true, "r1"));
    assert_eq!(again.queries[0].chart, bar.queries[0].chart, "it is kept with the run");
    let line = run(&lake, "chart = { kind = 'line' }", SALES, "r3").await.unwrap();
    assert_eq!((line.reused, line.queries[0].chart.as_ref().unwrap().kind), (false, stillhouse_chart::Kind::Line));
}

#[tokio::test]
async fn the_json_of_a_run_describes_its_charts() {
    let view = run(&Lake::new(), "chart = { kind = 'pie' }", SALES, "r1").await.unwrap();
    let mut out = Vec::new();
    json(&[view], &[], &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let chart = &value["reports"][0]["queries"]["q"]["chart"];
    assert_snapshot!(chart, @r#"{"format":1,"kind":"pie","title":"Q","subtitle":"Shop · 2021-04 · COMPLETE","x_title":"month","y_title":"orders","x":{"type":"category","values":["2021-04","2021-05"]},"series":[{"name":"orders","values":[3,4]}],"number":{"thousands":"comma"},"rest":"other"}"#);
}
