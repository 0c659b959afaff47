use super::{SETTINGS, parse};

const EVENTS: &str = r#"
format = 1
[source]
path = "${DIR}/{yyyy}/{MM}/events.csv"
type = "csv"
every = "month"
spill = "1 day"
[csv]
delimiter = "tab"
[table]
name = "events"
time = "timestamp"
max_rejected = "0.5%"
[table.columns]
id = { type = "string", required = true }
timestamp = "timestamp"
"email" = { type = "string", from = ["mail", "e-mail address"], pii = true }
tags = "list<string>"
month = { type = "int64", from = "{MM}" }
[[child]]
name = "event_tags"
from = "events.tags[]"
item = "tag"
copy = { id = "id" }
"#;

#[test]
fn a_source() {
    let project = parse(&[("stillhouse.toml", SETTINGS), ("sources/events.toml", EVENTS)]).map_err(|e| e.to_string());
    eprintln!("{project:#?}");
    assert!(project.is_ok());
}
