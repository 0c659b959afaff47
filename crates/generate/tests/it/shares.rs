//! Rates come out as stated, and rows look as described.

use stillhouse_generate::{ColumnOrder, Faults, LineEnd, Plan, Shares};

use crate::kit::{Made, make, quarter, rate};

const ROWS: u64 = 100_000;

/// `count` of `whole` is the rate in percent, within five standard deviations of chance.
fn check(what: &str, count: usize, whole: f64, percent: f64) {
    let expected = whole * percent / 100.0;
    let tolerance = 5.0 * (expected * (1.0 - percent / 100.0)).sqrt() + 1.0;
    let off = (count as f64 - expected).abs();
    assert!(off <= tolerance, "{what}: {count} of {whole}, expected {expected} ± {tolerance}");
}

fn fields(made: &Made) -> Vec<Vec<String>> {
    let text = made.lines().join("\n");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn odd_rows_are_as_frequent_as_stated() {
    let mut plan = quarter(ROWS, 5);
    plan.shares = Shares { empty_countries: rate("7.5%"), blank_lines: rate("0.5%"), ..Shares::default() };
    let made = make(&plan);
    let rows = fields(&made);
    let count = |test: fn(&[String]) -> bool| rows.iter().filter(|row| test(row)).count();
    let whole = ROWS as f64;
    check("with time", count(|row| row[1].len() == 20), whole, 3.0);
    check("empty e-mails", count(|row| row[2].is_empty()), whole, 2.0);
    let emails = whole * 0.98;
    // A random half of the letters, all of them lower, is possible but rare.
    check("mixed case", count(|row| row[2].bytes().any(|b| b.is_ascii_uppercase())), emails, 2.0);
    check("padded", count(|row| row[2].starts_with(' ') && row[2].ends_with(' ')), emails, 0.2);
    check("empty countries", count(|row| row[3].is_empty()), whole, 7.5);
    let sum = |count: fn(&stillhouse_generate::FileAnswers) -> u64| made.answers.files.iter().map(count).sum::<u64>();
    check("repeated ids", usize::try_from(sum(|file| file.ids_repeated)).unwrap(), whole, 1.0);
    check("blank lines", usize::try_from(sum(|file| file.blank)).unwrap(), whole, 0.5);
}

#[test]
fn rough_fields_are_as_frequent_as_stated() {
    let mut plan = quarter(ROWS, 15);
    plan.shares.empty_addresses = rate("6%");
    plan.shares.escaped_quotes = rate("2.5%");
    plan.shares.line_breaks = rate("1.5%");
    plan.line_end = LineEnd::CrLf;
    let made = make(&plan);
    let mut reader = csv::Reader::from_reader(std::io::Cursor::new(
        made.answers.files.iter().flat_map(|file| made.files()[&file.path].clone()).collect::<Vec<u8>>(),
    ));
    let rows: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
    let count = |test: fn(&csv::StringRecord) -> bool| rows.iter().filter(|row| test(row)).count();
    let whole = ROWS as f64;
    check("empty addresses", count(|row| row[4].is_empty()), whole, 6.0);
    check("escaped quotes", count(|row| row[5].contains("?q=\"blue shoes\"")), whole, 2.5);
    check("line breaks", count(|row| row[5].contains("\r\n?from=mail")), whole, 1.5);
    check("both", count(|row| row[5].contains('"') && row[5].contains('\n')), whole, 2.5 * 0.015);
}

#[test]
fn columns_can_stand_in_another_order() {
    let mut plan = quarter(3_000, 16);
    let usual = make(&plan);
    plan.column_order = ColumnOrder::Shuffled;
    let made = make(&plan);
    assert_eq!(made.answers.all, usual.answers.all);
    let mut headers = std::collections::BTreeSet::new();
    for file in &made.answers.files {
        let (mut mixed, mut plain) = (reader(&made, &file.path), reader(&usual, &file.path));
        let header = mixed.headers().unwrap().clone();
        let places: Vec<usize> = plain
            .headers()
            .unwrap()
            .iter()
            .map(|name| header.iter().position(|other| other == name).unwrap())
            .collect();
        for (mixed, plain) in mixed.records().zip(plain.records()) {
            let mixed = mixed.unwrap();
            assert_eq!(places.iter().map(|place| &mixed[*place]).collect::<csv::StringRecord>(), plain.unwrap());
        }
        headers.insert(header.iter().map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(headers.len(), 3, "every file has an order of its own: {headers:?}");
}

fn reader(made: &Made, path: &str) -> csv::Reader<std::io::Cursor<Vec<u8>>> {
    csv::Reader::from_reader(std::io::Cursor::new(made.files().remove(path).unwrap()))
}

#[test]
fn faults_are_as_frequent_as_stated_and_no_others_occur() {
    let mut plan = quarter(ROWS, 6);
    assert!(make(&plan).answers.files.iter().all(|file| file.rejects.is_empty() && file.rows == file.records));
    plan.faults = Faults {
        unreadable_timestamp: rate("0.5%"),
        missing_timestamp: rate("0.1%"),
        short_row: rate("1%"),
        extra_field: rate("2%"),
        invalid_utf8: rate("0.25%"),
    };
    let made = make(&plan);
    let count = |reason: &str| {
        let files = made.answers.files.iter();
        usize::try_from(files.map(|file| file.rejects.get(reason).copied().unwrap_or(0)).sum::<u64>()).unwrap()
    };
    check("unreadable_timestamp", count("unreadable_timestamp"), ROWS as f64, 0.5);
    check("missing_value", count("missing_value"), ROWS as f64, 0.1);
    check("field_count", count("field_count"), ROWS as f64, 3.0);
    check("invalid_utf8", count("invalid_utf8"), ROWS as f64, 0.25);
}

#[test]
fn each_fault_has_its_reason() {
    let all = rate("100%");
    let none = Faults::default;
    let cases = [
        (Faults { unreadable_timestamp: all, ..none() }, "unreadable_timestamp"),
        (Faults { missing_timestamp: all, ..none() }, "missing_value"),
        (Faults { short_row: all, ..none() }, "field_count"),
        (Faults { extra_field: all, ..none() }, "field_count"),
        (Faults { invalid_utf8: all, ..none() }, "invalid_utf8"),
    ];
    for (faults, reason) in cases {
        let plan = Plan { faults, ..quarter(3_000, 7) };
        for file in &make(&plan).answers.files {
            assert_eq!(file.rejects.keys().collect::<Vec<_>>(), [reason]);
            assert_eq!(file.rejects[reason], file.records);
        }
    }
}

#[test]
fn rows_have_the_described_size_and_skew() {
    let made = make(&quarter(ROWS, 8));
    let bytes: u64 = made.answers.files.iter().map(|file| file.bytes).sum();
    let row_bytes = bytes as f64 / ROWS as f64;
    assert!((130.0..=145.0).contains(&row_bytes), "{row_bytes}");
    let month = &made.answers.months[0];
    assert!(month.top_actions[0].events > 5 * month.top_actions[9].events);
    assert!(month.top_countries[0].events > 2 * month.top_countries[9].events);
    assert!(month.top_domains.iter().any(|row| row.domain == "gmail.com"));
    assert!(month.top_companies.iter().all(|row| row.company != "gmail.com"));
}

#[test]
fn texts_need_quotes_now_and_then() {
    let text = make(&quarter(ROWS, 9)).lines().join("\n");
    for part in [
        "\"Korea, Republic of\"",
        "Côte d'Ivoire",
        ",[]\n",
        ",['mobile']\n",
        ",\"[\"\"what's new\"\"]\"\n",
        "'campaign, spring'",
        "'15\"\" screen'",
        r#"'it\'s ""new""'"#,
        "'Zürich'",
    ] {
        assert!(text.contains(part), "{part}");
    }
}
