//! Typed values: what is read, exactly, and what is refused for which reason.

use crate::common::{Case, NULL};

/// Reads each text of `given` as a value of one column; a refused one shows as `!reason`.
fn check(column: &str, given: &[&str], expected: &[&str]) {
    let case = Case::new(&format!("n int64; v {column}"));
    for (text, expected) in given.iter().zip(expected) {
        let quoted = text.replace('"', "\"\"");
        let got = case.run(format!("n,v\n1,\"{quoted}\"\n")).unwrap();
        let found = match got.rejects.as_slice() {
            [] => got.tables[0][0][1].clone(),
            rejects => format!("!{}", rejects[0].place.reason),
        };
        assert_eq!(&found, expected, "{text:?} as {column}");
    }
    assert_eq!(given.len(), expected.len());
}

#[test]
fn integers() {
    check(
        "int64",
        &["0", "+7", " -42 ", "9223372036854775807", "-9223372036854775808", "(12)", "\u{2212}5", "", "007"],
        &["0", "7", "-42", "9223372036854775807", "-9223372036854775808", "-12", "-5", NULL, "7"],
    );
    check(
        "int64",
        &["9223372036854775808", "1.0", "5.", "1e3", "1,000", "--1", "1-"],
        &[
            "!out_of_range",
            "!unreadable_int64",
            "!unreadable_int64",
            "!unreadable_int64",
            "!unreadable_int64",
            "!unreadable_int64",
            "!unreadable_int64",
        ],
    );
    check(
        "int64 grouping=,",
        &["1,234,567", "12,34", ",123", "1234", "1,234,"],
        &["1234567", "!unreadable_int64", "!unreadable_int64", "1234", "!unreadable_int64"],
    );
}

#[test]
fn decimals_are_exact() {
    check(
        "decimal(12,2)",
        &["+60.5", "-10.3", "-20.46", "10", ".5", "5.", "(3.10)", "0.10000", "9999999999.99", "-0", "- 5"],
        &["60.50", "-10.30", "-20.46", "10.00", "0.50", "5.00", "-3.10", "0.10", "9999999999.99", "0.00", "-5.00"],
    );
    check(
        "decimal(12,2)",
        &["0.125", "10000000000", "1e2", "abc", ".", "-", "(-1)", "$5", "1,000", "1.2.3"],
        &[
            "!decimal_scale",
            "!out_of_range",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
        ],
    );
    let nines = "9".repeat(38);
    let tens = format!("1{}", "0".repeat(38));
    check("decimal(38,0)", &[&nines, &tens, &"9".repeat(60)], &[&nines, "!out_of_range", "!out_of_range"]);
    check("decimal(38,38)", &[&format!("0.{nines}")], &[&format!("0.{nines}")]);
}

#[test]
fn numbers_as_other_countries_write_them() {
    check(
        "decimal(12,2) decimal=, grouping=.",
        &["1.234,56", "-1.234", "1.23", "0,5"],
        &["1234.56", "-1234.00", "!unreadable_decimal", "0.50"],
    );
    check(
        "decimal(12,2) currency grouping=,",
        &[
            "$1,234.50",
            "-$5",
            "$-5",
            "5 EUR",
            "EUR 5",
            "R$ 7",
            "(€3)",
            "12 zł",
            "5 DOLLARS",
            "$",
            "€5€",
            "1O",
            "12.50 DR",
            "3k",
            "5 kg",
            "US$ 5",
        ],
        &[
            "1234.50",
            "-5.00",
            "-5.00",
            "5.00",
            "5.00",
            "7.00",
            "-3.00",
            "12.00",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "5.00",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "!unreadable_decimal",
            "5.00",
        ],
    );
}

#[test]
fn floats_are_finite() {
    check("float64", &["1.5", "-1e3", "2E-2", " 7 ", "(0.5)", ""], &["1.5", "-1000.0", "0.02", "7.0", "-0.5", NULL]);
    for text in ["nan", "inf", "1e999", "0x10", "1_0", "e5", "1e", "1e+"] {
        check("float64", &[text], &["!unreadable_float64"]);
    }
}

#[test]
fn truth_values() {
    check(
        "bool",
        &["true", "FALSE", "Yes", "no", "1", "0", "t", "F", "", "maybe"],
        &["true", "false", "true", "false", "true", "false", "true", "false", NULL, "!unreadable_bool"],
    );
}

#[test]
fn json_is_checked_and_made_compact() {
    check(
        "json",
        &["{\"b\": 1.10, \"a\" : [ 1e400, \"x \\\" y\" ]}", "null", " [1] ", "{\"a\":}", "1 2", "", "'a'"],
        &[
            "{\"b\":1.10,\"a\":[1e400,\"x \\\" y\"]}",
            "null",
            "[1]",
            "!unreadable_json",
            "!unreadable_json",
            NULL,
            "!unreadable_json",
        ],
    );
}

#[test]
fn dates() {
    check(
        "date",
        &["2021-04-01", "2021-04-01T23:30:00-05:00", "2024-02-29", "0001-01-01", "9999-12-31", " 1969-12-31 "],
        &["2021-04-01", "2021-04-01", "2024-02-29", "0001-01-01", "9999-12-31", "1969-12-31"],
    );
    for text in ["2023-02-29", "2021-4-1", "2021-13-01", "2021-04-31", "0000-01-01", "2021-04-01x", "1.4.2021", "x"] {
        check("date", &[text], &["!unreadable_date"]);
    }
    check(
        "date fmt=%d._%B_%Y",
        &["1. April 2021", "01.  apr 2021", "1.April 2021"],
        &["2021-04-01", "2021-04-01", "!unreadable_date"],
    );
    check("date fmt=%y%m%d", &["210401", "690101", "991231"], &["2021-04-01", "1969-01-01", "1999-12-31"]);
    check("date fmt=unix", &["0", "-1", "86400"], &["1970-01-01", "1969-12-31", "1970-01-02"]);
}

#[test]
fn timestamps() {
    check(
        "timestamp",
        &[
            "2021-04-01",
            "2021-04-01T12:30",
            "2021-04-01 12:30:15.25+02:00",
            "2021-04-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2021-04-01T12:30:15.1234567 -0330",
        ],
        &[
            "2021-04-01T00:00:00Z",
            "2021-04-01T12:30:00Z",
            "2021-04-01T10:30:15.25Z",
            "2021-04-01T00:00:00Z",
            "2017-01-01T00:00:00Z",
            "2021-04-01T16:00:15.123456Z",
        ],
    );
    for text in ["2021-04-01T24:00", "2021-04-01T", "2021-04-01T12:60", "2021-04-01T12:30+25:00", "12:30"] {
        check("timestamp", &[text], &["!unreadable_timestamp"]);
    }
    check("timestamp fmt=unix_ms", &["1617235200123", "-1"], &["2021-04-01T00:00:00.123Z", "1969-12-31T23:59:59.999Z"]);
    check("timestamp fmt=unix", &["1617235200.5"], &["2021-04-01T00:00:00.5Z"]);
    check(
        "timestamp fmt=%m/%d/%Y_%I:%M_%p",
        &["4/1/2021 12:05 AM", "04/01/2021 1:05 pm", "4/1/2021 13:05 PM"],
        &["2021-04-01T00:05:00Z", "2021-04-01T13:05:00Z", "!unreadable_timestamp"],
    );
}

#[test]
fn timestamps_of_a_zone() {
    check(
        "timestamp zone=Europe/Berlin",
        &["2021-01-01T12:00", "2021-07-01T12:00", "2021-07-01T12:00Z", "2021-10-31T02:30", "2021-03-28T02:30"],
        &[
            "2021-01-01T11:00:00Z",
            "2021-07-01T10:00:00Z",
            "2021-07-01T12:00:00Z",
            "2021-10-31T00:30:00Z",
            "2021-03-28T01:30:00Z",
        ],
    );
    let held = Case::new("v timestamp zone=Mars/Olympus").held("v\n2021-01-01\n");
    assert_eq!(
        held,
        "column `v`: expected an IANA time zone, found `Mars/Olympus`\n\
         hint: write a name such as `Europe/Berlin` as the `zone` of the column"
    );
}

#[test]
fn times() {
    check(
        "time",
        &["12:30", "07:05:09", "23:59:59.5", "24:00"],
        &["12:30:00", "07:05:09", "23:59:59.500000", "!unreadable_time"],
    );
    check("time fmt=%I:%M_%p", &["7:05 PM"], &["19:05:00"]);
}

#[test]
fn texts_that_mean_no_value() {
    check("string null=NA|-", &["NA", "-", "na", "", " NA"], &[NULL, NULL, "na", "", " NA"]);
    check("int64 null=NA", &["NA", " NA ", "", "-"], &[NULL, NULL, NULL, "!unreadable_int64"]);
    check("string null=", &["", " "], &[NULL, " "]);
}
