//! The Parquet writer alone, on one core: Arrow batches to encoded row groups, with statistics.
//!
//! Reads a file of `bench/data.py` from `$STILLHOUSE_BENCH_DATA`; `make bench` makes it and sets it. Throughput counts the
//! bytes of the CSV, so that it can be held against the decoder's.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use divan::Bencher;
use divan::counter::BytesCount;
use mimalloc::MiMalloc;
use stillhouse_lake::{RowGroups, with_lineage, with_lineage_schema};

/// That of the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// As large as `ingest` asks the decoder for.
const BATCH_ROWS: usize = 16_384;
/// Any moment will do.
const INGESTED_AT: i64 = 1_704_067_200_000_000;

/// The events as the decoder gives them, by another CSV reader.
fn batches() -> (usize, SchemaRef, Vec<RecordBatch>) {
    let folder = std::env::var_os("STILLHOUSE_BENCH_DATA").expect("`make bench` sets STILLHOUSE_BENCH_DATA");
    let path = PathBuf::from(folder).join("clean-15mb.csv");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let kind = |name: &str| {
        if name == "timestamp" {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        } else {
            DataType::Utf8
        }
    };
    let names = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"];
    let schema = Arc::new(Schema::new(names.map(|name| Field::new(name, kind(name), true)).to_vec()));
    let reader = ReaderBuilder::new(schema).with_header(true).with_batch_size(BATCH_ROWS).build(&bytes[..]);
    let mut first = 0;
    let decoded = reader.expect("the schema fits").map(|batch| {
        let batch = decoded(&batch.expect("the file is clean"), first);
        first += i64::try_from(batch.num_rows()).expect("few rows");
        batch
    });
    let decoded: Vec<RecordBatch> = decoded.collect();
    let schema = with_lineage_schema(decoded[0].schema_ref());
    let batches = decoded.iter().map(|batch| with_lineage(&schema, batch, 1, INGESTED_AT).expect("the columns fit"));
    (bytes.len(), Arc::clone(&schema), batches.collect())
}

/// The last column as a list, and `_record` behind it.
fn decoded(batch: &RecordBatch, first: i64) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    let last = columns.len() - 1;
    columns[last] = tags(columns[last].as_string());
    columns.push(Arc::new(Int64Array::from_iter_values((first..).take(batch.num_rows()))));
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[last] = Field::new("tags", columns[last].data_type().clone(), true);
    fields.push(Field::new("_record", DataType::Int64, false));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("the columns fit")
}

fn tags(texts: &StringArray) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in texts.iter().flatten() {
        let items = text.trim_start_matches("['").trim_end_matches("']").split("', '");
        items.for_each(|item| lists.values().append_value(item));
        lists.append(true);
    }
    Arc::new(lists.finish())
}

#[divan::bench]
fn events(bencher: Bencher<'_, '_>) {
    let (bytes, schema, batches) = batches();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| encoded(&schema, &batches));
}

fn encoded(schema: &SchemaRef, batches: &[RecordBatch]) -> usize {
    let mut rows = RowGroups::new(Arc::clone(schema));
    for batch in batches {
        rows.write(batch).expect("the rows can be encoded");
    }
    rows.finish().expect("the row group can be ended");
    rows.memory()
}

fn main() {
    divan::main();
}
