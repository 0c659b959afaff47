//! Databases that tables and reports are published to: exactly what `sql` shows, whatever happens in between.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, TypeInfo as _, ValueRef as _};
use stillhouse_testkit::{Events, Random, TempProject};

use super::{number, program, project, rows, run};

/// The rows of a query in an SQLite file, in the form in which `sql --json` prints rows.
pub fn database(path: &Path, sql: &str) -> Vec<Vec<Value>> {
    let read = async {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap()
    };
    let rows = tokio::runtime::Runtime::new().unwrap().block_on(read);
    let value = |row: &sqlx::sqlite::SqliteRow, index: usize| {
        let raw = row.try_get_raw(index).unwrap();
        let kind = raw.type_info().name().to_owned();
        match kind.as_str() {
            _ if raw.is_null() => Value::Null,
            "INTEGER" => json!(row.get_unchecked::<i64, _>(index)),
            "REAL" => json!(row.get_unchecked::<f64, _>(index)),
            _ => json!(row.get_unchecked::<String, _>(index)),
        }
    };
    rows.iter().map(|row| (0..row.columns().len()).map(|index| value(row, index)).collect()).collect()
}

fn count(path: &Path, table: &str) -> u64 {
    database(path, &format!("SELECT count(*) FROM \"{table}\""))[0][0].as_u64().unwrap()
}

/// What `sql` says, in the form that the database has: 1 for true, JSON text for lists, six digits of a second.
fn in_sqlite(answer: &Value) -> Vec<Vec<Value>> {
    let types: Vec<&str> =
        answer["columns"].as_array().unwrap().iter().map(|column| column["type"].as_str().unwrap()).collect();
    let value = |(value, kind): (&Value, &&str)| match (*kind, value) {
        (_, Value::Null) => Value::Null,
        ("bool", value) => json!(i64::from(value.as_bool().unwrap())),
        ("timestamp", value) => {
            let text = value.as_str().unwrap().trim_end_matches('Z');
            let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
            json!(format!("{seconds}.{fraction:0<6}Z"))
        }
        (list, value) if list.starts_with("list") => json!(value.to_string()),
        (_, value) => value.clone(),
    };
    let row = |row: &Value| row.as_array().unwrap().iter().zip(&types).map(value).collect();
    answer["rows"].as_array().unwrap().iter().map(row).collect()
}

fn assert_equal(project: &TempProject, path: &Path, table: &str) {
    let order = if table == "event_tags" { "_object, _record, _item" } else { "_object, _record" };
    let sql = format!("select * from {table} order by {order}");
    let answer = run(project, &["--json", "sql", &sql]).succeeded().json();
    let names: Vec<Value> = answer["columns"].as_array().unwrap().iter().map(|column| column["name"].clone()).collect();
    let found = database(path, &format!("SELECT name FROM pragma_table_info('{table}')"));
    assert_eq!(found.concat(), names);
    let found = database(path, &format!("SELECT * FROM \"{table}\" ORDER BY {order}"));
    assert_eq!(found, in_sqlite(&answer));
}

/// A project whose one table has every type.
fn every_type() -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"types\"\n");
    let columns = "[table.columns]\ntext = 'string'\nwhole = 'int64'\nreal = 'float64'\nmoney = 'decimal(20,4)'\nyes = 'bool'\n\
        day = 'date'\nat = 'timestamp'\nclock = 'time'\nnested = 'json'\nwords = { type = 'list<string>', list = 'json' }\n\
        sums = { type = 'list<decimal(9,2)>', list = 'json' }\n";
    let table = "[table]\nname = 'types'\npublish = { to = 'sqlite://out/${NAME}.db' }\nmax_rejected = '50%'\n";
    let source = format!("format = 1\n[source]\ntype = 'csv'\npath = 'data/*.csv'\nsettle = '0s'\n{table}{columns}");
    project.write("sources/types.toml", source);
    project
}

const HEAD: &str = "text,whole,real,money,yes,day,at,clock,nested,words,sums\n";
const TYPES: &str = "\"a \"\"quoted\"\", text\",-9223372036854775808,0.1,1234567890123456.7800,true,2021-04-05,2021-04-05T12:30:15Z,\
    10:20:30,\"{\"\"a\"\": [1, null]}\",\"[\"\"x\"\", \"\"ä\"\"]\",\"[1.50, 2]\"\n\
    ,,,,,,,,,,\n\
    \u{1F600},9223372036854775807,1e300,-0.0001,false,0001-01-01,1969-12-31T23:59:59.999999+00:00,23:59:59.5,[],[],[]\n";

fn with_name(project: &TempProject, arguments: &[&str]) -> stillhouse_testkit::Finished {
    program().in_folder(project.path(".")).with_variable("NAME", "secret-name").run(arguments)
}

#[test]
fn every_type_is_published_exactly_and_a_second_run_writes_nothing() {
    let project = every_type();
    project.write("data/1.csv", format!("{HEAD}{TYPES}"));
    let loaded = with_name(&project, &["ingest"]).succeeded();
    assert!(loaded.stdout.contains("sqlite://out/${NAME}.db  1 published\n  published  types  "), "{}", loaded.stdout);
    let path = project.path("out/secret-name.db");
    let sql = ["--json", "sql", "select * from types order by _object, _record"];
    let answer = with_name(&project, &sql).succeeded().json();
    let found = database(&path, "SELECT * FROM types ORDER BY _object, _record");
    assert_eq!(found, in_sqlite(&answer));
    assert!(found.len() > 1, "{found:?}");
    assert_eq!(found[0][3], json!("1234567890123456.7800"));
    assert_eq!(found[0][10], json!("[\"1.50\",\"2.00\"]"));

    let before = (std::fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap());
    let again = with_name(&project, &["ingest", "--json"]).succeeded().json();
    assert_eq!(again["published"][0]["status"], "unchanged");
    assert_eq!(again["published"][0]["to"], "sqlite://out/${NAME}.db");
    assert_eq!(before, (std::fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap()));
    assert!(!project.path("out/secret-name.db-wal").exists(), "nothing stays open");
}

/// The events template, published with its child table and its report.
fn published() -> TempProject {
    let project = project("events");
    let to = "publish = { to = \"sqlite://out/w.db\" }";
    project.edit("sources/events.toml", "[table]\n", &format!("[table]\n{to}\n"));
    project.edit("sources/events.toml", "[[child]]\n", &format!("[[child]]\n{to}\n"));
    let report = std::fs::read_dir(project.path("reports")).unwrap().next().unwrap().unwrap().file_name();
    let report = format!("reports/{}/report.toml", report.to_str().unwrap());
    project.edit(&report, "format = 1\n", &format!("format = 1\n{to}\n"));
    project
}

#[test]
fn a_changed_and_a_new_file_and_a_compaction_show() {
    let project = published();
    let path = project.path("out/w.db");
    let mut events = Events::new(71);
    events.write_months(&project.path("."), 2021, 2, 200);
    run(&project, &["run", "all"]).succeeded();
    assert_equal(&project, &path, "events");
    assert_equal(&project, &path, "event_tags");
    events.write_months(&project.path("."), 2021, 1, 150);
    events.write_months(&project.path("."), 2022, 1, 100);
    run(&project, &["ingest"]).succeeded();
    assert_equal(&project, &path, "events");
    assert_equal(&project, &path, "event_tags");
    run(&project, &["maintain", "--keep", "0 s"]).succeeded();
    run(&project, &["publish"]).succeeded();
    assert_equal(&project, &path, "events");
    let entries = database(&path, "SELECT table_name, row_count FROM _stillhouse WHERE run_id IS NULL ORDER BY 1");
    assert_eq!(entries[1], vec![json!("events"), json!(number(&project, "select count(*) from events"))]);
}

#[test]
fn results_of_a_period_are_replaced_and_others_stay() {
    let project = published();
    let path = project.path("out/w.db");
    let mut events = Events::new(72);
    events.write_months(&project.path("."), 2021, 2, 200);
    let april = |month: &str| {
        let answer = run(&project, &["--json", "run", month]).succeeded().json();
        let queries = answer["reports"][0]["queries"].as_object().unwrap();
        let query = queries.keys().next().unwrap().clone();
        (answer, query)
    };
    let (first, query) = april("2021-01");
    let (second, _) = april("2021-02");
    let report = first["reports"][0]["report"].as_str().unwrap().replace('-', "_");
    let table = format!("{report}_{query}");
    let held = |period: &str| {
        let rows = database(&path, &format!("SELECT * FROM {table} WHERE _period = '{period}' ORDER BY _row"));
        let runs: Vec<Value> = rows.iter().map(|row| row[1].clone()).collect();
        (rows.into_iter().map(|row| row[4..].to_vec()).collect::<Vec<_>>(), runs)
    };
    let shown = |answer: &Value| in_sqlite(&answer["reports"][0]["queries"][&query]);
    for (period, answer) in [("2021-01", &first), ("2021-02", &second)] {
        let (rows, runs) = held(period);
        assert_eq!(rows, shown(answer));
        assert!(runs.iter().all(|run| *run == answer["reports"][0]["run_id"]), "{runs:?}");
    }
    events.write_months(&project.path("."), 2021, 1, 300);
    let (restated, _) = april("2021-01");
    assert_ne!(first["reports"][0]["run_id"], restated["reports"][0]["run_id"]);
    assert_eq!(held("2021-01").0, shown(&restated));
    assert_eq!(held("2021-02").1[0], second["reports"][0]["run_id"], "nobody ran it again");
    assert!(!rows(&restated, &query).is_empty());
}

#[test]
fn a_database_that_cannot_be_written_is_a_failure_that_the_next_run_makes_up_for() {
    let project = published();
    Events::new(73).write_months(&project.path("."), 2021, 1, 100);
    std::fs::create_dir_all(project.path("out/w.db")).unwrap();
    let failed = run(&project, &["run", "2021-01"]).ended_with(1);
    assert!(
        failed.stderr.contains("error: `sqlite://out/w.db` was not published, it is as it was: "),
        "{}",
        failed.stderr
    );
    assert!(failed.stderr.contains(" publish`; the tables of the lake"), "{}", failed.stderr);
    assert!(failed.stdout.contains("  failed  events\n"), "{}", failed.stdout);
    assert_eq!(number(&project, "select count(*) from events"), 100);
    let answer = run(&project, &["publish", "--json"]).ended_with(1).json();
    assert_eq!(answer["published"][0]["status"], "failed");
    assert!(answer["published"][0]["error"].as_str().unwrap().contains("cannot be opened"), "{answer:#}");
    std::fs::remove_dir(project.path("out/w.db")).unwrap();
    run(&project, &["run", "2021-01"]).succeeded();
    assert_equal(&project, &project.path("out/w.db"), "events");
    assert!(count(&project.path("out/w.db"), "_stillhouse") > 2, "the results as well");
}

#[test]
fn thirty_kills_leave_a_whole_state_each_time() {
    let project = published();
    Events::new(74).write_months(&project.path("."), 2021, 3, 4_000);
    let path = project.path("out/w.db");
    let folder = project.path(".");
    run(&project, &["run", "all"]).succeeded();
    let arguments = ["-C", folder.to_str().unwrap(), "publish", "--again"];
    let whole = run(&project, &["publish", "--again"]).succeeded().elapsed;
    let mut random = Random::new(75);
    for _ in 0..30 {
        program().kill_at_random(&arguments, 1, whole, &mut random);
        assert_eq!(count(&path, "events"), 12_000);
        let entries = database(&path, "SELECT row_count FROM _stillhouse WHERE table_name = 'events'");
        assert_eq!(entries, [[json!(12_000)]]);
    }
    // A first publication that is killed, too: there is all of it, or nothing.
    std::fs::remove_file(&path).unwrap();
    for name in ["w.db-wal", "w.db-shm"] {
        let _ = std::fs::remove_file(project.path("out").join(name));
    }
    program().kill_at_random(&arguments, 3, whole / 2, &mut random);
    run(&project, &["publish"]).succeeded();
    assert_equal(&project, &path, "events");
    assert_equal(&project, &path, "event_tags");
}

#[test]
fn two_processes_publish_one_after_the_other() {
    let project = published();
    Events::new(76).write_months(&project.path("."), 2021, 2, 2_000);
    run(&project, &["ingest"]).succeeded();
    let folder = project.path(".");
    let arguments = ["-C", folder.to_str().unwrap(), "publish", "--again"];
    let both = [program().spawn(&arguments), program().spawn(&arguments)];
    for one in both {
        one.wait().succeeded();
    }
    assert_equal(&project, &project.path("out/w.db"), "events");
}

#[test]
fn heavy_a_large_table_is_published_in_bounded_memory() {
    let project = published();
    Events::new(77).write_months(&project.path("."), 2021, 2, 400_000);
    run(&project, &["ingest"]).succeeded();
    let again = run(&project, &["publish", "--again", "events"]).succeeded();
    let peak = again.peak_memory_bytes >> 20;
    assert!(peak < 300, "{peak} MB in {:?}", again.elapsed);
    assert!(again.elapsed < Duration::from_secs(200));
    assert_eq!(count(&project.path("out/w.db"), "events"), 800_000);
}
