//! Which records are refused, and that they are kept byte for byte.

use crate::common::Case;

fn two() -> Case {
    Case::new("id string; amount decimal(12,2)")
}

#[test]
fn ragged_rows_are_refused() {
    let got = two().run("id,amount\n1,2\n2\n3,4,5\n4,5,\n5,6\n").unwrap();
    assert_eq!(got.rows(), "1,2.00\n5,6.00");
    assert_eq!(
        got.refused(),
        "line 3 (bytes 14+1): field_count, expected 2 fields, found 1 field\n\
         line 4 (bytes 16+5): field_count, expected 2 fields, found 3 fields\n\
         line 5 (bytes 22+4): field_count, expected 2 fields, found 3 fields"
    );
    let raw: Vec<_> = got.rejects.iter().map(|reject| reject.raw.as_deref().unwrap()).collect();
    assert_eq!(raw, [b"2".as_slice(), b"3,4,5", b"4,5,"]);
    assert_eq!(got.outcome.counts.read, 5);
    assert_eq!(got.outcome.reasons.get("field_count"), Some(&3));
}

#[test]
fn an_unnamed_last_field_is_left_out_with_a_warning() {
    let got = two().run("id,amount,\n1,2,\n").unwrap();
    assert_eq!(got.rows(), "1,2.00");
    assert_eq!(got.outcome.warnings, ["field 3 has no name in the header and is left out"]);
}

#[test]
fn blank_lines_count_and_are_no_rows() {
    let got = two().run("\nid,amount\n1,2\n \t \n\r\n2,3\n").unwrap();
    assert_eq!(got.rows(), "1,2.00\n2,3.00");
    assert_eq!((got.outcome.counts.read, got.outcome.counts.blank), (5, 3));
    assert_eq!(got.table(0), "1,2.00,1\n2,3.00,4", "blank lines have ordinals too");
    let tabs = Case::new("a string; b string").run("a\tb\n\t\n\tx\n").unwrap();
    assert_eq!((tabs.rows().as_str(), tabs.outcome.counts.blank), (",x", 1));
}

#[test]
fn broken_utf8_is_refused_with_its_place() {
    let mut bytes = b"id,amount\n1,2\nab\xffc,3\n2,3\n".to_vec();
    let got = two().run(&bytes).unwrap();
    assert_eq!(got.rows(), "1,2.00\n2,3.00");
    assert_eq!(got.refused(), "line 3 (bytes 14+6): invalid_utf8, expected UTF-8, found byte 0xff at byte 16");
    assert_eq!(got.rejects[0].raw.as_deref(), Some(&bytes[14..20]));
    bytes.retain(|byte| *byte != 0xff);
    assert_eq!(two().rows(&bytes), "1,2.00\nabc,3.00\n2,3.00");
}

#[test]
fn nul_bytes_are_text() {
    assert_eq!(two().rows("id,amount\n\0a\0,1\n"), "\0a\0,1.00");
    let got = two().run("id,amount\na,\0\n").unwrap();
    assert_eq!(got.rejects[0].place.reason, "unreadable_decimal");
}

#[test]
fn strings_keep_their_blanks_and_other_types_do_not() {
    assert_eq!(two().rows("id,amount\n a ,\t 5 \n\"  \", \n"), " a ,5.00\n  ,∅");
}

#[test]
fn the_first_bad_column_is_to_blame_and_leaves_nothing_behind() {
    let case = Case::new("name string; tags list<string>; a int64; b int64; c date");
    let got = case.run("name,tags,a,b,c\nx,['p'],1,2,\ny,\"['q','r']\",3,b,c\nz,['s'],5,6,2024-01-01\n").unwrap();
    assert_eq!(got.rows(), "x,[p],1,2,∅\nz,[s],5,6,2024-01-01");
    assert_eq!(got.refused(), "line 3 (bytes 29+19) column b: unreadable_int64, expected int64, found b");
    assert_eq!(got.outcome.days.get("2024-01-01"), Some(&1));
    assert_eq!(got.outcome.days.get(""), Some(&1));
}

#[test]
fn a_required_value_must_be_there() {
    let case = Case::new("id string null=NA required; amount decimal(12,2) required");
    let got = case.run("id,amount\nNA,1\n,1\nx,\ny,2\n").unwrap();
    assert_eq!(got.rows(), ",1.00\ny,2.00", "an empty string is a value unless `null_values` names it");
    assert_eq!(
        got.refused(),
        "line 2 (bytes 10+4) column id: missing_value, expected a value, found NA\n\
         line 4 (bytes 18+2) column amount: missing_value, expected a value, found "
    );
}

#[test]
fn personal_data_is_marked_and_not_repeated() {
    let case = Case::new("email string; age int64 pii; n int64");
    let got = case.run("email,age,n\na,secret,1\nb,2,x\nc\n").unwrap();
    let flags: Vec<_> = got.rejects.iter().map(|reject| (reject.pii, reject.place.found.as_str())).collect();
    assert_eq!(flags, [(true, ""), (false, "x"), (true, "1 field")]);
}

#[test]
fn what_was_found_is_cut() {
    let got = Case::new("id string; n int64").run(format!("id,n\na,{}\n", "é".repeat(500))).unwrap();
    assert_eq!(got.rejects[0].place.found.chars().count(), 100);
    assert_eq!(got.rejects[0].raw.as_ref().map(Vec::len), Some(1002));
}

#[test]
fn a_record_may_be_as_long_as_allowed_and_no_longer() {
    let case = two().with(|case| case.max_record_bytes = 10);
    let text = "id,amount\n12345678,1\n123456789,1\n\"1\n3456\",1\n\"1\n34567\",1\n9,1\n";
    let got = case.run(text).unwrap();
    assert_eq!(got.rows(), "12345678,1.00\n1\n3456,1.00\n9,1.00");
    assert_eq!(
        got.refused(),
        "line 3 (bytes 21+11): too_long, expected at most 10 bytes, found 11 bytes\n\
         line 6 (bytes 44+11): too_long, expected at most 10 bytes, found 11 bytes"
    );
    assert!(got.rejects.iter().all(|reject| reject.raw.is_none()));
    let last = case.run("id,amount\n1234567890,1").unwrap();
    assert_eq!(last.refused(), "line 2 (bytes 10+12): too_long, expected at most 10 bytes, found 12 bytes");
}

#[test]
fn fifty_megabytes_load_and_seventy_do_not() {
    let case = two().with(|case| case.max_record_bytes = 64 << 20);
    for quote in ["", "\""] {
        let mut text = b"id,amount\n0,0\n".to_vec();
        text.extend(quote.bytes());
        text.resize(text.len() + (50 << 20), b'x');
        text.extend(format!("{quote},1\n{quote}").bytes());
        text.resize(text.len() + (70 << 20), b'y');
        text.extend(format!("{quote},2\n3,3\n").bytes());
        let got = case.run(&text).unwrap();
        let lengths: Vec<_> = got.tables[0].iter().map(|row| row[0].len()).collect();
        assert_eq!(lengths, [1, 50 << 20, 1]);
        let [reject] = got.rejects.as_slice() else { panic!("{}", got.refused()) };
        assert_eq!(reject.place.bytes, (70 << 20) + 2 + 2 * quote.len() as u64);
        assert_eq!((reject.place.line, reject.place.reason.as_str(), &reject.raw), (4, "too_long", &None));
    }
}

#[test]
fn an_object_with_too_many_refused_records_is_held() {
    let case = two().with(|case| case.contract.max_rejected = stillhouse_spec::MaxRejected::Share(100));
    assert_eq!(
        case.held("id,amount\n1,x\n2\n3,4\n4,x\n5,x\n"),
        "4 of 5 records were refused, at most 1% may be (line 2, column `amount`: expected decimal(12,2), found `x`; \
         line 3: expected 2 fields, found 1 field; line 5, column `amount`: expected decimal(12,2), found `x`; …)\n\
         hint: correct the file, or raise `max_rejected` in the source file"
    );
}
