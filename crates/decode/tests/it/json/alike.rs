//! However the same is written, and however it is read, it comes to the same.

use proptest::prelude::*;

use super::json;
use crate::common::{Case, Got};
use crate::shared::promised;

/// Columns of all types; `option` is added to each.
fn case(option: &str) -> Case {
    let columns = |columns: &[(&str, &str)]| {
        let lines = columns.iter().map(|(name, data_type)| format!("{name} = {{ type = '{data_type}'{option} }}\n"));
        lines.collect::<String>()
    };
    let mut case = json(&format!(
        "[table]\nname = 'a'\nmax_rejected = '100%'\n[table.columns]\n{}[[child]]\nname = 'b'\nfrom = 'a.b[]'\ncopy = {{ a = 'id' }}\n[child.columns]\n{}",
        columns(&[
            ("id", "int64"),
            ("name", "string"),
            ("price", "decimal(9,2)"),
            ("huge", "decimal(38,4)"),
            ("ratio", "float64"),
            ("ok", "bool"),
            ("at", "timestamp"),
            ("day", "date"),
            ("tags", "list<string>"),
        ]),
        columns(&[("x", "string"), ("n", "int64")]),
    ));
    case.batch_rows = 5;
    case
}

/// Values that may stand in any column, and those that fit one.
const ANY: &[&str] = &["null", "true", "[]", "{}", "\"\"", "0", "-0", "01", "1.", "1e2", "\"a\\u00e9\"", "[1]", "nul"];
const FITTING: &[(&str, &[&str])] = &[
    ("id", &["1", "-12", "1234567", "999999999999999", "9007199254740993", "-9223372036854775808", "\"5\""]),
    ("name", &["\"x\"", "\"a longer text with é and more than 32 bytes\"", "\"\\n\"", "\" b \""]),
    ("price", &["1.5", "-0.05", "9999999.99", "10000000", "1.005", "1.500", "12345678901234.5"]),
    ("huge", &["1234567890123456789012345678901234.5", "0.0001", "123456789012345"]),
    ("ratio", &["1.5", "-0.0", "1e300", "1e400", "0.1"]),
    ("ok", &["true", "false", "\"yes\""]),
    ("at", &["\"2024-01-02\"", "\"2024-01-02T03:04:05Z\"", "\" 2024-01-02\"", "\"2024-02-30\""]),
    ("day", &["\"2024-01-02\"", "\"2024-1-2\""]),
    (
        "tags",
        &[
            "[\"a\", \"b\"]",
            "[\"a\",\"a text of more than 32 bytes, which is long\"]",
            "[null, \"\\t\"]",
            "\"['p', 'q']\"",
        ],
    ),
    ("b", &["[{\"x\":\"p\",\"n\":1},{\"x\":\"q\",\"n\":2},{\"n\":\"3\"}]", "[{}]", "[{\"n\":4,\"x\":null},{\"x\":7}]"]),
    ("more", &["[{\"a\":[1,2]}]", "\"x\""]),
];

type Field = (&'static str, &'static str);

/// Records mostly have the same fields in the same order.
fn records() -> impl Strategy<Value = Vec<Vec<Field>>> {
    let field = |(name, values): (&'static str, &'static [&'static str])| {
        let value = prop_oneof![30 => prop::sample::select(values), 1 => prop::sample::select(ANY)];
        (Just(name), value, prop::bool::weighted(0.9)).prop_map(|(name, value, is_there)| (name, value, is_there))
    };
    let regular = FITTING.iter().copied().map(field).collect::<Vec<_>>();
    let record = regular.prop_map(|fields| {
        let there = fields.into_iter().filter(|(_, _, is_there)| *is_there);
        there.map(|(name, value, _)| (name, value)).collect::<Vec<Field>>()
    });
    let twisted = (record.clone(), record.clone(), any::<prop::sample::Index>()).prop_map(|(one, other, at)| {
        let at = at.index(one.len() + 1);
        [&one[at..], &one[..at], &other[..at.min(other.len())]].concat()
    });
    prop::collection::vec(prop_oneof![6 => record, 1 => twisted], 1..20)
}

/// One record on each line, as most programs write it.
fn plainly(records: &[Vec<Field>]) -> String {
    let line = |record: &Vec<Field>| {
        let fields: Vec<String> = record.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}\n", fields.join(", "))
    };
    records.iter().map(line).collect()
}

/// The same with names as escapes, and with other blanks in each line.
fn oddly(records: &[Vec<Field>]) -> String {
    let line = |(number, record): (usize, &Vec<Field>)| {
        let blank = [" ", "", "\t ", "  "][number % 4];
        let field = |(name, value): &Field| {
            let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
            format!("{blank}\"{escaped}\"{blank}:\t{value}{blank}")
        };
        format!("{{{}}}{blank}\r\n", record.iter().map(field).collect::<Vec<_>>().join(","))
    };
    records.iter().enumerate().map(line).collect()
}

/// Rows and rejects; where bytes stand is another matter.
fn without_places(got: &Got) -> (String, String) {
    let tables = (0..got.tables.len()).map(|table| got.table(table)).collect::<Vec<_>>();
    let refused = got.rejects.iter().map(|reject| {
        let place = &reject.place;
        format!("line {} column {:?}: {}", place.line, place.column, place.reason)
    });
    (tables.join("\n\n"), refused.collect::<Vec<_>>().join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_read_many_bytes_at_a_time_is_what_is_read_with_care(records in records()) {
        // A text that stands for no value might be any: each is looked at then.
        let (quick, careful) = (case(""), case(", null_values = 'no such value'"));
        let plain = plainly(&records);
        let got = quick.run(&plain).unwrap();
        let oddly = quick.run(oddly(&records)).unwrap();
        prop_assert_eq!(without_places(&oddly), without_places(&got));
        prop_assert_eq!(promised(careful.run(&plain)), promised(Ok(got)));
    }
}
