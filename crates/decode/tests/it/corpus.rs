//! Files that others wrote.

use std::path::Path;

use stillhouse_spec::{ColumnsBy, UnknownColumns};

use crate::common::{Case, shared};

#[test]
fn csv_spectrum_reads_as_its_authors_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/csv-spectrum");
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join("csvs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 11);
    for file in files {
        let json = folder.join("json").join(file.file_name().unwrap()).with_extension("json");
        let expected: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        let names: Vec<&String> = expected[0].keys().collect();
        let columns: Vec<String> = names.iter().map(|name| format!("{name} string")).collect();
        let got = Case::new(&columns.join("; ")).run(std::fs::read(&file).unwrap()).unwrap();
        let expected: Vec<Vec<&str>> =
            expected.iter().map(|row| names.iter().map(|name| row[*name].as_str().unwrap()).collect()).collect();
        let found: Vec<Vec<&str>> =
            got.tables[0].iter().map(|row| row[..names.len()].iter().map(String::as_str).collect()).collect();
        assert_eq!(found, expected, "{}", file.display());
    }
}

fn movements() -> Case {
    let formats = "iso8601|%Y/%m/%d|%m/%d/%Y|%d/%m/%Y|%m/%d|%d/%m";
    Case::new(&format!("id string; date date fmt={formats}; amount decimal(18,2) alias=transaction required"))
        .with(|case| case.contract.columns_by = ColumnsBy::Fit)
}

#[test]
fn the_ten_files_of_movements_add_up() {
    for name in [
        "canonical",
        "bom_crlf_repeated_ids",
        "iso_dates_crlf",
        "spaced_header_slash_dates",
        "quoted_header_unsigned",
        "short_rows",
        "no_header_leap_day",
        "blank_last_line",
        "semicolon_uuid_ids",
        "day_first_dates",
    ] {
        let facts = shared(&format!("stori/{name}.expected.json"));
        let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
        let got = movements().run(shared(&format!("stori/{name}.csv"))).unwrap();
        let cents: i64 = got.tables[0].iter().map(|row| row[2].replace('.', "").parse::<i64>().unwrap()).sum();
        let total = facts["total_balance"].as_str().unwrap().replace('.', "");
        assert_eq!(cents.to_string(), total, "{name}");
        assert_eq!(got.outcome.counts.loaded, facts["accepted"].as_u64().unwrap(), "{name}");
        for (month, of_month) in facts["months"].as_object().unwrap() {
            let rows = got.tables[0].iter().filter(|row| row[1][..7].ends_with(month.as_str())).count();
            assert_eq!(rows as u64, of_month["count"].as_u64().unwrap(), "{name} {month}");
        }
        assert_eq!(got.rejects.len(), facts["rejected"].as_array().unwrap().len(), "{name}: {}", got.refused());
    }
}

#[test]
fn rejected_lines_are_named() {
    let got = movements().run(shared("stori/short_rows.csv")).unwrap();
    let lines: Vec<_> = got.rejects.iter().map(|reject| reject.place.line).collect();
    assert_eq!(lines, [8, 10]);
}

#[test]
fn the_month_of_events_has_its_rows_and_tags() {
    let case = Case::new(
        "id string; timestamp timestamp; email string pii; country string; ip string; uri string; action string; \
         tags list<string>",
    )
    .child("event_tags", "tags", "tag", &["timestamp"]);
    let got = case.run(shared("madkudu/2021/04/events.csv")).unwrap();
    assert_eq!((got.outcome.counts.loaded, got.rejects.len()), (10_000, 0), "{}", got.refused());
    let items: usize = got.tables[0].iter().map(|row| if row[7] == "[]" { 0 } else { 1 }).sum();
    assert!(got.tables[1].len() >= items);
    let facts: serde_json::Value = serde_json::from_slice(&shared("madkudu/facts.json")).unwrap();
    let april: u64 = got.outcome.days.iter().filter(|(day, _)| day.starts_with("2021-04")).map(|(_, rows)| rows).sum();
    assert!(facts.to_string().contains(&april.to_string()), "{april} rows of April");
    let real = case.run(shared("madkudu/real_row.csv")).unwrap();
    assert_eq!(real.tables[1].iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["Mr", "eat", "PM"]);
}

#[test]
fn both_ways_of_escaping_give_the_same_texts() {
    let case =
        Case::new("h_id string; message string").with(|case| case.contract.unknown_columns = UnknownColumns::Ignore);
    let facts: serde_json::Value = serde_json::from_slice(&shared("paramount/facts.json")).unwrap();
    let mut characters = 0;
    for (name, escape) in [("part-00000-rfc4180", "doubled"), ("part-00001-backslash", "backslash")] {
        let got = case.run(shared(&format!("paramount/comment_text_generated/{name}.csv"))).unwrap();
        assert_eq!(got.rejects.len(), 0, "{name}: {}", got.refused());
        assert_eq!(got.outcome.counts.loaded, 5424, "{name}");
        assert_eq!(got.decided("escape"), format!("{escape} (detected)"));
        characters += got.tables[0].iter().map(|row| row[1].chars().count()).sum::<usize>();
    }
    assert!(facts.to_string().contains(&characters.to_string()), "{characters} characters, {facts}");
}
