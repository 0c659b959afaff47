//! The model of the commit protocol: what must hold holds, and every safeguard is there for a reason.

use std::collections::BTreeSet;

use stillhouse_testkit::protocol::{Checked, Safeguard, check_small};

/// Runs the small runs of a kind; what is not as expected is shown whole.
fn small(filter: &str) -> Vec<Checked> {
    let mut out = Vec::new();
    let checked = check_small(filter, &mut out).expect("a vector takes everything");
    let text = String::from_utf8(out).expect("words");
    assert!(!checked.is_empty());
    assert!(checked.iter().all(|run| run.as_expected), "{text}");
    checked
}

#[test]
fn the_protocol_holds_at_small_bounds() {
    assert!(small("whole").len() >= 30);
}

#[test]
fn second_lines_can_be_spared() {
    small("spare");
}

#[test]
fn each_safeguard_taken_away_breaks_an_invariant() {
    let missed: BTreeSet<Safeguard> = small("without").into_iter().flat_map(|run| run.without).collect();
    // The order of tables is a matter of taste as long as whoever is first brings the manifest.
    let spared: Vec<_> = Safeguard::ALL.iter().filter(|safeguard| !missed.contains(safeguard)).collect();
    assert_eq!(spared, [&Safeguard::TableOrder]);
}

#[test]
fn a_trace_tells_how_it_comes_to_that() {
    let runs = small("without [LookAgain");
    let violation = runs[0].violation.as_ref().expect("it breaks");
    let expected = [
        "w0 claims and decodes k0g1#1 (L1)",
        "w1 stages k0g1#1: ok (L1)",
        "w0 takes the publish lease (L1, epoch 1): k0g1#1",
        "w1 commits k0g1#1 to Q v1, outcome unknown (it took effect)",
        "w1 commits k0g1#1 to Q v2",
    ];
    assert_eq!(violation.trace, expected);
    assert_eq!(violation.invariant.name(), "I1 once");
}
