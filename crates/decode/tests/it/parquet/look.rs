//! Looking at Parquet without a contract.

use arrow::array::Int64Array;
use stillhouse_decode::look::walk_parquet;

use super::{array, file};

#[test]
fn schema_and_first_rows_are_seen() {
    let bytes = file(vec![("a", array(Int64Array::from_iter_values(0..5)))], 2);
    for (rows_max, expected) in [(0, 0), (1, 2), (3, 4), (100, 5)] {
        let mut rows = 0;
        let head = walk_parquet(&mut &*bytes, rows_max, &mut |head, batch| {
            assert_eq!(head.schema.field(0).name(), "a");
            rows += batch.num_rows();
        });
        assert_eq!((head.unwrap().rows, rows), (5, expected));
    }
    let mut nothing = |_: &_, _: &_| {};
    assert!(walk_parquet(&mut &bytes[..20], 1, &mut nothing).is_err());
}
