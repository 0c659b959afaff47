//! Which receipts say what is in the tables.

use stillhouse_spec::{Receipt, standing};

fn receipt(key_number: i64, generation: i64, revision: i64, replaces_from: i64) -> Receipt {
    Receipt { key_number, generation, revision, replaces_from, ..Receipt::default() }
}

/// (key, generation, revision) of the standing ones.
fn stand(receipts: &[Receipt]) -> Vec<(i64, i64, i64)> {
    let standing = standing(receipts.iter().cloned());
    standing.iter().map(|receipt| (receipt.key_number, receipt.generation, receipt.revision)).collect()
}

#[test]
fn a_replacement_leaves_its_own_key_alone() {
    let receipts = [receipt(2, 1, 1, 0), receipt(1, 1, 1, 0), receipt(1, 2, 2, 0), receipt(2, 2, 2, 0)];
    assert_eq!(stand(&receipts), [(1, 2, 2), (2, 2, 2)]);
    assert_eq!(stand(&receipts[..3]), [(1, 2, 2), (2, 1, 1)]);
}

#[test]
fn appended_generations_stand_beside_each_other_until_one_replaces_them() {
    let mut receipts = vec![receipt(1, 1, 1, 0), receipt(1, 2, 2, 2), receipt(1, 3, 3, 3)];
    assert_eq!(stand(&receipts), [(1, 1, 1), (1, 2, 2), (1, 3, 3)]);
    // The third is loaded again: it alone is replaced.
    receipts.push(receipt(1, 4, 4, 3));
    assert_eq!(stand(&receipts), [(1, 1, 1), (1, 2, 2), (1, 4, 4)]);
    receipts.push(receipt(1, 5, 5, 0));
    assert_eq!(stand(&receipts), [(1, 5, 5)]);
}

#[test]
fn what_a_replaced_generation_replaced_stays_replaced() {
    let receipts = [receipt(1, 1, 1, 0), receipt(1, 2, 2, 1), receipt(1, 3, 3, 2)];
    assert_eq!(stand(&receipts), [(1, 3, 3)]);
}

#[test]
fn the_newest_revision_of_a_generation_counts() {
    let receipts = [receipt(1, 1, 1, 0), receipt(1, 1, 3, 0), receipt(1, 1, 2, 0)];
    assert_eq!(stand(&receipts), [(1, 1, 3)]);
}
