//! Properties over random tables and random bytes.

use proptest::prelude::*;
use stillhouse_spec::{EscapeStyle, HeaderStyle, QuoteStyle};

use crate::common::{Case, Pieces};
use crate::reference::{self, Kind, Rules};

/// How a table is written down.
#[derive(Debug, Clone, Copy)]
struct Writing {
    delimiter: u8,
    quote: u8,
    backslash: bool,
    end: &'static str,
    last_end: bool,
    mark: bool,
    /// Fields that need no quotes get them too.
    quote_all: bool,
}

fn writing() -> impl Strategy<Value = Writing> {
    let delimiter = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let quote = prop::sample::select(vec![b'"', b'\'']);
    (delimiter, quote, any::<bool>(), end, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(delimiter, quote, backslash, end, last_end, mark, quote_all)| Writing {
            delimiter,
            quote,
            backslash,
            end,
            last_end,
            mark,
            quote_all,
        },
    )
}

impl Writing {
    fn field(&self, text: &str) -> String {
        let quote = char::from(self.quote);
        let special = [quote, char::from(self.delimiter), '\n', '\r'];
        let blank = text.chars().all(|c| c == ' ' || c == '\t');
        if !self.quote_all && !blank && !text.contains(special) {
            return text.to_owned();
        }
        let escaped = if self.backslash {
            text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"))
        } else {
            text.replace(quote, &format!("{quote}{quote}"))
        };
        format!("{quote}{escaped}{quote}")
    }

    fn table(&self, rows: &[Vec<String>]) -> String {
        let delimiter = char::from(self.delimiter).to_string();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| row.iter().map(|text| self.field(text)).collect::<Vec<_>>().join(&delimiter))
            .collect();
        let mark = if self.mark { "\u{feff}" } else { "" };
        format!("{mark}{}{}", lines.join(self.end), if self.last_end { self.end } else { "" })
    }

    fn set(&self, case: &mut Case) {
        case.csv().delimiter = Some(self.delimiter);
        case.csv().quote = Some(QuoteStyle::Byte(self.quote));
        case.csv().escape = Some(if self.backslash { EscapeStyle::Backslash } else { EscapeStyle::Doubled });
    }
}

/// Texts with everything that could be mistaken for structure.
fn text() -> impl Strategy<Value = String> {
    let piece =
        prop::sample::select(vec!["a", "b c", ",", ";", "\t", "|", "\"", "'", "\\", "\n", "\r", "\0", "é", "😀", " "]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_table_written_in_any_dialect_comes_back(
        writing in writing(),
        rows in (1usize..5).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(text(), width), 0..8)),
        piece in 1usize..40,
    ) {
        let width = rows.first().map_or(2, Vec::len);
        let names: Vec<String> = (0..width).map(|column| format!("c{column}")).collect();
        let columns: Vec<String> = names.iter().map(|name| format!("{name} string")).collect();
        let case = Case::new(&columns.join("; ")).with(|case| writing.set(case));
        let mut all = vec![names];
        all.extend(rows.iter().cloned());
        let bytes = writing.table(&all);
        let got = case.run_source(&mut Pieces { bytes: bytes.as_bytes(), piece, read: 0 }).unwrap();
        let found: Vec<Vec<String>> = got.tables[0].iter().map(|row| row[..width].to_vec()).collect();
        prop_assert_eq!(found, rows);
        prop_assert_eq!(got.rejects.len(), 0);
    }

    #[test]
    fn a_plain_table_is_detected(
        writing in writing(),
        rows in prop::collection::vec((any::<i64>(), -999_999_999i64..999_999_999, 0i32..3_000_000, "[a-z ,;|]{0,8}[a-z]"), 1..8),
    ) {
        let mut table = vec![["id", "amount", "day", "note"].map(str::to_owned).to_vec()];
        let mut expected = Vec::new();
        for (id, cents, day, note) in &rows {
            let sign = if *cents < 0 { "-" } else { "" };
            let amount = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
            let day = (jiff::civil::date(1, 1, 1) + jiff::Span::new().days(*day)).to_string();
            let row = vec![id.to_string(), amount, day, note.clone()];
            expected.push(row.join(","));
            table.push(row);
        }
        let writing = Writing { quote: b'"', backslash: false, ..writing };
        let case = Case::new("id int64; amount decimal(12,2); day date; note string");
        prop_assert_eq!(case.rows(writing.table(&table)), expected.join("\n"));
    }

    #[test]
    fn any_bytes_are_accounted_for(bytes in any_bytes(), limit in 1u64..60) {
        for contract in ["a string; b string", "a int64; b string", "a string", "a date fmt=%m/%d|%d/%m; b list<string>"] {
            let case = Case::new(contract).with(|case| case.max_record_bytes = limit);
            let Ok(got) = case.run(&bytes) else { continue };
            check_rejects(&bytes, &got, limit)?;
        }
    }

    #[test]
    fn records_are_those_of_the_simple_reader(bytes in any_bytes(), backslash: bool, limit in 1u64..60, piece in 1usize..20) {
        let case = Case::new("a string; b string").with(|case| {
            case.csv().header = Some(HeaderStyle::Absent);
            case.csv().delimiter = Some(b',');
            case.csv().quote = Some(QuoteStyle::Byte(b'"'));
            case.csv().escape = Some(if backslash { EscapeStyle::Backslash } else { EscapeStyle::Doubled });
            case.max_record_bytes = limit;
            case.contract.unknown_columns = stillhouse_spec::UnknownColumns::Ignore;
            case.contract.missing_columns = stillhouse_spec::MissingColumns::Null;
        });
        let Ok(got) = case.run(&bytes) else { return Ok(()) };
        // Without such a reject all records have the same width, whichever it is.
        let ragged = got.rejects.iter().find(|reject| reject.place.reason == "field_count");
        let width = ragged.map(|reject| reject.place.expected.split(' ').next().unwrap().parse().unwrap());
        let (delimiter, quote) = (b',', Some(b'"'));
        let expected = reference::read(
            &bytes,
            Rules { delimiter, quote, backslash, comment: None, skip_lines: 0, header: false, limit, width },
        );
        let found: Vec<_> =
            got.rejects.iter().map(|r| (r.place.offset, r.place.bytes, r.place.reason.clone())).collect();
        let refused = expected.iter().filter_map(|part| match part.kind {
            Kind::Refused(reason) => Some((part.offset as u64, part.bytes(), reason.to_owned())),
            _ => None,
        });
        prop_assert_eq!(&found, &refused.collect::<Vec<_>>());
        let count = |is: fn(&Kind) -> bool| expected.iter().filter(|part| is(&part.kind)).count() as u64;
        prop_assert_eq!(got.outcome.counts.blank, count(|kind| *kind == Kind::Blank));
        prop_assert_eq!(got.outcome.counts.loaded, count(|kind| matches!(kind, Kind::Record(_))));
        let parts = case.run_source(&mut Pieces { bytes: &bytes, piece, read: 0 }).unwrap();
        prop_assert_eq!(parts.tables, got.tables);
        prop_assert_eq!(parts.rejects, got.rejects);
    }
}

/// Bytes that are mostly structure.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => prop::sample::select(b"\"\"\",,\n\n\r\\ab1/".to_vec()),
        1 => prop::sample::select(b"';\t| []{}:\0".to_vec()),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..200)
}

fn check_rejects(bytes: &[u8], got: &crate::common::Got, limit: u64) -> Result<(), TestCaseError> {
    let mut behind = 0;
    for reject in &got.rejects {
        let place = &reject.place;
        prop_assert!(place.offset >= behind, "rejects come in order and do not overlap");
        behind = place.offset + place.bytes;
        let range = usize::try_from(place.offset).unwrap()..usize::try_from(behind).unwrap();
        prop_assert_eq!(reject.raw.is_none(), place.bytes > limit);
        if let Some(raw) = &reject.raw {
            prop_assert_eq!(raw.as_slice(), &bytes[range]);
        }
        let before = &bytes[..usize::try_from(place.offset).unwrap()];
        let returns = before.iter().filter(|byte| **byte == b'\r').count();
        let feeds =
            (0..before.len()).filter(|at| before[*at] == b'\n' && (*at == 0 || before[at - 1] != b'\r')).count();
        prop_assert_eq!(place.line, (returns + feeds + 1) as u64);
    }
    Ok(())
}
