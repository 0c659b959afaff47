use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array, Int32Array, Int64Array,
    ListBuilder, RecordBatch, StringArray, StringBuilder, StringViewArray, StructArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, i256};
use insta::assert_snapshot;
use proptest::prelude::*;
use stillhouse_report::render::{TerminalStyle, WideLines, csv, json, json_query, parquet, terminal, terminal_query};
use stillhouse_report::{Input, Provenance, QueryView, RunView};
use stillhouse_spec::{ColumnFormat, Completeness};

fn query(columns: Vec<(&str, ArrayRef)>, decimals: &[(&str, u8)]) -> QueryView {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    QueryView {
        name: "summary".to_owned(),
        title: "Summary".to_owned(),
        formats: decimals.iter().map(|(name, digits)| ((*name).to_owned(), format(*digits))).collect(),
        schema: batch.schema(),
        batches: vec![batch],
        chart: None,
    }
}

fn format(digits: u8) -> ColumnFormat {
    ColumnFormat { decimals: Some(digits) }
}

fn view(queries: Vec<QueryView>) -> RunView {
    RunView {
        report: "activity".to_owned(),
        title: "Monthly activity".to_owned(),
        period: "2021-04".to_owned(),
        completeness: Completeness::Partial,
        reasons: vec!["missing: data/2021/05/events.csv, which may hold rows of 2021-04-30".to_owned()],
        run_id: "r-1".to_owned(),
        reused: false,
        notes: vec!["data/2021/04/events.csv: 2 of 10 records refused (lines 8, 10)".to_owned()],
        inputs: vec![Input {
            source: "events".to_owned(),
            key: "data/2021/04/events.csv".to_owned(),
            member: String::new(),
            generation: 1,
            digest: "d".to_owned(),
            batch: "b".to_owned(),
            rows: 8,
        }],
        queries,
        provenance: Provenance::default(),
    }
}

fn money(values: Vec<Option<i128>>, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap())
}

/// One column of each kind, with a null in each.
fn everything() -> QueryView {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a\"b"), None]);
    tags.append_null();
    let point = StructArray::from(vec![(
        Arc::new(Field::new("x", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let big = Decimal256Array::from(vec![Some(i256::from_i128(-5)), None]).with_precision_and_scale(76, 3).unwrap();
    query(
        vec![
            ("text", Arc::new(StringArray::from(vec![Some("a,\"b\"\nc"), None]))),
            ("view", Arc::new(StringViewArray::from(vec![Some(""), None]))),
            ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
            ("small", Arc::new(Int32Array::from(vec![Some(-1), None]))),
            ("large", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
            ("float", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(0.1)]))),
            ("money", money(vec![Some(-5), None], 2)),
            ("big", Arc::new(big)),
            ("yes", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("day", Arc::new(Date32Array::from(vec![Some(-719_162), None]))),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from(vec![Some(1_617_235_200_000_001), None]).with_timezone("UTC")),
            ),
            ("local", Arc::new(TimestampNanosecondArray::from(vec![Some(-1), None]))),
            ("tags", Arc::new(tags.finish())),
            ("point", Arc::new(point)),
        ],
        &[],
    )
}

fn csv_text(query: &QueryView) -> String {
    let mut out = Vec::new();
    csv(query, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json_text(query: &QueryView) -> String {
    let mut out = Vec::new();
    json_query(query, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_type_as_json() {
    let value: serde_json::Value = serde_json::from_str(&json_text(&everything())).unwrap();
    assert_snapshot!(value["columns"], @r#"[{"name":"text","type":"string"},{"name":"view","type":"string"},{"name":"int","type":"int64"},{"name":"small","type":"int64"},{"name":"large","type":"uint64"},{"name":"float","type":"float64"},{"name":"money","type":"decimal(38,2)"},{"name":"big","type":"decimal(76,3)"},{"name":"yes","type":"bool"},{"name":"day","type":"date"},{"name":"time","type":"timestamp"},{"name":"local","type":"timestamp"},{"name":"tags","type":"list<string>"},{"name":"point","type":"struct(\"x\": int64)"}]"#);
    assert_snapshot!(value["rows"][0], @r#"["a,\"b\"\nc","",-9223372036854775808,-1,18446744073709551615,null,"-0.05","-0.005",true,"0001-01-01","2021-04-01T00:00:00.000001Z","1969-12-31T23:59:59.999999999",["a\"b",null],{"x":1}]"#);
    assert_snapshot!(value["rows"][1], @r#"[null,null,null,null,null,0.1,null,null,null,null,null,null,null,{"x":null}]"#);
}

#[test]
fn every_type_as_csv() {
    assert_snapshot!(csv_text(&everything()).replace("\r\n", "⏎\n"), @r#"
    text,view,int,small,large,float,money,big,yes,day,time,local,tags,point⏎
    "a,""b""
    c","",-9223372036854775808,-1,18446744073709551615,,-0.05,-0.005,true,0001-01-01,2021-04-01T00:00:00.000001Z,1969-12-31T23:59:59.999999999,"[""a\""b"",null]","{""x"":1}"⏎
    ,,,,,0.1,,,,,,,,"{""x"":null}"⏎
    "#);
}

#[test]
fn the_json_of_a_run() {
    let rows = query(
        vec![
            ("month", Arc::new(StringArray::from(vec!["2021-04"]))),
            ("transactions", Arc::new(Int64Array::from(vec![4]))),
            ("average", money(vec![Some(-15_375_000)], 6)),
        ],
        &[("average", 2)],
    );
    let objects = r#"[{"key":"data/2021/04/events.csv"}]"#.to_owned();
    let mut out = Vec::new();
    json(&[view(vec![rows])], &[("objects", objects)], &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r#"
    {
      "format": 1,
      "reports": [
        {
          "report": "activity",
          "title": "Monthly activity",
          "period": "2021-04",
          "completeness": "PARTIAL",
          "reasons": [
            "missing: data/2021/05/events.csv, which may hold rows of 2021-04-30"
          ],
          "notes": [
            "data/2021/04/events.csv: 2 of 10 records refused (lines 8, 10)"
          ],
          "run_id": "r-1",
          "reused": false,
          "inputs": [
            {
              "source": "events",
              "key": "data/2021/04/events.csv",
              "member": "",
              "generation": 1,
              "digest": "d",
              "batch": "b",
              "rows": 8
            }
          ],
          "queries": {
            "summary": {
              "columns": [
                {
                  "name": "month",
                  "type": "string"
                },
                {
                  "name": "transactions",
                  "type": "int64"
                },
                {
                  "name": "average",
                  "type": "decimal(38,6)"
                }
              ],
              "rows": [
                [
                  "2021-04",
                  4,
                  "-15.38"
                ]
              ]
            }
          }
        }
      ],
      "objects": [
        {
          "key": "data/2021/04/events.csv"
        }
      ]
    }
    "#);
    let mut out = Vec::new();
    json(&[], &[("objects", "[]".to_owned())], &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "{\"format\":1,\"reports\":[],\"objects\":[]}\n");
}

/// What a spreadsheet would run as a formula is text again; numbers stay numbers.
#[test]
fn csv_is_safe_to_open() {
    let texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "'x", "a=1", "", " =1", "=\"a\",b"];
    let rows = query(
        vec![
            ("=cmd()", Arc::new(StringArray::from(texts.to_vec()))),
            ("n", Arc::new(Int64Array::from_iter_values((0..12).map(|n| n - 6)))),
            ("m", money((0..12).map(|n| Some(n - 6)).collect(), 2)),
        ],
        &[],
    );
    assert_snapshot!(csv_text(&rows).replace('\t', "→").replace("\r\n", "⏎\n").replace('\r', "␍"), @r#"
    '=cmd(),n,m⏎
    '=1+1,-6,-0.06⏎
    '+1,-5,-0.05⏎
    '-1,-4,-0.04⏎
    '@SUM(A1),-3,-0.03⏎
    '→x,-2,-0.02⏎
    "'␍x",-1,-0.01⏎
    "'
    x",0,0.00⏎
    'x,1,0.01⏎
    a=1,2,0.02⏎
    "",3,0.03⏎
     =1,4,0.04⏎
    "'=""a"",b",5,0.05⏎
    "#);
}

#[test]
fn decimals_are_rounded_half_away_from_zero() {
    let values: Vec<Option<i128>> =
        [5, -5, 4, -4, 15, 994, 995, -995, 99_995, 0, i128::from(u64::MAX), -1].into_iter().map(Some).collect();
    let rows = query(
        vec![
            ("exact", money(values.clone(), 3)),
            ("two", money(values.clone(), 3)),
            ("none", money(values.clone(), 3)),
            ("five", money(values, 3)),
        ],
        &[("two", 2), ("none", 0), ("five", 5)],
    );
    assert_snapshot!(csv_text(&rows).replace("\r\n", "\n"), @r"
    exact,two,none,five
    0.005,0.01,0,0.00500
    -0.005,-0.01,0,-0.00500
    0.004,0.00,0,0.00400
    -0.004,0.00,0,-0.00400
    0.015,0.02,0,0.01500
    0.994,0.99,1,0.99400
    0.995,1.00,1,0.99500
    -0.995,-1.00,-1,-0.99500
    99.995,100.00,100,99.99500
    0.000,0.00,0,0.00000
    18446744073709551.615,18446744073709551.62,18446744073709552,18446744073709551.61500
    -0.001,0.00,0,-0.00100
    ");
}

#[test]
fn floats_are_rounded_as_they_are_read() {
    let values = vec![2.675, -2.675, 0.125, 1e21, 1e-9, -1e-9, 0.1 + 0.2, f64::INFINITY, -0.0, 9.999];
    let array: ArrayRef = Arc::new(Float64Array::from(values));
    let rows = query(vec![("exact", array.clone()), ("two", array)], &[("two", 2)]);
    assert_snapshot!(csv_text(&rows).replace("\r\n", "\n"), @r"
    exact,two
    2.675,2.68
    -2.675,-2.68
    0.125,0.13
    1e21,1000000000000000000000.00
    1e-9,0.00
    -1e-9,0.00
    0.30000000000000004,0.30
    ,
    -0.0,0.00
    9.999,10.00
    ");
}

/// `value / 10^scale`, rounded half away from zero to `digits`, by integers alone.
fn reference(value: i128, scale: u32, digits: u32) -> String {
    let rounded = if scale > digits {
        let unit = 10_i128.pow(scale - digits);
        ((2 * value.abs() + unit) / (2 * unit)) * value.signum()
    } else {
        value * 10_i128.pow(digits - scale)
    };
    let sign = if rounded < 0 { "-" } else { "" };
    let (whole, rest) = (rounded.abs() / 10_i128.pow(digits), rounded.abs() % 10_i128.pow(digits));
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:0width$}", width = digits as usize)
    }
}

proptest! {
    #[test]
    fn rounding_is_that_of_integers(
        value in prop_oneof![-2_000_i128..2_000, -10_i128.pow(28)..10_i128.pow(28)],
        scale in 0_u32..10,
        digits in 0_u8..10,
    ) {
        let rows = query(vec![("x", money(vec![Some(value)], i8::try_from(scale).unwrap()))], &[("x", digits)]);
        prop_assert_eq!(csv_text(&rows), format!("x\r\n{}\r\n", reference(value, scale, digits.into())));
        let expected = format!("[[\"{}\"]]", reference(value, scale, digits.into()));
        let json = json_text(&rows);
        prop_assert!(json.contains(&expected), "{}", json);
    }

    /// Any text comes back from our JSON as it went in.
    #[test]
    fn texts_survive_json(text in any::<String>()) {
        let rows = query(vec![(text.as_str(), Arc::new(StringArray::from(vec![text.clone()])))], &[]);
        let value: serde_json::Value = serde_json::from_str(&json_text(&rows)).unwrap();
        prop_assert_eq!(value["rows"][0][0].as_str(), Some(text.as_str()));
        prop_assert_eq!(value["columns"][0]["name"].as_str(), Some(text.as_str()));
    }
}

fn actions() -> QueryView {
    let mut rows = query(
        vec![
            ("action", Arc::new(StringArray::from(vec![Some("visit"), None, Some("sign up, then leave again")]))),
            ("events", Arc::new(Int64Array::from(vec![1_200, 7, 13]))),
            ("average", money(vec![Some(10_005), None, Some(-3)], 3)),
        ],
        &[("average", 2)],
    );
    rows.title = "Most frequent actions".to_owned();
    rows
}

#[test]
fn a_run_on_the_terminal() {
    let empty = QueryView { batches: Vec::new(), title: "Nothing".to_owned(), ..actions() };
    assert_snapshot!(terminal(&view(vec![actions(), empty]), TerminalStyle::default()), @r"
    Monthly activity · 2021-04 · PARTIAL
      missing: data/2021/05/events.csv, which may hold rows of 2021-04-30
      note: data/2021/04/events.csv: 2 of 10 records refused (lines 8, 10)

    Most frequent actions
     action                      events   average
    ──────────────────────────────────────────────
     visit                         1200     10.01
     -                                7         -
     sign up, then leave again       13      0.00

    Nothing
    (no rows)

    run r-1 · 1 input
    ");
    let mut reused = view(vec![]);
    reused.reused = true;
    reused.completeness = Completeness::Complete;
    reused.reasons.clear();
    let style = TerminalStyle { colour: true, ..TerminalStyle::default() };
    assert_snapshot!(terminal(&reused, style).replace('\u{1b}', "␛"), @r"
    ␛[1mMonthly activity␛[0m · 2021-04 · ␛[32mCOMPLETE␛[0m
      note: data/2021/04/events.csv: 2 of 10 records refused (lines 8, 10)

    unchanged, shown from run r-1 · 1 input
    ");
}

#[test]
fn tables_keep_to_the_width() {
    let long = query(
        vec![
            ("text", Arc::new(StringArray::from(vec!["wörd ".repeat(40)]))),
            ("url", Arc::new(StringArray::from(vec!["x".repeat(200)]))),
            ("n", Arc::new(Int64Array::from(vec![1]))),
        ],
        &[],
    );
    for width in [40, 80, 120] {
        let text = terminal_query(&long, TerminalStyle { width, ..TerminalStyle::default() });
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(width), "{widest} > {width}\n{text}");
    }
}

#[test]
fn long_results_say_how_much_is_not_shown() {
    let style = TerminalStyle { rows_max: 2, ..TerminalStyle::default() };
    assert_snapshot!(terminal_query(&actions(), style), @r"
    Most frequent actions
     action   events   average
    ───────────────────────────
     visit      1200     10.01
     -             7         -
    … and 1 more row
    ");
}

#[test]
fn rows_whose_words_do_not_fit_are_blocks() {
    let wide = query(
        vec![
            ("id", Arc::new(StringArray::from(vec!["bae19c42-6992-99d8-8421-8f323fd7eedb"; 2]))),
            ("tags", Arc::new(StringArray::from(vec!["[\"partner\",\"mobile\"]"; 2]))),
            ("n", Arc::new(Int64Array::from(vec![1, 2]))),
        ],
        &[],
    );
    let style =
        TerminalStyle { width: 40, rows_max: 1, rest: "`--csv` prints all of them", ..TerminalStyle::default() };
    assert_snapshot!(terminal_query(&wide, style), @r#"
    Summary
    id    bae19c42-6992-99d8-8421-
          8f323fd7eedb
    tags  ["partner","mobile"]
    n     1
    … and 1 more row: `--csv` prints all of
      them
    "#);
    let whole = terminal_query(&wide, TerminalStyle { lines: WideLines::Whole, ..style });
    assert!(whole.contains("\nid    bae19c42-6992-99d8-8421-8f323fd7eedb\n"), "{whole}");
    assert_snapshot!(terminal_query(&wide, TerminalStyle { width: 80, ..style }), @r#"
    Summary
     id                                     tags                   n
    ─────────────────────────────────────────────────────────────────
     bae19c42-6992-99d8-8421-8f323fd7eedb   ["partner","mobile"]   1
    … and 1 more row: `--csv` prints all of them
    "#);
}

#[test]
fn data_does_not_steer_the_terminal() {
    let rows = query(vec![("x\u{1b}[31m", Arc::new(StringArray::from(vec!["a\u{1b}[2Jb\nc\u{202e}d\u{7}"])))], &[]);
    let text = terminal_query(&rows, TerminalStyle::default());
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    assert_snapshot!(text, @r"
    Summary
     x\u{1b}[31m
    ──────────────────────────────
     a\u{1b}[2Jb\nc\u{202e}d\u{7}
    ");
}

#[test]
fn parquet_is_not_rounded() {
    let rows = query(vec![("x", money(vec![Some(10_005)], 3))], &[("x", 2)]);
    let mut out = Vec::new();
    parquet(&rows, &mut out).unwrap();
    let reader =
        ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(out)).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(batches, rows.batches);
}
