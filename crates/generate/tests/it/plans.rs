//! Plans: what is refused, rates as texts, and what happens to folders.

use std::fs;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use stillhouse_generate::{Answers, Existing, Faults, Kind, Plan, Progress, Rate, write_events};
use tempfile::TempDir;

use crate::kit::{day, faulty_quarter, go_on, make, quarter, rate, write, writing};

fn refused(plan: &Plan) -> String {
    let folder = TempDir::new().unwrap();
    let error = write(plan, folder.path(), 1).unwrap_err();
    assert_eq!(error.kind(), Kind::FixSettings);
    assert!(error.hint().is_some());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    error.to_string()
}

#[test]
fn nonsense_is_refused() {
    let plan = Plan::new(10, day("2024-02-02"), day("2024-02-01"), 1);
    assert_eq!(refused(&plan), "the first day, 2024-02-02, is after the last, 2024-02-01");

    let plan = Plan::new(10, day("1899-12-31"), day("2024-02-01"), 1);
    assert_eq!(refused(&plan), "expected a day from 1900 to 9998, found 1899-12-31");
    let plan = Plan::new(10, day("2024-02-01"), day("9999-01-01"), 1);
    assert_eq!(refused(&plan), "expected a day from 1900 to 9998, found 9999-01-01");

    let mut plan = quarter(10, 1);
    plan.users = NonZeroU32::new(10_000_001);
    assert_eq!(refused(&plan), "expected at most 10000000 users, found 10000001");

    let mut plan = quarter(10, 1);
    plan.faults = Faults { short_row: rate("60%"), extra_field: rate("40.5%"), ..Faults::default() };
    assert_eq!(refused(&plan), "the rates of faults add up to 100.5%, at most 100% of the rows can be faulty");
}

#[test]
fn rates_are_percentages() {
    for (text, millionths, shown) in [
        ("1%", 10_000, "1%"),
        ("0.25 %", 2_500, "0.25%"),
        ("0%", 0, "0%"),
        ("100%", 1_000_000, "100%"),
        ("0.0001%", 1, "0.0001%"),
        ("007.10%", 71_000, "7.1%"),
    ] {
        assert_eq!((rate(text).in_million(), rate(text).to_string()), (millionths, shown.to_owned()), "{text}");
    }
    for text in ["100.1%", "101%", "1", "-1%", "+1%", "0.00001%", "%", ".%", "1.%", "1,5%", "ten%", "", "1 %%", "9999%"]
    {
        let error = text.parse::<Rate>().unwrap_err();
        assert_eq!(error.to_string(), format!("expected a rate from 0% to 100%, found `{text}`"));
    }
    assert!(Rate::of_million(1_000_001).is_err());
}

#[test]
fn faults_share_a_total_to_the_last_part() {
    for parts in [0, 1, 4, 9_999, 1_000_000] {
        let Faults { unreadable_timestamp, missing_timestamp, short_row, extra_field, invalid_utf8 } =
            Faults::evenly(Rate::of_million(parts).unwrap());
        let rates = [unreadable_timestamp, missing_timestamp, short_row, extra_field, invalid_utf8];
        assert_eq!(rates.iter().map(|rate| rate.in_million()).sum::<u32>(), parts);
        assert!(rates.iter().all(|rate| rate.in_million().abs_diff(parts / 5) <= 1), "{rates:?}");
    }
}

#[test]
fn existing_files_are_left_alone() {
    let folder = TempDir::new().unwrap();
    let theirs = folder.path().join("2024/02/events.csv");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, "somebody's data").unwrap();
    let error = write(&quarter(10, 1), folder.path(), 1).unwrap_err();
    assert_eq!(error.to_string(), format!("{} exists already", theirs.display()));
    assert_eq!(error.kind(), Kind::FixSettings);
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "somebody's data");
    assert!(!folder.path().join("2024/01").exists());
}

#[test]
fn existing_files_can_be_replaced() {
    let made = make(&quarter(10, 1));
    let other = quarter(20, 2);
    let replace = writing(1, Existing::Replace);
    let answers = write_events(&other, made.folder.path(), replace, &mut go_on).unwrap();
    assert!(made.files() == make(&other).files());
    assert_eq!(answers.all.totals[0].events, 20);
}

#[test]
fn whoever_watches_can_stop_it() {
    let made = make(&quarter(10, 1));
    let before = made.files();
    let mut stop = |at: Progress| if at.rows > 20_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let replace = writing(2, Existing::Replace);
    let error = write_events(&quarter(100_000, 1), made.folder.path(), replace, &mut stop).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Stopped, "stopped; nothing was written"));
    assert!(made.files() == before, "what was there stays, and no draft is left");
}

#[test]
fn an_error_leaves_no_files() {
    let folder = TempDir::new().unwrap();
    // The draft of the second file cannot be created: a folder has its name.
    fs::create_dir_all(folder.path().join("2024/02/.events.csv.part")).unwrap();
    let error = write(&quarter(10, 1), folder.path(), 1).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    assert_eq!(error.kind(), Kind::FixSettings);
    assert_eq!(fs::read_dir(folder.path().join("2024/01")).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_all_threads() {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("2024/01")).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("2024/01/.events.csv.part")).unwrap();
    let error = write(&quarter(200_000, 1), folder.path(), 3).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert_eq!(error.kind(), Kind::Retry);
}

#[test]
fn progress_goes_up_to_the_whole() {
    let folder = TempDir::new().unwrap();
    let mut seen: Vec<Progress> = Vec::new();
    let mut look = |at| {
        seen.push(at);
        ControlFlow::Continue(())
    };
    let answers = write_events(&quarter(50_000, 1), folder.path(), writing(2, Existing::Refuse), &mut look).unwrap();
    assert!(seen.len() >= 6 && seen.is_sorted_by_key(|at| (at.rows, at.bytes)), "{seen:?}");
    let last = seen.last().unwrap();
    let bytes = answers.files.iter().map(|file| file.bytes).sum::<u64>();
    assert_eq!(*last, Progress { rows: 50_000, rows_total: 50_000, bytes });
}

#[test]
fn the_answers_lie_beside_the_data() {
    let made = make(&faulty_quarter(5_000, 3));
    let text = String::from_utf8(made.files().remove("answers.json").unwrap()).unwrap();
    let read: Answers = serde_json::from_str(&text).unwrap();
    assert_eq!(read, made.answers);
    assert_eq!((read.format, read.plan.seed, read.plan.users.unwrap().get()), (1, 3, 100));
    assert!(text.contains("\"from\": \"2024-01-01\"") && text.contains("\"short_row\": \"0.4%\""), "{text}");
}

#[test]
fn a_plan_may_leave_out_what_has_defaults() {
    let text = r#"{"rows": 10, "from": "2024-01-01", "to": "2024-03-31", "seed": 1, "users": null}"#;
    assert_eq!(serde_json::from_str::<Plan>(text).unwrap(), quarter(10, 1));
    let text = text.replace("null", "null, \"faults\": {\"unclosed_quote\": \"1%\"}");
    assert!(serde_json::from_str::<Plan>(&text).is_err());
}
