//! Rows that are written come back.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};
use stillhouse_report::render::{Formulas, RowsForm, RowsWriter};

/// One row of every type that contracts have; `None` is null.
#[derive(Debug, Clone, Default)]
struct Row {
    text: Option<String>,
    whole: Option<i64>,
    money: Option<i128>,
    float: Option<f64>,
    truth: Option<bool>,
    day: Option<i32>,
    instant: Option<i64>,
    list: Option<Vec<String>>,
}

/// Texts with everything that CSV and JSON have to care about.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[=+\\-@'\",; \\t\r\n\0a1]{0,6}",
        Just("\u{feff}\u{0}\u{1b}[31m\u{7f}\u{2028}".to_owned())
    ]
}

/// Instants with years of four digits.
const INSTANTS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

fn row() -> impl Strategy<Value = Row> {
    let money = -999_999_999_999_999_999..=999_999_999_999_999_999_i128;
    let floats = any::<f64>().prop_filter("finite", |float| float.is_finite());
    let some = (
        proptest::option::of(texts()),
        any::<Option<i64>>(),
        proptest::option::of(money),
        proptest::option::of(floats),
        any::<Option<bool>>(),
        proptest::option::of(-719_162..2_932_897_i32),
        proptest::option::of(INSTANTS),
        proptest::option::of(proptest::collection::vec(texts(), 0..3)),
    );
    some.prop_map(|(text, whole, money, float, truth, day, instant, list)| Row {
        text,
        whole,
        money,
        float,
        truth,
        day,
        instant,
        list,
    })
}

fn batch(rows: &[Row]) -> RecordBatch {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        row.list.iter().flatten().for_each(|item| lists.values().append_value(item));
        lists.append(row.list.is_some());
    }
    let money = rows.iter().map(|row| row.money).collect::<Decimal128Array>();
    let instants = rows.iter().map(|row| row.instant).collect::<TimestampMicrosecondArray>();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(rows.iter().map(|row| row.text.as_deref()).collect::<StringArray>())),
        ("whole", Arc::new(rows.iter().map(|row| row.whole).collect::<Int64Array>())),
        ("money, exact", Arc::new(money.with_precision_and_scale(18, 4).unwrap())),
        ("float", Arc::new(rows.iter().map(|row| row.float).collect::<Float64Array>())),
        ("truth", Arc::new(rows.iter().map(|row| row.truth).collect::<BooleanArray>())),
        ("day", Arc::new(rows.iter().map(|row| row.day).collect::<Date32Array>())),
        ("instant", Arc::new(instants.with_timezone("UTC"))),
        ("list", Arc::new(lists.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn written(form: RowsForm, batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = RowsWriter::new(form, &batches[0].schema(), Vec::new()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    assert_eq!(writer.rows(), batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    writer.finish().unwrap()
}

/// What a row is in JSON, by other means than ours.
fn as_json(row: &Row) -> Value {
    json!({
        "text": row.text, "whole": row.whole, "money, exact": row.money.map(decimal), "float": row.float,
        "truth": row.truth, "day": row.day.map(day), "instant": row.instant.map(instant), "list": row.list,
    })
}

fn decimal(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", value.unsigned_abs() / 10_000, value.unsigned_abs() % 10_000)
}

fn day(days: i32) -> String {
    jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

fn instant(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).unwrap().to_string()
}

/// What a field of CSV says; null is nothing.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fields(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

proptest! {
    #[test]
    fn json_lines_come_back(rows in proptest::collection::vec(row(), 1..8)) {
        let text = String::from_utf8(written(RowsForm::JsonLines, &[batch(&rows), batch(&rows)])).unwrap();
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        prop_assert_eq!(lines.len(), 2 * rows.len());
        for (line, row) in lines.into_iter().zip(rows.iter().chain(&rows)) {
            // serde_json reads floats a little off; inside a text the quotes would be escaped.
            let (before, rest) = line.split_once(",\"float\":").unwrap();
            let (float, after) = rest.split_once(',').unwrap();
            prop_assert_eq!(float.parse::<f64>().ok(), row.float);
            let mut expected = as_json(row);
            expected.as_object_mut().unwrap().remove("float");
            prop_assert_eq!(serde_json::from_str::<Value>(&format!("{before},{after}")).unwrap(), expected);
        }
    }

    #[test]
    fn csv_comes_back(rows in proptest::collection::vec(row(), 1..8)) {
        let found = fields(&written(RowsForm::Csv(Formulas::Keep), &[batch(&rows)]));
        let names = ["text", "whole", "money, exact", "float", "truth", "day", "instant", "list"];
        prop_assert_eq!(&found[0], &names);
        for (found, row) in found[1..].iter().zip(&rows) {
            let expected = as_json(row);
            for (found, name) in found.iter().zip(names) {
                match (&expected[name], name) {
                    // Not in the same letters, but the same number.
                    (Value::Number(_), "float") => prop_assert_eq!(found.parse::<f64>().ok(), row.float),
                    (expected, _) => prop_assert_eq!(found, &as_text(expected)),
                }
            }
        }
        prop_assert_eq!(found.len(), rows.len() + 1);
    }

    #[test]
    fn no_text_of_csv_is_a_formula(rows in proptest::collection::vec(row(), 1..8)) {
        let found = fields(&written(RowsForm::Csv(Formulas::Guard), &[batch(&rows)]));
        for (found, row) in found[1..].iter().zip(&rows) {
            let (found, text) = (&found[0], row.text.clone().unwrap_or_default());
            prop_assert!(!is_formula(found), "{found:?}");
            prop_assert_eq!(found, &if is_formula(&text) { format!("'{text}") } else { text });
        }
    }

    #[test]
    fn parquet_comes_back(rows in proptest::collection::vec(row(), 1..8)) {
        let batches = [batch(&rows), batch(&rows[..1])];
        let bytes = bytes::Bytes::from(written(RowsForm::Parquet, &batches));
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let found: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        let schema = batches[0].schema();
        prop_assert_eq!(concat_batches(&schema, &found).unwrap(), concat_batches(&schema, &batches).unwrap());
    }
}

#[test]
fn null_and_the_empty_text_are_told_apart() {
    let rows = [Row { text: Some(String::new()), whole: Some(-1), ..Row::default() }, Row::default()];
    let text = |form| String::from_utf8(written(form, &[batch(&rows)])).unwrap();
    let csv = text(RowsForm::Csv(Formulas::Guard));
    assert_eq!(csv.lines().skip(1).collect::<Vec<_>>(), ["\"\",-1,,,,,,", ",,,,,,,"]);
    let lines = text(RowsForm::JsonLines);
    assert!(lines.starts_with("{\"text\":\"\",\"whole\":-1,") && lines.contains("\n{\"text\":null,"), "{lines}");
}

#[test]
fn no_rows_are_a_header_nothing_or_a_schema() {
    let none = batch(&[Row::default()]).slice(0, 0);
    let csv = written(RowsForm::Csv(Formulas::Guard), std::slice::from_ref(&none));
    assert_eq!(csv, b"text,whole,\"money, exact\",float,truth,day,instant,list\r\n");
    assert_eq!(written(RowsForm::JsonLines, std::slice::from_ref(&none)), b"");
    let bytes = bytes::Bytes::from(written(RowsForm::Parquet, std::slice::from_ref(&none)));
    assert_eq!(ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().schema().fields(), none.schema().fields());
}
