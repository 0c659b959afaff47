//! Profiles against values counted by other means.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use proptest::prelude::*;
use stillhouse_query::{ColumnProfile, Count, ParquetRows, Profile, Profiler, QUANTILES};

use crate::lake::{Lake, batch};

/// The profile of rows that come in batches of that size.
fn profile_in(whole: &RecordBatch, batch_rows: usize, threads: usize) -> Profile {
    let mut profiler = Profiler::new(&whole.schema(), 5, threads).unwrap();
    let mut start = 0;
    while start < whole.num_rows() {
        let rows = batch_rows.min(whole.num_rows() - start);
        profiler.update(&whole.slice(start, rows)).unwrap();
        start += rows;
    }
    profiler.finish().unwrap()
}

fn one(name: &str, array: ArrayRef) -> ColumnProfile {
    profile_in(&batch(vec![(name, array)]), 1000, 2).columns.remove(0)
}

/// How often each value occurs.
fn tally<T: Ord + Clone>(values: &[T]) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    values.iter().for_each(|value| *counts.entry(value.clone()).or_default() += 1);
    counts
}

/// The five most frequent values: the smaller first where they are equally frequent.
fn top<T: Ord + Clone>(values: &[T]) -> Vec<(T, u64)> {
    let mut top: Vec<(T, u64)> = tally(values).into_iter().collect();
    top.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    top.truncate(5);
    top
}

/// The smallest value that has at least that share of all at or below it.
fn quantile<T: Ord + Clone>(values: &[T], share: f64) -> T {
    let mut sorted = values.to_vec();
    sorted.sort();
    let count = sorted.len() as f64;
    let below = (1..sorted.len()).take_while(|rank| (*rank as f64) < share * count).count();
    sorted[below].clone()
}

proptest! {
    #[test]
    fn small_columns_are_exact(values in proptest::collection::vec(any::<Option<i8>>(), 0..300), rows in 1_usize..50) {
        let values: Vec<Option<i64>> = values.into_iter().map(|value| value.map(i64::from)).collect();
        let array: ArrayRef = Arc::new(Int64Array::from(values.clone()));
        let profile = profile_in(&batch(vec![("n", array)]), rows, 1);
        let column = &profile.columns[0];
        let there: Vec<i64> = values.iter().flatten().copied().collect();
        prop_assert_eq!(profile.rows, values.len() as u64);
        prop_assert_eq!((column.values, column.nulls), (there.len() as u64, (values.len() - there.len()) as u64));
        prop_assert_eq!(column.distinct, Count { count: tally(&there).len() as u64, exact: true });
        let found: Vec<(i64, u64)> = {
            let values = column.frequent.values.as_primitive::<Int64Type>();
            values.values().iter().copied().zip(column.frequent.counts.clone()).collect()
        };
        prop_assert_eq!(found, top(&there));
        if there.is_empty() {
            prop_assert!(column.bounds.is_none() && column.mean.is_none() && column.quantiles.is_none());
            return Ok(());
        }
        let bounds = column.bounds.as_ref().unwrap().as_primitive::<Int64Type>().values().to_vec();
        prop_assert_eq!(bounds, [*there.iter().min().unwrap(), *there.iter().max().unwrap()]);
        let mean = column.mean.as_ref().unwrap().as_primitive::<Float64Type>().value(0);
        prop_assert!((mean - there.iter().sum::<i64>() as f64 / there.len() as f64).abs() < 1e-9);
        let quantiles = column.quantiles.as_ref().unwrap();
        prop_assert!(quantiles.exact);
        let expected = QUANTILES.map(|share| quantile(&there, share));
        prop_assert_eq!(quantiles.values.as_primitive::<Int64Type>().values().to_vec(), expected);
        prop_assert_eq!(column.histogram.as_ref().unwrap().iter().sum::<u64>(), there.len() as u64);
    }

    #[test]
    fn texts_are_counted_by_characters(texts in proptest::collection::vec(proptest::option::of("[aé✓ ]{0,3}"), 1..200)) {
        let column = one("t", Arc::new(StringArray::from(texts.clone())));
        let there: Vec<String> = texts.iter().flatten().cloned().collect();
        let lengths: Vec<u64> = there.iter().map(|text| text.chars().count() as u64).collect();
        let found = column.lengths.map(|lengths| (lengths.min, lengths.max));
        prop_assert_eq!(found, lengths.iter().min().copied().zip(lengths.iter().max().copied()));
        prop_assert_eq!(column.empty, lengths.iter().filter(|length| **length == 0).count() as u64);
        let values = column.frequent.values.as_string::<i32>().iter().map(|text| text.unwrap().to_owned());
        prop_assert_eq!(values.zip(column.frequent.counts.clone()).collect::<Vec<_>>(), top(&there));
        prop_assert!(column.histogram.is_none() && column.quantiles.is_none());
    }

    /// Neither how rows are cut into batches nor how many threads look changes what can be counted.
    #[test]
    fn threads_change_nothing(values in proptest::collection::vec(any::<Option<u16>>(), 1..3_000)) {
        let numbers: ArrayRef = Arc::new(values.iter().map(|value| value.map(i64::from)).collect::<Int64Array>());
        let floats: ArrayRef = Arc::new(values.iter().map(|value| value.map(f64::from)).collect::<Float64Array>());
        let texts: ArrayRef = Arc::new(values.iter().map(|value| value.map(|v| v.to_string())).collect::<StringArray>());
        let whole = batch(vec![("numbers", numbers), ("floats", floats), ("texts", texts)]);
        let alone = format!("{:?}", profile_in(&whole, 700, 1));
        prop_assert_eq!(&alone, &format!("{:?}", profile_in(&whole, 700, 4)));
        prop_assert_eq!(&alone, &format!("{:?}", profile_in(&whole, 700, 1)));
    }
}

/// Numbers that look random; each is different from the others.
fn scattered(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20)
}

#[test]
fn many_different_values_are_estimated() {
    let values: Vec<i64> = scattered(200_000).map(|number| i64::try_from(number).unwrap()).collect();
    let column = one("n", Arc::new(Int64Array::from(values.clone())));
    assert!(!column.distinct.exact && column.distinct.count.abs_diff(200_000) < 6_000, "{:?}", column.distinct);
    assert!(column.frequent.counts.is_empty() && !column.frequent.exact, "{:?}", column.frequent);
    let quantiles = column.quantiles.unwrap();
    assert!(!quantiles.exact);
    for (share, found) in QUANTILES.iter().zip(quantiles.values.as_primitive::<Float64Type>().values()) {
        let below = values.iter().filter(|value| (**value as f64) < *found).count() as f64 / 200_000.0;
        assert!((below - share).abs() < 0.005, "{share}: {below}");
    }
    for part in column.histogram.unwrap() {
        assert!(part.abs_diff(200_000 / 32) < 300, "{part}");
    }
}

#[test]
fn frequent_values_are_found_among_many_rare_ones() {
    // Every tenth value is `often`, every fiftieth `sometimes`, all others are there once.
    let texts: Vec<String> = scattered(100_000)
        .enumerate()
        .map(|(row, number)| match row {
            row if row % 10 == 0 => "often".to_owned(),
            row if row % 50 == 7 => "sometimes".to_owned(),
            _ => number.to_string(),
        })
        .collect();
    let column = one("t", Arc::new(StringArray::from(texts)));
    let found = &column.frequent;
    assert!(!found.exact);
    let values: Vec<&str> = found.values.as_string::<i32>().iter().flatten().collect();
    assert_eq!(values, ["often", "sometimes"]);
    // At least so often, and at most one in 4,096 below the truth.
    for (count, truth) in found.counts.iter().zip([10_000, 2_000]) {
        assert!(*count <= truth && truth - count <= 100_000 / 4_096, "{count} of {truth}");
    }
}

#[test]
fn every_type_of_contracts() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("b"), Some("a"), Some("b")]);
    tags.append_null();
    tags.append_value([None::<&str>; 0]);
    let money = Decimal128Array::from(vec![Some(100), Some(-50), Some(150)]).with_precision_and_scale(12, 2).unwrap();
    let times = TimestampMicrosecondArray::from(vec![Some(0), None, Some(86_400_000_000)]).with_timezone("UTC");
    let whole = batch(vec![
        ("truth", Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(1), Some(3), Some(3)]))),
        ("money", Arc::new(money)),
        ("time", Arc::new(times)),
        ("tags", Arc::new(tags.finish())),
        ("float", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(1.5), Some(f64::INFINITY)]))),
    ]);
    let Profile { columns, .. } = profile_in(&whole, 2, 3);
    let [truth, day, money, time, tags, float] = columns.try_into().unwrap();
    assert_eq!((truth.frequent.counts, truth.distinct.count), (vec![2, 1], 2));
    assert!(truth.frequent.values.as_boolean().value(0) && truth.quantiles.is_none());
    assert_eq!(day.bounds.unwrap().as_primitive::<Date32Type>().values().to_vec(), [1, 3]);
    assert_eq!(day.quantiles.unwrap().values.as_primitive::<Date32Type>().values().to_vec(), [1, 1, 3, 3, 3]);
    assert_eq!((day.histogram, day.mean.is_none()), (Some(vec![1, 0, 2]), true));
    // 200 / 3, with four digits more than the column has.
    assert_eq!(money.mean.unwrap().as_primitive::<Decimal128Type>().value(0), 666_666);
    assert_eq!(money.bounds.unwrap().as_primitive::<Decimal128Type>().values().to_vec(), [-50, 150]);
    assert_eq!((time.nulls, time.distinct.count), (1, 2));
    let quantiles = time.quantiles.unwrap().values;
    assert_eq!(quantiles.as_primitive::<TimestampMicrosecondType>().value(4), 86_400_000_000);
    assert_eq!((tags.values, tags.nulls, tags.empty, tags.lengths.unwrap().max), (2, 1, 1, 3));
    let items = tags.items.unwrap();
    assert_eq!((items.values, items.frequent.counts), (3, vec![2, 1]));
    assert_eq!(items.frequent.values.as_string::<i32>().value(0), "b");
    assert_eq!((float.values, float.histogram), (3, None));
}

#[test]
fn long_texts_are_told_apart_and_cut() {
    let long = |end: &str| format!("{}{end}", "é".repeat(500));
    let texts = [long("a"), long("b"), long("a")];
    let column = one("t", Arc::new(StringArray::from(texts.to_vec())));
    assert_eq!((column.distinct.count, column.frequent.counts, column.frequent.cut), (2, vec![2, 1], vec![true, true]));
    assert_eq!(column.frequent.values.as_string::<i32>().value(0), "é".repeat(60));
    assert_eq!(column.bounds.unwrap().as_string::<i32>().value(1), long("b"));
}

#[test]
fn odd_floats_are_counted() {
    let odd = [0.0, -0.0, 1e-320, 5e300, -5e300, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1.0, 4e15];
    for first in odd {
        for second in odd {
            let column = one("f", Arc::new(Float64Array::from(vec![first, second, 1.0])));
            assert_eq!(column.histogram.unwrap().iter().sum::<u64>(), 3, "{first} {second}");
        }
    }
    let even: Vec<f64> = (0..3_200).rev().map(|number| f64::from(number) * -1e6).collect();
    for part in one("f", Arc::new(Float64Array::from(even))).histogram.unwrap() {
        assert!(part.abs_diff(100) <= 4, "{part}");
    }
    assert_eq!(one("f", Arc::new(Float64Array::from(vec![2.5; 4]))).histogram.unwrap()[0], 4);
}

#[test]
fn parquet_files_are_read_batch_by_batch() {
    let mut lake = Lake::new();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
    lake.add("t", "one.parquet", &[batch(vec![("n", numbers)])]);
    let rows = ParquetRows::open(&lake.folder.path().join("t/one.parquet")).unwrap();
    assert_eq!(rows.schema().field(0).name(), "n");
    let counts: Vec<usize> = rows.map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!((counts.iter().sum::<usize>(), counts.len()), (10_000, 3));
    let two = lake.folder.path().join("t/two.parquet");
    for (text, is_parquet) in [("a,b\n1,2\n", false), ("PAR", false), ("PAR1 cut off", true)] {
        std::fs::write(&two, text).unwrap();
        assert_eq!(ParquetRows::are_in(&two), is_parquet, "{text}");
        let error = ParquetRows::open(&two).unwrap_err();
        assert!(error.to_string().ends_with("two.parquet` cannot be read as Parquet"), "{error}");
    }
}
