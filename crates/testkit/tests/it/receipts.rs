//! `testkit receipts` with a few receipts: what it makes and counts, not how long that takes.

use std::path::Path;

use stillhouse_spec::Durability;
use stillhouse_testkit::receipts::{Counted, Plan, Site, make, measure};
use stillhouse_testkit::{Program, TempProject};

fn plan(folder: &Path) -> Plan {
    Plan { folder: folder.to_owned(), durability: Durability::Os, per_commit: 10 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_is_made_in_pieces_and_goes_on() {
    let project = TempProject::new();
    let plan = plan(&project.path("."));
    let few = make(&plan, 40, &mut |_| {}).await;
    assert_eq!(few, Counted { receipts: 40, commits: 4, next: 41 });
    let mut told = Vec::new();
    let many = make(&plan, 400, &mut |have| told.push(have)).await;
    // An earlier call may have been stopped: numbers that it may have used are left out.
    assert_eq!((many.receipts, many.commits, many.next > 400), (400, 40, true), "{many:?}");
    assert_eq!(told, [360, 400]);

    let measured = measure(&plan, many.next, 3).await;
    assert_eq!((measured.commits.len(), measured.calls.len()), (3, 3));
    assert!(measured.commits.iter().zip(&measured.calls).all(|(commit, call)| commit < call), "{measured:?}");

    let site = Site::open(&plan).await;
    let counted = site.count().await;
    assert_eq!((counted.receipts, counted.commits), (430, 43));
    let sizes = site.sizes().await;
    site.close().await;
    let (receipts, payments) = (sizes.tables["_receipts"], sizes.tables["payments"]);
    assert_eq!(receipts.rows, 431, "one row begins the epoch");
    assert!(receipts.live.count < 43 && receipts.lying.count > 43, "small files were merged: {receipts:?}");
    // File 1 has two rows, file 2 three, file 3 one.
    assert_eq!((payments.rows, payments.log.count), (860, 44), "it was made, and then there is one entry a commit");
    assert!(sizes.ledger > 0);
}

#[test]
fn the_command_measures_both_lakes() {
    let testkit = Program::new(env!("CARGO_BIN_EXE_testkit"));
    let arguments = ["receipts", "--small", "40", "--receipts", "200", "--measure", "3", "--rounds", "2"];
    let finished = testkit.run(&[&arguments[..], &["--durability", "os"]].concat());
    // 1 says that a ratio is too large, which a few commits on a busy machine do not tell.
    let finished = if finished.code == Some(1) { finished } else { finished.ended_with(0) };
    let values = |label: &str| {
        let line = finished.stdout.lines().find_map(|line| line.strip_prefix(label));
        line.unwrap_or_else(|| panic!("no line `{label}`:\n{}", finished.stdout)).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(values("receipts in the lake"), ["40", "200"]);
    assert_eq!(values("commits that brought them"), ["4", "20"]);
    assert_eq!(values("commit: how many"), ["3", "3"]);
    assert_eq!(values("ingest: how many"), ["3", "3"]);
    assert_eq!(values("commit: p99, ms").len(), 3);
    testkit.run(&["receipts", "--measure"]).ended_with(2);
    testkit.run(&["nothing"]).ended_with(2);
}
