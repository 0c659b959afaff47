//! Folders of part files, as Spark and others write them: each is one object.

use std::fs::{File, create_dir_all, remove_dir_all, remove_file, rename};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use insta::assert_snapshot;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use stillhouse_testkit::{Running, TempProject};

use super::{ask, object, sources};
use crate::faults::is_reading;
use crate::{assert_balanced, program, run};

const EVENTS: &str = "
[source]
path = 'exports/{yyyy}/{MM}/events.csv/'
type = 'csv'
every = 'month'
[table]
name = 'events'
time = 'day'
max_rejected = '50%'
[table.columns]
id = { type = 'int64', required = true }
day = { type = 'date', format = '%Y-%m-%d' }
month = { type = 'int64', from = '{MM}' }
";

const KEY: &str = "exports/2021/04/events.csv";

/// What Spark leaves beside two parts.
fn spark(project: &TempProject, first: &str, second: &str) {
    project.write(format!("{KEY}/part-00000-a1.csv"), first);
    project.write(format!("{KEY}/part-00001-a1.csv"), second);
    project.write(format!("{KEY}/.part-00000-a1.csv.crc"), "crc");
    project.write(format!("{KEY}/.part-00001-a1.csv.crc"), "crc");
    project.write(format!("{KEY}/_SUCCESS"), "");
}

fn events() -> TempProject {
    let project = sources(&[("events", EVENTS)]);
    spark(&project, "id,day\n1,2021-04-01\n2,2021-04-02", "id,day\n3,2021-04-03\n4,03.04.2021\n");
    project
}

fn ids(project: &TempProject) -> Value {
    ask(project, "select id, _record from events order by id")
}

/// Audit and proof find nothing wrong, and the account balances.
fn assert_proved(project: &TempProject) {
    assert_balanced(project, "events");
    run(project, &["audit"]).succeeded();
    let proved = run(project, &["--json", "receipts", "verify"]).succeeded().json();
    for receipt in proved["receipts"].as_array().unwrap() {
        assert!(["content", "no_rows"].contains(&receipt["proof"].as_str().unwrap()), "{receipt:#}");
    }
}

#[test]
fn a_folder_is_one_object_and_refused_records_name_their_part() {
    let project = events();
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    let found = object(&answer, KEY);
    assert_eq!((&found["status"], &found["counts"]["loaded"]), (&json!("loaded"), &json!(3)), "{found:#}");
    assert_eq!(found["decided"]["parts"], "2 (detected)");
    assert_eq!(answer.json()["objects"].as_array().unwrap().len(), 1);
    assert_eq!(found["rejects"][0]["part"], "part-00001-a1.csv");
    assert_eq!(found["rejects"][0]["line"], 3);
    assert_eq!(answer.json()["notes"], json!(["source `events`: passed over in 1 folder: 3 markers and hidden files"]));
    assert_eq!(ids(&project), json!([[1, 0], [2, 1], [3, 2]]));
    assert_proved(&project);
    assert_eq!(object(&run(&project, &["--json", "ingest"]).succeeded(), KEY)["status"], "unchanged");

    let list = run(&project, &["quarantine", "list"]).succeeded();
    assert!(list.stdout.contains("exports/2021/04/events.csv/part-00001-a1.csv"), "{}", list.stdout);
    let question = "select key, part, line, \"offset\", _record from _quarantine";
    assert_eq!(ask(&project, question), json!([[KEY, "part-00001-a1.csv", 3, 20, 3]]));
    for path in [KEY, "exports/2021/04/events.csv/", "part-00001-a1.csv"] {
        let shown = run(&project, &["quarantine", "show", path]).succeeded();
        assert!(shown.stdout.contains("4,03.04.2021"), "{path}: {}", shown.stdout);
    }
    let out = project.path("out");
    run(&project, &["quarantine", "export", "--to", out.to_str().unwrap()]).succeeded();
    let record = std::fs::read_to_string(out.join(KEY).join("part-00001-a1.csv")).unwrap();
    assert_eq!(record, "4,03.04.2021\n");
    for path in [KEY, "exports/2021/04/events.csv/part-00000-a1.csv"] {
        let told = run(&project, &["explain", path]).succeeded().stdout;
        assert!(told.contains("refused part-00001-a1.csv line 3: column `day`"), "{told}");
        assert!(told.contains("    folder: 65 B"), "{told}");
    }

    project.edit("sources/events.toml", "format = '%Y-%m-%d'", "format = ['%Y-%m-%d', '%d.%m.%Y']");
    let replayed = run(&project, &["--json", "quarantine", "replay"]).succeeded().json();
    assert_eq!(replayed["objects"][0]["loaded"], 1, "{replayed:#}");
    assert_eq!(ids(&project), json!([[1, 0], [2, 1], [3, 2], [4, 3]]));
    assert_proved(&project);
}

#[test]
fn a_part_that_changes_comes_or_goes_replaces_the_whole() {
    let project = events();
    run(&project, &["ingest"]).succeeded();
    let loads = |loaded: i64, expected: Value| {
        let answer = run(&project, &["--json", "ingest"]).succeeded();
        let found = object(&answer, KEY);
        assert_eq!((&found["status"], &found["counts"]["loaded"]), (&json!("loaded"), &json!(loaded)), "{found:#}");
        assert_eq!(ask(&project, "select id from events order by id"), expected);
        assert_proved(&project);
    };
    project.write(format!("{KEY}/part-00001-a1.csv"), "id,day\n30,2021-04-03\n");
    let audit = run(&project, &["audit"]).ended_with(3);
    assert!(audit.stdout.contains("was changed after it was loaded"), "{}", audit.stdout);
    loads(3, json!([[1], [2], [30]]));
    project.write(format!("{KEY}/part-00002-a1.csv"), "id,day\n5,2021-04-05\n");
    loads(4, json!([[1], [2], [5], [30]]));
    remove_file(project.path(format!("{KEY}/part-00000-a1.csv"))).unwrap();
    loads(2, json!([[5], [30]]));

    // The same rows written again: other names and times, and the content that is known.
    let parts = project.path(KEY);
    rename(parts.join("part-00001-a1.csv"), parts.join("part-00000-b2.csv")).unwrap();
    rename(parts.join("part-00002-a1.csv"), parts.join("part-00001-b2.csv")).unwrap();
    let again = object(&run(&project, &["--json", "ingest"]).succeeded(), KEY);
    assert_eq!(again["status"], "same", "{again:#}");
    let reloaded = object(&run(&project, &["--json", "ingest", "--reload", KEY]).succeeded(), KEY);
    assert_eq!(reloaded["generation"], 6, "{reloaded:#}");
    assert_eq!(ask(&project, "select id from events order by id"), json!([[5], [30]]));
    assert_proved(&project);

    // Gone as a whole: a policy says what becomes of the rows. Another folder is there, so it is not the disk that is gone.
    project.write("exports/2021/05/events.csv/part-0.csv", "id,day\n6,2021-05-01\n");
    remove_dir_all(&parts).unwrap();
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select id from events order by id"), json!([[5], [6], [30]]));
    project.edit("sources/events.toml", "every = 'month'", "every = 'month'\non_missing = 'remove'");
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select id from events order by id"), json!([[6]]));
}

#[test]
fn a_part_that_comes_or_goes_while_others_are_read_leaves_all_for_the_next_run() {
    let project = events();
    let many: String = (10..800_000).map(|id| format!("{id},2021-04-07\n")).collect();
    let large = project.write(format!("{KEY}/part-00002-a1.csv"), format!("id,day\n{many}"));
    let folder = project.path(".");
    let started = || {
        let running = program().spawn(&["-C", folder.to_str().unwrap(), "--json", "ingest"]);
        while !is_reading(running.id(), &large) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        running
    };
    let failed = |running: Running| {
        let found = object(&running.wait().ended_with(3), KEY);
        assert_eq!(found["status"], "failed", "{found:#}");
        assert!(found["reason"].as_str().unwrap().contains("while it was read"), "{found:#}");
        assert_eq!(ask(&project, "select count(*) from events"), json!([[0]]));
    };
    let running = started();
    project.write(format!("{KEY}/part-00003-a1.csv"), "id,day\n5,2021-04-05\n");
    failed(running);
    let running = started();
    remove_file(project.path(format!("{KEY}/part-00003-a1.csv"))).unwrap();
    failed(running);
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select count(*) from events"), json!([[799_993]]));
    assert_proved(&project);
}

#[test]
fn a_file_that_becomes_a_folder_is_the_same_object() {
    let project = sources(&[("events", &EVENTS.replace("events.csv/'", "events.csv'"))]);
    project.write(KEY, "id,day\n1,2021-04-01\n");
    run(&project, &["ingest"]).succeeded();
    remove_file(project.path(KEY)).unwrap();
    spark(&project, "id,day\n1,2021-04-01\n", "id,day\n2,2021-04-02\n");
    let answer = run(&project, &["--json", "ingest"]).succeeded().json();
    let note = "`exports/2021/04/events.csv` is a folder, but source `events` expects a file of that name; if its files are \
                the parts of one export, end the path of the source with a slash: `exports/{yyyy}/{MM}/events.csv/`";
    assert_eq!(answer["notes"][0], note, "{answer:#}");
    project.edit("sources/events.toml", "events.csv'", "events.csv/'");
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    assert_eq!(object(&answer, KEY)["generation"], 2);
    assert_eq!(ids(&project), json!([[1, 0], [2, 1]]));
    assert_proved(&project);
}

#[test]
fn what_is_still_written_waits() {
    let project = events();
    create_dir_all(project.path(format!("{KEY}/_temporary/0"))).unwrap();
    remove_file(project.path(format!("{KEY}/_SUCCESS"))).unwrap();
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    let found = object(&answer, KEY);
    assert_eq!(found["status"], "settling", "{found:#}");
    assert_eq!(found["reason"], "`_temporary` is in the folder: it is still being written");
    assert_eq!(ask(&project, "select count(*) from events"), json!([[0]]));
    remove_dir_all(project.path(format!("{KEY}/_temporary"))).unwrap();
    assert_eq!(object(&run(&project, &["--json", "ingest"]).succeeded(), KEY)["status"], "loaded");
}

/// Why the folder is held.
fn held(project: &TempProject) -> String {
    let found = object(&run(project, &["--json", "ingest"]).ended_with(3), KEY);
    assert_eq!(found["status"], "held", "{found:#}");
    format!("{}\nhint: {}", found["reason"].as_str().unwrap(), found["hint"].as_str().unwrap_or("none"))
}

#[test]
fn what_cannot_be_one_object_is_held_with_a_word() {
    let project = events();
    project.write(format!("{KEY}/part-00001-a1.csv"), "day,id\n2021-04-03,3\n");
    assert_snapshot!(held(&project), @r"
    part `part-00001-a1.csv`: line 1: expected the header of the parts before, `id`, `day`, found `day`, `id`
    hint: write all parts of the folder with the same header, or put files that are no parts of it elsewhere
    ");
    project.write(format!("{KEY}/part-00001-a1.csv"), b"PK\x03\x04zip");
    let why = held(&project);
    assert!(why.starts_with("part `part-00001-a1.csv`: "), "{why}");
    project.write(format!("{KEY}/part-00001-a1.csv"), "id,day\n3,2021-04-03\n");
    project.write(format!("{KEY}/country=DE/part-00000.csv"), "id,day\n9,2021-04-09\n");
    assert_snapshot!(held(&project), @r"
    the folder has folders in it, which are not read: `country=DE`
    hint: let the path of the source name the inner folders, each is an object then: `exports/2021/04/events.csv/country={country}/`; the value between the braces may fill a column
    ");
    let parts = project.path(KEY);
    remove_dir_all(&parts).unwrap();
    project.write(format!("{KEY}/_SUCCESS"), "");
    assert!(held(&project).starts_with("the folder has no part"));
    // Mended, it loads, and nothing is held any more.
    spark(&project, "id,day\n1,2021-04-01\n", "");
    assert_eq!(object(&run(&project, &["--json", "ingest"]).succeeded(), KEY)["counts"]["loaded"], 1);
    assert_proved(&project);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn parts_are_packed_and_encoded_each_by_itself() {
    let project = sources(&[(
        "lines",
        "[source]\npath = 'in/*.json/'\ntype = 'json'\non_broken = 'load'\n[table]\nname = 'events'\nmax_rejected = '50%'\n\
         [table.columns]\nid = 'int64'\nname = 'string'\n",
    )]);
    project.write("in/a.json/part-0.json.gz", gzip("{\"id\":1,\"name\":\"Zoë\"}\n{\"id\":2}".as_bytes()));
    let utf16: Vec<u8> = "\u{feff}{\"id\":3,\"name\":\"é\"}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    project.write("in/a.json/part-1.json", utf16);
    project.write("in/a.json/part-2.json.gz", gzip(b"[{\"id\":4},{\"id\":\"x\"}]"));
    let found = object(&run(&project, &["--json", "ingest"]).succeeded(), "in/a.json");
    assert_eq!((&found["counts"]["loaded"], &found["counts"]["quarantined"]), (&json!(4), &json!(1)), "{found:#}");
    assert_eq!(found["decided"]["packing"], "gzip in 2 of 3 parts (detected)");
    assert_eq!(found["decided"]["encoding"], "utf-16le in 1 of 3 parts (detected)");
    assert_eq!(found["rejects"][0]["part"], "part-2.json.gz");
    assert_eq!(
        ask(&project, "select id, name from events order by id"),
        json!([[1, "Zoë"], [2, null], [3, "é"], [4, null]])
    );
    assert_proved(&project);

    // One that breaks off gives what is whole of it; the others are read all the same.
    let many: String = (100..3000).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect();
    let packed = gzip(many.as_bytes());
    project.write("in/b.json/part-0.json.gz", &packed[..packed.len() * 9 / 10]);
    project.write("in/b.json/part-1.json.gz", gzip(b"{\"id\":5000}\n"));
    let found = object(&run(&project, &["--json", "ingest"]).succeeded(), "in/b.json");
    let reject = &found["rejects"][0];
    assert_eq!((&reject["reason"], &reject["part"]), (&json!("broken_stream"), &json!("part-0.json.gz")), "{found:#}");
    assert_eq!(ask(&project, "select count(*) from events where id = 5000"), json!([[1]]));
    assert_proved(&project);
}

fn parquet(project: &TempProject, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let path = project.write(name, "");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(3)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn row_groups_of_all_parts_are_one_object() {
    let project = sources(&[(
        "posts",
        "[source]\npath = 'posts/*/'\ntype = 'parquet'\n[table]\nname = 'events'\nmax_rejected = '50%'\n\
         [table.columns]\nid = 'int64'\nnumber = 'int64'\n",
    )]);
    let numbers = |from: i64, to: i64| Arc::new((from..to).collect::<Int64Array>()) as ArrayRef;
    let texts = |texts: Vec<&str>| Arc::new(StringArray::from(texts)) as ArrayRef;
    parquet(&project, "posts/x/part-0.parquet", vec![("id", numbers(0, 7)), ("number", numbers(0, 7))]);
    let texts = texts(vec!["7", "8", "9", "no"]);
    parquet(&project, "posts/x/part-1.parquet", vec![("number", texts), ("id", numbers(7, 11))]);
    let found = object(&run(&project, &["--json", "ingest"]).succeeded(), "posts/x");
    assert_eq!((&found["counts"]["loaded"], &found["counts"]["quarantined"]), (&json!(10), &json!(1)), "{found:#}");
    let reject = &found["rejects"][0];
    let place = [&reject["part"], &reject["line"], &reject["record"]];
    assert_eq!(place, [&json!("part-1.parquet"), &json!(4), &json!(10)], "{reject:#}");
    assert_eq!(
        ask(&project, "select count(*), sum(id), sum(number), max(_record) from events"),
        json!([[10, 45, 45, 9]])
    );
    assert_proved(&project);
    parquet(&project, "posts/x/part-2.parquet", vec![("id", numbers(20, 21))]);
    let found = object(&run(&project, &["--json", "ingest"]).ended_with(3), "posts/x");
    let reason = found["reason"].as_str().unwrap();
    assert_eq!(reason, "part `part-2.parquet`: no field for column `number`: found the columns `id`");
    project.edit("sources/posts.toml", "name = 'events'", "name = 'events'\nmissing_columns = 'null'");
    assert_eq!(object(&run(&project, &["--json", "ingest"]).succeeded(), "posts/x")["counts"]["loaded"], 11);
    assert_proved(&project);
}
