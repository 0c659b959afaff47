//! Change events of a user table, a file a minute: the state does not depend on the order of the files.

use serde_json::Value;
use stillhouse_testkit::{TempProject, shared_data};

use super::{ask, sources};
use crate::run;

const USERS: &str = r#"
[source]
path = "data/users/{yyyy}/{MM}/{dd}/{HH}/{minute}/*.jsonl"
type = "json"
[table]
name = "changes"
time = "source_timestamp"
key = "user_id"
keep = "latest by cluster_time, cluster_count"
deleted = { column = "change_type", values = "DELETE" }
current = "users"
[table.columns]
uuid = { type = "string", required = true }
source_timestamp = "timestamp"
user_id = { type = "string", required = true, from = "payload._id" }
email = { type = "string", from = "payload.email", pii = true }
birthday = { type = "date", from = "payload.birthday" }
country = { type = "string", from = "payload.address.country" }
change_type = { type = "string", required = true, from = "source_metadata.change_type", allowed = ["INSERT", "UPDATE", "DELETE"] }
cluster_time = { type = "int64", required = true, from = "source_metadata.cluster_time.t" }
cluster_count = { type = "int64", required = true, from = "source_metadata.cluster_time.i" }
"#;

/// The files, by their minute.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = shared_data("taxfix_cdc").join("users/2026/02/05/16");
    let mut files = Vec::new();
    for minute in std::fs::read_dir(folder).unwrap() {
        let minute = minute.unwrap();
        for file in std::fs::read_dir(minute.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            files.push((minute.file_name().to_str().unwrap().to_owned(), bytes));
        }
    }
    files.sort();
    files
}

fn assert_state(project: &TempProject, events: i64) {
    let facts: Value =
        serde_json::from_slice(&std::fs::read(shared_data("taxfix_cdc").join("facts.json")).unwrap()).unwrap();
    let one = |sql: &str| ask(project, sql)[0][0].clone();
    assert_eq!(one("select count(*) from changes"), events);
    assert_eq!(one("select count(distinct uuid) from changes"), facts["distinct_event_uuids"]);
    assert_eq!(one("select count(distinct user_id) from changes"), facts["distinct_users"]);
    assert_eq!(one("select count(*) from users"), facts["active_users"]);
    assert_eq!(one("select count(*) from users where email like '%@gmail.com'"), facts["gmail_users_active"]);
    for (kind, count) in facts["change_types"].as_object().unwrap() {
        assert_eq!(one(&format!("select count(distinct uuid) from changes where change_type = '{kind}'")), *count);
    }
}

#[test]
fn in_order_and_in_reverse_and_every_file_twice() {
    let mut files = files();
    assert_eq!(files.len(), 5);
    let load = |project: &TempProject, minute: &str, bytes: &[u8]| {
        project.write(format!("data/users/2026/02/05/16/{minute}/events.jsonl"), bytes);
        run(project, &["ingest"]).succeeded();
    };
    let project = sources(&[("users", USERS)]);
    files.iter().for_each(|(minute, bytes)| load(&project, minute, bytes));
    assert_state(&project, 367);
    files.reverse();
    let project = sources(&[("users", USERS)]);
    for (minute, bytes) in &files {
        load(&project, minute, bytes);
        // The same bytes under another name are recognised, …
        project.write(format!("data/users/2026/02/05/16/{minute}/again.jsonl"), bytes);
    }
    run(&project, &["ingest"]).succeeded();
    assert_state(&project, 367);
    // … and do no harm where they are loaded all the same.
    let project =
        sources(&[("users", &USERS.replace("type = \"json\"", "type = \"json\"\non_same_content = \"load\""))]);
    for (minute, bytes) in &files {
        load(&project, minute, bytes);
        project.write(format!("data/users/2026/02/05/16/{minute}/again.jsonl"), bytes);
    }
    run(&project, &["ingest"]).succeeded();
    assert_state(&project, 2 * 367);
}
