//! Objects that are made of several files.

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use insta::assert_snapshot;
use proptest::prelude::*;
use stillhouse_decode::{PartFiles, SharedSource, SourceError, Threads, decode_parts};
use stillhouse_spec::{HeaderStyle, MaxRejected};

use crate::common::{Case, Collect, Got};
use crate::parquet::{array, file, parquet, table};
use crate::shared::{SharedPieces, promised, run_parts};

/// Parts with their names.
struct Files(Vec<(&'static str, Vec<u8>)>);

impl PartFiles for Files {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn name(&self, part: usize) -> &str {
        self.0[part].0
    }

    fn open(&self, part: usize) -> Result<Arc<dyn SharedSource + '_>, SourceError> {
        Ok(Arc::new(SharedPieces { bytes: &self.0[part].1, piece: 7 }))
    }
}

const NAMES: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];

fn files(parts: &[&str]) -> Files {
    Files(NAMES.into_iter().zip(parts.iter().map(|part| part.as_bytes().to_vec())).collect())
}

/// What one thread makes of them; several come to the same.
fn run(case: &Case, files: &Files) -> Result<Got, stillhouse_decode::Error> {
    let mut sink = Collect::default();
    let got = decode_parts(files, &case.request(), &mut sink).map(|outcome| sink.got(outcome, case.others()));
    let got = promised(got);
    for region_bytes in [1, 20, 1 << 20] {
        assert_eq!(promised(run_parts(case, files, Threads { count: 2, region_bytes })), got, "{region_bytes} bytes");
    }
    let mut sink = Collect::default();
    decode_parts(files, &case.request(), &mut sink).map(|outcome| sink.got(outcome, case.others()))
}

/// Rows with their numbers, and the refused records with their parts.
fn told(case: &Case, parts: &[&str]) -> String {
    match run(case, &files(parts)) {
        Ok(got) => {
            let refused = got.rejects.iter().map(|reject| {
                let place = &reject.place;
                format!("{} {} offset {}: {}", place.record, place.words(), place.offset, place.reason)
            });
            let counts = got.outcome.counts;
            let warnings = got.outcome.warnings.iter().map(|warning| format!("warning: {warning}"));
            let lines = got.table(0).lines().map(str::to_owned).collect::<Vec<_>>().into_iter();
            let lines: Vec<String> = lines.chain(refused).chain(warnings).collect();
            format!("{}\n{} read, {} blank", lines.join("\n"), counts.read, counts.blank)
        }
        Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or("none")),
    }
}

#[test]
fn each_part_has_the_header_and_no_record_goes_on_in_the_next() {
    let case = Case::new("a int64; b string");
    assert_snapshot!(told(&case, &["a,b\n1,x\n2,y", "\u{feff}a,b\r\n3,z\r\n", "a,b\n", "a,b\n\n4,w"]), @r"
    1,x,0
    2,y,1
    3,z,2
    4,w,4
    5 read, 1 blank
    ");
    // A quote that is never closed costs one line of its part.
    assert_snapshot!(told(&case, &["a,b\n1,\"x\n2,y\n", "a,b\n3,z\n4,\"w\"\n", "a,b\n5,\"v"]), @r#"
    2,y,1
    3,z,2
    4,w,3
    0 p0 line 2 offset 4: unterminated_quote
    4 p2 line 2 offset 4: unterminated_quote
    5 read, 0 blank
    "#);
}

#[test]
fn blank_parts_have_no_records_wherever_they_stand() {
    let case = Case::new("a int64; b string");
    assert_snapshot!(told(&case, &["", "\n \n", "a,b\n1,x\n", "", "a,b\n2,y\n", "\u{feff}"]), @r"
    1,x,2
    2,y,3
    4 read, 2 blank
    ");
    assert_snapshot!(told(&case, &["", "\n"]), @r"
    part `p1`: the object is empty: expected a header or records, found 1 bytes and no record
    hint: send the file again; a header alone would be a file of zero rows
    ");
}

#[test]
fn another_header_holds_the_object_and_names_the_part() {
    let case = Case::new("a int64; b string");
    assert_snapshot!(told(&case, &["a,b\n1,x\n", "b,a\nx,1\n"]), @r"
    part `p1`: line 1: expected the header of the parts before, `a`, `b`, found `b`, `a`
    hint: write all parts of the folder with the same header, or put files that are no parts of it elsewhere
    ");
    assert_snapshot!(told(&case, &["a,b\n1,x\n", "\n2,y\n"]), @r"
    part `p1`: line 2: expected the header of the parts before, `a`, `b`, found `2`, `y`
    hint: write all parts of the folder with the same header, or put files that are no parts of it elsewhere
    ");
    assert_snapshot!(told(&case, &["a,c\n1,x\n", "a,b\n1,x\n"]), @r#"
    part `p0`: no field for column `b`: expected `a`, `b`, found the header `a`, `c`
    hint: add the name in the file as an alias of the column, or set `missing_columns = "null"` in the source file
    "#);
    // Without a header all lines are records.
    assert_snapshot!(told(&case, &["1,x\n", "2,y\n"]), @r"
    1,x,0
    2,y,1
    2 read, 0 blank
    ");
}

#[test]
fn formats_are_judged_over_all_parts() {
    let case = Case::new("day date fmt=%m/%d/%Y|%d/%m/%Y");
    assert_snapshot!(told(&case, &["day\n1/2/2024\n3/4/2024\n", "day\n5/6/2024\n", "day\n25/12/2024\n"]), @r"
    2024-02-01,0
    2024-04-03,1
    2024-06-05,2
    2024-12-25,3
    4 read, 0 blank
    ");
    assert_snapshot!(told(&case, &["day\n1/1/2024\n", "day\n2/2/2024\n3/4/2024\n"]), @r"
    column `day`: dates fit `%m/%d/%Y` and `%d/%m/%Y` on equally many rows (p1 line 3: 3/4/2024 is 2024-03-04 as %m/%d/%Y or 2024-04-03 as %d/%m/%Y)
    hint: leave only the right one in the formats of column `day` in the source file
    ");
}

#[test]
fn refused_records_are_counted_over_all_parts_and_named_with_theirs() {
    let allowed =
        |count| Case::new("a int64; b string").with(|case| case.contract.max_rejected = MaxRejected::Count(count));
    assert_snapshot!(told(&allowed(1), &["a,b\n1,x\n2,y\n", "a,b\n3,z\nx,w\n", "a,b\n4\n"]), @r"
    2 of 5 records were refused, at most 1 may be (p1 line 3, column `a`: expected int64, found `x`; p2 line 2: expected 2 fields, found 1 field)
    hint: correct the file, or raise `max_rejected` in the source file
    ");
    assert_snapshot!(told(&allowed(2), &["a,b\n1,x\n2,y\n", "a,b\n3,z\nx,w\n", "a,b\n4\n"]), @r"
    1,x,0
    2,y,1
    3,z,2
    3 p1 line 3 offset 8: unreadable_int64
    4 p2 line 2 offset 4: field_count
    5 read, 0 blank
    ");
}

#[test]
fn each_part_of_json_has_a_layout_of_its_own() {
    let case = Case::of_source("json", "[table]\nname = 't'\nmax_rejected = '50%'\n[table.columns]\na = 'int64'\n");
    assert_snapshot!(told(&case, &["{\"a\":1}\n{\"a\":2}", "", "[{\"a\":3},\n{\"a\":\"x\"}]", "{\n\"a\": 4\n}\n{\"a\":5}"]), @r#"
    1,0
    2,1
    3,2
    4,4
    5,5
    3 p2 line 2 offset 10: unreadable_int64
    6 read, 0 blank
    "#);
    assert_snapshot!(told(&case, &["{\"a\":1}\n", "[{\"a\":3}"]), @r"
    part `p1`: expected `]`, the end of the array, found the end of the file at byte 8
    hint: the file seems to be cut off; send it again
    ");
}

fn parquet_files(parts: Vec<Vec<u8>>) -> Files {
    Files(NAMES.into_iter().zip(parts).collect())
}

#[test]
fn row_groups_of_all_parts_are_read_and_columns_found_in_each() {
    let texts = |texts: &[&str]| array(texts.iter().map(|text| Some(*text)).collect::<StringArray>());
    let numbers = |from: i64, to: i64| array((from..to).collect::<Int64Array>());
    let case = table("a = 'int64'\nb = 'int64'\n");
    let parts = parquet_files(vec![
        file(vec![("a", numbers(0, 5)), ("b", texts(&["0", "1", "2", "3", "4"]))], 2),
        file(vec![("b", texts(&["5", "x", "7"])), ("a", numbers(5, 8))], 2),
        file(vec![("a", numbers(8, 9)), ("b", numbers(8, 9))], 2),
    ]);
    let got = run(&case, &parts).unwrap();
    assert_eq!(got.table(0), "0,0,0\n1,1,1\n2,2,2\n3,3,3\n4,4,4\n5,5,5\n7,7,7\n8,8,8");
    let reject = &got.rejects[0];
    assert_eq!((reject.place.record, reject.place.words()), (6, "p1 line 2".to_owned()));
    assert_eq!(reject.raw.as_deref(), Some(&br#"{"b":"x","a":6}"#[..]));
}

#[test]
fn a_part_without_a_column_goes_by_the_policy() {
    let numbers = |from: i64, to: i64| array((from..to).collect::<Int64Array>());
    let parts = || {
        parquet_files(vec![
            file(vec![("a", numbers(0, 2)), ("b", numbers(0, 2))], 9),
            file(vec![("a", numbers(2, 4))], 9),
        ])
    };
    let error = run(&table("a = 'int64'\nb = 'int64'\n"), &parts()).unwrap_err();
    assert_snapshot!(error.to_string(), @"part `p1`: no field for column `b`: found the columns `a`");
    assert!(error.is_held());
    let case = parquet("[table]\nname = 't'\nmissing_columns = 'null'\n[table.columns]\na = 'int64'\nb = 'int64'\n");
    assert_eq!(run(&case, &parts()).unwrap().table(0), "0,0,0\n1,1,1\n2,∅,2\n3,∅,3");
    // What only a later part has is told with its name.
    let case = parquet(
        "[table]\nname = 't'\nunknown_columns = 'ignore'\nmissing_columns = 'null'\n[table.columns]\na = 'int64'\n",
    );
    let parts = parquet_files(vec![
        file(vec![("a", numbers(0, 1))], 9),
        file(vec![("a", numbers(1, 2)), ("c", numbers(1, 2))], 9),
    ]);
    let got = run(&case, &parts).unwrap();
    assert_eq!(got.outcome.warnings, ["part `p1`: columns that the contract does not know are left out: `c`"]);
    let broken = parquet_files(vec![file(vec![("a", numbers(0, 1))], 9), Vec::new()]);
    let error = run(&case, &broken).unwrap_err();
    assert!(error.is_held() && error.to_string().starts_with("part `p1`: expected a Parquet file"), "{error}");
}

/// Whole lines, some of them not as the contract wants them.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line =
        prop::sample::select(vec!["1,a\n", "2,\"b, c\"\n", "x,d\n", "\n", "3,\"two\nlines\"\n", "4\n", "5,é\r\n"]);
    prop::collection::vec(line.prop_map(str::to_owned), 0..30)
}

proptest! {
    /// Wherever whole lines are cut into parts, rows, numbers and reasons are those of one file.
    #[test]
    fn parts_come_to_the_same_as_one_file(lines in lines(), cuts in prop::collection::vec(0_usize..30, 0..5)) {
        let case = Case::new("a int64; b string").with(|case| {
            case.contract.max_rejected = MaxRejected::Count(99);
            case.csv().header = Some(HeaderStyle::Present);
        });
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(lines.len())).chain([lines.len()]).collect();
        ends.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for end in ends {
            parts.push(format!("a,b\n{}", lines[from..end].concat()));
            from = end;
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let whole = case.run(format!("a,b\n{}", lines.concat())).unwrap();
        let got = run(&case, &files(&parts)).unwrap();
        prop_assert_eq!(&got.outcome.counts, &whole.outcome.counts);
        prop_assert_eq!(&got.tables, &whole.tables);
        let of = |got: &Got| got.rejects.iter().map(|r| (r.place.record, r.place.reason.clone(), r.raw.clone())).collect::<Vec<_>>();
        prop_assert_eq!(of(&got), of(&whole));
    }
}
