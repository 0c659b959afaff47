//! Engines that are not ours open the tables unchanged.

use stillhouse_testkit::{Events, read_delta};

use super::{number, project, run};

#[test]
fn other_engines_see_the_same_rows_and_prune_rightly() {
    let project = project("events");
    let files = Events::new(51).write_months(&project.path("."), 2023, 4, 2_000);
    run(&project, &["run", "all"]).succeeded();
    // A corrected file and a second commit, so that the log has removes and several versions.
    let text = std::fs::read_to_string(&files[1].path).unwrap();
    let fewer: Vec<&str> = text.lines().take(500).collect();
    project.write("data/2023/02/events.csv", format!("{}\n", fewer.join("\n")));
    run(&project, &["run", "all"]).succeeded();
    let tables = ["events", "event_tags", "_receipts"].map(|table| project.path("lake").join(table));
    let answer = read_delta(&tables, &[("_record", ">", "1000"), ("_object", "=", "1")]);
    assert_eq!(answer["agree"], true, "{answer:#}");
    for table in ["events", "event_tags"] {
        let ours = number(&project, &format!("select count(*) from {table}"));
        for reader in ["scan", "deltalake", "duckdb", "chdb"] {
            let theirs = &answer["tables"][table]["facts"][reader]["rows"];
            assert_eq!(
                theirs.as_i64().or_else(|| theirs.as_str()?.parse().ok()),
                Some(ours),
                "{table} {reader}: {answer:#}"
            );
        }
    }
}

#[test]
fn exact_decimals_survive_in_other_engines() {
    let project = project("transactions");
    project.write(
        "data/transactions.csv",
        "Id,Date,Transaction\n0,2024-07-15,+60.5\n1,2024-07-28,-10.3\n2,2024-08-02,-20.46\n3,2024-08-13,+10\n",
    );
    run(&project, &["run", "all"]).succeeded();
    let answer = read_delta(&[project.path("lake/transactions")], &[("amount", ">", "0"), ("amount", "<", "-10.3")]);
    assert_eq!(answer["agree"], true, "{answer:#}");
}
