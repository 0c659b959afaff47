//! Statistics bound the data, whatever the data.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, TimestampMicrosecondType,
};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::Value;
use stillhouse_lake::{DataFile, Lake, durable_local};
use stillhouse_spec::Durability;

use crate::kit::NOW;

fn write(batches: &[RecordBatch]) -> DataFile {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_to_read(durable_local(folder.path(), Durability::Os).unwrap());
    runtime.block_on(async {
        let mut writer = lake.writer(&"events".parse().unwrap(), batches[0].schema(), "a");
        for batch in batches {
            writer.write(batch).await.unwrap();
        }
        writer.finish(NOW).await.unwrap().unwrap()
    })
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns.iter().map(|(name, a)| Field::new(*name, a.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn one(array: ArrayRef) -> Value {
    serde_json::from_str(&write(&[batch(vec![("x", array)])]).stats).unwrap()
}

fn bounds(array: ArrayRef) -> String {
    let stats = one(array);
    format!("{} {} {}", stats["minValues"]["x"], stats["maxValues"]["x"], stats["nullCount"]["x"])
}

fn texts(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

#[test]
fn the_text_is_as_delta_writes_it() {
    let money = Decimal128Array::from(vec![Some(-1), None, Some(1250)]).with_precision_and_scale(12, 2).unwrap();
    let at = TimestampMicrosecondArray::from(vec![NOW, NOW + 1500, NOW]).with_timezone("UTC");
    let stats = write(&[batch(vec![
        ("name", texts(&["b", "a\"", "c"])),
        ("n", Arc::new(Int64Array::from(vec![3, -1, 2]))),
        ("f", Arc::new(Float64Array::from(vec![0.5, 1e300, -2.0]))),
        ("money", Arc::new(money)),
        ("day", Arc::new(Date32Array::from(vec![18718, 0, 1]))),
        ("at", Arc::new(at)),
        ("yes", Arc::new(arrow::array::BooleanArray::from(vec![true, false, true]))),
    ])])
    .stats;
    assert_snapshot!(stats.replace(",\"", ", \""), @r#"{"numRecords":3, "minValues":{"name":"a\"", "n":-1, "f":-2.0, "money":-0.01, "day":"1970-01-01", "at":"2021-04-01T00:00:00.000Z"}, "maxValues":{"name":"c", "n":3, "f":1e+300, "money":12.50, "day":"2021-04-01", "at":"2021-04-01T00:00:00.002Z"}, "nullCount":{"name":0, "n":0, "f":0, "money":1, "day":0, "at":0, "yes":0}}"#);
}

#[test]
fn bounds_are_left_out_where_they_would_not_hold() {
    let floats = |values: &[f64]| bounds(Arc::new(Float64Array::from(values.to_vec())));
    assert_eq!(floats(&[1.0, f64::NAN]), "null null 0");
    assert_eq!(floats(&[1.0, f64::INFINITY]), "1.0 null 0");
    assert_eq!(floats(&[f64::NEG_INFINITY, 2.0]), "null 2.0 0");
    assert_eq!(floats(&[0.0]), "-0.0 0.0 0");
    assert_eq!(floats(&[-0.0]), "-0.0 0.0 0");
    let decimal = |value: i128| {
        let array = Decimal128Array::from(vec![value]).with_precision_and_scale(38, 3).unwrap();
        bounds(Arc::new(array))
    };
    assert_eq!(decimal(999_999_999_999_999), "999999999999.999 999999999999.999 0");
    assert_eq!(decimal(1_000_000_000_000_000), "null null 0");
    assert_eq!(decimal(-7), "-0.007 -0.007 0");
    let days = |day: i32| bounds(Arc::new(Date32Array::from(vec![day])));
    assert_eq!(days(2_932_896), r#""9999-12-31" "9999-12-31" 0"#);
    assert_eq!(days(2_932_897), "null null 0");
    assert_eq!(days(-719_163), "null null 0");
    let at = |micros: i64| bounds(Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC")));
    assert_eq!(at(-1), r#""1969-12-31T23:59:59.999Z" "1970-01-01T00:00:00.000Z" 0"#);
    assert_eq!(at(i64::MAX), "null null 0");
    assert_eq!(bounds(Arc::new(Int64Array::from(vec![None::<i64>, None]))), "null null 2");
}

#[test]
fn long_texts_are_cut_and_the_upper_bound_goes_up() {
    let long = |last: char| format!("{}{last}", "a".repeat(31));
    assert_eq!(bounds(texts(&[&long('z')])), format!("\"{0}\" \"{0}\" 0", long('z')));
    assert_eq!(bounds(texts(&[&(long('y') + "tail")])), format!("\"{}\" \"{}\" 0", long('y'), long('z')));
    // The one that is cut counts, wherever it comes.
    let both = [long('y'), long('y') + "x"];
    assert_eq!(bounds(texts(&[&both[0], &both[1]])), format!("\"{}\" \"{}\" 0", long('y'), long('z')));
    assert_eq!(bounds(texts(&[&both[1], &both[0]])), format!("\"{}\" \"{}\" 0", long('y'), long('z')));
    // After the last character comes none; after the last before the surrogates comes the first behind them.
    let top = char::MAX.to_string().repeat(40);
    assert_eq!(one(texts(&[&top]))["maxValues"]["x"], Value::Null);
    let carried = format!("b{}", char::MAX.to_string().repeat(40));
    assert_eq!(one(texts(&[&carried]))["maxValues"]["x"], "c");
    let gap = format!("{}\u{d7ff}tail", "a".repeat(31));
    assert_eq!(one(texts(&[&gap]))["maxValues"]["x"], format!("{}\u{e000}", "a".repeat(31)));
}

#[test]
fn wide_tables_keep_statistics_of_the_first_and_of_lineage_columns() {
    let mut columns: Vec<(String, ArrayRef)> =
        (0..40).map(|n| (format!("c{n}"), Arc::new(Int64Array::from(vec![n])) as ArrayRef)).collect();
    columns.push(("_object".into(), Arc::new(Int64Array::from(vec![77]))));
    let file = write(&[batch(columns.iter().map(|(name, array)| (name.as_str(), Arc::clone(array))).collect())]);
    let stats: Value = serde_json::from_str(&file.stats).unwrap();
    assert_eq!(stats["minValues"].as_object().unwrap().len(), 33);
    assert_eq!((stats["maxValues"]["_object"].as_i64(), file.object_min, file.object_max), (Some(77), 77, 77));
}

/// Characters around everything that cutting, escaping and ordering could get wrong.
fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        Just('a'),
        Just('"'),
        Just('\0'),
        Just('\u{d7ff}'),
        Just('\u{e000}'),
        Just(char::MAX),
        any::<char>()
    ];
    proptest::collection::vec(char, 0..45).prop_map(|chars| chars.into_iter().collect())
}

fn number(of: &Value) -> Option<f64> {
    of.as_f64()
}

fn check_column(array: &ArrayRef, min: &Value, max: &Value) {
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        let (above, below) = match array.data_type() {
            DataType::Int64 => {
                let value = array.as_primitive::<Int64Type>().value(row);
                (min.as_i64().is_none_or(|min| min <= value), max.as_i64().is_none_or(|max| value <= max))
            }
            DataType::Float64 => {
                let value = array.as_primitive::<Float64Type>().value(row);
                let (low, high) = (number(min), number(max));
                // In total order, the strictest there is.
                (
                    low.is_none_or(|low| low.total_cmp(&value).is_le()),
                    high.is_none_or(|high| value.total_cmp(&high).is_le()),
                )
            }
            DataType::Decimal128(_, 2) => {
                let value = array.as_primitive::<Decimal128Type>().value(row);
                // As a reader sees it that takes numbers for doubles.
                let cents = |bound: &Value| number(bound).map(|bound| (bound * 100.0).round());
                let value = value as f64;
                (cents(min).is_none_or(|min| min <= value), cents(max).is_none_or(|max| value <= max))
            }
            DataType::Date32 => {
                let value = array.as_primitive::<Date32Type>().value_as_date(row).unwrap().to_string();
                (
                    min.as_str().is_none_or(|min| min <= value.as_str()),
                    max.as_str().is_none_or(|max| value.as_str() <= max),
                )
            }
            DataType::Timestamp(_, _) => {
                let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
                let micros = |bound: &Value| {
                    let instant: Option<jiff::Timestamp> = bound.as_str().map(|text| text.parse().unwrap());
                    instant.map(|instant| instant.as_microsecond())
                };
                (micros(min).is_none_or(|min| min <= value), micros(max).is_none_or(|max| value <= max))
            }
            _ => {
                let value = array.as_string::<i32>().value(row);
                (min.as_str().is_none_or(|min| min <= value), max.as_str().is_none_or(|max| value <= max))
            }
        };
        assert!(above && below, "{:?} row {row}: {min} {max} do not bound {array:?}", array.data_type());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn statistics_bound_the_rows(
        ints in proptest::collection::vec(any::<Option<i64>>(), 8),
        floats in proptest::collection::vec(any::<Option<f64>>(), 8),
        decimals in proptest::collection::vec(proptest::option::of(-(10_i128.pow(17))..10_i128.pow(17)), 8),
        days in proptest::collection::vec(proptest::option::of(-700_000..2_900_000_i32), 8),
        instants in proptest::collection::vec(proptest::option::of(-60_000_000_000_000_000..250_000_000_000_000_000_i64), 8),
        texts in proptest::collection::vec(proptest::option::of(text()), 8),
    ) {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("int", Arc::new(Int64Array::from(ints))),
            ("float", Arc::new(Float64Array::from(floats))),
            ("decimal", Arc::new(Decimal128Array::from(decimals).with_precision_and_scale(20, 2).unwrap())),
            ("day", Arc::new(Date32Array::from(days))),
            ("at", Arc::new(TimestampMicrosecondArray::from(instants).with_timezone("UTC"))),
            ("text", Arc::new(StringArray::from(texts))),
        ];
        let whole = batch(columns);
        // In two batches: bounds are put together.
        let file = write(&[whole.slice(0, 5), whole.slice(5, 3)]);
        let stats: Value = serde_json::from_str(&file.stats).unwrap();
        assert_eq!(stats["numRecords"], 8);
        for (field, array) in whole.schema().fields().iter().zip(whole.columns()) {
            let name = field.name().as_str();
            assert_eq!(stats["nullCount"][name], array.null_count());
            check_column(array, &stats["minValues"][name], &stats["maxValues"][name]);
        }
    }
}
