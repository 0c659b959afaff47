//! The testkit's own promises: known answers are right, readers are heard, and peak memory is seen.

mod guide;
mod protocol;
mod receipts;
mod simulation;
mod small_files;

use std::path::Path;
use std::time::Duration;

use stillhouse_testkit::{Answers, Events, Program, Random, TempProject, shared_data, write_unclosed_quote};

#[test]
fn known_answers_are_those_of_the_file() {
    let project = TempProject::new();
    let files = Events::new(7).write_months(&project.path("."), 2020, 14, 50);
    assert_eq!(files.len(), 14);
    let last = files.last().expect("fourteen files");
    assert_eq!(last.path, project.path("data/2021/02/events.csv"));
    let text = std::fs::read_to_string(&last.path).expect("it was written");
    assert_eq!(u64::try_from(text.len()).expect("small"), last.bytes);
    let rows: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(u64::try_from(rows.len()).expect("small"), last.answers.rows);
    for (day, count) in &last.answers.days {
        let of_day = rows.iter().filter(|row| row.contains(&format!(",{day}"))).count();
        assert_eq!(u64::try_from(of_day).expect("small"), *count, "{day}");
    }
    let quotes: usize = rows.iter().map(|row| row.rsplit_once(",\"[").expect("tags").1.matches('\'').count()).sum();
    assert_eq!(u64::try_from(quotes / 2).expect("small"), last.answers.tags);
    let mut total = Answers::default();
    files.iter().for_each(|file| total += &file.answers);
    assert_eq!(total.rows, 700);
    assert_eq!(total.actions.values().sum::<u64>(), 700);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let project = TempProject::new();
    let write = |name: &str, seed: u64| {
        let path = project.path(name);
        Events::new(seed).write_file(&path, 2021, 4, 100);
        std::fs::read(path).expect("it was written")
    };
    assert_eq!(write("a.csv", 1), write("b.csv", 1));
    assert_ne!(write("a.csv", 1), write("c.csv", 2));
}

#[test]
fn an_unclosed_quote_is_the_first_byte() {
    let project = TempProject::new();
    let path = project.path("quote.csv");
    write_unclosed_quote(&path, 300, 100_000);
    let text = std::fs::read_to_string(path).expect("it was written");
    assert!(text.len() >= 100_000);
    assert!(text.starts_with('"'));
    assert_eq!(text.matches('"').count(), 1);
    assert!(text.lines().skip(1).all(|line| line.split(',').count() == 300));
}

#[test]
fn a_program_is_heard_and_its_memory_seen() {
    let shell = Program::new("/bin/sh").with_variable("GREETING", "hello");
    let finished = shell.run(&["-c", "echo \"{\\\"say\\\": \\\"$GREETING\\\"}\"; echo oops >&2; exit 3"]).ended_with(3);
    assert_eq!(finished.json()["say"], "hello");
    assert_eq!(finished.stderr, "oops\n");
    // A shell variable of 64 MB, held long enough to be looked at.
    let hungry = shell.run(&["-c", "x=$(head -c 64000000 /dev/zero | tr '\\0' x); sleep 0.3; echo ${#x}"]).succeeded();
    assert_eq!(hungry.stdout, "64000000\n");
    assert!(hungry.peak_memory_bytes > 64_000_000, "{}", hungry.peak_memory_bytes);
}

#[test]
fn kills_hit_what_runs_and_miss_what_has_ended() {
    let shell = Program::new("/bin/sh");
    let mut random = Random::new(1);
    let kills = shell.kill_at_random(&["-c", "exec sleep 20"], 3, Duration::from_millis(20), &mut random);
    assert_eq!((kills.hit, kills.missed), (3, 0));
}

#[test]
#[should_panic(expected = "ran longer than")]
fn what_hangs_is_ended() {
    Program::new("/bin/sh").with_time_max(Duration::from_millis(50)).run(&["-c", "exec sleep 20"]);
}

#[test]
fn the_shared_corpora_are_found() {
    assert!(shared_data("stori").join("canonical.csv").is_file());
    assert!(Path::new(&shared_data("madkudu")).join("2021/04/events.csv").is_file());
}
