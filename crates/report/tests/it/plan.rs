use jiff::tz::TimeZone;
use stillhouse_query::Value;
use stillhouse_report::{SourceState, covered, parameters, period_parameters, periods};
use stillhouse_spec::{Grain, Period, PeriodKind};

use crate::fixture::{MONTHLY, project, receipt, source};

fn shown(periods: &[Period]) -> String {
    periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn expand(kind: PeriodKind, asked: &str) -> String {
    let receipts = [
        receipt("data/2021/04/events.csv", &[("2021-03-31", 1), ("2021-04-02", 3)]),
        receipt("data/2021/06/events.csv", &[]),
    ];
    let source = source(MONTHLY);
    let state = SourceState { source: &source, receipts: receipts.iter().collect(), stopped: Vec::new() };
    shown(&periods(kind, asked.parse().unwrap(), |grain| covered(grain, &[state])))
}

#[test]
fn what_is_asked_becomes_periods_to_run() {
    let monthly = PeriodKind::Each(Grain::Month);
    assert_eq!(expand(monthly, "2021-04"), "2021-04");
    assert_eq!(expand(monthly, "2021-03..2021-05"), "2021-03 2021-04 2021-05");
    assert_eq!(expand(monthly, "2021-04-05"), "", "finer than the report");
    assert_eq!(expand(monthly, "all"), "2021-04 2021-06", "what the keys say, not the day that spilled");
    assert_eq!(expand(PeriodKind::Each(Grain::Year), "all"), "2021");
    assert_eq!(expand(PeriodKind::Any, "all"), "all");
    assert_eq!(expand(PeriodKind::Any, "2021-04-05..2021-05"), "2021-04-05..2021-05-31");
    assert_eq!(expand(PeriodKind::All, "2021-04"), "all");
}

#[test]
fn without_dates_in_the_keys_the_rows_tell() {
    let source = source(
        &MONTHLY
            .replace("{yyyy}/{MM}/events.csv", "*.csv")
            .replace("every = \"month\"\n", "")
            .replace("spill = \"1 day\"\n", ""),
    );
    let receipts = [receipt("data/a.csv", &[("2021-03-31", 1), ("2021-04-02", 3), ("", 2)])];
    let state = SourceState { source: &source, receipts: receipts.iter().collect(), stopped: Vec::new() };
    assert_eq!(shown(&covered(Grain::Month, &[state])), "2021-03 2021-04");
}

fn instants(period: &str, zone: &str) -> Vec<String> {
    let params = period_parameters(period.parse().unwrap(), &TimeZone::get(zone).unwrap());
    let text = |value: &Value| match value {
        Value::Timestamp(micros) => jiff::Timestamp::from_microsecond(*micros)
            .map_or_else(|_| micros.to_string(), |instant| instant.to_string()),
        other => panic!("{other:?}"),
    };
    params.iter().map(|(name, value)| format!("{name} {}", text(value))).collect()
}

#[test]
fn parameters_are_instants_of_the_zone() {
    insta::assert_debug_snapshot!(instants("2021-04", "UTC"), @r#"
    [
        "period_end 2021-05-01T00:00:00Z",
        "period_start 2021-04-01T00:00:00Z",
        "previous_start 2021-03-01T00:00:00Z",
        "year_start 2021-01-01T00:00:00Z",
    ]
    "#);
    // Midnight in Berlin is 23:00 or 22:00 of the day before in UTC: March has 743 hours.
    insta::assert_debug_snapshot!(instants("2021-03", "Europe/Berlin"), @r#"
    [
        "period_end 2021-03-31T22:00:00Z",
        "period_start 2021-02-28T23:00:00Z",
        "previous_start 2021-01-31T23:00:00Z",
        "year_start 2020-12-31T23:00:00Z",
    ]
    "#);
    insta::assert_debug_snapshot!(instants("all", "UTC"), @r#"
    [
        "period_end 253402300800000000",
        "period_start 0001-01-01T00:00:00Z",
        "previous_start 0001-01-01T00:00:00Z",
        "year_start 0001-01-01T00:00:00Z",
    ]
    "#);
    insta::assert_debug_snapshot!(instants("all", "Asia/Tokyo"), @r#"
    [
        "period_end 253402300800000000",
        "period_start 0001-01-01T00:00:00Z",
        "previous_start 0001-01-01T00:00:00Z",
        "year_start 0001-01-01T00:00:00Z",
    ]
    "#);
}

#[test]
fn the_reports_own_parameters_keep_their_types() {
    let report = "format = 1\ntitle = \"T\"\nperiod = { type = \"any\" }\nparameters = { top = 3, word = \"x\" }\n[queries.n]\ntitle = \"N\"\n";
    let project = project(MONTHLY, report, &[("n", "select $top, $word")]);
    let params = parameters(&project.reports[0], Period::All, &TimeZone::UTC);
    assert_eq!(params["top"], Value::Int(3));
    assert_eq!(params["word"], Value::Text("x".to_owned()));
    assert_eq!(params.len(), 6);
}
