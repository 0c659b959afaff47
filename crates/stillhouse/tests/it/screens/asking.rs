//! Questions to the tables: `sql`, its prompt, `tables`, `profile`, `export`, `publish`.

use stillhouse_testkit::TempProject;

use super::super::run;
use super::terminal::Typed;
use super::twice::{assert_looks, typed_twice};
use super::with_events;

fn ingested() -> TempProject {
    let project = with_events();
    run(&project, &["ingest"]).succeeded();
    project
}

#[test]
fn one_question() {
    assert_looks!(
        "one_question",
        ingested,
        &[
            &["sql", "select action, count(*) as events from events group by action order by action"],
            &["sql", "select * from events order by _record limit 2"],
            &["sql", "select * from _quarantine"],
            &["sql", "select id, email, country, ip, uri, action, tags from events order by _record limit 2"],
            &[
                "sql",
                "select action, repeat('one word after the other ', 8) as words from events order by _record limit 2"
            ],
            &["sql", "select repeat('0123456789', 12) as digits, _record from events order by _record limit 1"],
            &["sql", "select id from events where id is null"],
            &["sql", "select count(*) as n from events where country = $c", "--param", "c=Chad"],
            &["sql", "--csv", "select id, tags from events order by _record limit 1"],
            &["sql", "--json", "select id, tags from events order by _record limit 1"],
        ]
    );
}

#[test]
fn questions_with_mistakes() {
    assert_looks!(
        "questions_with_mistakes",
        ingested,
        &[
            &["sql", "select actoin from events"],
            &["sql", "select id from evnts"],
            &["sql", "selec 1"],
            &["sql", "select id from events where"],
            &["sql", "delete from events"],
            &["sql", "select 1 / 0"],
            &["sql", "select count(*) from events where country = $c"],
            &["sql", "select 1", "--param", "c"],
            &["tables", "evnts"],
        ]
    );
}

const READY: &str = "stillhouse> ";

#[test]
fn the_prompt() {
    let steps = [
        ("", READY),
        ("select * from events order by _record limit 1;\r", "1 row in "),
        ("", READY),
        ("select id,\r  actoin from events;\r", "did you mean"),
        ("", READY),
        ("select _record from events order by 1;\r", "120 rows in"),
        ("", READY),
        (".help\r", "query or gives up"),
        ("", READY),
        (".tables\r", "events  "),
        ("", READY),
        (".columns event_tags\r", "_ingested_at"),
        ("", READY),
        (".nothing\r", "lists the commands"),
        ("", READY),
        ("\u{4}", ""),
    ];
    let commands = [Typed { command: &["sql"], steps: &steps }];
    insta::assert_snapshot!("the_prompt", typed_twice(ingested, &commands));
}

#[test]
fn tables_and_files() {
    assert_looks!(
        "tables_and_files",
        ingested,
        &[
            &["tables"],
            &["tables", "events"],
            &["profile", "events", "--columns", "id,email,action,tags"],
            &["profile", "data/2023/01/events.csv", "--columns", "timestamp", "--top", "2"],
            &["profile", "nothing"],
            &["export", "events", "--to", "out.csv"],
            &["export", "events", "--to", "out.csv"],
            &["export", "events", "--to", "out.xlsx"],
            &["export", "--to", "out.csv"],
            &["export", "--report", "monthly-activity", "--to", "r.csv"],
            &["export", "--report", "monthly-activity/nothing", "--to", "r.csv"],
            &["export", "--query", "select actoin from events", "--to", "r.csv"],
        ]
    );
}

#[test]
fn databases() {
    let make = || {
        let project = with_events();
        project.edit("sources/events.toml", "[table]\n", "[table]\npublish = { to = \"sqlite://out/w.db\" }\n");
        project
    };
    assert_looks!("databases", make, &[&["ingest"], &["publish"], &["publish", "--again"], &["publish", "nothing"]]);
}
