//! Random tables in random dialects.

use proptest::prelude::*;

use crate::common::{load, sniff};

/// How the values of a column are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Money,
    Fine,
    IsoDate,
    DayFirst,
    MonthFirst,
    Stamp,
    Clock,
    Word,
    Prose,
    Padded,
    Email,
    List,
}

const KINDS: [Kind; 14] = [
    Kind::Bool,
    Kind::Int,
    Kind::Money,
    Kind::Fine,
    Kind::IsoDate,
    Kind::DayFirst,
    Kind::MonthFirst,
    Kind::Stamp,
    Kind::Clock,
    Kind::Word,
    Kind::Prose,
    Kind::Padded,
    Kind::Email,
    Kind::List,
];

/// What is written, made of one random number.
fn value(kind: Kind, seed: u64) -> String {
    let pick = |of: u64, shift: u32| (seed >> shift) % of;
    let (year, month, day) = (2019 + pick(5, 0), 1 + pick(12, 8), 1 + pick(28, 16));
    let words = ["apple", "pear", "kiwi fruit", "Fig", "plum", "öl", "it's", "quince"];
    match kind {
        Kind::Bool => ["true", "false"][usize::try_from(pick(2, 3)).unwrap()].to_owned(),
        Kind::Int => i64::try_from(pick(200_000, 5)).unwrap().checked_sub(100_000).unwrap().to_string(),
        Kind::Money => {
            let cents = i64::try_from(pick(2_000_000, 4)).unwrap() - 1_000_000;
            format!("{}{}.{:02}", if cents < 0 { "-" } else { "+" }, cents.abs() / 100, cents.abs() % 100)
        }
        Kind::Fine => format!("{}.{:06}", pick(90, 4), pick(1_000_000, 12)),
        Kind::IsoDate => format!("{year}-{month:02}-{day:02}"),
        Kind::DayFirst => format!("{day:02}.{month:02}.{year}"),
        Kind::MonthFirst => format!("{month}/{day}/{year}"),
        Kind::Stamp => {
            format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", pick(24, 20), pick(60, 26), pick(60, 33))
        }
        Kind::Clock => format!("{:02}:{:02}", pick(24, 20), pick(60, 26)),
        Kind::Word => words[usize::try_from(pick(8, 3)).unwrap()].to_owned(),
        Kind::Prose => {
            let parts =
                ["a word, and more", "say \"yes\"", "two\nlines", "x; y", "a | b", "tab\there", "plain", "¿qué?"];
            let at = |shift| parts[usize::try_from(pick(8, shift)).unwrap()];
            format!("{} {}", at(3), at(9))
        }
        Kind::Padded => format!("{:06}", pick(100_000, 3)),
        Kind::Email => format!("u{}@mail{}.example", pick(1000, 3), pick(9, 14)),
        Kind::List => match pick(3, 2) {
            0 => "[]".to_owned(),
            1 => "['one']".to_owned(),
            _ => "['one, two', \"it's\"]".to_owned(),
        },
    }
}

#[derive(Debug, Clone)]
struct Dialect {
    delimiter: char,
    line_end: &'static str,
    always_quoted: bool,
    header: bool,
    last_line_end: bool,
    byte_order_mark: bool,
}

fn dialect() -> impl Strategy<Value = Dialect> {
    let delimiter = prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')];
    let line_end = prop_oneof![Just("\n"), Just("\r\n")];
    (delimiter, line_end, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(delimiter, line_end, always_quoted, header, last_line_end, byte_order_mark)| Dialect {
            delimiter,
            line_end,
            always_quoted,
            header,
            last_line_end,
            byte_order_mark,
        },
    )
}

fn write(table: &[Vec<String>], dialect: &Dialect) -> String {
    let field = |text: &String| {
        let special = |c: char| c == dialect.delimiter || c == '"' || c == '\n' || c == '\r';
        if dialect.always_quoted || text.contains(special) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.clone()
        }
    };
    let records: Vec<String> = table
        .iter()
        .map(|record| record.iter().map(field).collect::<Vec<_>>().join(&dialect.delimiter.to_string()))
        .collect();
    let mut text = records.join(dialect.line_end);
    if dialect.last_line_end {
        text.push_str(dialect.line_end);
    }
    if dialect.byte_order_mark { format!("\u{feff}{text}") } else { text }
}

/// Without a sign for plus, and without zeros that mean nothing.
fn plain_number(text: &str) -> String {
    let text = text.strip_prefix('+').unwrap_or(text);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn columns() -> impl Strategy<Value = Vec<Kind>> {
    prop::collection::vec(prop::sample::select(KINDS.to_vec()), 2..7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_proposal_loads_every_record_with_its_values(
        kinds in columns(),
        seeds in prop::collection::vec(any::<u64>(), 4..60),
        dialect in dialect(),
    ) {
        // Without a header, something has to tell the first record from one.
        let telling = |kind: &Kind| !matches!(kind, Kind::Word | Kind::Prose | Kind::Bool | Kind::List);
        let dialect = Dialect { header: dialect.header || !kinds.iter().any(telling), ..dialect };
        let mix = |seed: u64, column: usize| seed.rotate_left(u32::try_from(column * 11 % 64).unwrap()) ^ (column as u64);
        let rows: Vec<Vec<String>> = seeds
            .iter()
            .map(|seed| kinds.iter().enumerate().map(|(at, kind)| value(*kind, mix(*seed, at))).collect())
            .collect();
        let header = (0..kinds.len()).map(|at| format!("field {at}")).collect();
        let table: Vec<Vec<String>> = if dialect.header { [vec![header], rows.clone()].concat() } else { rows.clone() };
        let text = write(&table, &dialect);
        let proposal = sniff(&text);
        let (loaded, _) = load(&proposal, text.as_bytes());
        prop_assert!(loaded.rejects.is_empty(), "{:?}\n{}\n{text}", loaded.rejects, proposal.source);
        prop_assert_eq!(loaded.rows.len(), rows.len(), "{}\n{}", proposal.source, text);
        for (row, loaded) in rows.iter().zip(&loaded.rows) {
            for (at, kind) in kinds.iter().enumerate() {
                let (written, read) = (&row[at], &loaded[at]);
                match kind {
                    Kind::Word | Kind::Prose | Kind::Padded | Kind::Email | Kind::Bool | Kind::IsoDate => {
                        prop_assert_eq!(written, read, "{}\n{}", proposal.source, text);
                    }
                    Kind::Int | Kind::Money | Kind::Fine => {
                        prop_assert_eq!(plain_number(written), plain_number(read), "{}\n{}", proposal.source, text);
                    }
                    Kind::DayFirst => {
                        let parts: Vec<&str> = written.split('.').collect();
                        prop_assert_eq!(format!("{}-{}-{}", parts[2], parts[1], parts[0]), read.clone());
                    }
                    Kind::MonthFirst | Kind::Stamp | Kind::Clock | Kind::List => {}
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_it_fail_otherwise_than_by_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let input = crate::common::input("x.csv", &bytes);
        if let Ok(proposal) = stillhouse_sniff::propose(&[input], &stillhouse_sniff::Options::default()) {
            prop_assert!(!proposal.columns.is_empty());
        }
    }

    #[test]
    fn no_text_of_marks_makes_it_fail(text in "[a-c1-9,;|\"'\\\\\n\r/:.{}$ -]{0,200}") {
        let input = crate::common::input("x.csv", &text);
        if let Ok(proposal) = stillhouse_sniff::propose(&[input], &stillhouse_sniff::Options::default()) {
            prop_assert!(!proposal.columns.is_empty());
        }
    }
}
