//! The memory of a whole process that reports on more than a gigabyte of CSV.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use stillhouse_query::{FileInput, Params, TableInput};

use crate::lake::Lake;

const ROWS: i64 = 8_500_000;
const BATCH: i64 = 20_000;
const DAY: i64 = 86_400_000_000;

/// A number that follows from `i` and looks random.
fn mix(i: i64) -> i64 {
    let x = (i ^ (i >> 15)).wrapping_mul(0x2c1b_3c6d_1234_5677);
    (x ^ (x >> 29)) & i64::MAX
}

fn rows(start: i64) -> RecordBatch {
    let ids: Vec<i64> = (start..start + BATCH).collect();
    let text = |of: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(ids.iter().map(|id| of(mix(*id)))))
    };
    let mut tags = ListBuilder::new(StringBuilder::new());
    for id in &ids {
        tags.append_value((0..1 + mix(*id) % 4).map(|n| Some(format!("tag{}", (mix(*id) >> (8 * n)) % 33))));
    }
    let times = TimestampMicrosecondArray::from_iter_values(ids.iter().map(|id| (19_723 + mix(*id) % 31) * DAY));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from_iter_values(ids.iter().map(ToString::to_string)))),
        ("timestamp", Arc::new(times.with_timezone("UTC"))),
        ("email", text(&|x| format!("user{}@company{}.co.uk", x % 50_000, x % 5_000))),
        ("country", text(&|x| format!("country {}", x % 200))),
        ("ip", text(&|x| format!("{}.{}.{}.{}", x & 255, (x >> 8) & 255, (x >> 16) & 255, (x >> 24) & 255))),
        ("uri", text(&|x| format!("https://www.ex.com/path{}/{x:x}", x % 4_000))),
        ("action", text(&|x| format!("action{}", (x >> 7) % 20))),
        ("tags", Arc::new(tags.finish())),
        ("_object", Arc::new(Int64Array::from_value(1, ids.len()))),
        ("_record", Arc::new(Int64Array::from(ids))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// One file, with row groups as the lake writes them.
fn write(lake: &Lake) -> TableInput {
    let path = lake.folder.path().join("events.parquet");
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let schema = rows(0).schema();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).unwrap();
    for start in (0..ROWS).step_by(usize::try_from(BATCH).unwrap()) {
        writer.write(&rows(start)).unwrap();
        if writer.memory_size() > 16 << 20 {
            writer.flush().unwrap();
        }
    }
    writer.close().unwrap();
    let size = path.metadata().unwrap().len();
    let file = FileInput { path: "events.parquet".to_owned(), size, rows: u64::try_from(ROWS).unwrap() };
    TableInput {
        name: "events".to_owned(),
        schema,
        folder: object_store::path::Path::default(),
        files: vec![file],
        current: None,
    }
}

/// Peak resident memory of this process since the last call, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// What the report of the `events` template asks, on 8.5 million rows.
const QUERIES: &[(&str, &str)] = &[
    ("events_per_day", "select date_trunc('day', timestamp) as day, count(*) from events group by 1 order by 1"),
    ("top_users", "select email, count(*) as n from events group by 1 order by n desc, 1 limit 10"),
    (
        "top_companies",
        "select company_domain(email) as c, count(*) as n from events group by 1 order by n desc, 1 limit 10",
    ),
    (
        "users_of_companies",
        "select company_domain(email) as c, count(distinct email) as n from events group by 1 order by n desc, 1 limit 10",
    ),
    (
        "top_tags",
        "select tag, count(*) as n from (select unnest(tags) as tag from events) group by 1 order by n desc, 1 limit 10",
    ),
    (
        "quiet_users",
        "select email, max(timestamp) as last from events group by 1 having max(timestamp) < timestamp '2024-01-31' order by 1 limit 10",
    ),
    ("distinct_ids", "select count(distinct id) from events"),
    ("sorted", "select max(r) from (select id, row_number() over (order by uri, id) as r from events)"),
    (
        "joined",
        "select count(*) from events a join (select email, max(id) as id from events group by email) b on a.id = b.id",
    ),
];

#[test]
#[ignore = "minutes; run it when scans, pools or DataFusion change"]
fn heavy_reports_stay_below_the_ceiling() {
    for memory_mb in [64, 128] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut lake = Lake::new();
        lake.options.memory_bytes = memory_mb << 20;
        lake.options.query_seconds = 600;
        let table = write(&lake);
        let session = stillhouse_query::Engine::new(lake.options.clone()).unwrap().open(vec![table]).unwrap();
        println!("base {} MB", peak_mb());
        println!("base {} MB", peak_mb());
        for (name, sql) in QUERIES {
            let result = runtime.block_on(session.query(sql, &Params::new()));
            let peak = peak_mb();
            let told = match result {
                Ok(result) => format!("{} rows", result.rows),
                Err(error) => {
                    format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
                }
            };
            println!("pool {memory_mb} MB, {name}: peak {peak} MB, {told}");
        }
    }
}
