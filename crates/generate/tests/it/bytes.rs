//! The same plan gives the same bytes.

use stillhouse_generate::{FileStart, LineEnd, Plan};

use crate::kit::{day, faulty_quarter, make, make_with, quarter};

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let plan = faulty_quarter(60_000, 7);
    let (first, second) = (make(&plan), make(&plan));
    assert!(first.files() == second.files());
    let paths: Vec<String> = first.files().into_keys().collect();
    assert_eq!(paths, ["2024/01/events.csv", "2024/02/events.csv", "2024/03/events.csv", "answers.json"]);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    // More than two chunks a file, and the last one is not full.
    let plan = faulty_quarter(60_000, 7);
    let alone = make_with(&plan, 1).files();
    for threads in [2, 3, 50] {
        assert!(alone == make_with(&plan, threads).files(), "{threads} threads");
    }
}

#[test]
fn another_seed_gives_other_rows_and_people() {
    let (first, second) = (make(&quarter(2_000, 1)), make(&quarter(2_000, 2)));
    let same = first.lines().iter().zip(second.lines()).filter(|(one, other)| *one == other).count();
    assert_eq!(same, 0);
    assert_ne!(first.answers.months[0].top_companies[0].company, second.answers.months[0].top_companies[0].company);
}

#[test]
fn months_differ_from_each_other() {
    let made = make(&quarter(3_000, 1));
    let ids = |name: &str| -> Vec<u8> { made.files()[name][46..82].to_vec() };
    assert_ne!(ids("2024/01/events.csv"), ids("2024/02/events.csv"));
}

/// A change here changes what a seed means for everybody who wrote one down: it needs a line in the change log.
#[test]
fn what_a_seed_means_stays() {
    let made = make(&Plan::new(4, day("2021-03-01"), day("2021-03-31"), 1));
    assert_eq!(made.lines(), EXPECTED);
}

const EXPECTED: [&str; 4] = [
    r#"dc61abd7-1964-5edc-cc96-eb8e890770ee,2021-03-12,sample.chen50@gmx.de,India,192.0.2.206,pricing,visit,"['app-4.2', 'mobile']""#,
    r#"d5edbf78-f999-7043-8420-6d55282a5010,2021-03-25,yusuf51@quartzlabs.example,,198.51.100.223,account/invoices,visit,"['mobile', 'campaign, spring']""#,
    "b203603c-77ed-771e-c64c-c4628606ef8d,2021-03-09,hana17@willowpoint.example,Brazil,203.0.113.107,index,visit,[]",
    r#"2273daeb-d0c0-12b7-f8e0-78cf10a08120,2021-03-13,sample.quinn5@yahoo.com,India,2001:db8::61,docs/reports,follow,"['export', 'referral']""#,
];

#[test]
fn line_ends_and_byte_order_mark_are_of_the_whole_run() {
    let mut plan = faulty_quarter(3_000, 7);
    let plain = make(&plan);
    plan.line_end = LineEnd::CrLf;
    plan.file_start = FileStart::ByteOrderMark;
    let made = make(&plan);
    for file in &made.answers.files {
        let bytes = &made.files()[&file.path];
        assert!(bytes.starts_with(b"\xEF\xBB\xBFid,timestamp,"), "{}", file.path);
        assert_eq!(bytes.len() as u64, file.bytes);
        let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
        let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
        let returns = bytes.iter().filter(|byte| **byte == b'\r').count();
        assert_eq!((feeds, returns), (pairs, pairs), "{}", file.path);
        let without: Vec<u8> = bytes[3..].iter().copied().filter(|byte| *byte != b'\r').collect();
        assert!(without == plain.files()[&file.path], "{}: nothing else changes", file.path);
    }
    assert_eq!(made.answers.months, plain.answers.months);
}
