//! Care for a project: `maintain`, `ledger`, `lake`, `text`.

use stillhouse_testkit::TempProject;

use super::super::run;
use super::twice::{assert_looks, twice};
use super::with_transactions;

fn ingested() -> TempProject {
    let project = with_transactions("Id,Date,Transaction\n0,7/15,+60.5\n1,7/28,-10.3\n2,8/2\n3,8/13,+10\n");
    run(&project, &["ingest"]).succeeded();
    project
}

#[test]
fn care() {
    assert_looks!(
        "care",
        ingested,
        &[
            &["maintain", "--dry-run"],
            &["maintain"],
            &["maintain", "--keep", "ever"],
            &["lake", "copy", "copy"],
            &["lake", "copy", "copy"],
            &["ledger", "backup", "ledger.copy"],
            &["ledger", "restore", "ledger.copy"],
            &["ledger", "restore", "nothing.copy"],
            &["ledger", "rebuild"],
            &["audit"],
            &["ledger", "move", "sqlite://elsewhere.db"],
        ]
    );
}

#[test]
fn the_text_of_a_source() {
    let receipt = run(&ingested(), &["--json", "receipts", "list"]).succeeded().json();
    let fingerprint = receipt["receipts"][0]["source_fingerprint"].as_str().unwrap();
    insta::assert_snapshot!("text", twice(ingested, &[&["text", fingerprint], &["text", "nothing"]]));
}
