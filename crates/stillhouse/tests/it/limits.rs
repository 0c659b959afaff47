//! Ceilings: record length, memory.

use std::io::{BufWriter, Write};

use stillhouse_testkit::{Events, TempProject, write_unclosed_quote};

use super::{assert_balanced, number, project, run};

const MIB: u64 = 1 << 20;

/// Promise 6 as the issue states it: the peak of the whole process, whatever the size of the input.
const MEMORY_MAX: u64 = 300 * 1_000_000;

/// The same for a table of 300 columns, each of which has buffers of its own while a row group is written.
const WIDE_MEMORY_MAX: u64 = 400 * 1_000_000;

fn with_long_field(bytes: usize) -> TempProject {
    let project = project("events");
    let path = project.write("data/2023/01/events.csv", "");
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    file.write_all(b"id,timestamp,email,country,ip,uri,action,tags\n").unwrap();
    for id in 0..200 {
        writeln!(file, "{id},2023-01-05,a@acme.com,Germany,1.2.3.4,/x,visit,[]").unwrap();
    }
    file.write_all(b"long,2023-01-05,a@acme.com,Germany,1.2.3.4,").unwrap();
    for _ in 0..bytes / 1024 {
        file.write_all(&[b'x'; 1024]).unwrap();
    }
    writeln!(file, ",visit,[]").unwrap();
    writeln!(file, "last,2023-01-06,a@acme.com,Germany,1.2.3.4,/x,visit,[]").unwrap();
    drop(file);
    project
}

#[test]
fn a_field_of_50_mb_loads() {
    let project = with_long_field(50_000 * 1024);
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select max(length(uri)) from events"), 50_000 * 1024);
    assert_balanced(&project, "events");
}

#[test]
fn a_field_of_70_mb_is_one_reject_kept_by_offset_and_length() {
    let project = with_long_field(70_000 * 1024);
    run(&project, &["run", "all"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events"), 201);
    assert_eq!(number(&project, "select count(*) from _quarantine where raw is null"), 1);
    assert!(number(&project, "select bytes from _quarantine") > 70_000 * 1024);
    let offset = number(&project, "select \"offset\" from _quarantine");
    let file = std::fs::read(project.path("data/2023/01/events.csv")).unwrap();
    assert!(file[usize::try_from(offset).unwrap()..].starts_with(b"long,2023"));
    assert_balanced(&project, "events");
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let project = project("events");
    let mut peaks = Vec::new();
    for (month, rows) in [(1, 250_000), (2, 1_000_000)] {
        Events::new(41).write_file(&project.path(format!("data/2023/{month:02}/events.csv")), 2023, month, rows);
        let finished = run(&project, &["run", &format!("2023-{month:02}"), "--json"]).succeeded();
        peaks.push(finished.peak_memory_bytes);
    }
    assert!(peaks.iter().all(|peak| *peak <= MEMORY_MAX), "{peaks:?}");
    assert_balanced(&project, "events");
}

/// A contract of 300 text columns, for a file without a header.
fn wide_project() -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"wide\"\n");
    let columns: String = (0..300).map(|column| format!("c{column} = \"string\"\n")).collect();
    project.write(
        "sources/wide.toml",
        format!(
            "format = 1\n[source]\npath = \"data/wide.csv\"\ntype = \"csv\"\nsettle = \"0s\"\n[csv]\nheader = false\n\
         [table]\nname = \"wide\"\nmax_rejected = \"100%\"\n[table.columns]\n{columns}"
        ),
    );
    project
}

#[test]
fn a_quote_that_never_closes_costs_one_record_and_needs_bounded_memory() {
    let project = wide_project();
    write_unclosed_quote(&project.write("data/wide.csv", ""), 300, 100 * MIB);
    let finished = run(&project, &["run", "all", "--json"]).succeeded();
    let counts = &finished.json()["objects"][0]["counts"];
    assert_eq!(counts["quarantined"], 1, "{counts}");
    assert!(counts["loaded"].as_i64().unwrap() > 1_000, "{counts}");
    assert!(finished.peak_memory_bytes <= WIDE_MEMORY_MAX, "{}", finished.peak_memory_bytes);
    assert_balanced(&project, "wide");
}
