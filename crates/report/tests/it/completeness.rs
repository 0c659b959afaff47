use insta::assert_snapshot;
use jiff::civil::date;
use jiff::tz::TimeZone;
use stillhouse_report::{SourceState, StoppedObject, assess};
use stillhouse_spec::{Counts, Receipt, Source};

use crate::fixture::{MONTHLY, receipt, source};

fn month(month: &str, days: &[(&str, u64)]) -> Receipt {
    receipt(&format!("data/2021/{month}/events.csv"), days)
}

/// As of 2021-06-15.
fn check(source: &Source, period: &str, receipts: &[Receipt], stopped: &[(&str, &str)]) -> String {
    check_in(&TimeZone::UTC, source, period, receipts, stopped)
}

fn check_in(zone: &TimeZone, source: &Source, period: &str, receipts: &[Receipt], stopped: &[(&str, &str)]) -> String {
    let stopped = stopped.iter().map(|(key, state)| StoppedObject {
        key: (*key).to_owned(),
        state: (*state).to_owned(),
        reason: "3 of 10 records refused".to_owned(),
    });
    let state = SourceState { source, receipts: receipts.iter().collect(), stopped: stopped.collect() };
    let assessment = assess(period.parse().unwrap(), date(2021, 6, 15), zone, &[state]);
    let mut text = assessment.completeness.to_string();
    for reason in assessment.reasons {
        text.push_str(&format!("\n{reason}"));
    }
    text
}

fn months(first: u8, last: u8) -> Vec<Receipt> {
    (first..=last).map(|number| month(&format!("{number:02}"), &[(&format!("2021-{number:02}-10"), 5)])).collect()
}

#[test]
fn whole_when_everything_near_is_loaded() {
    let source = source(MONTHLY);
    assert_snapshot!(check(&source, "2021-04", &months(3, 5), &[]), @"COMPLETE");
    // The project begins in April: nothing before it is expected.
    assert_snapshot!(check(&source, "2021-04", &months(4, 5), &[]), @"COMPLETE");
    assert_snapshot!(check(&source, "2021-04-10", &months(4, 4), &[]), @"COMPLETE");
    assert_snapshot!(check(&source, "all", &months(1, 4), &[]), @"COMPLETE");
}

#[test]
fn the_neighbour_may_hold_rows_of_the_last_day() {
    let source = source(MONTHLY);
    assert_snapshot!(check(&source, "2021-04", &months(3, 4), &[]), @r"
    PARTIAL
    missing: data/2021/05/events.csv, which may hold rows of 2021-04-30
    ");
    assert_snapshot!(check(&source, "2021-05", &months(3, 5), &[]), @r"
    PARTIAL
    not due until 2021-07-01: data/2021/06/events.csv, which may hold rows of 2021-05-31
    ");
    assert_snapshot!(check(&source, "2021-04-30", &months(4, 4), &[]), @r"
    EMPTY
    no row of the period is loaded
    missing: data/2021/05/events.csv, which may hold rows of 2021-04-30
    ");
    assert_snapshot!(check(&source, "2021-04-29", &months(4, 4), &[]), @r"
    EMPTY
    no row of the period is loaded
    ");
    let mut gap = months(2, 3);
    gap.extend(months(5, 5));
    assert_snapshot!(check(&source, "2021-03", &gap, &[]), @r"
    PARTIAL
    missing: data/2021/04/events.csv, which may hold rows of 2021-03-31
    ");
    assert_snapshot!(check(&source, "2021-05", &gap, &[]), @r"
    PARTIAL
    missing: data/2021/04/events.csv, which may hold rows of 2021-05-01
    not due until 2021-07-01: data/2021/06/events.csv, which may hold rows of 2021-05-31
    ");
}

#[test]
fn gaps_inside_the_period_are_named() {
    let source = source(MONTHLY);
    let mut gap = months(1, 2);
    gap.extend(months(5, 5));
    assert_snapshot!(check(&source, "2021-01..2021-05", &gap, &[]), @r"
    PARTIAL
    missing: data/2021/03/events.csv to data/2021/04/events.csv (2 objects)
    not due until 2021-07-01: data/2021/06/events.csv, which may hold rows of 2021-05-31
    ");
    assert_snapshot!(check(&source, "all", &gap, &[]), @r"
    PARTIAL
    missing: data/2021/03/events.csv to data/2021/04/events.csv (2 objects)
    ");
    assert_snapshot!(check(&source, "2021", &gap, &[]), @r"
    PARTIAL
    missing: data/2021/03/events.csv to data/2021/04/events.csv (2 objects)
    not due yet: data/2021/06/events.csv to data/2021/12/events.csv (7 objects), the first on 2021-07-01
    not due until 2022-02-01: data/2022/01/events.csv, which may hold rows of 2021-12-31
    ");
}

#[test]
fn rows_that_spilled_make_no_whole_month() {
    let source = source(MONTHLY);
    let april = [month("04", &[("2021-03-31", 1), ("2021-04-01", 9)]), month("05", &[("2021-05-01", 1)])];
    assert_snapshot!(check(&source, "2021-03", &april, &[]), @r"
    PARTIAL
    never loaded: data/2021/03/events.csv; the data begins with data/2021/04/events.csv
    ");
    assert_snapshot!(check(&source, "2021-02", &april, &[]), @r"
    EMPTY
    no row of the period is loaded
    never loaded: data/2021/02/events.csv; the data begins with data/2021/04/events.csv
    ");
}

#[test]
fn empty_when_no_row_is_of_the_period() {
    let source = source(MONTHLY);
    assert_snapshot!(check(&source, "2021-04", &[], &[]), @r"
    EMPTY
    no row of the period is loaded
    ");
    assert_snapshot!(check(&source, "all", &[], &[("data/2021/04/events.csv", "held")]), @r"
    EMPTY
    no row of the period is loaded
    held: data/2021/04/events.csv: 3 of 10 records refused
    ");
    assert_snapshot!(check(&source, "2021-06", &months(4, 5), &[]), @r"
    EMPTY
    no row of the period is loaded
    not due until 2021-07-01: data/2021/06/events.csv
    not due until 2021-08-01: data/2021/07/events.csv, which may hold rows of 2021-06-30
    ");
    // A header alone: the file is there, its rows are not.
    assert_snapshot!(check(&source, "2021-04", &[month("04", &[]), month("05", &[])], &[]), @r"
    EMPTY
    no row of the period is loaded
    ");
}

#[test]
fn objects_that_stopped_are_named_if_they_can_hold_rows_of_the_period() {
    let source = source(MONTHLY);
    let stopped = [("data/2021/05/events.csv", "held"), ("data/2021/02/events.csv", "failed")];
    assert_snapshot!(check(&source, "2021-04", &months(3, 5), &stopped), @r"
    PARTIAL
    held: data/2021/05/events.csv: 3 of 10 records refused
    ");
    assert_snapshot!(check(&source, "2021-03", &months(3, 5), &stopped), @r"
    PARTIAL
    failed: data/2021/02/events.csv: 3 of 10 records refused
    ");
    // What stopped is not missing as well.
    assert_snapshot!(check(&source, "2021-04", &months(3, 4), &stopped), @r"
    PARTIAL
    held: data/2021/05/events.csv: 3 of 10 records refused
    ");
    assert_snapshot!(check(&source, "all", &months(2, 5), &stopped), @r"
    PARTIAL
    held: data/2021/05/events.csv: 3 of 10 records refused
    failed: data/2021/02/events.csv: 3 of 10 records refused
    ");
}

const WHENEVER: &str = r#"
format = 1
[source]
type = "csv"
path = "in/*.csv"
[table]
name = "events"
time = "time"
[table.columns]
time = "timestamp"
"#;

#[test]
fn without_a_cadence_what_is_there_is_all_there_is() {
    let source = source(WHENEVER);
    let april = [receipt("in/a.csv", &[("2021-04-10", 5), ("", 2)])];
    assert_snapshot!(check(&source, "2021-04", &april, &[]), @"COMPLETE");
    assert_snapshot!(check(&source, "2021-05", &april, &[]), @r"
    EMPTY
    no row of the period is loaded
    ");
    assert_snapshot!(check(&source, "all", &april, &[]), @"COMPLETE");
    assert_snapshot!(check(&source, "2021-04", &april, &[("in/b.csv", "waiting")]), @r"
    PARTIAL
    waiting: in/b.csv: 3 of 10 records refused
    ");
    // Rows without a time are in no month, and in the whole.
    assert_snapshot!(check(&source, "all", &[receipt("in/a.csv", &[("", 2)])], &[]), @"COMPLETE");
}

#[test]
fn without_a_time_column_rows_belong_to_every_period() {
    let text = WHENEVER.replace("time = \"time\"\n", "").replace("time = \"timestamp\"", "x = \"int64\"");
    let mut receipt = receipt("in/a.csv", &[]);
    receipt.counts.loaded = 3;
    assert_snapshot!(check(&source(&text), "2021-04", &[receipt], &[]), @"COMPLETE");
}

#[test]
fn days_of_another_zone_begin_at_another_instant() {
    let source = source(WHENEVER);
    let zone = TimeZone::get("America/New_York").unwrap();
    // 2021-04-01T02:00:00Z is still March in New York, and nothing in a receipt tells which of the day's rows are.
    let rows = [receipt("in/a.csv", &[("2021-04-01", 1)])];
    assert_snapshot!(check_in(&zone, &source, "2021-03", &rows, &[]), @"COMPLETE");
    assert_snapshot!(check_in(&TimeZone::UTC, &source, "2021-03", &rows, &[]), @r"
    EMPTY
    no row of the period is loaded
    ");
}

#[test]
fn days_as_slots() {
    let text = MONTHLY.replace("{yyyy}/{MM}/events.csv", "{yyyy}/{MM}/{dd}/*.csv").replace("\"month\"", "\"day\"");
    let source = source(&text);
    let days: Vec<Receipt> = [1, 2, 5, 6, 30]
        .map(|day| receipt(&format!("data/2021/04/{day:02}/a.csv"), &[(&format!("2021-04-{day:02}"), 1)]))
        .into();
    assert_snapshot!(check(&source, "2021-04", &days, &[]), @r"
    PARTIAL
    missing: data/2021/04/03/*.csv to data/2021/04/04/*.csv (2 objects)
    missing: data/2021/04/07/*.csv to data/2021/04/29/*.csv (23 objects)
    missing: data/2021/05/01/*.csv, which may hold rows of 2021-04-30
    ");
}

/// The rows of a list of plans are there in every period; a month without events is empty all the same.
#[test]
fn rows_of_a_reference_table_make_no_period_whole() {
    let events = source(MONTHLY);
    let plans = "format = 1\n[source]\npath = 'plans.csv'\ntype = 'csv'\n[table]\nname = 'plans'\ncolumns = { plan = 'string' }\n";
    let plans = source(plans);
    let of_plans = Receipt { counts: Counts { read: 3, loaded: 3, ..Counts::default() }, ..receipt("plans.csv", &[]) };
    let (april, none) = (months(3, 5), Vec::new());
    let assessed = |events_of: &[Receipt], with_events: bool| {
        let of = |source, receipts| SourceState { source, receipts, stopped: Vec::new() };
        let mut states = vec![of(&plans, vec![&of_plans])];
        if with_events {
            states.push(of(&events, events_of.iter().collect()));
        }
        assess("2021-04".parse().unwrap(), date(2021, 6, 15), &TimeZone::UTC, &states).completeness.to_string()
    };
    assert_eq!(assessed(&april, true), "COMPLETE");
    assert_eq!(assessed(&none, true), "EMPTY");
    assert_eq!(assessed(&none, false), "COMPLETE", "a report on plans alone");
}
