//! Bad input and bad surroundings: nothing is lost, nothing panics, and a person is told.

use std::io::Write;

use serde_json::Value;
use stillhouse_testkit::{Events, TempProject};

use super::{assert_balanced, number, project, run};

const HEADER: &str = "id,timestamp,email,country,ip,uri,action,tags\n";

fn good(id: usize) -> String {
    format!("{id},2023-01-{:02},a{id}@acme.com,Germany,1.2.3.4,/x,visit,\"['a', 'b']\"\n", id % 28 + 1)
}

/// A project whose one file has these bytes between two hundred good rows, and which may refuse any number of them.
fn with_bytes_between(bytes: &[u8]) -> TempProject {
    let project = lenient();
    let mut file = HEADER.as_bytes().to_vec();
    (0..100).for_each(|id| file.extend(good(id).bytes()));
    file.extend(bytes);
    (100..200).for_each(|id| file.extend(good(id).bytes()));
    project.write("data/2023/01/events.csv", file);
    project
}

fn lenient() -> TempProject {
    let project = project("events");
    let text = std::fs::read_to_string(project.path("sources/events.toml")).unwrap();
    if let Some(line) = text.lines().find(|line| line.starts_with("max_rejected")) {
        project.edit("sources/events.toml", line, "max_rejected = \"100%\"");
    } else {
        project.edit("sources/events.toml", "[source]\n", "[source]\nmax_rejected = \"100%\"\n");
    }
    project
}

/// Runs everything; the refused records with their raw bytes (as hex) and lines.
fn refused(project: &TempProject) -> Vec<(i64, String, Option<String>)> {
    run(project, &["run", "all", "--json"]).succeeded();
    assert_balanced(project, "events");
    let sql = "select line, reason, encode(raw, 'hex') from _quarantine order by line";
    let answer = run(project, &["--json", "sql", sql]).succeeded().json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let row = |row: &Value| (row[0].as_i64().unwrap(), text(&row[1]).unwrap(), text(&row[2]));
    answer["rows"].as_array().unwrap().iter().map(row).collect()
}

fn hex(bytes: &[u8]) -> Option<String> {
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn ragged_rows_are_refused_and_kept() {
    let project = with_bytes_between(b"short,row\na,2023-01-01,e,c,i,u,a,[],too,long\n");
    let refused = refused(&project);
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0], (102, "field_count".to_owned(), hex(b"short,row")));
    assert_eq!(refused[1], (103, "field_count".to_owned(), hex(b"a,2023-01-01,e,c,i,u,a,[],too,long")));
    assert_eq!(number(&project, "select count(*) from events"), 200);
}

#[test]
fn an_unterminated_quote_costs_one_record() {
    let line = b"x,2023-01-05,\"open@acme.com,Germany,1.2.3.4,/x,visit,[]";
    let mut bytes = line.to_vec();
    bytes.push(b'\n');
    let project = with_bytes_between(&bytes);
    let refused = refused(&project);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0].0, &refused[0].2), (102, &hex(line)));
    assert_eq!(number(&project, "select count(*) from events"), 200);
}

#[test]
fn nul_bytes_are_text_and_invalid_utf8_is_refused() {
    let nul = b"n,2023-01-05,n@acme.com,Ger\0many,1.2.3.4,/x,visit,[]\n";
    let latin = b"l,2023-01-05,l@acme.com,T\xfcrkiye,1.2.3.4,/x,visit,[]";
    let mut bytes = nul.to_vec();
    bytes.extend(latin);
    bytes.push(b'\n');
    let project = with_bytes_between(&bytes);
    let refused = refused(&project);
    assert_eq!(refused, [(103, "invalid_utf8".to_owned(), hex(latin))]);
    assert_eq!(
        number(&project, "select count(*) from events where strpos(country, chr(0)) > 0 or length(country) = 8"),
        1
    );
}

#[test]
fn an_empty_file_is_held_and_a_header_alone_is_zero_rows() {
    let project = lenient();
    project.write("data/2023/01/events.csv", "");
    project.write("data/2023/02/events.csv", HEADER);
    let answer = run(&project, &["run", "all", "--json"]).ended_with(3).json();
    assert_eq!(answer["objects"][0]["status"], "held");
    assert_eq!(answer["objects"][1]["status"], "loaded");
    assert_eq!(answer["objects"][1]["counts"]["read"], 0);
    assert_balanced(&project, "events");
}

#[test]
fn a_folder_named_like_a_file_is_said() {
    let project = lenient();
    std::fs::create_dir_all(project.path("data/2023/01/events.csv")).unwrap();
    let finished = run(&project, &["run", "all"]);
    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert!(said.contains("data/2023/01/events.csv") && said.contains("is a folder"), "{said}");
    assert_ne!(finished.code, Some(0));
}

#[test]
fn unknown_columns_hold_the_file() {
    let project = lenient();
    project.write("data/2023/01/events.csv", format!("{},extra\n{},1\n", HEADER.trim_end(), good(1).trim_end()));
    let answer = run(&project, &["run", "all", "--json"]).ended_with(3).json();
    let object = &answer["objects"][0];
    assert_eq!(object["status"], "held");
    assert!(object["reason"].as_str().unwrap().contains("extra"), "{object}");
    let explained = run(&project, &["explain", "data/2023/01/events.csv"]).succeeded().stdout;
    assert!(explained.contains("held") && explained.contains("extra"), "{explained}");
}

#[test]
fn too_many_refused_records_hold_the_file_until_the_limit_is_raised() {
    let project = project("events");
    project.write("data/2023/01/events.csv", format!("{HEADER}{}bad row\n", good(1)));
    let answer = run(&project, &["run", "all", "--json"]).ended_with(3).json();
    assert_eq!(answer["objects"][0]["status"], "held");
    assert_eq!(number(&project, "select count(*) from events"), 0);
    assert_eq!(number(&project, "select count(*) from _quarantine"), 0);
    let text = std::fs::read_to_string(project.path("sources/events.toml")).unwrap();
    let line = text.lines().find(|line| line.starts_with("max_rejected")).map(str::to_owned);
    match line {
        Some(line) => project.edit("sources/events.toml", &line, "max_rejected = \"50%\""),
        None => project.edit("sources/events.toml", "[source]\n", "[source]\nmax_rejected = \"50%\"\n"),
    }
    run(&project, &["ingest", "--held"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events"), 1);
    assert_eq!(number(&project, "select count(*) from _quarantine"), 1);
    assert_balanced(&project, "events");
}

/// The file is appended to for as long as it is read; the run must notice, load nothing of it, and the next run loads it.
#[test]
fn a_file_that_changes_while_it_is_read_is_left_for_the_next_run() {
    let project = lenient();
    let file = Events::new(8).write_file(&project.path("data/2023/01/events.csv"), 2023, 1, 400_000);
    let folder = project.path(".");
    let running = super::program().spawn(&["-C", folder.to_str().unwrap(), "run", "all", "--json"]);
    let mut appended = 0;
    let mut open = std::fs::OpenOptions::new().append(true).open(&file.path).unwrap();
    while !is_reading(running.id(), &file.path) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    for id in 0..3 {
        open.write_all(good(id).as_bytes()).unwrap();
        appended += 1;
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(open);
    let finished = running.wait().ended_with(3);
    let object = &finished.json()["objects"][0];
    assert_eq!(object["status"], "failed", "{object}");
    assert!(object["reason"].as_str().unwrap().contains("changed while it was read"), "{object}");
    assert_eq!(number(&project, "select count(*) from events"), 0);
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events") as u64, file.answers.rows + appended);
    assert_balanced(&project, "events");
}

#[test]
fn a_file_that_is_removed_while_it_is_read_is_said_and_not_loaded() {
    let project = lenient();
    let file = Events::new(9).write_file(&project.path("data/2023/01/events.csv"), 2023, 1, 400_000);
    let folder = project.path(".");
    let running = super::program().spawn(&["-C", folder.to_str().unwrap(), "run", "all", "--json"]);
    while !is_reading(running.id(), &file.path) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::fs::remove_file(&file.path).unwrap();
    let finished = running.wait().ended_with(3);
    let object = &finished.json()["objects"][0];
    assert!(object["reason"].as_str().unwrap().contains("removed while it was read"), "{object}");
    assert_eq!(number(&project, "select count(*) from events"), 0);
}

/// Whether the process has begun to read: some data file of its attempt is being written.
pub fn is_reading(process: u32, file: &std::path::Path) -> bool {
    let read = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    let bytes = read.lines().find_map(|line| line.strip_prefix("rchar: ")).and_then(|text| text.parse::<u64>().ok());
    let size = file.metadata().map_or(u64::MAX, |meta| meta.len());
    bytes.unwrap_or(0) > size / 3
}

/// A lake on a small file system of its own: mounting one needs rights that not every machine gives.
#[test]
fn a_full_disk_is_said_clearly_and_leaves_nothing_half_visible() {
    let project = lenient();
    let small = project.path("small");
    std::fs::create_dir(&small).unwrap();
    let Some(_mounted) = Mounted::tmpfs(&small, "3m") else {
        // Without the right to mount, a device that is always full stands in for the disk of the lake's writes.
        assert!(
            std::path::Path::new("/dev/full").exists(),
            "neither a mount nor /dev/full: the disk-full test cannot run here"
        );
        eprintln!("no right to mount a small file system here; the disk-full test was not run");
        return;
    };
    project.edit("stillhouse.toml", "path = \"lake\"", "path = \"small/lake\"");
    Events::new(10).write_file(&project.path("data/2023/01/events.csv"), 2023, 1, 600_000);
    let finished = run(&project, &["run", "all"]).ended_with(1);
    assert!(finished.stderr.contains("disk is full"), "{}", finished.stderr);
    assert_eq!(number(&project, "select count(*) from events"), 0);
    // With a smaller file there is room; nothing of the failed try is in the way.
    let file = Events::new(11).write_file(&project.path("data/2023/01/events.csv"), 2023, 1, 1_000);
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events") as u64, file.answers.rows);
    assert_balanced(&project, "events");
}

/// A mounted file system, gone when dropped.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn tmpfs(at: &std::path::Path, size: &str) -> Option<Self> {
        let mut mount = std::process::Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at);
        mount.output().ok().filter(|output| output.status.success()).map(|_| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).output();
    }
}

/// The lake is the truth: what it holds is read as what it was written as, and the clash is told before the next file is.
#[test]
fn a_type_that_the_contract_changes_later_is_a_problem_and_not_another_figure() {
    let project = project("transactions");
    project.write("data/transactions.csv", "Id,Date,Transaction\n0,2024-07-15,+60.5\n1,2024-07-28,-10.3\n");
    run(&project, &["run", "all"]).succeeded();
    project.edit("sources/transactions.toml", "type = \"decimal(28,6)\"", "type = \"int64\"");
    let answer = run(&project, &["sql", "select sum(amount) as total from transactions", "--json"]).succeeded().json();
    assert_eq!(answer["rows"][0][0], "50.200000");
    let checked = run(&project, &["check"]).ended_with(2);
    assert!(checked.stderr.contains("column `amount`"), "{}", checked.stderr);
}

#[test]
fn a_held_file_is_tried_again_when_its_source_file_was_changed() {
    let project = project("transactions");
    project.write("data/transactions.csv", "Id;Date;Amount\n0;15/07/2024;60,5\n1;28/07/2024;-1.234,50\n");
    let held = run(&project, &["run", "all"]).ended_with(3);
    assert!(held.stderr.contains("nothing to report on"), "{}", held.stderr);
    assert!(!held.stdout.contains("total_balance"), "no summary of zeros: {}", held.stdout);
    let again = run(&project, &["run", "all"]).ended_with(3);
    assert!(!again.stderr.contains("every file is loaded"), "{}", again.stderr);
    project.edit(
        "sources/transactions.toml",
        "currency = \"skip\"",
        "currency = \"skip\"\ndecimal = \",\"\ngrouping = \".\"",
    );
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select cast(sum(amount) * 100 as bigint) from transactions"), -117_400);
}

#[test]
fn folders_and_files_with_any_name_are_found() {
    let project = project("events");
    project.edit("sources/events.toml", "data/{yyyy}/{MM}/events.csv", "data/**/*.csv");
    project.edit("sources/events.toml", "every = \"month\"\nspill = \"1 day\"\n", "");
    let names = ["März/a.csv", "100%/b.csv", "old~1/[c].csv", "with blank/d#.csv", "a%20b/e.csv", "日本/f.csv"];
    for (id, name) in names.iter().enumerate() {
        project.write(format!("data/{name}"), HEADER.to_owned() + &good(id));
    }
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events"), names.len() as i64);
    assert_balanced(&project, "events");
}
