//! Logs of other writers: what is read of them, and what is refused. The logs are written here, entry by entry; tables
//! that delta-rs wrote are in the tests of the program.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};
use stillhouse_lake::{Error, ForeignTable, Kind};
use tempfile::TempDir;

/// A folder with a log.
struct Log(TempDir);

fn field(name: &str, kind: &str) -> Value {
    json!({"name": name, "type": kind, "nullable": true, "metadata": {}})
}

fn protocol(reader: i32, features: &[&str]) -> Value {
    let features = (reader == 3).then(|| json!(features));
    let writer = if reader == 3 { 7 } else { 5 };
    let mut line = json!({"minReaderVersion": reader, "minWriterVersion": writer});
    if let Some(features) = features {
        line["readerFeatures"] = features.clone();
        line["writerFeatures"] = features;
    }
    json!({ "protocol": line })
}

fn metadata(fields: &[Value], partitions: &[&str], configuration: &Value) -> Value {
    let schema = json!({"type": "struct", "fields": fields}).to_string();
    json!({"metaData": {
        "id": "0b5e6f0e-0000-4000-8000-000000000001", "format": {"provider": "parquet", "options": {}},
        "schemaString": schema, "partitionColumns": partitions, "configuration": configuration, "createdTime": 1,
    }})
}

fn add(path: &str, values: &Value) -> Value {
    json!({"add": {
        "path": path, "partitionValues": values, "size": 10, "modificationTime": 1, "dataChange": true,
        "stats": "{\"numRecords\":3}",
    }})
}

fn remove(path: &str) -> Value {
    json!({"remove": {"path": path, "deletionTimestamp": 2, "dataChange": true, "extendedFileMetadata": false}})
}

impl Log {
    /// A table of these columns, with its first entry.
    fn new(protocol: &Value, metadata: &Value, adds: &[Value]) -> Self {
        let log = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(log.0.path().join("_delta_log")).unwrap();
        let lines = [protocol.clone(), metadata.clone()];
        log.entry(0, &[&lines[..], adds].concat());
        log
    }

    /// A plain table with a column `id`.
    fn plain(adds: &[Value]) -> Self {
        Self::new(&protocol(1, &[]), &metadata(&[field("id", "long")], &[], &json!({})), adds)
    }

    fn entry(&self, version: u64, lines: &[Value]) {
        let mut text = String::new();
        lines.iter().for_each(|line| writeln!(text, "{line}").unwrap());
        self.file(&format!("{version:020}.json"), &text);
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join("_delta_log").join(name), text).unwrap();
    }

    async fn open(&self, version: Option<u64>) -> Result<ForeignTable, Error> {
        ForeignTable::open("plans", self.0.path(), "../plans", version).await
    }

    /// Kind, message and next step.
    async fn refused(&self) -> String {
        told(&self.open(None).await.unwrap_err())
    }

    async fn paths(&self, version: Option<u64>) -> Vec<String> {
        self.open(version).await.unwrap().files.into_iter().map(|file| file.path).collect()
    }
}

fn told(error: &Error) -> String {
    format!("{:?}: {error}\nhint: {}", error.kind, error.hint.as_deref().unwrap_or("none"))
}

#[tokio::test]
async fn the_newest_version_is_read_or_the_one_that_is_pinned() {
    let log = Log::plain(&[add("a.parquet", &json!({}))]);
    log.entry(1, &[add("b.parquet", &json!({}))]);
    log.entry(2, &[remove("a.parquet"), add("c%20d.parquet", &json!({}))]);
    let table = log.open(None).await.unwrap();
    assert_eq!((table.version, table.rows()), (2, Some(6)));
    assert_eq!(log.paths(None).await, ["b.parquet", "c d.parquet"]);
    assert_eq!(log.paths(Some(1)).await, ["a.parquet", "b.parquet"]);
    assert_ne!(table.digest(), log.open(Some(1)).await.unwrap().digest());
    assert_snapshot!(told(&log.open(Some(7)).await.unwrap_err()), @r"
    FixSettings: table `plans`: expected version 7, as `version` says; the newest is 2
    hint: leave `version` of [tables.plans] in stillhouse.toml out, or name one that is kept
    ");
}

#[tokio::test]
async fn partition_columns_come_from_the_log_in_their_types() {
    let fields = [
        field("id", "long"),
        field("country", "string"),
        field("day", "date"),
        field("level", "integer"),
        field("price", "decimal(10,2)"),
        field("at", "timestamp"),
        field("paid", "boolean"),
    ];
    let names = ["country", "day", "level", "price", "at", "paid"];
    let values = |country: Value, at: &str| json!({"country": country, "day": "2024-02-29", "level": "-7", "price": "12.30", "at": at, "paid": "true"});
    let none = json!({"country": null, "day": "", "level": null, "price": null, "at": null, "paid": null});
    let log = Log::new(
        &protocol(1, &[]),
        &metadata(&fields, &names, &json!({})),
        &[
            add("country=a%2520b%252Fc/1.parquet", &values(json!("a b/c"), "2024-02-29 23:59:59.5")),
            add("country=DE/2.parquet", &values(json!("DE"), "2024-02-29T23:59:59.500000Z")),
            add("country=__HIVE_DEFAULT_PARTITION__/3.parquet", &none),
        ],
    );
    let table = log.open(None).await.unwrap();
    let files: Vec<&str> = table.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        files,
        ["country=DE/2.parquet", "country=__HIVE_DEFAULT_PARTITION__/3.parquet", "country=a%20b%2Fc/1.parquet"]
    );
    let shown = arrow::util::pretty::pretty_format_batches(std::slice::from_ref(&table.partitions)).unwrap();
    assert_snapshot!(shown, @r"
    +---------+------------+-------+-------+--------------------------+------+
    | country | day        | level | price | at                       | paid |
    +---------+------------+-------+-------+--------------------------+------+
    | DE      | 2024-02-29 | -7    | 12.30 | 2024-02-29T23:59:59.500Z | true |
    |         |            |       |       |                          |      |
    | a b/c   | 2024-02-29 | -7    | 12.30 | 2024-02-29T23:59:59.500Z | true |
    +---------+------------+-------+-------+--------------------------+------+
    ");
}

#[tokio::test]
async fn a_partition_value_that_is_none_of_its_type_is_named() {
    let fields = [field("id", "long"), field("level", "integer"), field("raw", "binary")];
    let of = |column: &str, value: &str| {
        let adds = [add("good.parquet", &json!({column: null})), add("bad.parquet", &json!({column: value}))];
        Log::new(&protocol(1, &[]), &metadata(&fields, &[column], &json!({})), &adds)
    };
    assert_snapshot!(of("level", "seven").refused().await, @r"
    FixData: table `plans`: the log in `../plans` cannot be read: Kernel error: Failed to parse value 'seven' as 'integer'
    hint: see whether the program that writes the table can still read it, and have its owner restore it
    ");
    assert_snapshot!(of("raw", "x").refused().await, @r"
    FixSettings: table `plans`: partition column `raw`: values of type Binary are not read
    hint: write a copy of the table that is partitioned by other columns
    ");
}

/// A reader that knows nothing of these features would give wrong rows, without a word.
#[tokio::test]
async fn features_that_are_not_read_are_refused_by_name() {
    let plain = metadata(&[field("id", "long")], &[], &json!({}));
    let needs = async |features: &[&str]| Log::new(&protocol(3, features), &plain, &[]).refused().await;
    assert_snapshot!(needs(&["deletionVectors"]).await, @r"
    FixSettings: table `plans`: it needs the Delta feature `deletionVectors`, which is not read here
    hint: have its owner rewrite the files (`REORG TABLE … APPLY (PURGE)`) and drop the feature, or write a copy without it
    ");
    assert_snapshot!(needs(&["columnMapping", "v2Checkpoint", "deletionVectors"]).await, @r"
    FixSettings: table `plans`: it needs the Delta feature `columnMapping`, `deletionVectors`, which is not read here
    hint: have its owner drop the feature, or write a copy of the table without it
    ");
    assert_snapshot!(needs(&["typeWidening"]).await, @r"
    FixSettings: table `plans`: it needs the Delta feature `typeWidening`, which is not read here
    hint: have its owner drop the feature, or write a copy of the table without it
    ");
    assert_snapshot!(needs(&["thingOfTomorrow"]).await, @r"
    FixSettings: table `plans`: it needs the Delta feature `thingOfTomorrow`, which is not read here
    hint: have its owner drop the feature, or write a copy of the table without it
    ");
    assert_snapshot!(Log::new(&protocol(4, &[]), &plain, &[]).refused().await, @r"
    FixData: table `plans`: the log in `../plans` cannot be read: Kernel error: Unsupported: Unsupported minimum reader version 4
    hint: see whether the program that writes the table can still read it, and have its owner restore it
    ");
}

#[tokio::test]
async fn column_mapping_of_the_older_protocol_is_refused_unless_it_is_off() {
    let mapped = |name: &str| {
        let mut field = field(name, "long");
        field["metadata"] = json!({"delta.columnMapping.id": 1, "delta.columnMapping.physicalName": "col-1"});
        field
    };
    let by = |mode: &str| metadata(&[mapped("id")], &[], &json!({"delta.columnMapping.mode": mode}));
    assert_snapshot!(Log::new(&protocol(2, &[]), &by("name"), &[]).refused().await, @r"
    FixSettings: table `plans`: it needs the Delta feature `columnMapping`, which is not read here
    hint: have its owner drop the feature, or write a copy of the table without it
    ");
    let off = metadata(&[field("id", "long")], &[], &json!({"delta.columnMapping.mode": "none"}));
    assert!(Log::new(&protocol(2, &[]), &off, &[]).open(None).await.is_ok());
}

#[tokio::test]
async fn a_deletion_vector_is_refused_whatever_the_protocol_says() {
    let mut with_vector = add("a.parquet", &json!({}));
    with_vector["add"]["deletionVector"] =
        json!({"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "sizeInBytes": 34, "cardinality": 1});
    assert_snapshot!(Log::plain(&[with_vector]).refused().await, @r"
    FixSettings: table `plans`: it needs the Delta feature `deletionVectors`, which is not read here
    hint: have its owner rewrite the files (`REORG TABLE … APPLY (PURGE)`) and drop the feature, or write a copy without it
    ");
}

#[tokio::test]
async fn types_and_checkpoints_that_need_a_feature_are_read_where_we_can() {
    let fields = [field("id", "long"), field("at", "timestamp_ntz")];
    let features = ["timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"];
    let (protocol, metadata) = (protocol(3, &features), metadata(&fields, &[], &json!({})));
    let log = Log::new(&protocol, &metadata, &[add("a.parquet", &json!({}))]);
    log.entry(1, &[remove("a.parquet"), add("b.parquet", &json!({}))]);
    log.entry(2, &[add("c.parquet", &json!({}))]);
    // A checkpoint of the second kind, of version 1, in place of the entries before it.
    let lines = [
        json!({"checkpointMetadata": {"version": 1}}),
        protocol,
        metadata,
        add("b.parquet", &json!({})),
        remove("a.parquet"),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    log.file("00000000000000000001.checkpoint.6d3b8b5e-0000-4000-8000-000000000002.json", &text);
    for version in 0..2 {
        std::fs::remove_file(log.0.path().join(format!("_delta_log/{version:020}.json"))).unwrap();
    }
    let table = log.open(None).await.unwrap();
    assert_eq!(table.schema.field(1).data_type().to_string(), "Timestamp(µs)");
    assert_eq!(log.paths(None).await, ["b.parquet", "c.parquet"]);
    assert_snapshot!(told(&log.open(Some(0)).await.unwrap_err()), @r"
    FixSettings: table `plans`: expected version 0, as `version` says; its log no longer tells it; the newest is 2
    hint: leave `version` of [tables.plans] in stillhouse.toml out, or name one that is kept
    ");
}

#[tokio::test]
async fn files_outside_of_the_folder_are_refused() {
    let mut all = String::new();
    for path in ["/data/x.parquet", "file:///data/x.parquet", "s3://bucket/x.parquet", "../x.parquet", "a//b.parquet"] {
        writeln!(all, "{}", Log::plain(&[add(path, &json!({}))]).refused().await).unwrap();
    }
    assert_snapshot!(all, @r"
    FixSettings: table `plans`: its log names a file outside of its folder, `/data/x.parquet`
    hint: only files in the folder of a table are read; have its owner write a full copy (a shallow clone is none)
    FixSettings: table `plans`: its log names a file outside of its folder, `file:///data/x.parquet`
    hint: only files in the folder of a table are read; have its owner write a full copy (a shallow clone is none)
    FixSettings: table `plans`: its log names a file outside of its folder, `s3://bucket/x.parquet`
    hint: only files in the folder of a table are read; have its owner write a full copy (a shallow clone is none)
    FixData: table `plans`: expected the path of a data file in its log, found `../x.parquet`
    hint: see whether the program that writes the table can still read it, and have its owner restore it
    FixData: table `plans`: expected the path of a data file in its log, found `a//b.parquet`
    hint: see whether the program that writes the table can still read it, and have its owner restore it
    ");
}

#[tokio::test]
async fn what_is_no_table_is_told_from_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |at: &str| ForeignTable::open("plans", &folder.path().join(at), at, None).await.unwrap_err();
    assert_snapshot!(told(&open("gone").await), @r"
    FixSettings: table `plans`: there is no folder `gone`
    hint: mend `delta` of [tables.plans] in stillhouse.toml; relative paths start at the project folder
    ");
    std::fs::create_dir_all(folder.path().join("empty/_delta_log")).unwrap();
    std::fs::create_dir_all(folder.path().join("plain")).unwrap();
    assert_snapshot!(told(&open("plain").await), @r"
    FixSettings: table `plans`: `plain` is no Delta table: it has no folder `_delta_log`
    hint: let `delta` of [tables.plans] in stillhouse.toml name the folder in which `_delta_log` lies
    ");
    assert_snapshot!(told(&open("empty").await), @r"
    FixData: table `plans`: the log in `empty` cannot be read: Not a Delta table: Generic delta kernel error: No files in log segment
    hint: see whether the program that writes the table can still read it, and have its owner restore it
    ");
}

#[tokio::test]
async fn a_damaged_log_is_no_shorter_table() {
    let whole = || {
        let log = Log::plain(&[add("a.parquet", &json!({}))]);
        log.entry(1, &[add("b.parquet", &json!({}))]);
        log.entry(2, &[add("c.parquet", &json!({}))]);
        log
    };
    let cut = whole();
    cut.file("00000000000000000001.json", "{\"add\":{\"path\":\"b.par");
    let error = cut.open(None).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData);
    assert!(error.message.starts_with("table `plans`: the log in `../plans` cannot be read: "), "{error}");
    let gap = whole();
    std::fs::remove_file(gap.0.path().join("_delta_log/00000000000000000001.json")).unwrap();
    let error = gap.open(None).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData, "{error}");
    let headless = whole();
    std::fs::remove_file(headless.0.path().join("_delta_log/00000000000000000000.json")).unwrap();
    let error = headless.open(None).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData, "{error}");
}
