//! Tables that something else writes: their partition columns, and files that are not quite what their log says.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::parquet::data_type::{Int96, Int96Type};
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::parser::parse_message_type;
use insta::assert_snapshot;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};
use stillhouse_query::{Engine, FileInput, ForeignFiles, ForeignInput, Kind, Params, Session, Unreadable, mounted};

use crate::lake::{Lake, batch, schema, shown, told};

/// A folder of files, and the lake beside it.
struct Beside {
    lake: Lake,
    folder: tempfile::TempDir,
    files: Vec<FileInput>,
}

impl Beside {
    fn new() -> Self {
        let mut lake = Lake::new();
        let users = batch(vec![
            ("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("plan", Arc::new(StringArray::from(vec![Some("a"), Some("b"), None]))),
        ]);
        lake.add("users", "u.parquet", &[users]);
        Self { lake, folder: tempfile::tempdir().unwrap(), files: Vec::new() }
    }

    fn add(&mut self, path: &str, rows: &RecordBatch) {
        let full = self.folder.path().join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&full).unwrap();
        let mut writer = datafusion::parquet::arrow::ArrowWriter::try_new(file, rows.schema(), None).unwrap();
        writer.write(rows).unwrap();
        writer.close().unwrap();
        self.list(path, rows.num_rows() as u64);
    }

    fn list(&mut self, path: &str, rows: u64) {
        let size = self.folder.path().join(path).metadata().unwrap().len();
        self.files.push(FileInput { path: path.to_owned(), size, rows });
    }

    fn session(&self, fields: Vec<Field>, partitions: Vec<(&str, ArrayRef)>) -> Session {
        let columns = partitions.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true));
        let of_partitions = Schema::new(columns.collect::<Vec<_>>());
        let options = RecordBatchOptions::new().with_row_count(Some(self.files.len()));
        let values = partitions.into_iter().map(|(_, values)| values).collect();
        let partitions = RecordBatch::try_new_with_options(Arc::new(of_partitions), values, &options).unwrap();
        let files = ForeignFiles { schema: schema(fields), files: self.files.clone(), partitions };
        self.open(vec![ForeignInput { name: "plans".to_owned(), files: Ok(files) }])
    }

    fn open(&self, foreign: Vec<ForeignInput>) -> Session {
        let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(self.folder.path()).unwrap());
        let mut options = self.lake.options.clone();
        options.store = mounted(options.store, [("plans".to_owned(), store)].into());
        Engine::new(options).unwrap().open_with_foreign(self.lake.tables(), foreign).unwrap()
    }
}

async fn answer(session: &Session, sql: &str) -> String {
    shown(&session.query(sql, &Params::new()).await.unwrap())
}

async fn refused(session: &Session, sql: &str) -> String {
    told(&session.query(sql, &Params::new()).await.unwrap_err())
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

/// Three files; the partition columns stand in the middle and at the end of the table, and in another order in the log.
fn partitioned() -> (Beside, Session) {
    let mut beside = Beside::new();
    let rows = |plan: &str, prices: Vec<i64>| {
        let plans = StringArray::from(vec![plan; prices.len()]);
        batch(vec![("price", Arc::new(Int64Array::from(prices)) as ArrayRef), ("plan", Arc::new(plans))])
    };
    beside.add("country=DE/level=1/x.parquet", &rows("a", vec![10, 11]));
    beside.add("country=a%20b%2Fc/level=2/x.parquet", &rows("b", vec![20]));
    beside.add("none.parquet", &rows("c", vec![30, 31, 32]));
    let fields = vec![
        Field::new("plan", DataType::Utf8, false),
        Field::new("country", DataType::Utf8, true),
        Field::new("price", DataType::Int64, true),
        Field::new("level", DataType::Int32, true),
    ];
    let levels: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(2), None]));
    let countries = texts(vec![Some("DE"), Some("a b/c"), None]);
    let session = beside.session(fields, vec![("level", levels), ("country", countries)]);
    (beside, session)
}

#[tokio::test]
async fn partition_columns_are_columns_like_others() {
    let (_beside, session) = partitioned();
    assert_snapshot!(answer(&session, "select * from plans order by price").await, @r"
    +------+---------+-------+-------+
    | plan | country | price | level |
    +------+---------+-------+-------+
    | a    | DE      | 10    | 1     |
    | a    | DE      | 11    | 1     |
    | b    | a b/c   | 20    | 2     |
    | c    |         | 30    |       |
    | c    |         | 31    |       |
    | c    |         | 32    |       |
    +------+---------+-------+-------+
    ");
    assert_snapshot!(answer(&session, "select level, plan from plans where country = 'a b/c' or level = 1 order by price").await, @r"
    +-------+------+
    | level | plan |
    +-------+------+
    | 1     | a    |
    | 1     | a    |
    | 2     | b    |
    +-------+------+
    ");
    assert_snapshot!(answer(&session, "select country, count(*) as n, sum(price) as total from plans group by 1 order by 1").await, @r"
    +---------+---+-------+
    | country | n | total |
    +---------+---+-------+
    | DE      | 2 | 21    |
    | a b/c   | 1 | 20    |
    |         | 3 | 93    |
    +---------+---+-------+
    ");
    assert_snapshot!(answer(&session, "select count(*) as n from plans").await, @r"
    +---+
    | n |
    +---+
    | 6 |
    +---+
    ");
    assert_snapshot!(answer(&session, "select count(*) as n from plans where country is null and price > 30").await, @r"
    +---+
    | n |
    +---+
    | 2 |
    +---+
    ");
    assert_snapshot!(answer(&session, "select max(level) as level, min(country) as country from plans").await, @r"
    +-------+---------+
    | level | country |
    +-------+---------+
    | 2     | DE      |
    +-------+---------+
    ");
    assert_snapshot!(answer(&session, "select u.id, p.country, p.price from users u left join plans p using (plan) order by 1, 3").await, @r"
    +----+---------+-------+
    | id | country | price |
    +----+---------+-------+
    | 1  | DE      | 10    |
    | 1  | DE      | 11    |
    | 2  | a b/c   | 20    |
    | 3  |         |       |
    +----+---------+-------+
    ");
}

#[tokio::test]
async fn what_a_query_reads_is_told() {
    let (_beside, session) = partitioned();
    let planned = session.plan("select u.id from users u join plans p using (plan)", &Params::new()).await.unwrap();
    assert_eq!(planned.tables, ["plans".to_owned(), "users".to_owned()].into());
    assert_eq!(session.tables(), ["plans", "users"]);
}

/// A file from before the table got a column.
#[tokio::test]
async fn columns_that_a_file_lacks_are_null() {
    let mut beside = Beside::new();
    beside.add("old.parquet", &batch(vec![("plan", texts(vec![Some("a")]))]));
    let days = Date32Array::from(vec![19_782]);
    beside.add("new.parquet", &batch(vec![("since", Arc::new(days) as ArrayRef), ("plan", texts(vec![Some("b")]))]));
    let fields = vec![Field::new("plan", DataType::Utf8, true), Field::new("since", DataType::Date32, true)];
    let session = beside.session(fields, vec![]);
    assert_snapshot!(answer(&session, "select * from plans order by plan").await, @r"
    +------+------------+
    | plan | since      |
    +------+------------+
    | a    |            |
    | b    | 2024-02-29 |
    +------+------------+
    ");
    assert_snapshot!(answer(&session, "select count(*) as n from plans where since is null").await, @r"
    +---+
    | n |
    +---+
    | 1 |
    +---+
    ");
}

/// Delta does not tell names apart by case, Parquet does: the column would be missing, and read as nulls.
#[tokio::test]
async fn a_column_that_a_file_writes_in_another_case_is_refused() {
    let mut beside = Beside::new();
    beside.add("a.parquet", &batch(vec![("plan", texts(vec![Some("a")]))]));
    beside.add("b.parquet", &batch(vec![("Plan", texts(vec![Some("b")]))]));
    let session = beside.session(vec![Field::new("plan", DataType::Utf8, true)], vec![]);
    assert_snapshot!(refused(&session, "select * from plans").await, @r"
    FixData: table `plans`, file `b.parquet`: expected column `plan`, found `Plan`
    hint: have its owner write the table anew, with the names that its log says
    ");
    assert_snapshot!(refused(&session, "select count(*) from plans").await, @r"
    FixData: table `plans`, file `b.parquet`: expected column `plan`, found `Plan`
    hint: have its owner write the table anew, with the names that its log says
    ");
}

#[tokio::test]
async fn a_file_that_is_gone_or_damaged_is_named() {
    let mut beside = Beside::new();
    beside.add("a.parquet", &batch(vec![("plan", texts(vec![Some("a")]))]));
    beside.add("b.parquet", &batch(vec![("plan", texts(vec![Some("b")]))]));
    let fields = || vec![Field::new("plan", DataType::Utf8, true)];
    let path = beside.folder.path().join("b.parquet");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert_snapshot!(refused(&beside.session(fields(), vec![]), "select * from plans").await, @r"
    FixData: table `plans`: file `b.parquet` cannot be read as Parquet
    hint: perhaps it was just vacuumed: try again; a pinned `version` must be one that is kept whole
    ");
    std::fs::remove_file(&path).unwrap();
    assert_snapshot!(refused(&beside.session(fields(), vec![]), "select count(*) from plans").await, @r"
    FixData: table `plans`: file `b.parquet`, which its log names, is not there
    hint: perhaps it was just vacuumed: try again; a pinned `version` must be one that is kept whole
    ");
}

#[tokio::test]
async fn a_table_that_cannot_be_read_fails_only_queries_that_name_it() {
    let beside = Beside::new();
    let why = Unreadable { kind: Kind::FixData, message: "table `plans`: no".to_owned(), hint: "mend it".to_owned() };
    let session = beside.open(vec![ForeignInput { name: "plans".to_owned(), files: Err(why) }]);
    assert_snapshot!(answer(&session, "with plans as (select 1 as n) select n, count(*) as users from plans, users group by 1").await, @r"
    +---+-------+
    | n | users |
    +---+-------+
    | 1 | 3     |
    +---+-------+
    ");
    assert_snapshot!(refused(&session, "select * from users join plans using (plan)").await, @r"
    FixData: table `plans`: no
    hint: mend it
    ");
    assert_snapshot!(refused(&session, "select (select max(plan) from plans) as p").await, @r"
    FixData: table `plans`: no
    hint: mend it
    ");
    assert_snapshot!(told(&session.expect_table("plans").unwrap_err()), @r"
    FixData: table `plans`: no
    hint: mend it
    ");
    assert_snapshot!(refused(&session, "select * from plnas").await, @r"
    FixData: line 1, column 15: table `plnas` is not there
    hint: did you mean `plans`?
    ");
}

#[tokio::test]
async fn a_foreign_table_is_only_read() {
    let (beside, session) = partitioned();
    for sql in ["insert into plans values ('x', 'y', 1, 2)", "drop table plans", "copy plans to 'x.parquet'"] {
        let error = session.query(sql, &Params::new()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::FixData, "{sql}: {error}");
    }
    let folder = Arc::new(LocalFileSystem::new_with_prefix(beside.folder.path()).unwrap());
    let store = mounted(beside.lake.options.store.clone(), [("plans".to_owned(), folder as _)].into());
    for path in ["_foreign/plans/new.parquet", "users/new.parquet"] {
        store.put(&path.into(), "x".into()).await.unwrap_err();
    }
    store.delete(&"_foreign/plans/none.parquet".into()).await.unwrap_err();
    assert!(beside.folder.path().join("none.parquet").exists());
    store.get(&"_foreign/other/none.parquet".into()).await.unwrap_err();
}

#[tokio::test]
async fn names_of_the_lake_are_taken() {
    let beside = Beside::new();
    let why = Unreadable { kind: Kind::FixData, message: String::new(), hint: String::new() };
    let foreign = vec![ForeignInput { name: "users".to_owned(), files: Err(why) }];
    let engine = Engine::new(beside.lake.options.clone()).unwrap();
    assert_snapshot!(told(&engine.open_with_foreign(beside.lake.tables(), foreign).unwrap_err()), @r"
    FixSettings: the lake has a table `users` of its own
    hint: give `[tables.users]` in stillhouse.toml another name
    ");
}

/// Instants as older writers have them: nanoseconds of a day, which as nanoseconds since 1970 end in 2262.
#[tokio::test]
async fn instants_of_96_bits_reach_as_far_as_others() {
    let mut beside = Beside::new();
    let message = Arc::new(parse_message_type("message m { optional int96 at; }").unwrap());
    let file = std::fs::File::create(beside.folder.path().join("old.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, message, Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let instant = |julian_day: u32, nanos: u64| {
        let mut value = Int96::new();
        value.set_data(u32::try_from(nanos & 0xffff_ffff).unwrap(), u32::try_from(nanos >> 32).unwrap(), julian_day);
        value
    };
    // 1970-01-01 is Julian day 2,440,588; 9999-12-31 is 5,373,484.
    let values = [instant(2_440_588, 1_500_000_000), instant(5_373_484, 86_399_000_000_000)];
    column.typed::<Int96Type>().write_batch(&values, Some(&[1, 1, 0]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    beside.list("old.parquet", 3);
    let micros = TimestampMicrosecondArray::from(vec![1_000_000]).with_timezone("UTC");
    beside.add("new.parquet", &batch(vec![("at", Arc::new(micros) as ArrayRef)]));
    let at = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let session = beside.session(vec![Field::new("at", at, true)], vec![]);
    assert_snapshot!(answer(&session, "select * from plans order by at").await, @r"
    +--------------------------+
    | at                       |
    +--------------------------+
    | 1970-01-01T00:00:01Z     |
    | 1970-01-01T00:00:01.500Z |
    | 9999-12-31T23:59:59Z     |
    |                          |
    +--------------------------+
    ");
    assert_snapshot!(answer(&session, "select at, count(*) as n from plans where at > timestamp '2200-01-01' group by 1").await, @r"
    +----------------------+---+
    | at                   | n |
    +----------------------+---+
    | 9999-12-31T23:59:59Z | 1 |
    +----------------------+---+
    ");
}
