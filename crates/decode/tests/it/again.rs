//! Refused records, read again without the object that they came from.

use stillhouse_decode::Again;
use stillhouse_spec::{ColumnsBy, EscapeStyle, HeaderStyle, QuoteStyle};

use crate::common::{Case, Got};

/// Decodes under `before`, then what was refused under `after`. The record numbers are those of the list of rejects.
fn again(before: &Case, after: &Case, bytes: &str) -> (Got, Vec<usize>) {
    let first = before.run(bytes).unwrap();
    let raw: Vec<Vec<u8>> = first.rejects.iter().map(|reject| reject.raw.clone().unwrap()).collect();
    let again = Again::new(&first.outcome.reading, &after.format, &after.contract, raw.iter().map(Vec::as_slice));
    let case = after.clone().with(|case| {
        case.format = again.format.clone();
        case.contract = again.contract.clone();
    });
    (case.run(&again.bytes).unwrap(), again.records)
}

#[test]
fn a_mended_format_takes_in_what_the_first_one_refused() {
    let before = Case::new("id string; day date fmt=%Y-%m-%d");
    let after = Case::new("id string; day date fmt=%Y-%m-%d|%d.%m.%Y");
    let text = "id;day\na;2021-04-01\nb;30.04.2021\nc;2021-04-02\nd;never\ne;01.05.2021\n";
    let (got, records) = again(&before, &after, text);
    assert_eq!(records, [0, 1, 2]);
    assert_eq!(got.rows(), "b,2021-04-30\ne,2021-05-01");
    assert_eq!(got.tables[0][1].last().unwrap(), "2", "the place in the list of refused records");
    assert_eq!(got.rejects.len(), 1);
    assert_eq!(got.rejects[0].place.record, 1);
}

#[test]
fn two_formats_that_fit_the_refused_records_alone_hold_them() {
    let before = Case::new("id string; day date fmt=%Y-%m-%d");
    let after = Case::new("id string; day date fmt=%Y-%m-%d|%d/%m/%Y|%m/%d/%Y");
    let first = before.run("id,day\na,2021-04-01\nb,03/04/2021\n").unwrap();
    let raw = first.rejects[0].raw.clone().unwrap();
    let again = Again::new(&first.outcome.reading, &after.format, &after.contract, [raw.as_slice()]);
    let case = after.with(|case| (case.format, case.contract) = (again.format.clone(), again.contract.clone()));
    assert!(case.held(&again.bytes).contains("on equally many rows"));
}

#[test]
fn a_quote_that_never_closes_does_not_swallow_its_neighbours() {
    let case = Case::new("a string; b int64").with(|case| case.csv().quote = Some(QuoteStyle::Byte(b'"')));
    let (got, records) = again(&case, &Case::new("a string; b string"), "a,b\nx,one\ny,\"two\nz,\"th\"ree\nu,four\n");
    assert_eq!(records, [0, 3]);
    assert_eq!(got.rows(), "x,one\nu,four");
}

#[test]
fn quotes_that_lose_their_meaning_make_the_line_a_record() {
    let before = Case::new("a string; b string").with(|case| case.csv().quote = Some(QuoteStyle::Byte(b'"')));
    let after = Case::new("a string; b string").with(|case| case.csv().quote = Some(QuoteStyle::None));
    let (got, records) = again(&before, &after, "a,b\nx,1\ny,\"two\n");
    assert_eq!((records, got.rows()), (vec![0], "y,\"two".to_owned()));
}

#[test]
fn fields_are_found_as_they_were_found_before() {
    // Without a header the columns were matched by their values, which refused records do not show.
    let by_fit = |columns: &str| Case::new(columns).with(|case| case.contract.columns_by = ColumnsBy::Fit);
    let before =
        by_fit("amount int64; day date fmt=%Y-%m-%d").with(|case| case.csv().header = Some(HeaderStyle::Absent));
    let text = "2021-04-01,5\n2021-04-02,6\n2021-04-03,x7\n";
    let (got, _) = again(&before, &by_fit("amount string; day date fmt=%Y-%m-%d"), text);
    assert_eq!(got.rows(), "x7,2021-04-03");

    // A column that was renamed is found by what the header says; one that is new, too.
    let before = Case::new("id string; amount int64").with(|case| {
        case.contract.unknown_columns = stillhouse_spec::UnknownColumns::Ignore;
    });
    let after = Case::new("number string alias=id; amount string; note string");
    let (got, _) = again(&before, &after, "id,amount,note\na,x,\"so, so\"\n");
    assert_eq!(got.rows(), "a,x,so, so");
}

#[test]
fn names_with_delimiters_and_quotes_are_written_as_the_dialect_wants() {
    for escape in [EscapeStyle::Doubled, EscapeStyle::Backslash] {
        let case = Case::new("a int64; b string").with(|case| {
            case.csv().escape = Some(escape);
            case.csv().quote = Some(QuoteStyle::Byte(b'"'));
            case.contract.columns_by = ColumnsBy::Position;
        });
        let quoted = if escape == EscapeStyle::Doubled { "\"say \"\"a,b\"\"\"" } else { "\"say \\\"a,b\\\"\"" };
        let (got, _) = again(&case, &Case::new("a string; b string"), &format!("{quoted},b\nx,y\n"));
        assert_eq!(got.rows(), "x,y");
    }
}
