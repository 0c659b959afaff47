//! What nobody should write, and somebody does.

use super::{json, table};

#[test]
fn deep_nesting_is_refused_and_overflows_nothing() {
    let deep = |levels: usize| format!("{{\"id\": 1, \"x\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    let got = table("id = 'int64'").run(format!("{}\n{}\n{}\n", deep(100), deep(300), deep(100_000))).unwrap();
    assert_eq!(got.rows(), "1");
    let reasons: Vec<&str> = got.rejects.iter().map(|reject| reject.place.reason.as_str()).collect();
    assert_eq!(reasons, ["too_deep", "too_deep"]);
    // Rows of a table inside each other.
    let case = json(
        "[table]\nname = 'a'\nmax_rejected = '100%'\n[table.columns]\nid = 'int64'\n\
         [[child]]\nname = 'b'\nfrom = 'a.b[]'\n[child.columns]\nid = 'int64'\n[[child]]\nname = 'b'\nfrom = 'b.b[]'",
    );
    let inside = |levels: usize| format!("{}{{\"id\": 1}}{}", "{\"b\": [".repeat(levels), "]}".repeat(levels));
    let got = case.run(format!("{}\n{}\n", inside(20), inside(100_000))).unwrap();
    assert_eq!((got.tables[1].len(), got.rejects.len()), (20, 1));
    assert_eq!(got.rejects[0].place.reason, "too_deep");
}

#[test]
fn of_a_field_that_comes_twice_the_last_value_counts() {
    assert_eq!(table("id = 'int64'\nname = 'string'").rows(r#"{"id": 1, "name": "a", "id": 2, "name": null}"#), "2,∅");
}

#[test]
fn a_field_in_a_broken_record_changes_nothing_for_the_next_one() {
    // The other field came first when the record broke, and what stood in front of the first one is still known.
    let case = table("a = 'int64'\nb = 'int64'");
    let lines = "{\"a\": 1, \"b\": 2}\n{\"b\" : \n{\"a\": 3, \"b\": 4}\n{\"a\": 5, \"b\"\n{\"a\": 6, \"b\": 7}\n{\"b\": 8, \"a\": 9}\n";
    assert_eq!(case.rows(lines), "1,2\n3,4\n6,7\n9,8");
    // A name that is one too many to be kept in mind is not taken for the one before it.
    let many: String = (0..3000).map(|n| format!("{{\"a\": {n}, \"k{n}\": 1}}\n")).collect();
    let rows = case.rows(format!("{many}{{\"a\": 1, \"k2999\": 2}}\n{{\"a\": 1, \"b\": 3}}\n"));
    assert!(rows.ends_with("2999,∅\n1,∅\n1,3"), "{}", &rows[rows.len() - 50..]);
}

#[test]
fn texts_hold_any_character_but_lone_surrogates() {
    let got = table("text = 'string'")
        .run("{\"text\": \"\\u0000\\ud83d\\ude00\\n\"}\n{\"text\": \"\\ud83d\"}\n{\"text\": \"a\u{1}\"}\n{\"text\": \"\u{7f}é\"}\n")
        .unwrap();
    assert_eq!(got.rows(), "\0😀\n\n\u{7f}é");
    assert_eq!(
        got.refused(),
        "line 2 (bytes 33+18): bad_json, expected JSON, found unexpected end of hex escape at byte 49\n\
         line 3 (bytes 52+14): bad_json, expected JSON, found control character (\\u0000-\\u001F) found while parsing a string at byte 63"
    );
    let broken = table("text = 'string'").run(b"{\"text\": \"a\xff\"}\n{\"other\": \"\xc3\"}\n").unwrap();
    assert_eq!(
        broken.refused(),
        "line 1 (bytes 0+14): invalid_utf8, expected UTF-8, found byte 0xff at byte 11\n\
         line 2 (bytes 15+14): invalid_utf8, expected UTF-8, found byte 0xc3 at byte 26"
    );
}

#[test]
fn objects_with_ever_new_names_do_not_fill_the_memory() {
    let lines: String = (0..5000).map(|n| format!("{{\"id\": {n}, \"k{n}\": 1}}\n")).collect();
    let got = table("id = 'int64'").run(lines).unwrap();
    assert_eq!(got.outcome.counts.loaded, 5000);
    assert!(got.outcome.warnings[0].len() < 1000);
}
