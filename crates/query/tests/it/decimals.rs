//! DataFusion's decimals are what our reports of money rest on: `avg`, `round` and `sum` against integers.

use std::sync::Arc;

use arrow::array::{Array, Decimal128Array};
use arrow::datatypes::DataType;
use proptest::prelude::*;

use crate::lake::{Lake, batch};

/// The only value of a query over amounts of `decimal(20,2)`, and its scale.
fn compute(amounts: &[i128], sql: &str) -> (i128, i8) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut lake = Lake::new();
    let array = Decimal128Array::from(amounts.to_vec()).with_precision_and_scale(20, 2).unwrap();
    lake.add("t", "a.parquet", &[batch(vec![("amount", Arc::new(array))])]);
    let result = runtime.block_on(lake.query(sql)).unwrap();
    let column = result.batches[0].column(0);
    let DataType::Decimal128(_, scale) = *column.data_type() else { panic!("{}", column.data_type()) };
    (column.as_any().downcast_ref::<Decimal128Array>().unwrap().value(0), scale)
}

/// `numerator / denominator`, rounded half away from zero.
fn half_away(numerator: i128, denominator: i128) -> i128 {
    let magnitude = (2 * numerator.abs() + denominator) / (2 * denominator);
    magnitude * numerator.signum()
}

/// What a report prints: `value` with `scale` digits, rounded half away from zero to two.
fn printed(value: i128, scale: i8) -> i128 {
    half_away(value, 10_i128.pow(u32::try_from(scale - 2).unwrap()))
}

fn check_average(amounts: &[i128]) {
    let count = i128::try_from(amounts.len()).unwrap();
    let exact = half_away(amounts.iter().sum(), count);
    let (value, scale) = compute(amounts, "select avg(amount) from t");
    assert_eq!(printed(value, scale), exact, "avg of {amounts:?} is {value} with scale {scale}");
    let (value, scale) = compute(amounts, "select round(avg(amount), 2) from t");
    assert_eq!((value, scale), (exact, 2), "round(avg) of {amounts:?}");
}

/// Exact ties, and averages that are a hair below and above one: the cut must neither make nor break a tie.
#[test]
fn averages_that_nearly_are_ties() {
    check_average(&[1, 0]); // 0.005
    check_average(&[-1, 0]);
    check_average(&[3, 2]); // 0.025
    check_average(&[-3, -2]);
    for count in [3_usize, 7, 999, 1_001] {
        // Just below and just above half a cent, on both sides of zero.
        for near in [count / 2, count.div_ceil(2)] {
            for sign in [1, -1] {
                let mut amounts = vec![0; count];
                amounts[0] = sign * i128::try_from(near).unwrap();
                check_average(&amounts);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn averages_print_like_the_exact_fraction(
        amounts in prop::collection::vec(prop_oneof![-20_i128..20, -1_000_000_000_000..1_000_000_000_000_i128], 1..40)
    ) {
        check_average(&amounts);
    }

    #[test]
    fn sums_are_exact_and_round_goes_half_away(amounts in prop::collection::vec(-100_000_i128..100_000, 1..20)) {
        let sum: i128 = amounts.iter().sum();
        prop_assert_eq!(compute(&amounts, "select sum(amount) from t"), (sum, 2));
        let (rounded, scale) = compute(&amounts, "select round(sum(amount), 1) from t");
        prop_assert_eq!(half_away(sum, 10) * 10_i128.pow(u32::try_from(scale - 1).unwrap()), rounded);
    }
}

/// Literals are decimals, so that money does not fall into floats on the way.
#[test]
fn money_times_a_literal_stays_exact() {
    assert_eq!(compute(&[10], "select sum(amount) * 1.1 from t"), (110, 3));
    let (value, scale) = compute(&[110, 220], "select sum(amount * 0.1) from t");
    assert_eq!(value * 10, 33 * 10_i128.pow(u32::try_from(scale - 1).unwrap()));
}
