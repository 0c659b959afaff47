//! Formats chosen once per object, years that the text does not state.

use crate::common::Case;

fn dates(formats: &str) -> Case {
    Case::new(&format!("id string; day date fmt={formats}")).with(|case| case.batch_rows = 100)
}

const SLASHES: &str = "%m/%d/%Y|%d/%m/%Y";

#[test]
fn the_format_that_reads_all_rows_is_chosen() {
    let got = dates(SLASHES).run("id,day\n1,2/8/2024\n2,13/8/2024\n").unwrap();
    assert_eq!(got.rows(), "1,2024-08-02\n2,2024-08-13");
    assert_eq!(got.decided("date format of day"), "%d/%m/%Y (detected)");
    let got = dates(SLASHES).run("id,day\n1,2/8/2024\n2,8/13/2024\n").unwrap();
    assert_eq!(got.rows(), "1,2024-02-08\n2,2024-08-13");
    assert_eq!(got.restarts, 0);
}

#[test]
fn two_formats_that_both_fit_are_held_and_named() {
    let held = dates(SLASHES).held("id,day\n1,2/2/2024\n2,2/8/2024\n3,\n");
    assert_eq!(
        held,
        "column `day`: dates fit `%m/%d/%Y` and `%d/%m/%Y` on equally many rows (line 3: 2/8/2024 is 2024-02-08 as \
         %m/%d/%Y or 2024-08-02 as %d/%m/%Y)\n\
         hint: leave only the right one in the formats of column `day` in the source file"
    );
    let held = dates(SLASHES).with(|case| case.contract.parent.columns[1].pii = true).held("id,day\n1,2/8/2024\n");
    assert!(held.contains("line 2 reads as both") && !held.contains("2/8/2024"), "{held}");
}

#[test]
fn two_formats_that_mean_the_same_are_no_question() {
    let got = dates(SLASHES).run("id,day\n1,2/2/2024\n2,8/8/2024\n").unwrap();
    assert_eq!(got.rows(), "1,2024-02-02\n2,2024-08-08");
    assert_eq!(got.decided("date format of day"), "%m/%d/%Y (detected)");
    assert_eq!(dates("%Y-%m-%d|iso8601").rows("id,day\n1,2024-02-08\n"), "1,2024-02-08");
}

#[test]
fn the_format_with_fewer_failures_wins_and_the_others_are_refused() {
    let got = dates(SLASHES).run("id,day\n1,2/8/2024\n2,13/8/2024\n3,14/8/2024\n4,8/15/2024\n").unwrap();
    assert_eq!(got.rows(), "1,2024-08-02\n2,2024-08-13\n3,2024-08-14");
    assert_eq!(
        got.refused(),
        "line 5 (bytes 42+11) column day: unreadable_date, expected date as %d/%m/%Y, found 8/15/2024"
    );
    let got = dates("iso8601|%d/%m/%Y").run("id,day\n1,x\n2,y\n").unwrap();
    assert_eq!(got.rejects.len(), 2, "a column that no format reads is the matter of `max_rejected`");
}

/// Rows that every format reads, as many that the sample holds nothing else.
fn undecided(count: usize) -> String {
    let mut text = String::from("id,day\n");
    (0..count).for_each(|row| text.push_str(&format!("{row},2/8/2024\n")));
    text
}

#[test]
fn a_format_contradicted_late_starts_the_object_again() {
    let mut text = undecided(150_000);
    text.push_str("x,13/8/2024\n");
    let got = dates(SLASHES).run(&text).unwrap();
    assert_eq!((got.restarts, got.outcome.counts.loaded), (1, 150_001));
    assert!(got.tables[0][..150_000].iter().all(|row| row[1] == "2024-08-02"));
    let held = dates(SLASHES).held(undecided(150_000));
    assert!(held.contains("line 2: 2/8/2024 is"), "{held}");
}

#[test]
fn a_hopeless_format_ends_the_pass_early() {
    let mut text = undecided(150_000);
    (0..150_000).for_each(|row| text.push_str(&format!("{row},13/8/2024\n")));
    let mut source = crate::common::Pieces { bytes: text.as_bytes(), piece: usize::MAX, read: 0 };
    let got = dates(SLASHES).run_source(&mut source).unwrap();
    assert_eq!((got.restarts, got.outcome.counts.loaded), (1, 300_000));
    assert!(source.read < text.len() as u64 * 18 / 10, "{} of {}", source.read, text.len());
}

#[test]
fn records_refused_for_another_reason_count_for_the_format() {
    // The only row that tells is refused for its number; the choice must not depend on the order of the columns.
    for header in ["n int64; day date", "day date; n int64"] {
        let case = Case::new(&header.replace("date", &format!("date fmt={SLASHES}")));
        let text = if header.starts_with('n') {
            "n,day\n1,2/8/2024\nx,13/8/2024\n"
        } else {
            "day,n\n2/8/2024,1\n13/8/2024,x\n"
        };
        let got = case.run(text).unwrap();
        assert_eq!(got.decided("date format of day"), "%d/%m/%Y (detected)");
        assert_eq!((got.rejects.len(), got.outcome.days.get("2024-08-02")), (1, Some(&1)));
    }
}

#[test]
fn a_year_is_taken_from_the_path_then_the_setting_then_the_file_time() {
    let case = Case::new("day date fmt=%m/%d; of string yearof=day");
    let year = |path, setting, modified| {
        let case = case
            .clone()
            .with(|case| (case.year.path, case.year.setting, case.year.modified) = (path, setting, modified));
        let got = case.run("day\n7/15\n").unwrap();
        (got.rows(), got.decided("year of day"))
    };
    let expected = |row: &str, decided: &str| (row.to_owned(), decided.to_owned());
    assert_eq!(year(Some(2021), Some(2022), 2023), expected("2021-07-15,path", "2021 (path) (detected)"));
    assert_eq!(year(None, Some(2022), 2023), expected("2022-07-15,setting", "2022 (setting) (set)"));
    assert_eq!(year(None, None, 2023), expected("2023-07-15,file time", "2023 (file time) (default)"));
    let of_options = case.clone().with(|case| case.csv().year = Some(2019)).run("day\n7/15\n").unwrap();
    assert_eq!(of_options.rows(), "2019-07-15,setting");
}

#[test]
fn a_stated_year_is_stated() {
    let case = Case::new("day date fmt=%m/%d|%m/%d/%Y; of string yearof=day");
    let got = case.run("day\n7/15/2020\n7/16/2020\n").unwrap();
    assert_eq!(got.rows(), "2020-07-15,stated\n2020-07-16,stated");
    assert_eq!(got.decided("year of day"), "nothing");
}

#[test]
fn a_leap_day_chooses_a_leap_year_if_the_year_was_only_assumed() {
    let case = Case::new("day date fmt=%m/%d; of string yearof=day");
    let got = case.run("day\n7/15\n2/29\n").unwrap();
    assert_eq!(got.rows(), "2024-07-15,file time\n2024-02-29,file time");
    assert_eq!(got.decided("year of day"), "2024 (file time 2026; the latest leap year, for 29 February) (default)");
    let mut late = String::from("day\n");
    late.push_str(&"7/15\n".repeat(300_000));
    late.push_str("2/29\n");
    let got = case.run(&late).unwrap();
    assert_eq!((got.restarts, got.outcome.days.get("2024-07-15")), (1, Some(&300_000)));
    let got = case.clone().with(|case| case.year.path = Some(2023)).run("day\n7/15\n2/29\n").unwrap();
    assert_eq!(got.rows(), "2023-07-15,path");
    assert_eq!(got.rejects[0].place.reason, "unreadable_date");
    assert_eq!(case.with(|case| case.year.path = Some(2024)).rows("day\n2/29\n"), "2024-02-29,path");
}

#[test]
fn a_leap_day_of_a_format_that_is_dropped_changes_no_year() {
    // `29/2` asks for a leap year as %d/%m, but the other rows show that it is a mistake in a file of %m/%d.
    let case = Case::new("day date fmt=%d/%m|%m/%d");
    let mut text = String::from("day\n29/2\n");
    text.push_str(&"1/2\n".repeat(200));
    text.push_str("7/15\n7/16\n");
    let got = case.run(&text).unwrap();
    assert_eq!((got.outcome.days.get("2026-01-02"), got.rejects.len()), (Some(&200), 1));
    let late = text.replace("1/2\n", &"1/2\n".repeat(2000));
    let got = case.run(&late).unwrap();
    assert_eq!((got.outcome.days.get("2026-01-02"), got.rejects.len()), (Some(&400_000), 1));
}

#[test]
fn days_are_counted_in_utc() {
    let case = Case::new("at timestamp zone=Europe/Berlin");
    let got = case.run("at\n2021-04-01T01:30\n2021-04-01T02:30\n\"\"\n1969-12-31T23:00Z\n").unwrap();
    let days: Vec<_> = got.outcome.days.iter().map(|(day, count)| format!("{day}={count}")).collect();
    assert_eq!(days, ["=1", "1969-12-31=1", "2021-03-31=1", "2021-04-01=1"]);
}
