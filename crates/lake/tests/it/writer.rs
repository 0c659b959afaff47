//! Data files: what was written comes back, in bounded row groups, readable by the rules of Delta.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, StringViewArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::basic::Encoding;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use stillhouse_lake::with_lineage_schema;

use crate::kit::{House, NOW, read_parquet, rows, schema, write_file};

#[tokio::test]
async fn nothing_written_is_no_file() {
    let house = House::new().await;
    let mut writer = house.lake.writer(&"events".parse().unwrap(), schema(), "a");
    writer.write(&rows(1, 1, 0)).await.unwrap();
    assert_eq!(writer.rows(), 0);
    assert_eq!(writer.finish(NOW).await.unwrap(), None);
    assert!(!house.path("events").exists());
}

#[tokio::test]
async fn a_file_says_what_it_holds() {
    let house = House::new().await;
    let file = write_file(&house, &[rows(1, 1, 3), rows(7, 2, 4)]).await;
    assert_eq!((file.rows, file.object_min, file.object_max), (7, (1 << 20) + 1, (7 << 20) + 2));
    assert_eq!(file.modified_at_ms, NOW / 1000);
    let path = house.path("events").join(&file.path);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), file.size);
    assert_eq!(read_parquet(&path).iter().map(RecordBatch::num_rows).sum::<usize>(), 7);
}

#[tokio::test]
async fn rows_with_other_columns_are_refused() {
    let house = House::new().await;
    let mut writer = house.lake.writer(&"events".parse().unwrap(), schema(), "a");
    let other = Schema::new(vec![Field::new("x", DataType::Int64, true)]);
    let other = RecordBatch::try_new(Arc::new(other), vec![Arc::new(Int64Array::from(vec![1]))]).unwrap();
    assert!(writer.write(&other).await.is_err());
    writer.abort().await;
}

/// Texts that never repeat and do not compress.
fn noise(rows: u64, seed: u64) -> StringViewArray {
    let mut state = seed | 1;
    let text = |_| {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:016x}", state));
        }
        text
    };
    (0..rows).map(text).map(Some).collect()
}

#[tokio::test]
async fn large_files_go_in_parts_and_row_groups() {
    let house = House::new().await;
    let decoded = Schema::new(vec![Field::new("text", DataType::Utf8View, true)]);
    let schema = with_lineage_schema(&decoded);
    let mut writer = house.lake.writer(&"events".parse().unwrap(), Arc::clone(&schema), "big");
    for seed in 0..40 {
        let batch = RecordBatch::try_new(Arc::new(decoded.clone()), vec![Arc::new(noise(8192, seed))]).unwrap();
        writer.write(&stillhouse_lake::with_lineage(&schema, &batch, 5, NOW).unwrap()).await.unwrap();
    }
    let file = writer.finish(NOW).await.unwrap().unwrap();
    let path = house.path("events/big.parquet");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), file.size);
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let groups = reader.metadata().row_groups();
    assert!(groups.len() > 1);
    assert!(groups.iter().all(|group| group.compressed_size() < 24 << 20), "row groups are bounded");
    let (mut seed, mut row) = (0, 0);
    for batch in read_parquet(&path) {
        for text in arrow::array::AsArray::as_string::<i32>(batch.column(0)).iter() {
            if row == 0 {
                assert_eq!(text.unwrap(), noise(1, seed).value(0));
            }
            row = (row + 1) % 8192;
            seed += u64::from(row == 0);
        }
    }
    assert_eq!(seed, 40);
}

fn column(file: &std::path::Path, name: &str) -> (Vec<Encoding>, i64) {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let group = reader.metadata().row_group(0);
    let found = group.columns().iter().find(|column| column.column_path().string() == name);
    let found = found.unwrap_or_else(|| panic!("no column {name}"));
    (found.encodings().collect(), found.compressed_size())
}

#[tokio::test]
async fn columns_are_encoded_as_they_repeat() {
    let house = House::new().await;
    let n = 20_000;
    let mut tags = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, true));
    for row in 0..n {
        tags.append_value((0..row % 3).map(|item| Some(format!("tag{item}"))));
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("country", Arc::new(StringArray::from_iter_values((0..n).map(|row| format!("country {}", row % 50))))),
        (
            "email",
            Arc::new(StringArray::from_iter_values((0..n).map(|row| format!("user{}@x.example", (row * 7919) % 6000)))),
        ),
        ("unique", Arc::new(StringArray::from_iter_values((0..n).map(|row| format!("id-{row}"))))),
        ("count", Arc::new(Int64Array::from_iter_values((0..n).map(i64::from)))),
        (
            "price",
            Arc::new(
                Decimal128Array::from_iter_values((0..n).map(i128::from)).with_precision_and_scale(12, 2).unwrap(),
            ),
        ),
        ("score", Arc::new(Float64Array::from_iter_values((0..n).map(f64::from)))),
        ("yes", Arc::new(BooleanArray::from_iter((0..n).map(|row| Some(row % 2 == 0))))),
        ("tags", Arc::new(tags.finish())),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let decoded = Schema::new(fields);
    let batch = RecordBatch::try_new(Arc::new(decoded.clone()), columns.into_iter().map(|(_, array)| array).collect());
    let schema = with_lineage_schema(&decoded);
    let batch = stillhouse_lake::with_lineage(&schema, &batch.unwrap(), 5, NOW).unwrap();
    let file = write_file(&house, std::slice::from_ref(&batch)).await;
    let path = house.path("events").join(&file.path);
    assert!(column(&path, "country").0.contains(&Encoding::RLE_DICTIONARY));
    assert!(column(&path, "email").0.contains(&Encoding::RLE_DICTIONARY));
    assert!(!column(&path, "unique").0.contains(&Encoding::RLE_DICTIONARY));
    for numbers in ["count", "_object", "_ingested_at"] {
        let (encodings, bytes) = column(&path, numbers);
        assert!(encodings.contains(&Encoding::DELTA_BINARY_PACKED), "{numbers}: {encodings:?}");
        assert!(bytes < 1000, "{numbers} takes {bytes} bytes");
    }
    // Lists are called as Delta's other readers expect.
    assert!(column(&path, "tags.list.element").0.contains(&Encoding::RLE_DICTIONARY));
    let back = arrow::compute::concat_batches(&read_parquet(&path)[0].schema(), &read_parquet(&path)).unwrap();
    assert_eq!(back.num_rows(), batch.num_rows());
    for (index, name) in ["country", "email", "unique", "count", "price", "score", "yes"].iter().enumerate() {
        assert_eq!(back.column(index), batch.column(index), "{name}");
    }
    use arrow::array::AsArray as _;
    assert_eq!(back.column(7).as_list::<i32>().values(), batch.column(7).as_list::<i32>().values());
}
