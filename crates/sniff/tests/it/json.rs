//! JSON.

use std::path::PathBuf;

use stillhouse_sniff::{Input, Options, Proposal, propose};
use stillhouse_testkit::shared_data;

use crate::common::{input, load};

/// The proposal for files of a folder, and the rows that they come to in each table; none is refused.
fn loaded(folder: PathBuf, files: &[&str]) -> (Proposal, Vec<usize>) {
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(folder.join(file)).unwrap()).collect();
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let inputs: Vec<Input<'_>> =
        files.iter().zip(&bytes).map(|(file, bytes)| input(&format!("{name}/{file}"), bytes)).collect();
    let proposal = propose(&inputs, &Options::default()).unwrap();
    println!("{}", proposal.source);
    for note in &proposal.notes {
        println!("{:?} {} | {}", note.doubt, note.about, note.text);
    }
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
    let files: Vec<String> = (10..17).map(|part| format!("part-000{part}.json")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (_, rows) = loaded(shared_data("paramount").join("comment_info"), &files);
    assert_eq!(rows, [89, 347, 12_161 + 3_603]);
}

#[test]
fn events_of_a_queue_load_whole() {
    for (file, rows) in [("events_a.json", 4), ("events_b.json", 4), ("events_c.json", 2), ("events_d.json", 2)] {
        assert_eq!(loaded(shared_data("taxfix"), &[file]).1, [rows], "{file}");
    }
    let (_, rows) =
        loaded(shared_data("taxfix"), &["events_a.json", "events_b.json", "events_c.json", "events_d.json"]);
    assert_eq!(rows, [12]);
}

#[test]
fn messages_with_json_inside_of_texts_keep_them() {
    let (_, rows) = loaded(shared_data("taxfix"), &["sqs_messages_generated.jsonl"]);
    assert_eq!(rows, [5000]);
}

#[test]
fn changes_of_users_load_whole() {
    let files: Vec<String> = (34..39)
        .map(|minute| {
            let folder = shared_data("taxfix_cdc").join(format!("users/2026/02/05/16/{minute}"));
            let name = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().file_name();
            format!("users/2026/02/05/16/{minute}/{}", name.to_str().unwrap())
        })
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (_, rows) = loaded(shared_data("taxfix_cdc"), &files);
    assert_eq!(rows, [367]);
}
