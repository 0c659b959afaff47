//! Lines, arrays, and values one behind the other.

use super::{json, table};

fn layout(text: &str) -> String {
    let got = table("id = 'int64'").run(text).unwrap();
    assert!(got.rejects.is_empty(), "{}", got.refused());
    let layout = &got.outcome.decided["layout"].value;
    format!("{layout}: {} of {}", got.rows().replace('\n', " "), got.outcome.counts.read)
}

#[test]
fn the_layout_is_seen_in_the_head() {
    assert_eq!(layout("{\"id\": 1}\n{\"id\": 2}"), "lines: 1 2 of 2");
    assert_eq!(layout("\u{feff}{\"id\": 1}\r\n\r\n {\"id\": 2}\r\n"), "lines: 1 2 of 3");
    assert_eq!(layout("{\"id\": 1}"), "lines: 1 of 1");
    assert_eq!(layout("{\"id\": 1}{\"id\": 2}\n {\"id\": 3} {\"id\": 4}"), "values: 1 2 3 4 of 4");
    assert_eq!(layout("{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n"), "values: 1 2 of 2");
    assert_eq!(layout("{\n  \"id\": 1}"), "values: 1 of 1");
    assert_eq!(layout("[{\"id\": 1},\n {\"id\": 2}]\n"), "array: 1 2 of 2");
    assert_eq!(layout("\n\n [ ] \n"), "array:  of 0");
}

#[test]
fn a_broken_line_costs_itself() {
    let got = table("id = 'int64'")
        .run("{\"id\": 1}\n{\"id\": 2, \n{\"id\": 3}\n\"4\"\n{\"id\": 5} x\n{\"id\": 6}\n")
        .unwrap();
    assert_eq!(got.rows(), "1\n3\n6");
    assert_eq!(
        got.refused(),
        "line 2 (bytes 10+10): bad_json, expected JSON, found EOF while parsing a value at byte 20\n\
         line 4 (bytes 31+3): not_an_object, expected an object as a row of `t`, found `4`\n\
         line 5 (bytes 35+11): bad_json, expected JSON, found trailing characters at byte 45"
    );
}

#[test]
fn faults_of_an_array_have_their_place() {
    let got =
        table("id = 'int64'").run("[{\"id\": 1}, {\"id\": }, {\"id\": 3} {\"id\": 4}, , {\"id\": 5},] 6").unwrap();
    assert_eq!(got.rows(), "1\n3\n5");
    assert_eq!(
        got.refused(),
        "line 1 (bytes 12+8): bad_json, expected JSON, found expected value at byte 19\n\
         line 1 (bytes 32+9): bad_json, expected JSON, found expected `,` or `]` behind a value\n\
         line 1 (bytes 43+0): bad_json, expected JSON, found expected a value, found nothing\n\
         line 1 (bytes 55+0): bad_json, expected JSON, found expected a value, found nothing\n\
         line 1 (bytes 57+1): bad_json, expected JSON, found expected nothing behind the end of the array"
    );
    let cut = table("id = 'int64'").held("[{\"id\": 1},\n{\"id\": 2");
    assert!(cut.starts_with("expected `]`, the end of the array, found the end of the file at byte 20"), "{cut}");
}

#[test]
fn an_object_without_records_is_held() {
    for nothing in ["", " ", "\n\n", "\u{feff}"] {
        let held = table("id = 'int64'").held(nothing);
        assert!(held.starts_with("the object is empty: expected JSON"), "{held}");
    }
    let utf16 = table("id = 'int64'").held([0xFF, 0xFE, b'{', 0]);
    assert_eq!(
        utf16,
        "expected UTF-8, found the byte order mark of UTF-16\nhint: set `encoding = \"utf-16\"` in the source file"
    );
}

#[test]
fn long_records_are_refused_in_every_layout() {
    for (layout, text) in [
        ("lines", "{\"id\": 1}\n{\"id\": 2, \"more\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n{\"id\": 3}\n"),
        ("array", "[{\"id\": 1},{\"id\": 2, \"more\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"},{\"id\": 3}]"),
        ("values", "{\"id\": 1}{\"id\": 2, \"more\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}{\"id\": 3}"),
    ] {
        let mut case = json(&format!(
            "[json]\nlayout = '{layout}'\n[table]\nname = 't'\nmax_rejected = '100%'\n[table.columns]\nid = 'int64'"
        ));
        case.max_record_bytes = 20;
        let got = case.run(text).unwrap();
        assert_eq!(got.rows(), "1\n3", "{layout}");
        assert_eq!(got.rejects.len(), 1, "{layout}");
        let reject = &got.rejects[0];
        assert_eq!((reject.place.reason.as_str(), &reject.raw), ("too_long", &None), "{layout}");
        let begin = usize::try_from(reject.place.offset).unwrap();
        let record = &text[begin..begin + usize::try_from(reject.place.bytes).unwrap()];
        assert!(record.starts_with("{\"id\": 2") && record.ends_with("xx\"}"), "{layout}: {record}");
    }
}
