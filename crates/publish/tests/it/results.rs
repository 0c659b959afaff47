//! Results of reports: a table for all periods, each of them replaced by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use stillhouse_publish::{
    ResultRows, ResultsTable, Wanted, prepare_results, remove_others, result_columns, wanted, write_period,
};

use super::kit::{Kit, batch, people};

fn table() -> ResultsTable {
    ResultsTable { name: "monthly_top".into(), project: "shop".into(), shows: "query `top` of report `monthly`".into() }
}

fn runs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(period, run)| ((*period).to_owned(), (*run).to_owned())).collect()
}

/// What the table has to show, and the periods that have to be written for it.
async fn missing(kit: &Kit, newest: &[(&str, &str)], shown: &[(&str, &str)]) -> (Vec<Wanted>, String) {
    let entries = kit.open().entries().await.unwrap();
    let all = wanted(&entries, "monthly_top", &runs(newest), &runs(shown));
    let missing = all.iter().filter(|one| !one.is_there).map(|one| format!("{}={}", one.period, one.run_id));
    let missing = missing.collect::<Vec<_>>().join(" ");
    (all, missing)
}

async fn write(kit: &Kit, all: &[Wanted], rows: &RecordBatch) -> u64 {
    let columns = result_columns(&rows.schema()).unwrap();
    let mut database = kit.open();
    let mut writing = database.begin().await.unwrap();
    let anew = prepare_results(writing.as_mut(), &table(), &columns, false).await.unwrap();
    remove_others(writing.as_mut(), "monthly_top", all).await.unwrap();
    let mut count = 0;
    for wanted in all.iter().filter(|wanted| anew || !wanted.is_there) {
        let batches = vec![rows.clone(), rows.slice(0, 1)];
        let result = ResultRows { wanted, completeness: "PARTIAL".into(), batches };
        count += write_period(writing.as_mut(), &table(), &columns, &result, 0).await.unwrap().rows;
    }
    writing.commit().await.unwrap();
    database.close().await.unwrap();
    count
}

#[tokio::test]
async fn periods_are_replaced_one_by_one() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann"), (2, "bob")]);
    let (all, first) = missing(&kit, &[("2021-03", "r1"), ("2021-04", "r2")], &[]).await;
    assert_eq!(first, "2021-03=r1 2021-04=r2");
    assert_eq!(write(&kit, &all, &rows).await, 6);
    let april = "SELECT * FROM monthly_top WHERE _period = '2021-04' ORDER BY _row";
    assert_eq!(
        kit.rows(april).await,
        [
            ["text 2021-04", "text r2", "text PARTIAL", "int 0", "int 1", "text ann"],
            ["text 2021-04", "text r2", "text PARTIAL", "int 1", "int 2", "text bob"],
            ["text 2021-04", "text r2", "text PARTIAL", "int 2", "int 1", "text ann"],
        ]
    );
    let again = [("2021-03", "r1"), ("2021-04", "r3")];
    assert_eq!(missing(&kit, &[("2021-03", "r1"), ("2021-04", "r2")], &[]).await.1, "");
    let (all, restated) = missing(&kit, &again, &[]).await;
    assert_eq!(restated, "2021-04=r3");
    write(&kit, &all, &people(&[(9, "zoe")])).await;
    let runs = "SELECT DISTINCT _period, _run_id FROM monthly_top ORDER BY 1";
    assert_eq!(kit.rows(runs).await, [["text 2021-03", "text r1"], ["text 2021-04", "text r3"]]);
    assert_eq!(kit.number("SELECT count(*) FROM monthly_top").await, 5);
    let (all, _) = missing(&kit, &[("2021-04", "r3")], &[]).await;
    write(&kit, &all, &rows).await;
    assert_eq!(kit.rows(runs).await, [["text 2021-04", "text r3"]], "a period that no run has goes");
}

/// The query was changed (r2) and changed back: r1 is shown again, though r2 is the newest.
#[tokio::test]
async fn a_run_that_is_used_again_stays_until_a_newer_one_is_recorded() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    let (all, _) = missing(&kit, &[("2021-04", "r2")], &[("2021-04", "r1")]).await;
    write(&kit, &all, &rows).await;
    assert_eq!(kit.rows("SELECT DISTINCT _run_id FROM monthly_top").await, [["text r1"]]);
    assert_eq!(missing(&kit, &[("2021-04", "r2")], &[]).await.1, "", "another command shows other periods");
    assert_eq!(missing(&kit, &[("2021-04", "r3")], &[]).await.1, "2021-04=r3");
}

#[tokio::test]
async fn other_columns_write_all_periods_anew() {
    let kit = Kit::new();
    let (all, _) = missing(&kit, &[("2021-03", "r1")], &[]).await;
    write(&kit, &all, &people(&[(1, "ann")])).await;
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let wider = batch(vec![("id", text), ("more", Arc::new(Int64Array::from(vec![1])))]);
    let (all, one) = missing(&kit, &[("2021-03", "r1"), ("2021-04", "r2")], &[]).await;
    assert_eq!(one, "2021-04=r2");
    assert_eq!(write(&kit, &all, &wider).await, 4, "2021-03 as well");
    assert_eq!(kit.number("SELECT count(DISTINCT _period) FROM monthly_top").await, 2);
}

/// A run of an older form of the query keeps what fits the table of now.
#[tokio::test]
async fn values_of_another_type_are_left_out_and_counted() {
    let kit = Kit::new();
    let now = people(&[(1, "ann")]);
    let columns = result_columns(&now.schema()).unwrap();
    let old = batch(vec![("id", Arc::new(StringArray::from(vec!["one"])) as ArrayRef)]);
    let mut database = kit.open();
    let mut writing = database.begin().await.unwrap();
    prepare_results(writing.as_mut(), &table(), &columns, false).await.unwrap();
    let (all, _) = (wanted(&[], "monthly_top", &runs(&[("2021-03", "r1")]), &BTreeMap::new()), ());
    let result = ResultRows { wanted: &all[0], completeness: "COMPLETE".into(), batches: vec![old] };
    let written = write_period(writing.as_mut(), &table(), &columns, &result, 0).await.unwrap();
    writing.commit().await.unwrap();
    assert_eq!(
        written.remarks,
        ["column `id`: 1 value of another type is left out: an older form of the query gave it"]
    );
    assert_eq!(kit.rows("SELECT id, name FROM monthly_top").await, [["NULL", "NULL"]]);
}

#[test]
fn columns_of_our_own_are_kept_free() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let error = result_columns(&batch(vec![("_Period", one)]).schema()).unwrap_err();
    assert_eq!(error.to_string(), "the column `_Period` has the name of one that every published result has");
}
