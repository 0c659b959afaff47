//! Which field becomes which column.

use stillhouse_decode::schemas;
use stillhouse_spec::{ColumnsBy, MissingColumns, UnknownColumns};

use crate::common::Case;

fn movements() -> Case {
    Case::new("id string; day date fmt=iso8601|%m/%d|%Y/%m/%d; amount decimal(18,2) alias=transaction")
        .with(|case| case.contract.columns_by = ColumnsBy::Fit)
}

#[test]
fn names_are_found_in_any_order() {
    let case = Case::new("a string; b string alias=second|zwei");
    assert_eq!(case.rows("zwei,A\nx,y\n"), "y,x");
}

#[test]
fn an_unknown_column_is_held_or_left_out() {
    let case = Case::new("a string; b string");
    assert_eq!(
        case.held("a,b,extra\n1,2,3\n"),
        "no column for `extra`: expected `a`, `b`, found the header `a`, `b`, `extra`\n\
         hint: add the column or an alias to the source file, or set `unknown_columns` to \"add\", \"json\" or \"ignore\""
    );
    let got = case.with(|case| case.contract.unknown_columns = UnknownColumns::Ignore).run("a,x,b\n1,2,3\n").unwrap();
    assert_eq!(got.rows(), "1,3");
    assert_eq!(got.outcome.warnings, ["columns that the contract does not know are left out: `x`"]);
}

#[test]
fn a_missing_column_is_held_or_null() {
    let case = Case::new("a string; b string; c string required");
    assert_eq!(
        case.held("a,c\n1,2\n"),
        "no field for column `b`: expected `a`, `b`, `c`, found the header `a`, `c`\n\
         hint: add the name in the file as an alias of the column, or set `missing_columns = \"null\"` in the source file"
    );
    let case = case.with(|case| case.contract.missing_columns = MissingColumns::Null);
    assert_eq!(case.rows("a,c\n1,2\n"), "1,∅,2");
    assert!(case.held("a,b\n1,2\n").starts_with("no field for column `c`"));
}

#[test]
fn a_repeated_name_is_taken_once_with_a_warning() {
    let got = Case::new("a string; b string").run("a,b,A\n1,2,3\n").unwrap();
    assert_eq!(got.rows(), "1,2");
    assert_eq!(got.outcome.warnings, ["header name `A` repeats in field 3; the values of field 1 are taken"]);
}

#[test]
fn by_position_the_header_is_passed_over() {
    let case = Case::new("a string; n int64").with(|case| case.contract.columns_by = ColumnsBy::Position);
    assert_eq!(case.rows("Name,Number\nx,1\n"), "x,1");
    assert!(case.held("Name,Number,More\nx,1,2\n").starts_with("no column for `More`"));
}

#[test]
fn without_a_header_fields_come_in_order() {
    let case = Case::new("id int64; n int64");
    assert_eq!(case.rows("1,2\n3,4\n"), "1,2\n3,4");
    assert!(case.held("1,2,3\n4,5,6\n").starts_with("no column for field 3"));
    assert!(case.held("1\n2\n").starts_with("no field for column `n`"));
}

#[test]
fn fit_finds_a_column_by_its_values() {
    let got = movements().run("id, day, ammount\n1,2023/01/02,+55.23\n2,2023/01/02,-15.15\n").unwrap();
    assert_eq!(got.rows(), "1,2023-01-02,55.23\n2,2023-01-02,-15.15");
    assert_eq!(got.decided("columns"), "by name and fit (detected)");
    assert_eq!(got.decided("column amount"), "field 3 `ammount` by fit (detected)");
    assert_eq!(got.decided("column day"), "nothing");
}

#[test]
fn fit_works_without_any_known_name_and_without_a_header() {
    let got = movements().run("txId;txDate;value\na-1;2024/07/26;+60.5\na-2;2024/07/30;-10.3\n").unwrap();
    assert_eq!(got.rows(), "a-1,2024-07-26,60.50\na-2,2024-07-30,-10.30");
    assert_eq!(got.decided("columns"), "by fit (detected)");
    let got = movements().run("1,2024-01-01,+75.56\n2,2024-01-02,-54.34\n").unwrap();
    assert_eq!(got.rows(), "1,2024-01-01,75.56\n2,2024-01-02,-54.34");
    assert_eq!(got.decided("header"), "absent (detected)");
}

#[test]
fn fit_finds_columns_out_of_order_where_only_one_field_fits() {
    let case = movements().with(|case| case.contract.unknown_columns = UnknownColumns::Ignore);
    let got = case.run("Fecha;Id;Texto;Importe\n2024-01-01;a1;rent;1.5\n2024-01-02;a2;food;2.5\n").unwrap();
    assert_eq!(got.rows(), "a1,2024-01-01,1.50\na2,2024-01-02,2.50");
}

#[test]
fn fit_does_not_guess_between_two_fields() {
    let case = movements().with(|case| case.contract.unknown_columns = UnknownColumns::Ignore);
    let held = case.held("id,day,debe,haber\n1,2024-01-01,5,6\n2,2024-01-02,7,8\n");
    assert!(held.starts_with("no field for column `amount`"), "{held}");
}

#[test]
fn values_come_from_the_path_too() {
    let case = Case::new("a string; year int64 path=yyyy; month int64 path=MM");
    let case =
        case.with(|case| case.path_values = [("yyyy", "2021"), ("MM", "04")].map(|(n, v)| (n.into(), v.into())).into());
    assert_eq!(case.rows("a\nx\ny\n"), "x,2021,4\ny,2021,4");
    let broken = case.clone().with(|case| _ = case.path_values.insert("MM".into(), "April".into()));
    assert_eq!(
        broken.held("a\nx\n"),
        "column `month`: expected int64, found `April` as `{MM}` of the path\n\
         hint: check `from` of column `month` and the `path` of the source file"
    );
    assert!(case.with(|case| _ = case.path_values.remove("MM")).held("a\nx\n").contains("found none"));
}

#[test]
fn schemas_are_those_of_the_batches() {
    let case = Case::new("id string; n decimal(5,2); tags list<string>").child("tags_of", "tags", "tag", &["id"]);
    let shown: Vec<_> = schemas(&case.contract)
        .iter()
        .map(|(name, schema)| {
            let fields = schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
            format!("{name}: {}", fields.collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "parent: id Utf8, n Decimal128(5, 2), tags List(Utf8, field: 'element'), _record Int64",
            "tags_of: id Utf8, tag Utf8, _record Int64, _item Int64"
        ]
    );
    let mut sink = crate::common::Collect::default();
    case.run_into(&mut b"id,n,tags\n1,2,['a']\n".as_slice(), &mut sink).unwrap();
    for (table, batch) in &sink.batches {
        assert_eq!(batch.schema(), schemas(&case.contract)[*table].1);
    }
    assert_eq!(sink.batches.len(), 2);
}

/// A message is one line of bearable length, whatever the header is.
#[test]
fn a_header_of_a_thousand_names_makes_a_short_message() {
    let names: Vec<String> = (0..1000).map(|name| format!("\"c\n{name}\"")).collect();
    let held = Case::new("c0 string").held(format!("\"c0\",{}\n1\n", names.join(",")));
    assert!(held.len() < 1500 && held.contains("`c\\n30`, … (969 more)"), "{held}");
    let ignored = Case::new("c0 string").with(|case| case.contract.unknown_columns = UnknownColumns::Ignore);
    let got = ignored.run(format!("c0{}\n1\n", ",".repeat(1000))).unwrap();
    assert_eq!(got.outcome.warnings.len(), 31);
    assert_eq!(got.outcome.warnings[30], "970 more warnings about the names in the header");
}
