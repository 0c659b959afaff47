//! Ceilings: record length, memory.

use std::io::{BufWriter, Write};

use stillhouse_testkit::{Events, TempProject};

use super::{assert_balanced, number, project, run};

/// Promise 6 as the issue states it: the peak of the whole process, whatever the size of the input.
const MEMORY_MAX: u64 = 300 * 1_000_000;

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
