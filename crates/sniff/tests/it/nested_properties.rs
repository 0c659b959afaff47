//! Random documents of JSON.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stillhouse_sniff::{Options, Proposal, propose};

use crate::common::{input, load};

/// Names that are alike, that mean something to settings, or that say what a value is.
const NAMES: &[&str] = &[
    "id",
    "user_id",
    "userId",
    "USER-ID",
    "name",
    "email",
    "a.b",
    "\"",
    "{x}",
    "year of x",
    "$",
    "",
    "  ",
    "_",
    "_id",
    "€",
    "nothing",
    "order",
    "data",
    "items",
    "tags",
    "comments",
    "replies",
    "created_at",
    "timestamp",
    "time",
    "amount",
    "price",
    "2021-03-05",
    "$ref",
    "${HOME}",
    "record",
    "parent",
    "count",
    "zip",
    "a\nb",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "two words",
    "12",
    "12.50",
    "007",
    "-",
    "N/A",
    "null",
    "true",
    "2021-03-05",
    "2021-03-05T10:00:00Z",
    "2018-01-12T20:21:40+0000",
    "5/7/2021",
    "7/15",
    "10:30",
    "1617625815",
    "1617625815000",
    "20210305",
    "[1, 2]",
    "{\"a\": 1}",
    "{\"a\": 1",
    "['a', 'b']",
    "a|b",
    "ann@mail.example",
    "203.0.113.9",
    "€ 5",
    "1,234.5",
    "\u{0}",
    "\u{feff}",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..2_000_000_000).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(1617625815)),
        (-100_000_i64..100_000).prop_map(|cents| json!(cents as f64 / 100.0)),
        any::<f64>().prop_filter("JSON has no others", |value| value.is_finite()).prop_map(Value::from),
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
    ]
}

fn object(value: impl Strategy<Value = Value>, names: usize) -> impl Strategy<Value = Value> {
    let field = (prop::sample::select(NAMES.to_vec()), value);
    prop::collection::vec(field, 0..names).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    })
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner.clone(), 5),
            prop::collection::vec(object(inner, 4), 0..4).prop_map(Value::from),
        ]
    })
}

/// Records of one kind: the same value for a name, or another of its shape.
fn varied(value: &Value, seed: u64) -> Value {
    let pick = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(at, item)| varied(item, pick ^ at as u64));
            items.cycle().take(usize::try_from(pick % 4).unwrap().min(3 * items_len(value))).collect()
        }
        Value::Object(fields) => {
            let kept = fields.iter().enumerate().filter(|(at, _)| !(pick >> at).is_multiple_of(8));
            Value::Object(kept.map(|(at, (name, value))| (name.clone(), varied(value, pick ^ at as u64))).collect())
        }
        Value::Number(number) if number.is_i64() => {
            json!(number.as_i64().unwrap() ^ i64::try_from(pick >> 50).unwrap())
        }
        Value::Null | Value::Bool(_) if pick.is_multiple_of(2) => json!(pick.is_multiple_of(4)),
        _ if pick.is_multiple_of(16) => Value::Null,
        other => other.clone(),
    }
}

fn items_len(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

fn written(records: &[Value], layout: u8) -> String {
    let lines = |indent: bool| {
        let write =
            |record: &Value| if indent { serde_json::to_string_pretty(record) } else { serde_json::to_string(record) };
        records.iter().map(|record| write(record).unwrap() + "\n").collect::<String>()
    };
    match layout {
        0 => lines(false),
        1 => lines(true),
        _ => serde_json::to_string_pretty(records).unwrap(),
    }
}

/// A comment with comments on it, some fields of which may be missing.
fn comment() -> impl Strategy<Value = Value> {
    let alone = (any::<u32>(), prop::option::of(any::<bool>()), prop::option::of("[a-c]{1,3}"));
    let alone = alone.prop_map(|(id, seen, by)| {
        let mut comment = json!({"id": id, "text": "a", "likes": id % 7});
        comment["seen"] = seen.map_or(Value::Null, Value::from);
        by.into_iter().for_each(|by| comment["author"] = json!({"name": by}));
        comment
    });
    alone.prop_recursive(5, 30, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(mut comment, replies)| {
            comment["comments"] = json!({"data": replies});
            comment
        })
    })
}

/// It, and all that are inside of it.
fn counted(comment: &Value) -> usize {
    let inside = comment["comments"]["data"].as_array();
    1 + inside.map_or(0, |inside| inside.iter().map(counted).sum())
}

/// Proposes, loads and says what is wrong with it.
fn try_it(records: &[Value], layout: u8) -> Result<(), TestCaseError> {
    let text = written(records, layout);
    let proposal: Proposal = match propose(&[input("data/things.json", &text)], &Options::default()) {
        Ok(proposal) => proposal,
        Err(error) => {
            prop_assert!(error.to_string().contains("none that has a field"), "{error}\n{text}");
            return Ok(());
        }
    };
    let (loaded, outcome) = load(&proposal, text.as_bytes());
    prop_assert!(loaded.rejects.is_empty(), "{:?}\n{}\n{text}", loaded.rejects, proposal.source);
    prop_assert_eq!(outcome.counts.loaded, records.len() as u64, "{}\n{}", proposal.source, text);
    prop_assert_eq!(proposal.files[0].refused, 0, "{}\n{}", proposal.source, text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_records_are_none_is_refused(
        records in prop::collection::vec(object(value(), 6), 1..8),
        layout in 0_u8..3,
    ) {
        try_it(&records, layout)?;
    }

    #[test]
    fn records_of_one_kind_are_loaded_all(
        record in object(value(), 8),
        seeds in prop::collection::vec(any::<u64>(), 1..40),
        layout in 0_u8..3,
    ) {
        let records: Vec<Value> = seeds.iter().map(|seed| varied(&record, *seed)).collect();
        try_it(&records, layout)?;
    }

    #[test]
    fn comments_on_comments_are_a_row_each(
        posts in prop::collection::vec(prop::collection::vec(comment(), 0..5), 1..6),
        layout in 0_u8..3,
    ) {
        let records: Vec<Value> = posts.iter().map(|comments| json!({"post": 1, "comments": {"data": comments}})).collect();
        let text = written(&records, layout);
        let proposal = propose(&[input("data/posts.json", &text)], &Options::default()).unwrap();
        let (loaded, _) = load(&proposal, text.as_bytes());
        prop_assert!(loaded.rejects.is_empty(), "{:?}\n{}\n{text}", loaded.rejects, proposal.source);
        let comments: usize = posts.iter().flatten().map(counted).sum();
        let rows = loaded.counts.get(1).copied().unwrap_or(0);
        prop_assert_eq!(rows, comments, "{}\n{}", proposal.source, text);
    }

    #[test]
    fn no_bytes_that_begin_like_json_make_it_fail_otherwise_than_by_an_error(
        text in "(\\{\"a\":|\\[\\{\"a\":)[\\[\\]{}\":,a-c0-9. \\\\\nntue-]{0,120}",
    ) {
        if let Ok(proposal) = propose(&[input("x.json", &text)], &Options::default()) {
            prop_assert!(!proposal.columns.is_empty());
        }
    }
}
