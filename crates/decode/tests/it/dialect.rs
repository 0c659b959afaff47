//! What is detected, and that a set value wins.

use stillhouse_spec::{EscapeStyle, HeaderStyle, QuoteStyle};

use crate::common::Case;

fn three() -> Case {
    Case::new("id string; name string; amount decimal(12,2)")
}

#[test]
fn delimiters_are_detected() {
    for (delimiter, name) in [(",", ","), (";", ";"), ("\t", "tab"), ("|", "|")] {
        let text = "id,name,amount\n1,a b,2.50\n2,c,3\n".replace(',', delimiter);
        let got = three().run(&text).unwrap();
        assert_eq!(got.rows(), "1,a b,2.50\n2,c,3.00", "{delimiter}");
        assert_eq!(got.decided("delimiter"), format!("{name} (detected)"));
    }
}

#[test]
fn a_decimal_comma_does_not_hide_the_delimiter() {
    let case = Case::new("id string; amount decimal(12,2) decimal=,");
    assert_eq!(case.rows("id;amount\n1;2,50\n2;3,75\n"), "1,2.50\n2,3.75");
    let got = case.run("id;amount\n1;2,50\n").unwrap();
    assert_eq!(got.decided("decimal mark of amount"), ", (set)");
}

#[test]
fn a_delimiter_inside_quotes_does_not_count() {
    let got = three().run("id|name|amount\n1|\"a,b,c\"|2\n2|\"d,e,f\"|3\n").unwrap();
    assert_eq!(got.rows(), "1,a,b,c,2.00\n2,d,e,f,3.00");
    assert_eq!(got.decided("quote"), "\" (detected)");
}

#[test]
fn the_width_of_the_contract_decides_between_two_delimiters() {
    let got = three().with(|case| case.csv().header = Some(HeaderStyle::Absent)).run("1;a,b;2\n2;c,d;3\n").unwrap();
    assert_eq!(got.rows(), "1,a,b,2.00\n2,c,d,3.00");
}

#[test]
fn set_values_win() {
    let case = three().with(|case| {
        case.csv().delimiter = Some(b';');
        case.csv().quote = Some(QuoteStyle::None);
        case.csv().header = Some(HeaderStyle::Absent);
        case.csv().escape = Some(EscapeStyle::Doubled);
    });
    let got = case.run("1;\"a\";2\n").unwrap();
    assert_eq!(got.rows(), "1,\"a\",2.00");
    for (name, value) in
        [("delimiter", "; (set)"), ("quote", "none (set)"), ("header", "absent (set)"), ("escape", "doubled (set)")]
    {
        assert_eq!(got.decided(name), value);
    }
}

#[test]
fn apostrophes_are_quotes_only_where_most_fields_have_them() {
    let got = three().run("'id','name','amount'\n'1','a,b','2'\n'2','it''s','3'\n").unwrap();
    assert_eq!(got.rows(), "1,a,b,2.00\n2,it's,3.00");
    assert_eq!(got.decided("quote"), "' (detected)");
    assert_eq!(three().rows("id,name,amount\n1,'t Hooft,2\n2,O'Neill,3\n"), "1,'t Hooft,2.00\n2,O'Neill,3.00");
}

#[test]
fn a_backslash_before_quotes_is_detected() {
    let got = three().run("id,name,amount\n1,\"say \\\"hi, you\\\"\",2\n2,\"C:\\\\x\",3\n").unwrap();
    assert_eq!(got.rows(), "1,say \"hi, you\",2.00\n2,C:\\x,3.00");
    assert_eq!(got.decided("escape"), "backslash (detected)");
    let got = three().run("id,name,amount\n1,\"say \"\"hi\"\"\",2\n2,\"C:\\\",3\n").unwrap();
    assert_eq!(got.rows(), "1,say \"hi\",2.00\n2,C:\\,3.00");
    assert_eq!(got.decided("escape"), "doubled (detected)");
}

#[test]
fn line_ends_may_be_of_any_kind() {
    for end in ["\n", "\r\n", "\r"] {
        let text = "id,name,amount\n1,a,2\n\n2,b,3".replace('\n', end);
        let got = three().run(&text).unwrap();
        assert_eq!(got.rows(), "1,a,2.00\n2,b,3.00", "{end:?}");
        assert_eq!(got.outcome.counts.blank, 1);
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let got = three().run("\u{feff}\"id\",name,amount\n1,a,x\n").unwrap();
    assert_eq!(got.decided("encoding"), "utf-8 (detected)");
    assert_eq!(got.refused(), "line 2 (bytes 20+5) column amount: unreadable_decimal, expected decimal(12,2), found x");
}

#[test]
fn utf16_is_held() {
    let held = three().held(b"\xff\xfei\x00d\x00");
    assert_eq!(
        held,
        "expected UTF-8, found the byte order mark of UTF-16\n\
         hint: convert it, for example with `iconv -f UTF-16 -t UTF-8`"
    );
}

#[test]
fn lines_to_skip_and_comments_are_no_records() {
    let case = three().with(|case| {
        case.csv().skip_lines = 2;
        case.csv().comment = Some(b'#');
    });
    let got = case.run("Report\n\"open\n# made by hand\nid,name,amount\n1,a,2\n#2,b,3\n3,#c,x\n").unwrap();
    assert_eq!(got.rows(), "1,a,2.00");
    assert_eq!(got.outcome.counts.read, 2);
    assert!(got.refused().starts_with("line 7 "), "{}", got.refused());
}

#[test]
fn a_single_column_needs_no_delimiter() {
    let case = Case::new("message string");
    let got = case.run("message\nhello, world\n\n\"two\nlines\"\nnone; at all\n").unwrap();
    assert_eq!(got.rows(), "hello, world\ntwo\nlines\nnone; at all");
    assert_eq!(got.outcome.counts.blank, 1);
}

#[test]
fn a_header_is_told_by_names_whatever_their_style() {
    let case = Case::new("user_id string; name string alias=full-name; amount decimal(12,2)");
    let got = case.run("User ID, FULL NAME ,AMOUNT\n1,a,2\n").unwrap();
    assert_eq!(got.rows(), "1,a,2.00");
    assert_eq!(got.decided("header"), "present (detected)");
    assert_eq!(got.decided("columns"), "by name (set)");
}

#[test]
fn a_first_record_that_fits_the_types_is_no_header() {
    let got = Case::new("id string; day date; amount decimal(12,2)").run("1,2024-01-01,+75.56\n2,2024-02-29,-5\n");
    let got = got.unwrap();
    assert_eq!(got.rows(), "1,2024-01-01,75.56\n2,2024-02-29,-5.00");
    assert_eq!(got.decided("header"), "absent (detected)");
    assert_eq!(got.decided("columns"), "by position (detected)");
}

#[test]
fn a_first_record_that_fits_no_type_is_a_header_of_other_names() {
    let case = Case::new("id string; day date; amount decimal(12,2)");
    let held = case.held("Nr;Tag;Betrag\n1;2024-01-01;5\n2;2024-01-02;6\n");
    assert_eq!(
        held,
        "no usable columns: expected `id`, `day`, `amount`, found the header `Nr`, `Tag`, `Betrag`\n\
         hint: add the names of the file as aliases of the columns in the source file, or set `header` and `delimiter`"
    );
}

#[test]
fn nothing_at_all_is_held_and_a_header_alone_is_not() {
    for text in ["", "\u{feff}", "\n", " \t\r\n\n"] {
        let held = three().held(text);
        assert!(held.starts_with("the object is empty"), "{text:?}: {held}");
    }
    let commented = three().with(|case| case.csv().comment = Some(b'#')).held("# nothing\n");
    assert!(commented.starts_with("the object is empty"), "{commented}");
    for text in ["id,name,amount", "id,name,amount\r\n", "\u{feff}id,name,amount\n\n"] {
        let got = three().run(text).unwrap();
        assert_eq!((got.outcome.counts.loaded, got.rejects.len()), (0, 0), "{text:?}");
    }
}

#[test]
fn structure_must_be_ascii_and_unequivocal() {
    let held = three().with(|case| case.csv().quote = Some(QuoteStyle::Byte(0xe2))).held("id,name,amount\n");
    assert!(held.starts_with("`quote`: expected an ASCII character"), "{held}");
    let held = three().with(|case| case.csv().delimiter = Some(b'\n')).held("id,name,amount\n");
    assert!(held.starts_with("`delimiter`: expected an ASCII character"), "{held}");
    let same =
        three().with(|case| (case.csv().delimiter, case.csv().quote) = (Some(b'"'), Some(QuoteStyle::Byte(b'"'))));
    assert!(same.held("id,name,amount\n").starts_with("`delimiter` and `quote` are the same"));
}
