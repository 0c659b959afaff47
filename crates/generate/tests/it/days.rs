//! Which days and months the rows are of.

use std::collections::BTreeSet;

use stillhouse_generate::{FileAnswers, Plan};

use crate::kit::{Made, day, make, quarter, rate};
use crate::recount::recount;

fn days_of(made: &Made, file: &FileAnswers) -> BTreeSet<String> {
    recount(&made.files()[&file.path]).rows.iter().map(|row| row.day.to_string()).collect()
}

#[test]
fn a_leap_day_has_rows_and_nothing_comes_after_it() {
    let made = make(&Plan::new(2_000, day("2024-02-01"), day("2024-02-29"), 1));
    let days = days_of(&made, &made.answers.files[0]);
    assert_eq!(days.len(), 29);
    assert_eq!(days.last().unwrap(), "2024-02-29");
    let made = make(&Plan::new(2_000, day("2023-02-01"), day("2023-02-28"), 1));
    assert_eq!(days_of(&made, &made.answers.files[0]).len(), 28);
}

#[test]
fn a_single_day_is_a_plan() {
    let made = make(&Plan::new(50, day("2024-02-29"), day("2024-02-29"), 1));
    assert_eq!(made.answers.files.len(), 1);
    assert_eq!(made.answers.months[0].events_per_day[0].day, day("2024-02-29"));
    assert_eq!(made.answers.months[0].busiest_date[0].events, 50);
}

#[test]
fn files_hold_days_beside_their_month_inside_the_plan_only() {
    let mut plan = Plan::new(30_000, day("2023-12-01"), day("2024-03-31"), 1);
    plan.shares.spill = rate("10%");
    let made = make(&plan);
    let beside = |file: &FileAnswers| -> Vec<String> {
        let month = file.path[..7].replace('/', "-");
        days_of(&made, file).into_iter().filter(|day| !day.starts_with(&month)).collect()
    };
    let found: Vec<Vec<String>> = made.answers.files.iter().map(beside).collect();
    assert_eq!(
        found,
        [vec!["2024-01-01"], vec!["2023-12-31", "2024-02-01"], vec!["2024-01-31", "2024-03-01"], vec!["2024-02-29"]]
    );
}

#[test]
fn rows_spread_over_months_by_their_days() {
    let made = make(&quarter(91_000, 1));
    let records: Vec<u64> = made.answers.files.iter().map(|file| file.records).collect();
    assert_eq!(records, [31_000, 29_000, 31_000]);
    let made = make(&Plan::new(7, day("2024-01-30"), day("2024-05-02"), 1));
    assert_eq!(made.answers.files.iter().map(|file| file.records).sum::<u64>(), 7);
}

#[test]
fn working_days_are_busier() {
    let made = make(&quarter(91_000, 1));
    let january = &made.answers.months[0].events_per_day;
    let events = |text: &str| january.iter().find(|row| row.day == day(text)).unwrap().events;
    // A Saturday and the Monday after it.
    assert!(events("2024-01-08") > 2 * events("2024-01-06"));
}

#[test]
fn no_rows_are_files_with_a_header() {
    let made = make(&quarter(0, 1));
    assert_eq!(made.answers.files.len(), 3);
    for file in &made.answers.files {
        assert_eq!(made.files()[&file.path], b"id,timestamp,email,country,ip,uri,action,tags\n");
        assert_eq!((file.records, file.rows, file.blank, file.bytes), (0, 0, 0, 46));
        assert!(file.rejects.is_empty());
    }
    for month in [&made.answers.months[1], &made.answers.all] {
        assert_eq!(month.totals[0].events + month.totals[0].users + month.totals[0].companies, 0);
        assert!(month.events_per_day.is_empty() && month.busiest_date.is_empty() && month.events_per_month.is_empty());
        assert_eq!(month.year_to_date[0].events, 0);
    }
}
