//! Hostile JSON and Parquet: seeds of every shape, changed at random, for `STILLHOUSE_FUZZ_SECONDS` (two, if not set).
//!
//! Nothing panics, memory is not asked for beyond reason, counts balance, and several threads come to the same as one.

use std::time::{Duration, Instant};

use arrow::array::{Int64Array, StringArray};
use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stillhouse_decode::Threads;

use crate::common::Case;
use crate::parquet::{array, file};
use crate::shared::{promised, run};

const SECONDS: &str = "STILLHOUSE_FUZZ_SECONDS";

#[expect(clippy::disallowed_methods, reason = "a test that runs for a time needs a clock")]
fn for_some_time(name: &str, mut round: impl FnMut(&mut TestRng, u64)) {
    let seconds = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while Instant::now() < end {
        for _ in 0..50 {
            rounds += 1;
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&u64::to_le_bytes(rounds));
            round(&mut TestRng::from_seed(RngAlgorithm::ChaCha, &seed), rounds);
        }
    }
    assert!(rounds >= 50, "{name} was tried {rounds} times");
}

/// Bytes that mean something in JSON, and some that do not.
const MARKS: &[u8] = b"{}[]\",:\\0123456789.eE+-truefalsn \n\r\t\x00\x1f\x7f\xc3\xa9\xff\xed\xa0\x80";

/// Some bytes are changed, removed, repeated or put in.
fn mutate(random: &mut TestRng, bytes: &mut Vec<u8>, marks: &[u8]) {
    for _ in 0..=random.random_range(0..6) {
        let at = random.random_range(0..=bytes.len());
        let mark = marks[random.random_range(0..marks.len())];
        match random.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] = mark,
            1 if at < bytes.len() => _ = bytes.remove(at),
            2 => bytes.insert(at, mark),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + random.random_range(0..200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1 << random.random_range(0..8)),
            _ => {}
        }
    }
}

fn nested() -> Case {
    let mut case = Case::of_source(
        "json",
        "[table]\nname = 'a'\nmax_rejected = '100%'\nunknown_columns = 'json'\n[table.columns]\nid = 'int64'\nday = { type = 'date', format = ['%d.%m.%Y', 'iso8601'] }\n\
         tags = 'list<string>'\nraw = 'json'\nbody = { type = 'string', from = 'text.x' }\n\
         [[child]]\nname = 'tags'\nfrom = 'a.tags[]'\nitem = 'tag'\ncopy = { id = 'id' }\n\
         [[child]]\nname = 'b'\nfrom = 'a.b[]'\ncopy = { a = 'id' }\n[child.columns]\nx = { type = 'decimal(9,2)', max = 10 }\n\
         [[child]]\nname = 'b'\nfrom = 'b.b[]'\ncopy = { a = 'a' }",
    );
    case.batch_rows = 3;
    case
}

const DOCUMENTS: [&str; 4] = [
    "{\"id\":1,\"day\":\"2024-01-02\",\"tags\":[\"a\",null],\"raw\":{\"k\":[1,2.50]}}\n{\"id\":2,\"b\":[{\"x\":1.5,\"b\":[{\"x\":2},{\"b\":[{\"x\":3}]}]},{}]}\n{\"day\":\"1.2.2024\",\"text\":\"{\\\"x\\\": \\\"y\\\"}\"}\n",
    "[{\"id\": 1, \"tags\": []},\n {\"id\": -2, \"b\": null}, {\"new\": {\"a\": \"\\u00e9\\ud83d\\ude00\"}}]",
    "{\n  \"id\": 12345678901234567890,\n  \"b\": [\n    {\"x\": \"7\"}\n  ]\n}\n{\"id\": 3}{\"id\": 4}",
    "\u{feff}{\"id\":1}\r\n\r\n{\"id\":2}\r\n",
];

/// Documents that end anywhere: what stands behind their last byte must not count, or be looked at.
#[test]
fn valgrind_json_is_read_to_its_last_byte() {
    let case = nested();
    for document in DOCUMENTS {
        for length in (0..=document.len()).filter(|length| document.is_char_boundary(*length)) {
            let bytes = document.as_bytes()[..length].to_vec().into_boxed_slice();
            if let Ok(got) = case.run(&bytes) {
                assert!(got.outcome.counts.balanced(), "{document} up to {length}");
            }
        }
    }
}

#[test]
fn json_of_any_kind_is_accounted_for() {
    let case = nested();
    for_some_time("JSON", |random, round| {
        let mut bytes = DOCUMENTS[usize::try_from(round).unwrap() % DOCUMENTS.len()].as_bytes().to_vec();
        mutate(random, &mut bytes, MARKS);
        let one = promised(case.run(&bytes));
        let region_bytes = random.random_range(1..60_u64);
        let threads = Threads { count: 2, region_bytes };
        assert_eq!(promised(run(&case, &bytes.as_slice(), threads)), one, "{}", bytes.escape_ascii());
    });
}

#[test]
fn parquet_of_any_kind_is_held_or_read() {
    let ids: Vec<i64> = (0..60).collect();
    let texts: Vec<Option<String>> = ids.iter().map(|id| (id % 5 > 0).then(|| format!("text {}", id % 7))).collect();
    let seed = file(vec![("id", array(Int64Array::from(ids))), ("text", array(StringArray::from(texts)))], 25);
    let case = Case::of_source(
        "parquet",
        "[table]\nname = 't'\nmax_rejected = '100%'\n[table.columns]\nid = { type = 'int64', max = 50 }\ntext = 'string'",
    );
    let marks: Vec<u8> = (0..=255).collect();
    for_some_time("Parquet", |random, _| {
        let mut bytes = seed.clone();
        mutate(random, &mut bytes, &marks);
        match case.run(&bytes) {
            Ok(got) => assert!(got.outcome.counts.balanced()),
            Err(error) => assert!(error.is_held(), "{error}"),
        }
    });
}
