//! What is encoded comes back, whatever the values look like, and chunk statistics hold what is in the chunk.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, Date32Array, Decimal128Array, Int32Array, Int64Array, ListBuilder, RecordBatch,
    RunArray, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Decimal128Type, Field, Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::statistics::Statistics;
use proptest::prelude::*;
use stillhouse_lake::with_lineage_schema;

use crate::kit::{House, NOW, read_parquet, write_file, written_out};

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }

    fn index(&mut self, count: u32) -> usize {
        self.roll(count).try_into().unwrap()
    }

    fn one_in(&mut self, times: u32) -> bool {
        times > 0 && self.roll(times) == 0
    }
}

/// How the values of a column look.
#[derive(Debug, Clone, Copy)]
enum Look {
    Constant,
    Few,
    /// Few in the first thousands of rows, too many for a dictionary after that.
    Growing,
    Sorted,
    Runs,
    Any,
    Extreme,
}

fn look() -> impl Strategy<Value = Look> {
    prop_oneof![
        Just(Look::Constant),
        Just(Look::Few),
        Just(Look::Growing),
        Just(Look::Sorted),
        Just(Look::Runs),
        Just(Look::Any),
        Just(Look::Extreme)
    ]
}

/// A column: how it looks, and one in how many values is null (0: none).
type Recipe = (Look, u32);

fn number(look: Look, row: usize, dice: &mut Dice) -> i64 {
    let row = i64::try_from(row).unwrap();
    match look {
        Look::Constant => 4_294_967_297,
        Look::Few => [0, -1, 86_400_000_000][dice.index(3)],
        Look::Growing if row < 8_000 => i64::from(dice.roll(900)) << 33,
        Look::Growing => i64::from(dice.roll(1 << 20)) << 20,
        Look::Sorted => row * 3 + i64::from(dice.roll(2)),
        Look::Runs => row / 37,
        Look::Any => i64::from(dice.roll(1 << 31)) << dice.roll(33),
        Look::Extreme => [i64::MIN, i64::MAX, 0, -1, i64::MIN + 1][dice.index(5)],
    }
}

fn numbers((look, nulls): Recipe, rows: usize, dice: &mut Dice) -> Vec<Option<i64>> {
    (0..rows).map(|row| (!dice.one_in(nulls)).then(|| number(look, row, dice))).collect()
}

fn text(look: Look, row: usize, dice: &mut Dice) -> String {
    match look {
        Look::Constant => "same".to_owned(),
        Look::Few => ["", "a", "ä\0b", "a longer text with spaces in it"][dice.index(4)].to_owned(),
        Look::Growing if row < 8_000 => format!("a word of few {:03}", dice.roll(200)),
        Look::Growing => format!("one of many {}", dice.roll(1 << 24)),
        Look::Sorted => format!("id-{row:08}"),
        Look::Runs => format!("r{}", row / 5),
        Look::Any => "x".repeat(dice.index(40)) + &dice.roll(1 << 30).to_string(),
        Look::Extreme if dice.one_in(50) => "\u{10ffff}".repeat(30_000),
        Look::Extreme => "\u{10ffff}".repeat(dice.index(34)),
    }
}

fn texts((look, nulls): Recipe, rows: usize, dice: &mut Dice) -> StringArray {
    (0..rows).map(|row| (!dice.one_in(nulls)).then(|| text(look, row, dice))).collect()
}

fn lists((look, nulls): Recipe, rows: usize, dice: &mut Dice) -> ArrayRef {
    let item = Field::new("item", DataType::Utf8, true);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(item);
    for row in 0..rows {
        if dice.one_in(nulls) {
            lists.append_null();
            continue;
        }
        for _ in 0..dice.roll(5) {
            let is_null = dice.one_in(nulls);
            lists.values().append_option((!is_null).then(|| text(look, row, dice)));
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// Decimals of so many digits.
fn decimals(recipe: Recipe, digits: u8, rows: usize, dice: &mut Dice) -> ArrayRef {
    let most = 10_i64.pow(digits.into()) - 1;
    let values =
        numbers(recipe, rows, dice).into_iter().map(|value| value.map(|value| value.clamp(-most, most).into()));
    Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(digits, 2).unwrap())
}

fn batch(recipes: &[Recipe], rows: usize, dice: &mut Dice) -> RecordBatch {
    let days = |value: i64| i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX });
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (at, recipe) in recipes.iter().enumerate() {
        columns.push((format!("n{at}"), Arc::new(Int64Array::from(numbers(*recipe, rows, dice)))));
        let instants = TimestampMicrosecondArray::from(numbers(*recipe, rows, dice)).with_timezone("UTC");
        columns.push((format!("at{at}"), Arc::new(instants)));
        let days = numbers(*recipe, rows, dice).into_iter().map(|day| day.map(days)).collect::<Date32Array>();
        columns.push((format!("d{at}"), Arc::new(days)));
        columns.push((format!("p{at}"), decimals(*recipe, 9, rows, dice)));
        columns.push((format!("q{at}"), decimals(*recipe, 18, rows, dice)));
        columns.push((format!("t{at}"), Arc::new(texts(*recipe, rows, dice))));
        columns.push((format!("l{at}"), lists(*recipe, rows, dice)));
    }
    // All of them once more, as runs.
    let in_runs: Vec<_> = columns.iter().map(|(name, array)| (format!("runs_{name}"), runs(array, dice))).collect();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().chain(in_runs).map(|(name, array)| (name, array, true)),
    );
    let batch = batch.unwrap();
    let schema = with_lineage_schema(&written_out(&batch).schema());
    stillhouse_lake::with_lineage(&schema, &batch, 5, NOW).unwrap()
}

/// As many rows, of the first values of a column, each of which stands there several times in a row.
fn runs(values: &ArrayRef, dice: &mut Dice) -> ArrayRef {
    let (rows, longest) = (i32::try_from(values.len()).unwrap(), [2, 9, 5000][dice.index(3)]);
    let mut ends = Vec::new();
    while ends.last() != Some(&rows) {
        let begin = ends.last().copied().unwrap_or(0);
        ends.push(rows.min(begin + 1 + i32::try_from(dice.roll(longest)).unwrap()));
    }
    let values = values.slice(0, ends.len());
    Arc::new(RunArray::<Int32Type>::try_new(&Int32Array::from(ends), &values).unwrap())
}

fn read_back(path: &Path, like: &RecordBatch) -> RecordBatch {
    let batches = read_parquet(path);
    let back = concat_batches(&batches[0].schema(), &batches).unwrap();
    // Names of list items are the file's; types are compared by casting.
    let columns = back.columns().iter().zip(like.columns());
    let columns = columns.map(|(column, like)| arrow::compute::cast(column, like.data_type()).unwrap()).collect();
    RecordBatch::try_new(like.schema(), columns).unwrap()
}

/// Bounds of numbers and texts in the footer hold all values of their row group.
fn check_statistics(path: &Path) {
    let file = || std::fs::File::open(path).unwrap();
    let metadata = Arc::clone(ParquetRecordBatchReaderBuilder::try_new(file()).unwrap().metadata());
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file()).unwrap().with_row_groups(vec![number]);
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let rows = concat_batches(&batches[0].schema(), &batches).unwrap();
        for chunk in group.columns() {
            let name = chunk.column_path().string();
            let Some(array) = rows.column_by_name(&name) else { continue };
            match (chunk.statistics(), array.data_type()) {
                (Some(Statistics::Int64(found)), DataType::Int64) => {
                    let array = array.as_primitive::<Int64Type>();
                    assert_eq!(found.min_opt().copied(), arrow::compute::min(array), "{name}");
                    assert_eq!(found.max_opt().copied(), arrow::compute::max(array), "{name}");
                    assert_eq!(found.null_count_opt(), Some(array.null_count() as u64), "{name}");
                }
                (Some(found), DataType::Decimal128(..)) => {
                    let array = array.as_primitive::<Decimal128Type>();
                    let (min, max) = match found {
                        Statistics::Int32(found) => {
                            (found.min_opt().copied().map(i128::from), found.max_opt().copied().map(i128::from))
                        }
                        Statistics::Int64(found) => {
                            (found.min_opt().copied().map(i128::from), found.max_opt().copied().map(i128::from))
                        }
                        other => panic!("{name}: {other:?}"),
                    };
                    assert_eq!((min, max), (arrow::compute::min(array), arrow::compute::max(array)), "{name}");
                    assert_eq!(found.null_count_opt(), Some(array.null_count() as u64), "{name}");
                }
                (Some(Statistics::ByteArray(found)), DataType::Utf8) => {
                    for text in array.as_string::<i32>().iter().flatten() {
                        assert!(found.min_opt().is_none_or(|min| min.data() <= text.as_bytes()), "{name}");
                        assert!(found.max_opt().is_none_or(|max| text.as_bytes() <= max.data()), "{name}");
                    }
                    assert_eq!(found.null_count_opt(), Some(array.null_count() as u64), "{name}");
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_written_comes_back(
        recipes in proptest::collection::vec((look(), 0..6_u32), 1..3),
        rows in 1..40_000_usize,
        cuts in proptest::collection::vec(0..40_000_usize, 0..6),
        seed in any::<u64>(),
    ) {
        let whole = batch(&recipes, rows, &mut Dice(seed));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % rows).chain([0, rows]).collect();
        cuts.sort_unstable();
        let batches: Vec<RecordBatch> =
            cuts.windows(2).map(|pair| whole.slice(pair[0], pair[1] - pair[0])).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let house = runtime.block_on(House::new());
        let file = runtime.block_on(write_file(&house, &batches));
        let path = house.path("events").join(&file.path);
        prop_assert_eq!(file.rows, rows as u64);
        let whole = written_out(&whole);
        prop_assert_eq!(read_back(&path, &whole), whole);
        check_statistics(&path);
    }
}
