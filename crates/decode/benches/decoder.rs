//! The decoder alone, on one core: the structural index in each way that the processor has, and bytes to Arrow.
//!
//! Reads the files of `bench/data.py` from `$STILLHOUSE_BENCH_DATA`; `make bench` makes them and sets it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::record_batch::RecordBatch;
use divan::Bencher;
use divan::counter::BytesCount;
use mimalloc::MiMalloc;
use stillhouse_decode::measure::IndexWay;
use stillhouse_decode::{Reject, Request, RowSink, Sink, SinkError, YearHint, decode};
use stillhouse_spec::Source;

/// That of the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The source of the template that the whole benchmark uses.
const EVENTS: &str = include_str!("../../../templates/events/sources/events.toml");
/// The same for JSON lines, whose ids are numbers.
const AS_JSON: [(&str, &str); 2] = [
    ("type = \"csv\"", "type = \"json\""),
    ("id = { type = \"string\", required = true }", "id = { type = \"int64\", required = true }"),
];
/// That of nested JSON lines.
const ORDERS: &str = include_str!("../../../bench/projects/orders/sources/orders.toml");
/// Quotes that are escaped like this are beyond the structural index: every record is cut byte by byte.
const BACKSLASH: &str = "\n[csv]\nescape = \"backslash\"\n";
/// As large as `ingest` asks for.
const BATCH_ROWS: usize = 16_384;
const BATCH_BYTES: usize = 8 << 20;

fn data(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("STILLHOUSE_BENCH_DATA").expect("`make bench` sets STILLHOUSE_BENCH_DATA");
    let path = PathBuf::from(folder).join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; make it with bench/data.py", path.display()))
}

#[divan::bench(args = IndexWay::all().iter().map(IndexWay::name).collect::<Vec<_>>())]
fn index(bencher: Bencher<'_, '_>, name: &str) {
    let clean = data("clean-15mb.csv");
    let mut way = IndexWay::all().into_iter().find(|way| way.name() == name).expect("names come from the ways");
    bencher.counter(BytesCount::of_slice(&clean)).bench_local(|| way.separators(&clean));
}

#[divan::bench]
fn clean(bencher: Bencher<'_, '_>) {
    records(bencher, "clean-15mb.csv", EVENTS);
}

#[divan::bench]
fn rough(bencher: Bencher<'_, '_>) {
    records(bencher, "rough-15mb.csv", EVENTS);
}

#[divan::bench]
fn byte_by_byte(bencher: Bencher<'_, '_>) {
    records(bencher, "clean-15mb.csv", &format!("{EVENTS}{BACKSLASH}"));
}

#[divan::bench]
fn json_lines(bencher: Bencher<'_, '_>) {
    let settings = AS_JSON.iter().fold(EVENTS.to_owned(), |settings, (csv, json)| settings.replace(csv, json));
    records(bencher, "lines-15mb.jsonl", &settings);
}

#[divan::bench]
fn json_nested(bencher: Bencher<'_, '_>) {
    records(bencher, "orders-15mb.jsonl", ORDERS);
}

fn records(bencher: Bencher<'_, '_>, file: &str, settings: &str) {
    let bytes = data(file);
    let source = Source::parse("source", settings, &|_| None).expect("the project is valid");
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| rows_of(&bytes, &source));
}

/// Decodes all and says how many rows and rejects there were.
fn rows_of(bytes: &[u8], source: &Source) -> u64 {
    let request = Request {
        format: &source.format,
        contract: &source.contract,
        max_record_bytes: source.max_record_bytes,
        path_values: &BTreeMap::new(),
        year: YearHint { path: Some(2024), setting: None, modified: 2024 },
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        rules: None,
    };
    let mut rows = Rows(0);
    decode(&mut &bytes[..], &request, &mut rows).expect("the file is loaded");
    rows.0
}

/// Counts and throws away.
struct Rows(u64);

impl RowSink for Rows {
    fn batch(&mut self, _table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        self.0 += batch.num_rows() as u64;
        Ok(())
    }

    fn reject(&mut self, _reject: Reject) -> Result<(), SinkError> {
        self.0 += 1;
        Ok(())
    }
}

impl Sink for Rows {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.0 = 0;
        Ok(())
    }
}

fn main() {
    divan::main();
}
