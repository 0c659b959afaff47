//! Parquet: what columns of its types become.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, Time64MicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Int64Type};
use stillhouse_sniff::{Input, Options, Proposal, propose};

use crate::common::{doubts, input, line, load, types};

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// The proposal for files, which load whole, and the rows of each table.
fn sniff(files: &[Vec<u8>]) -> (Proposal, Vec<usize>) {
    let path = |number: usize| format!("data/orders_{number}.parquet");
    let inputs: Vec<Input<'_>> = files.iter().enumerate().map(|(number, bytes)| input(&path(number), bytes)).collect();
    let proposal = propose(&inputs, &Options::default()).unwrap();
    let mut counts = Vec::new();
    for bytes in files {
        let (loaded, _) = load(&proposal, bytes);
        assert_eq!(loaded.rejects, [], "{}", proposal.source);
        counts.resize(loaded.counts.len().max(counts.len()), 0);
        loaded.counts.iter().enumerate().for_each(|(table, rows)| counts[table] += rows);
    }
    (proposal, counts)
}

fn array(values: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(values)
}

#[test]
fn columns_have_the_types_of_the_schema() {
    let bytes = file(vec![
        ("orderId", array(Int64Array::from(vec![1, 2]))),
        ("open", array(BooleanArray::from(vec![Some(true), None]))),
        ("small", array(Int32Array::from(vec![1, 2]))),
        ("large", array(UInt64Array::from(vec![1, u64::MAX]))),
        ("fitting", array(UInt64Array::from(vec![1, 2]))),
        ("ratio", array(Float64Array::from(vec![Some(0.5), Some(f64::NAN)]))),
        ("price", array(Decimal128Array::from(vec![250, 1000]).with_precision_and_scale(12, 2).unwrap())),
        ("day", array(Date32Array::from(vec![18_000, 18_001]))),
        ("stored_at", array(TimestampNanosecondArray::from(vec![1_617_625_815_000_000_000, 0]).with_timezone("UTC"))),
        ("local", array(TimestampMillisecondArray::from(vec![1_617_625_815_000, 0]))),
        ("clock", array(Time64MicrosecondArray::from(vec![0, 60_000_000]))),
        ("created_at", array(Int64Array::from(vec![1_617_625_815, 1_617_625_816]))),
        ("text", array(StringArray::from(vec![Some("a"), None]))),
        ("digits", array(StringArray::from(vec!["1", "2"]))),
        ("since", array(StringArray::from(vec!["2021-03-05", "2021-03-06"]))),
        ("yearless", array(StringArray::from(vec!["7/15", "7/28"]))),
        ("bytes", array(BinaryArray::from(vec!["é".as_bytes(), b"b"]))),
        ("email", array(StringArray::from(vec!["ann@mail.example", "bo@mail.example"]))),
        ("sizes", array(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1), None]), None]))),
    ]);
    let (proposal, rows) = sniff(&[bytes]);
    assert_eq!(rows, [2]);
    insta::assert_snapshot!("types_of_parquet", proposal.source);
}

#[test]
fn bytes_that_are_no_text_are_left_out_and_that_is_said() {
    let bytes = file(vec![
        ("id", array(Int64Array::from(vec![1, 2]))),
        ("blob", array(BinaryArray::from(vec![&b"\xff\xfe"[..], b"b"]))),
    ]);
    let (proposal, _) = sniff(&[bytes]);
    assert_eq!(types(&proposal), ["id int64"]);
    assert_eq!(line(&proposal, "unknown_columns"), "unknown_columns = \"ignore\"");
    assert!(
        doubts(&proposal).iter().any(|doubt| doubt.starts_with("type of blob: left out")),
        "{:?}",
        doubts(&proposal)
    );
}

#[test]
fn lists_of_structs_are_tables_and_structs_are_ways() {
    let names: Vec<ArrayRef> =
        vec![array(StringArray::from(vec!["a", "b", "c"])), array(Float64Array::from(vec![1.5, 2.0, 3.0]))];
    let fields = Fields::from(vec![
        Field::new("sku", arrow::datatypes::DataType::Utf8, true),
        Field::new("weight", arrow::datatypes::DataType::Float64, true),
    ]);
    let items = StructArray::new(fields.clone(), names, None);
    let item = Arc::new(Field::new("element", arrow::datatypes::DataType::Struct(fields), true));
    let lists = ListArray::new(item, OffsetBuffer::from_lengths([2, 0, 1]), array(items), None);
    let inner: Vec<ArrayRef> = vec![array(StringArray::from(vec!["x", "y", "z"]))];
    let meta = StructArray::new(vec![Field::new("source", arrow::datatypes::DataType::Utf8, true)].into(), inner, None);
    let bytes =
        file(vec![("id", array(Int64Array::from(vec![1, 2, 3]))), ("meta", array(meta)), ("items", array(lists))]);
    let (proposal, rows) = sniff(&[bytes]);
    assert_eq!(rows, [3, 3]);
    assert_eq!(line(&proposal, "source"), "source = { type = \"string\", from = \"meta.source\" }");
    let child = "[[child]]\nname = \"order_items\"\nfrom = \"orders.items[]\"\ncopy = { order_id = \"id\" }\n\n[child.columns]\nsku = \"string\"\nweight = \"float64\"\n";
    assert!(proposal.source.ends_with(child), "{}", proposal.source);
}

#[test]
fn files_may_differ_in_columns_and_types() {
    let first = file(vec![("id", array(Int32Array::from(vec![1]))), ("size", array(Int64Array::from(vec![1])))]);
    let second = file(vec![
        ("id", array(Int64Array::from(vec![2]))),
        ("size", array(Float64Array::from(vec![1.5]))),
        ("new", array(BooleanArray::from(vec![true]))),
    ]);
    let (proposal, rows) = sniff(&[first, second]);
    assert_eq!(rows, [2]);
    assert_eq!(types(&proposal), ["id int64", "size float64", "new bool"]);
    assert_eq!(line(&proposal, "missing_columns"), "missing_columns = \"null\"");
}
