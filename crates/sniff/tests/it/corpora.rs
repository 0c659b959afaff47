//! Files that others wrote.

use serde_json::Value;
use stillhouse_testkit::{Movements, account_movements, shared_data};

use crate::common::{load, sniff};

/// Decimal text as a number of millionths.
fn millionths(text: &str) -> i128 {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let value: i128 = format!("{whole}{fraction:0<6}").parse().unwrap();
    if negative { -value } else { value }
}

#[test]
fn account_movements_add_up() {
    for Movements { path, facts } in account_movements() {
        let bytes = std::fs::read(&path).unwrap();
        let proposal = sniff(&bytes);
        let (loaded, outcome) = load(&proposal, &bytes);
        let context = format!("{}\n{}", path.display(), proposal.source);
        assert_eq!(outcome.counts.loaded, facts["accepted"].as_u64().unwrap(), "{context}");
        let refused: Vec<u64> =
            facts["rejected"].as_array().unwrap().iter().map(|reject| reject["line"].as_u64().unwrap()).collect();
        assert_eq!(loaded.rejects.iter().map(|(line, _)| *line).collect::<Vec<_>>(), refused, "{context}");
        let of = |start: &str| {
            proposal
                .columns
                .iter()
                .position(|column| column.data_type.starts_with(start))
                .unwrap_or_else(|| panic!("{context}"))
        };
        let (amount, date) = (of("decimal"), of("date"));
        let total: i128 = loaded.rows.iter().map(|row| millionths(&row[amount])).sum();
        assert_eq!(total, millionths(facts["total_balance"].as_str().unwrap()), "{context}");
        for (month, of_month) in facts["months"].as_object().unwrap() {
            let rows = loaded.rows.iter().filter(|row| row[date][..7].ends_with(month.as_str()));
            assert_eq!(rows.count() as u64, of_month["count"].as_u64().unwrap(), "{month} {context}");
        }
    }
}

#[test]
fn texts_with_quotes_escaped_by_a_backslash_are_read_so() {
    let folder = shared_data("paramount").join("comment_text_generated");
    for (file, escape) in [("part-00000-rfc4180.csv", false), ("part-00001-backslash.csv", true)] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let proposal = sniff(&bytes);
        assert_eq!(proposal.source.contains("escape = \"backslash\""), escape, "{}", proposal.source);
        let (loaded, _) = load(&proposal, &bytes);
        assert_eq!((loaded.rows.len(), loaded.rejects.len()), (5424, 0), "{}", proposal.source);
    }
}

#[test]
fn small_puzzles_of_quotes_and_line_ends_load_whole() {
    let folder = shared_data("csv-spectrum").join("csvs");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let json = path.parent().unwrap().with_file_name("json").join(path.file_stem().unwrap()).with_extension("json");
        let expected: Vec<Value> = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        let proposal = sniff(&bytes);
        let (loaded, _) = load(&proposal, &bytes);
        assert_eq!(
            (loaded.rows.len(), loaded.rejects.len()),
            (expected.len(), 0),
            "{}\n{}",
            path.display(),
            proposal.source
        );
        files += 1;
    }
    assert_eq!(files, 11);
}
