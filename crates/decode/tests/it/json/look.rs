//! Looking at JSON without a contract.

use stillhouse_decode::look::{JsonSeen, walk_json};
use stillhouse_spec::JsonLayout;

/// Layout, what was seen, and whether it was all.
fn walked(mut bytes: &[u8], bytes_max: u64) -> (JsonLayout, String, bool) {
    let mut seen = Vec::new();
    let mut visit = |record: JsonSeen<'_>| {
        seen.push(match record {
            JsonSeen::Record { line, text } => format!("{line}: {text}"),
            JsonSeen::Refused { line, reason } => format!("{line}: {reason}"),
        });
    };
    let (head, walked) = walk_json(&mut bytes, 20, bytes_max, &mut visit).unwrap();
    (head.layout, seen.join("\n"), walked.whole)
}

#[test]
fn every_record_is_seen_as_it_would_be_decoded() {
    let all = |bytes: &[u8]| walked(bytes, 1000);
    assert_eq!(
        all(b"{\"a\":1}\n\n{\"a\":\"\xff\"}\n{\"a\": \"more than twenty bytes\"}\nno\n"),
        (JsonLayout::Lines, "1: {\"a\":1}\n3: invalid_utf8\n4: too_long\n5: no".to_owned(), true)
    );
    assert_eq!(all(b"[{\"a\":1},\n2]"), (JsonLayout::Array, "1: {\"a\":1}\n2: 2".to_owned(), true));
    assert_eq!(all(b"{\n\"a\":1}{\"a\":2}"), (JsonLayout::Values, "1: {\n\"a\":1}\n2: {\"a\":2}".to_owned(), true));
}

#[test]
fn what_begins_behind_the_limit_is_not_seen() {
    assert_eq!(
        walked(b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", 8),
        (JsonLayout::Lines, "1: {\"a\":1}\n2: {\"a\":2}".to_owned(), false)
    );
    assert_eq!(
        walked(b"[{\"a\":1},{\"a\":2},{\"a\":3}]", 9),
        (JsonLayout::Array, "1: {\"a\":1}\n1: {\"a\":2}".to_owned(), false)
    );
    assert_eq!(walked(b"{\n\"a\":1}{\"a\":2}", 3), (JsonLayout::Values, "1: {\n\"a\":1}".to_owned(), false));
}
