//! Events of an app: files of objects, and messages whose bodies are JSON in a text.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stillhouse_testkit::shared_data;

use super::{ask, object, sources};
use crate::{assert_balanced, run};

const EVENTS: &str = r#"
[source]
path = "data/events*.json"
type = "json"
[table]
name = "events"
time = "timestamp"
key = "id"
keep = "latest by received_at"
[table.columns]
id = { type = "string", required = true }
event = "string"
event_text = "string"
received_at = "timestamp"
timestamp = "timestamp"
# One of the files has a blank in it, and a small t.
original_timestamp = "string"
user_id = { type = "string", pii = true }
context_device_type = "string"
"#;

const MESSAGES: &str = r#"
[source]
path = "data/messages*.jsonl"
type = "json"
max_record_bytes = "1 MB"
[table]
name = "messages"
time = "timestamp"
# A message that comes again is the same event.
key = "id"
keep = "latest by sent_at"
[table.columns]
message_id = { type = "string", required = true, from = "MessageId" }
sent_at = { type = "timestamp", format = "unix_ms", from = "SentTimestamp" }
id = { type = "string", required = true, from = "Body.id" }
event = { type = "string", required = true, from = "Body.event" }
timestamp = { type = "timestamp", required = true, from = "Body.timestamp" }
user_id = { type = "string", from = "Body.user_id", pii = true }
"#;

fn facts() -> Value {
    serde_json::from_slice(&std::fs::read(shared_data("taxfix").join("facts.json")).unwrap()).unwrap()
}

#[test]
fn files_of_objects_load_whatever_stands_around_them() {
    let project = sources(&[("events", EVENTS)]);
    for name in ["a", "b", "c", "d"] {
        project.copy(shared_data("taxfix").join(format!("events_{name}.json")), format!("data/events_{name}.json"));
    }
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    for (name, objects) in [("a", 4), ("b", 4), ("c", 2), ("d", 2)] {
        let loaded = object(&answer, &format!("data/events_{name}.json"));
        assert_eq!((&loaded["status"], &loaded["counts"]["loaded"]), (&json!("loaded"), &json!(objects)), "{name}");
    }
    let ids = ask(&project, "select count(distinct id) from events group by _object");
    assert_eq!(ids, json!([[2], [2], [2], [2]]));
    assert_balanced(&project, "events");
}

#[test]
fn messages_come_to_the_expected_figures() {
    let facts = facts();
    let project = sources(&[("messages", MESSAGES)]);
    project.copy(shared_data("taxfix").join("sqs_messages_generated.jsonl"), "data/messages.jsonl");
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    let loaded = object(&answer, "data/messages.jsonl");
    assert_eq!(loaded["counts"]["read"], facts["messages"]);
    assert_eq!(loaded["counts"]["loaded"], facts["good_deliveries"]);
    let receipt = run(&project, &["--json", "receipts", "list"]).succeeded().json();
    let bad = &facts["bad_messages_counting_repeats"];
    assert_eq!(
        receipt["receipts"][0]["reasons"],
        json!({
            "bad_json": bad["body is not JSON"],
            "not_an_object": bad["body is not an object"],
            "missing_value": bad["event missing"],
            "unreadable_timestamp": bad["timestamp unreadable"],
        })
    );
    let one = |sql: &str| ask(&project, sql)[0][0].clone();
    assert_eq!(one("select count(*) from messages_current"), facts["good_distinct_events"]);
    assert_eq!(one("select count(distinct user_id) from messages_current"), facts["distinct_user_ids"]);
    assert_eq!(one("select count(*) from messages_current where user_id is null"), facts["events_without_user_id"]);
    let mut days: BTreeMap<String, serde_json::Map<String, Value>> = BTreeMap::new();
    let per_day = "select cast(timestamp as date), event, count(*) from messages_current group by 1, 2 order by 1, 2";
    for row in ask(&project, per_day).as_array().unwrap() {
        let event = row[1].as_str().unwrap().to_owned();
        days.entry(row[0].as_str().unwrap().to_owned()).or_default().insert(event, row[2].clone());
    }
    assert_eq!(json!(days), facts["events_per_utc_day"]);
    assert_balanced(&project, "messages");
}
