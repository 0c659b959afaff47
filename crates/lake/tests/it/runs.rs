//! `_runs`, and texts under fingerprints.

use stillhouse_lake::{RunQuery, RunRow};

use crate::kit::{House, NOW};

fn run(number: i64) -> RunRow {
    RunRow {
        run_id: format!("run-{number}"),
        report: format!("report-{}", number % 2),
        fingerprint: format!("{:064x}", number / 2),
        period: "2021-04".into(),
        finished_at: NOW + number,
        ..RunRow::default()
    }
}

#[tokio::test]
async fn runs_are_kept_once_and_found() {
    let house = House::new().await;
    assert!(house.lake.runs(&RunQuery::default()).await.unwrap().is_empty());
    for number in 0..6 {
        house.lake.append_run(&run(number), NOW).await.unwrap();
    }
    house.another().await.append_run(&run(3), NOW).await.unwrap();
    assert_eq!(house.lake.runs(&RunQuery::default()).await.unwrap(), (0..6).map(run).collect::<Vec<_>>());
    let of = RunQuery { report: Some("report-1".into()), fingerprint: Some(run(3).fingerprint), ..RunQuery::default() };
    assert_eq!(house.lake.runs(&of).await.unwrap(), [run(3)]);
    let other = RunQuery { fingerprint: Some("f".repeat(64)), ..of };
    assert!(house.lake.runs(&other).await.unwrap().is_empty());
    // Outside the vector, at its newest version.
    assert_eq!(house.lake.snapshot().await.unwrap().tables["_runs"].rows(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_end_at_once_are_all_kept() {
    let house = House::new().await;
    let mut tasks = Vec::new();
    for number in 0..12 {
        let lake = house.another().await;
        // Each of them twice, at the same time.
        tasks.push(tokio::spawn(async move { lake.append_run(&run(number / 2), NOW).await }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(house.lake.runs(&RunQuery::default()).await.unwrap(), (0..6).map(run).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runs_are_merged_into_few_files() {
    let house = House::new().await;
    for number in 0..150 {
        house.lake.append_run(&run(number), NOW).await.unwrap();
    }
    let files = house.lake.snapshot().await.unwrap().tables["_runs"].files.len();
    assert!(files < 64, "{files} files");
    assert_eq!(house.another().await.runs(&RunQuery::default()).await.unwrap(), (0..150).map(run).collect::<Vec<_>>());
}

#[tokio::test]
async fn texts_are_kept_under_their_fingerprint() {
    let house = House::new().await;
    assert_eq!(house.lake.text("abc123").await.unwrap(), None);
    house.lake.keep_text("abc123", "name = \"events\"").await.unwrap();
    house.another().await.keep_text("abc123", "name = \"events\"").await.unwrap();
    assert_eq!(house.lake.text("abc123").await.unwrap().as_deref(), Some("name = \"events\""));
    assert!(house.lake.keep_text("../x", "").await.is_err());
    assert!(house.lake.snapshot().await.unwrap().tables.is_empty());
}
