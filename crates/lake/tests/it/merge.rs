//! A merge keeps every row, down to the last value.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::TryStreamExt as _;
use proptest::prelude::*;
use stillhouse_lake::{CompactionSettings, Lake, Staged, TableChange, delta_schema};
use stillhouse_spec::object_id;

use crate::kit::{House, load};

#[derive(Debug, Clone)]
struct Row {
    text: Option<String>,
    raw: Option<Vec<u8>>,
    number: Option<f64>,
}

/// Files of one object each; later ones may have a column more.
type Files = Vec<(bool, Vec<Row>)>;

fn files() -> impl Strategy<Value = Files> {
    let row = (
        prop::option::of("\\PC{0,12}"),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..6)),
        prop::option::of(any::<f64>().prop_filter("a number is itself", |number| !number.is_nan())),
    );
    let row = row.prop_map(|(text, raw, number)| Row { text, raw, number });
    prop::collection::vec((any::<bool>(), prop::collection::vec(row, 1..6)), 2..9)
}

fn schema(wide: bool) -> SchemaRef {
    let mut fields = vec![
        Field::new("text", DataType::Utf8, true),
        Field::new("raw", DataType::Binary, true),
        Field::new("_object", DataType::Int64, true),
        Field::new("_record", DataType::Int64, true),
    ];
    if wide {
        fields.push(Field::new("number", DataType::Float64, true));
    }
    Arc::new(Schema::new(fields))
}

fn batch(wide: bool, object: i64, rows: &[Row]) -> RecordBatch {
    let raw: BinaryArray = rows.iter().map(|row| row.raw.as_deref()).collect();
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.text.as_deref()).collect::<StringArray>()),
        Arc::new(raw),
        Arc::new(Int64Array::from_value(object, rows.len())),
        Arc::new(Int64Array::from_iter_values(0..i64::try_from(rows.len()).unwrap())),
    ];
    if wide {
        columns.push(Arc::new(rows.iter().map(|row| row.number).collect::<Float64Array>()));
    }
    RecordBatch::try_new(schema(wide), columns).unwrap()
}

async fn publish(house: &House, seq: i64, wide: bool, rows: &[Row]) {
    let mut staged: Staged = house.stage(seq, &[load(seq, 1, &[])]).await;
    let stem = format!("{}-0", staged.manifest.batch_id);
    let mut writer = house.lake.writer(&"events".parse().unwrap(), schema(wide), &stem);
    writer.write(&batch(wide, object_id(seq, 1), rows)).await.unwrap();
    let files = writer.finish(seq).await.unwrap().into_iter().collect();
    let change = TableChange { schema: delta_schema(&schema(wide)).unwrap(), files, ..TableChange::default() };
    staged.manifest.tables.insert("events".into(), change);
    house.publish(&staged).await;
}

/// The rows of what is shown, in order, as text.
async fn rows(lake: &Lake) -> String {
    let version = lake.snapshot().await.unwrap().tables["events"].version;
    let stream = lake.rows("events", version, i64::MIN..=i64::MAX, None).await.unwrap();
    let batches: Vec<_> = stream.batches.try_collect().await.unwrap();
    arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn rows_before_are_rows_after(files in files(), files_min in 2..5_usize, rows_max in 3..40_u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new().await;
            let mut seq = 0;
            for (wide, rows) in &files {
                seq += 1;
                publish(&house, seq, *wide, rows).await;
            }
            let before = rows(&house.lake).await;
            let settings =
                CompactionSettings { target_bytes: 1 << 20, small_bytes: 1 << 20, files_min, rows_max: Some(rows_max) };
            let mut merges = 0;
            while let Some(plan) = house.lake.plan_compaction("events", &settings).await.unwrap() {
                assert!(plan.sources.len() > 1 && plan.rows <= rows_max.max(5), "{plan:?}");
                seq += 1;
                merges += 1;
                assert!(merges < 20, "it comes to an end");
                let staged = house.stage_compact(seq, &plan).await;
                assert_eq!(staged.manifest.tables["events"].files[0].rows, plan.rows);
                house.publish(&staged).await;
                assert_eq!(rows(&house.lake).await, before);
            }
            let fresh = Lake::open_to_read(Arc::clone(&house.store));
            assert_eq!(rows(&fresh).await, before);
            // An independent reader counts the same.
            let delta = house.delta("events").await;
            let counts: usize = delta.snapshot().unwrap().log_data().iter().map(|file| file.num_records().unwrap()).sum();
            assert_eq!(counts, files.iter().map(|(_, rows)| rows.len()).sum::<usize>());
        });
    }
}
