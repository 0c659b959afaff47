//! JSON and Parquet files that others wrote.

use std::path::Path;

use stillhouse_sniff::{Input, Options, Proposal, propose};
use stillhouse_testkit::shared_data;

use crate::common::{input, line, load};

/// The proposal for files of a folder, by their paths in it, and the rows that they come to in each table; none is refused.
fn loaded(folder: &Path, files: &[&str]) -> (Proposal, Vec<usize>) {
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(folder.join(file)).unwrap()).collect();
    let inputs: Vec<Input<'_>> =
        files.iter().zip(&bytes).map(|(file, bytes)| input(&format!("data/{file}"), bytes)).collect();
    let proposal = propose(&inputs, &Options::default()).unwrap();
    let mut counts = Vec::new();
    for bytes in &bytes {
        let (loaded, _) = load(&proposal, bytes);
        assert_eq!(loaded.rejects, [], "{}", proposal.source);
        counts.resize(loaded.counts.len().max(counts.len()), 0);
        loaded.counts.iter().enumerate().for_each(|(table, rows)| counts[table] += rows);
    }
    (proposal, counts)
}

#[test]
fn comments_on_comments_are_one_table() {
    let files: Vec<String> = (10..17).map(|part| format!("comment_info/part-000{part}.json")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (proposal, rows) = loaded(&shared_data("paramount"), &files);
    assert_eq!(rows, [89, 347, 12_161 + 3_603]);
    insta::assert_snapshot!("comments_on_comments", proposal.source);
}

#[test]
fn events_of_a_queue_load_whole() {
    let folder = shared_data("taxfix");
    let files = [("events_a.json", 4), ("events_b.json", 4), ("events_c.json", 2), ("events_d.json", 2)];
    for (file, rows) in files {
        assert_eq!(loaded(&folder, &[file]).1, [rows], "{file}");
    }
    let (_, rows) = loaded(&folder, &files.map(|(file, _)| file));
    assert_eq!(rows, [12]);
    insta::assert_snapshot!("events_of_a_queue", loaded(&folder, &["events_d.json"]).0.source);
}

#[test]
fn messages_with_json_inside_of_texts_keep_them() {
    let (proposal, rows) = loaded(&shared_data("taxfix"), &["sqs_messages_generated.jsonl"]);
    assert_eq!(rows, [5000]);
    assert_eq!(line(&proposal, "body"), "body = \"string\"");
    assert_eq!(line(&proposal, "time"), "time = \"sent_timestamp\"");
}

#[test]
fn changes_of_users_load_whole() {
    let folder = shared_data("taxfix_cdc");
    let in_minute = |minute: u32| {
        let path = format!("users/2026/02/05/16/{minute}");
        let entry = std::fs::read_dir(folder.join(&path)).unwrap().next().unwrap().unwrap();
        format!("{path}/{}", entry.file_name().to_str().unwrap())
    };
    let files: Vec<String> = (34..39).map(in_minute).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (proposal, rows) = loaded(&folder, &files);
    assert_eq!(rows, [367]);
    insta::assert_snapshot!("changes_of_users", proposal.source);
}

#[test]
fn what_is_known_of_posts_loads_whole() {
    let files = ["post_meta/part-00000.snappy.parquet", "post_meta/part-00003.snappy.parquet"];
    let (proposal, rows) = loaded(&shared_data("paramount"), &files);
    assert_eq!(rows, [3716]);
    insta::assert_snapshot!("what_is_known_of_posts", proposal.source);
}

#[test]
fn odd_json_makes_nothing_fail_otherwise_than_by_an_error() {
    let folder = shared_data("JSONTestSuite").join("test_parsing");
    let (mut files, mut proposals) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        let Ok(proposal) = propose(&[input("data/x.json", &bytes)], &Options::default()) else { continue };
        if !proposal.source.contains("type = \"json\"") {
            continue;
        }
        proposals += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("y_") {
            assert_eq!(load(&proposal, &bytes).0.rejects, [], "{name}\n{}", proposal.source);
        }
    }
    assert_eq!(files, 318);
    assert!(proposals > 5, "{proposals}");
}
