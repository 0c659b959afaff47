//! The `transactions` template on files that others wrote.

use serde_json::{Map, Value, json};
use stillhouse_testkit::{Movements, TempProject, account_movements};

use super::{assert_balanced, project, rows, run};

fn with_file(bytes: impl AsRef<[u8]>) -> TempProject {
    let project = project("transactions");
    project.write("data/transactions.csv", bytes);
    project
}

/// The answers as `expected.json` writes them.
fn answer(project: &TempProject) -> Value {
    let answer = run(project, &["run", "all", "--json"]).succeeded().json();
    let mut all = rows(&answer, "summary").remove(0);
    let months: Map<String, Value> = rows(&answer, "months")
        .into_iter()
        .map(|mut row| {
            let month = row.remove("month").unwrap().as_str().unwrap().to_owned();
            row["balance"] = plain(&row["balance"]);
            let count = row.remove("transactions").unwrap();
            row.insert("count".to_owned(), count);
            (month, row.into())
        })
        .collect();
    let object = &answer["objects"][0];
    let lines: Vec<&Value> = object["rejects"].as_array().unwrap().iter().map(|reject| &reject["line"]).collect();
    all.insert("months".to_owned(), months.into());
    all.insert("rejected".to_owned(), json!(lines));
    all.insert("accepted".to_owned(), object["counts"]["loaded"].clone());
    all.into()
}

/// `50.20` as `50.2`, `1.00` as `1`.
fn plain(decimal: &Value) -> Value {
    let text = decimal.as_str().unwrap();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    text.into()
}

#[test]
fn every_published_file_gives_its_expected_summary() {
    for Movements { path, facts } in account_movements() {
        let Value::Object(mut expected) = facts else { panic!("no facts: {}", path.display()) };
        expected.retain(|name, _| {
            !["data_lines", "average_debit_exact", "average_credit_exact", "quirks"].contains(&name.as_str())
        });
        let lines = expected["rejected"].as_array().unwrap().iter().map(|reject| reject["line"].clone()).collect();
        expected["rejected"] = Value::Array(lines);
        for month in expected["months"].as_object_mut().unwrap().values_mut() {
            month["balance"] = plain(&month["balance"]);
        }
        let project = project("transactions");
        project.copy(&path, "data/transactions.csv");
        assert_eq!(answer(&project), Value::Object(expected), "{}", path.display());
        assert_balanced(&project, "transactions");
    }
}

#[test]
fn repeated_ids_are_kept_and_named() {
    let project = with_file("Id,Date,Transaction\n7,2024-02-01,+60.5\n7,2024-02-02,-10.3\n8,2024-02-03,0\n");
    let answer = run(&project, &["run", "all", "--json"]).succeeded().json();
    assert_eq!(answer["reports"][0]["queries"]["repeated_ids"]["rows"], json!([["7", 2]]));
    assert_eq!(rows(&answer, "summary")[0]["zero_count"], 1);
}

#[test]
fn a_date_that_stays_ambiguous_is_held_with_both_readings() {
    let project = with_file("Id,Date,Transaction\n0,2/8/2024,+60.5\n1,3/4/2024,-10.3\n");
    let answer = run(&project, &["run", "all", "--json"]).ended_with(3).json();
    let object = &answer["objects"][0];
    assert_eq!(object["status"], "held");
    let reason = object["reason"].as_str().unwrap();
    assert!(reason.contains("2024-02-08") && reason.contains("2024-08-02"), "{reason}");
    assert!(reason.contains("%m/%d/%Y") && reason.contains("%d/%m/%Y"), "{reason}");
    assert!(!object["hint"].as_str().unwrap().is_empty());
}

#[test]
fn rows_with_equal_readings_are_not_ambiguous() {
    let project = with_file("Id,Date,Transaction\n0,2/2/2024,+60.5\n1,3/3/2024,-10.3\n");
    let months = answer(&project)["months"].clone();
    assert_eq!((&months["2024-02"]["count"], &months["2024-03"]["count"]), (&json!(1), &json!(1)));
}

#[test]
fn a_header_alone_is_no_rows_and_no_averages() {
    let project = with_file("Id,Date,Transaction\n");
    let answer = answer(&project);
    assert_eq!(answer["debit_count"], 0);
    assert_eq!(answer["average_debit"], Value::Null);
    assert_eq!(answer["average_credit"], Value::Null);
    assert_eq!(answer["months"], json!({}));
}

#[test]
fn no_bytes_and_no_usable_columns_are_errors_and_not_a_summary_of_zeros() {
    for (bytes, word) in [("", "empty"), ("just some words\nand more of them\n", "column")] {
        let project = with_file(bytes);
        let finished = run(&project, &["run", "all", "--json"]).ended_with(3);
        let object = &finished.json()["objects"][0];
        assert_eq!(object["status"], "held", "{bytes:?}");
        assert!(object["reason"].as_str().unwrap().contains(word), "{object}");
        let report = &finished.json()["reports"][0];
        assert_ne!(report["completeness"], "COMPLETE");
    }
}

#[test]
fn up_to_half_of_the_records_may_be_refused_and_are_named() {
    let project = with_file("Id,Date,Transaction\n0,7/15,+60.5\n1,yesterday,-10.3\n2,7/16,1.00\n3,7/17,ten\n");
    let answer = answer(&project);
    assert_eq!(answer["rejected"], json!([3, 5]));
    assert_eq!(answer["total_balance"], "61.50");
    let text = run(&project, &["report", "show", "account-summary"]).succeeded().stdout;
    assert!(text.contains("2 of 4") && text.contains('3') && text.contains('5'), "{text}");
    let held = with_file("Id,Date,Transaction\n0,7/15,+60.5\n1,yesterday,-10.3\n2,never,1.00\n");
    let answer = run(&held, &["run", "all", "--json"]).ended_with(3).json();
    assert_eq!(answer["objects"][0]["status"], "held");
}

#[test]
fn averages_are_rounded_half_away_from_zero_only_when_printed() {
    let project = with_file("Id,Date,Transaction\n0,7/15,+0.01\n1,7/15,+0.02\n2,7/16,-0.01\n3,7/16,-0.02\n");
    let answer = answer(&project);
    assert_eq!((&answer["average_credit"], &answer["average_debit"]), (&json!("0.02"), &json!("-0.02")));
}
