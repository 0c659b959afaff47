//! Quotes that are wrong cost one line, in linear time and bounded memory.

use std::fmt::Write;

use stillhouse_spec::{EscapeStyle, HeaderStyle, QuoteStyle};

use crate::common::{Case, Pieces};

fn two() -> Case {
    Case::new("a string; b string").with(|case| case.csv().quote = Some(QuoteStyle::Byte(b'"')))
}

#[test]
fn quotes_have_a_meaning_only_at_the_start_of_a_field() {
    assert_eq!(two().rows("a,b\nx\"y\", \"z\"\n5\",\"6\"\n"), "x\"y\", \"z\"\n5\",6");
}

#[test]
fn an_unterminated_quote_in_the_middle_costs_its_line() {
    let got = two().run("a,b\n1,2\n3,\"4\n5,6\n7,8\n").unwrap();
    assert_eq!(got.rows(), "1,2\n5,6\n7,8");
    assert_eq!(
        got.refused(),
        "line 3 (bytes 8+4): unterminated_quote, expected a closing quote, found the end of the object"
    );
    assert_eq!(got.rejects[0].raw.as_deref(), Some(b"3,\"4".as_slice()));
}

#[test]
fn text_behind_a_closing_quote_costs_the_line_on_which_the_record_began() {
    let got = two().run("a,b\n1,\"x\"y\n\"2\n3\" ,4\n5,\"6\"\n").unwrap();
    assert_eq!(got.rows(), "3\" ,4\n5,6");
    let expected = "bad_quote, expected a delimiter or line end behind the closing quote, found something else at byte";
    assert_eq!(got.refused(), format!("line 2 (bytes 4+6): {expected} 9\nline 3 (bytes 11+2): {expected} 16"));
}

#[test]
fn the_last_line_may_be_the_wrong_one() {
    for text in ["a,b\n1,2\n\"3", "a,b\n1,2\n\"3\"\"", "a,b\n1,2\n3,\""] {
        let got = two().run(text).unwrap();
        assert_eq!((got.rows().as_str(), got.rejects.len()), ("1,2", 1), "{text:?}");
        assert_eq!(got.rejects[0].place.reason, "unterminated_quote");
    }
    assert_eq!(two().rows("a,b\n1,\"\""), "1,");
}

#[test]
fn a_header_with_an_open_quote_costs_one_line() {
    let case = two().with(|case| case.csv().header = Some(HeaderStyle::Absent));
    let got = case.run("\"a,b\n1,2\n3,4\n").unwrap();
    assert_eq!(got.rows(), "1,2\n3,4");
    assert_eq!(got.rejects.len(), 1);
}

#[test]
fn a_backslash_escapes_inside_quotes_only() {
    let case = two().with(|case| case.csv().escape = Some(EscapeStyle::Backslash));
    let got = case.run("a,b\n\\,\"x\\\"\\\\\\n\"\"y\"\n\"p\\\nq\",r\\\n\"s\\").unwrap();
    assert_eq!(got.rows(), "\\,x\"\\\\n\"y\np\\\nq,r\\");
    assert_eq!(got.rejects[0].place.reason, "unterminated_quote");
}

/// Reads `bytes`, and says how often each byte was asked for.
fn check_linear(case: &Case, bytes: &[u8], most: f64) -> crate::common::Got {
    let mut source = Pieces { bytes, piece: usize::MAX, read: 0 };
    let got = case.run_source(&mut source).unwrap();
    let ratio = source.read as f64 / bytes.len() as f64;
    assert!(ratio <= most, "each byte was read {ratio:.2} times");
    got
}

#[test]
fn a_quote_that_opens_at_byte_1_and_never_closes_is_read_at_most_twice() {
    let columns: Vec<String> = (0..300).map(|column| format!("c{column} string")).collect();
    let case = Case::new(&columns.join("; ")).with(|case| case.max_record_bytes = 1 << 20);
    let mut text = String::from("\"");
    let row = (0..300).map(|column| format!("value {column}")).collect::<Vec<_>>().join(",");
    while text.len() < 30 << 20 {
        writeln!(text, "{row}").unwrap();
    }
    let rows = text.matches('\n').count() as u64;
    let got = check_linear(&case, text.as_bytes(), 2.1);
    assert_eq!((got.outcome.counts.loaded, got.outcome.counts.quarantined), (rows - 1, 1));
    assert_eq!(got.rejects[0].place.reason, "unterminated_quote");
}

#[test]
fn lines_that_all_open_a_quote_are_read_in_linear_time() {
    // A search from any of these lines reaches the end of the object: `x","` leaves a field open whether or not the
    // line began inside quotes. 400,000 searches over 3 MB each would not end today.
    for (line, escape) in [
        ("x\",\"", EscapeStyle::Doubled),
        ("x,\"y", EscapeStyle::Doubled),
        ("\"\"\"\"\"x", EscapeStyle::Doubled),
        ("\"x\"\"", EscapeStyle::Doubled),
        ("a,\"b\",\"c", EscapeStyle::Doubled),
        ("x\",\"y", EscapeStyle::Backslash),
        ("x\",\"\\", EscapeStyle::Backslash),
    ] {
        let mut text = String::from("a,b\n");
        while text.len() < 3 << 20 {
            writeln!(text, "{line}").unwrap();
        }
        let case = two().with(|case| (case.max_record_bytes, case.csv().escape) = (1 << 10, Some(escape)));
        let got = check_linear(&case, text.as_bytes(), 2.6);
        let lines = text.matches('\n').count() as u64 - 1;
        assert_eq!(got.outcome.counts.read, lines, "{line}");
        assert_eq!(got.outcome.counts.quarantined, lines, "{line}");
    }
}

#[test]
fn a_near_fault_does_not_make_the_far_one_forgotten() {
    // Every second line has a fault of its own, every other one a quote that is never closed.
    let mut text = String::from("a,b\n");
    while text.len() < 2 << 20 {
        text.push_str("x\",\"\n\"p\"q,r\n");
    }
    let got = two().with(|case| case.max_record_bytes = 1 << 10).run(&text).unwrap();
    assert_eq!(got.outcome.counts.loaded, 0);
    let mut text = text.replace("\"p\"q,r\n", "\"\"q,r\n");
    text.push_str("1,2\n");
    let got = check_linear(&two().with(|case| case.max_record_bytes = 1 << 10), text.as_bytes(), 4.0);
    assert_eq!(got.rows(), "1,2");
}

#[test]
fn a_long_record_that_ends_badly_costs_its_first_line_only() {
    let case = two().with(|case| case.max_record_bytes = 100);
    let mut text = String::from("a,b\n1,\"open\n");
    (0..1000).for_each(|row| writeln!(text, "{row},row").unwrap());
    text.push_str("x,y\"z\n8,\"9\" \n");
    let got = case.run(&text).unwrap();
    assert_eq!(got.outcome.counts.loaded, 1001);
    let lines: Vec<_> = got.rejects.iter().map(|reject| reject.place.line).collect();
    assert_eq!(lines, [2, 1004]);
    // The same with a quote that is closed well: then it is one long record.
    let got = case.run(text.replace("x,y\"z\n", "x,y\"\n1,2\n")).unwrap();
    assert_eq!(got.rejects[0].place.reason, "too_long");
    assert_eq!(got.rejects[0].place.line, 2);
    assert_eq!((got.rows().as_str(), got.rejects[1].place.line), ("1,2", 1005));
}
