//! `sniff`: the source that it writes is put into a fresh project as it is, and the files load under it.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use stillhouse_testkit::{Finished, Movements, TempProject, account_movements, shared_data};

use super::{assert_balanced, number, run};

/// 2023-06-01: long enough ago for every file to be settled, and a year for dates that state none.
const MODIFIED_SECONDS: u64 = 1_685_577_600;

/// A project with settings and nothing else.
fn fresh() -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"fresh\"\n");
    project
}

fn put(project: &TempProject, from: &Path, to: &str) {
    let path = project.copy(from, to);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED_SECONDS);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A file of the project that was written long ago.
fn write(project: &TempProject, to: &str, text: &str) {
    let elsewhere = TempProject::new();
    put(project, &elsewhere.write("file", text), to);
}

/// The rows of a query.
fn ask(project: &TempProject, sql: &str) -> Vec<Value> {
    run(project, &["--json", "sql", sql]).succeeded().json()["rows"].as_array().unwrap().clone()
}

/// The name of the first column of that type in the table that was proposed.
fn column(proposal: &Value, data_type: &str) -> String {
    let columns = proposal["columns"].as_array().unwrap();
    let found = columns.iter().find(|column| column["type"].as_str().unwrap().starts_with(data_type));
    format!("\"{}\"", found.unwrap_or_else(|| panic!("no {data_type} in {proposal:#}"))["name"].as_str().unwrap())
}

/// `60.50` and `60.5` as the same text.
fn plain(decimal: &Value) -> String {
    let text = decimal.as_str().unwrap();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    text.to_owned()
}

fn facts(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn account_movements_of_ten_people_give_their_figures() {
    account_movements().iter().for_each(they_give_their_figures);
}

fn they_give_their_figures(Movements { path, facts }: &Movements) {
    let project = fresh();
    put(&project, path, "data/movements.csv");
    let proposal = run(&project, &["--json", "sniff", "data/movements.csv", "--write"]).succeeded().json();
    assert_eq!(proposal["written"], "sources/movements.toml");
    let answer = run(&project, &["--json", "ingest"]).succeeded().json();
    let (amount, date) = (column(&proposal, "decimal"), column(&proposal, "date"));
    let context = format!("{}\n{}\n{answer:#}", path.display(), proposal["source"].as_str().unwrap());

    let all = ask(
        &project,
        &format!(
            "select count(*), sum({amount}), count(*) filter (where {amount} < 0), count(*) filter (where {amount} > 0), \
             sum({amount}) filter (where {amount} < 0), sum({amount}) filter (where {amount} > 0) from movements"
        ),
    );
    assert_eq!(all[0][0], facts["accepted"], "{context}");
    assert_eq!(plain(&all[0][1]), plain(&facts["total_balance"]), "{context}");
    assert_eq!((&all[0][2], &all[0][3]), (&facts["debit_count"], &facts["credit_count"]), "{context}");
    for (sum, fact) in [(&all[0][4], "average_debit_exact"), (&all[0][5], "average_credit_exact")] {
        let exact = facts[fact].as_str().unwrap().split_once('/').unwrap().0;
        assert_eq!(plain(sum), plain(&json!(exact)), "{fact} {context}");
    }

    let dated = facts["months"].as_object().unwrap().keys().any(|month| month.len() == 7);
    let format = if dated { "%Y-%m" } else { "%m" };
    let months = ask(
        &project,
        &format!(
            "select to_char({date}, '{format}') as m, count(*), sum({amount}) from movements group by m order by m"
        ),
    );
    let months: Vec<_> = months.iter().map(|row| json!([row[0], row[1], plain(&row[2])])).collect();
    let wanted = facts["months"].as_object().unwrap().iter();
    let wanted: Vec<_> = wanted.map(|(month, of)| json!([month, of["count"], plain(&of["balance"])])).collect();
    assert_eq!(months, wanted, "{context}");

    let refused = ask(&project, "select line from _quarantine order by line");
    let lines: Vec<&Value> = facts["rejected"].as_array().unwrap().iter().map(|reject| &reject["line"]).collect();
    assert_eq!(refused.iter().map(|row| &row[0]).collect::<Vec<_>>(), lines, "{context}");
    assert_balanced(&project, "movements");
}

#[test]
fn a_month_of_events_gives_its_figures() {
    let facts = facts(&shared_data("madkudu").join("facts.json"));
    let project = fresh();
    put(&project, &shared_data("madkudu").join("2021/04/events.csv"), "data/2021/04/events.csv");
    run(&project, &["sniff", "data/2021/04/events.csv", "--write"]).succeeded();
    run(&project, &["ingest"]).succeeded();
    for (fact, sql) in [
        ("rows", "select count(*) from events"),
        ("distinct_ids", "select count(distinct id) from events"),
        ("empty_email", "select count(*) from events where email is null"),
        ("empty_country", "select count(*) from events where country is null"),
        (
            "empty_tag_lists",
            "select count(*) from events where cardinality(tags) = 0 \
             and \"timestamp\" >= timestamp '2021-04-01' and \"timestamp\" < timestamp '2021-05-01'",
        ),
        (
            "rows_in_month",
            "select count(*) from events where \"timestamp\" >= timestamp '2021-04-01' and \"timestamp\" < timestamp '2021-05-01'",
        ),
        (
            "days_with_events",
            "select count(distinct date_trunc('day', \"timestamp\")) from events \
             where \"timestamp\" >= timestamp '2021-04-01' and \"timestamp\" < timestamp '2021-05-01'",
        ),
        (
            "distinct_users_in_month_case_folded",
            "select count(distinct lower(trim(email))) from events \
             where \"timestamp\" >= timestamp '2021-04-01' and \"timestamp\" < timestamp '2021-05-01'",
        ),
    ] {
        assert_eq!(number(&project, sql), facts[fact].as_i64().unwrap(), "{fact}");
    }
    let actions = ask(
        &project,
        "select action, count(*) from events where \"timestamp\" >= timestamp '2021-04-01' \
         and \"timestamp\" < timestamp '2021-05-01' group by action",
    );
    for row in &actions {
        assert_eq!(row[1], facts["actions"][row[0].as_str().unwrap()]);
    }
    assert_eq!(actions.len(), facts["actions"].as_object().unwrap().len());
    // The file tells how far its rows lie outside of its month.
    let source = std::fs::read_to_string(project.path("sources/events.toml")).unwrap();
    assert!(source.contains("path = \"data/{yyyy}/{MM}/events.csv\"\n"), "{source}");
    assert!(source.contains("every = \"month\"\n") && source.contains("spill = \"1 day\"\n"), "{source}");
    assert_balanced(&project, "events");
}

#[test]
fn one_row_with_three_tags() {
    let project = fresh();
    put(&project, &shared_data("madkudu").join("real_row.csv"), "data/real_row.csv");
    run(&project, &["sniff", "data/real_row.csv", "--write", "--name", "events"]).succeeded();
    run(&project, &["ingest"]).succeeded();
    assert_eq!(number(&project, "select count(*) from events"), 1);
    assert_eq!(number(&project, "select count(*) from event_tags"), 3);
}

#[test]
fn what_is_printed_is_what_would_be_written() {
    let project = fresh();
    write(&project, "data/shop.csv", "id;day;price\n1;05.03.2021;1,50\n2;31.03.2021;2,25\n");
    let printed = run(&project, &["sniff", "data/shop.csv"]).succeeded();
    project.write("sources/shop.toml", &printed.stdout);
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select sum(price), max(day) from shop"), [json!(["3.75", "2021-03-31"])]);
    let told: Finished = run(&project, &["sniff", "data/shop.csv", "--write"]).ended_with(2);
    assert!(told.stderr.contains("exists; it is not written over"), "{}", told.stderr);
    let quiet = run(&project, &["--quiet", "sniff", "data/shop.csv"]).succeeded();
    assert_eq!((quiet.stdout, quiet.stderr), (printed.stdout, String::new()));
}

#[test]
fn the_explanation_shows_evidence_and_no_personal_data() {
    let project = fresh();
    write(
        &project,
        "data/2021/04/people.csv",
        "id,email,day\n1,ann@mail.example,4/1/2021\n2,bo@mail.example,4/2/2021\n3,cy@mail.example,4/13/2021\n",
    );
    let told = run(&project, &["sniff", "--explain", "data/2021/04/people.csv"]).succeeded();
    insta::assert_snapshot!("sniff_explain", told.stdout);
    assert!(told.stderr.contains("sniff --write data/2021/04/people.csv"), "{}", told.stderr);
}

#[test]
fn files_that_cannot_be_looked_at_are_refused_with_the_next_step() {
    let project = fresh();
    project.write("data/empty.csv", "");
    project.write("data/table.parquet", b"PAR1\x15\x04");
    project.write("data/other.csv", b"name,city\nAnn,\x81\x8d\n");
    let told = |arguments: &[&str]| {
        let finished = run(&project, arguments);
        assert_ne!(finished.code, Some(0));
        assert_eq!(finished.stdout, "");
        finished.stderr.replace(project.path(".").to_str().unwrap(), "PROJECT")
    };
    let all = [
        told(&["sniff", "data/nothing.csv"]),
        told(&["sniff", "data"]),
        told(&["sniff", "data/empty.csv"]),
        told(&["sniff", "data/table.parquet"]),
        told(&["sniff", "data/other.csv"]),
        told(&["sniff", "data/empty.csv", "data/other.csv", "--name", "9"]),
    ];
    insta::assert_snapshot!("sniff_refusals", all.join("\n"));
}
