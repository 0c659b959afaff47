//! What each type becomes in SQLite: exact, or an error.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array, Int32Array,
    Int64Array, ListBuilder, NullArray, StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, i256};
use stillhouse_publish::{Kind, columns};

use super::kit::{Kit, batch, copy};

/// The values of one column, read back, and what was remarked.
async fn held(array: ArrayRef) -> (Vec<String>, Vec<String>) {
    let kit = Kit::new();
    let batch = batch(vec![("c", array)]);
    let written = kit.publish(&copy("t", 1, &batch), &[batch]).await.unwrap();
    let rows = kit.rows("SELECT c FROM t ORDER BY rowid").await;
    (rows.into_iter().map(|mut row| row.remove(0)).collect(), written.remarks)
}

async fn check(array: impl arrow::array::Array + 'static, expected: &[&str]) {
    let (values, remarks) = held(Arc::new(array)).await;
    assert_eq!(values, expected);
    assert_eq!(remarks, Vec::<String>::new());
}

#[tokio::test]
async fn numbers_are_exact() {
    let largest = i64::MAX.to_string();
    check(Int64Array::from(vec![Some(i64::MAX), Some(-1), None]), &[&format!("int {largest}"), "int -1", "NULL"]).await;
    check(Int32Array::from(vec![7]), &["int 7"]).await;
    check(UInt64Array::from(vec![i64::MAX as u64]), &[&format!("int {largest}")]).await;
    check(
        Float64Array::from(vec![0.1, 1e300, f64::NEG_INFINITY, 2.0]),
        &["real 0.1", "real 1e300", "real -inf", "real 2.0"],
    )
    .await;
    let money = Decimal128Array::from(vec![Some(1050), Some(-5), None, Some(10_i128.pow(37))]);
    let money = money.with_precision_and_scale(38, 2).unwrap();
    let large = "text 100000000000000000000000000000000000.00";
    check(money, &["text 10.50", "text -0.05", "NULL", large]).await;
    let wide = Decimal256Array::from(vec![i256::from_i128(12)]).with_precision_and_scale(50, 3).unwrap();
    check(wide, &["text 0.012"]).await;
}

#[tokio::test]
async fn a_number_that_does_not_fit_is_an_error() {
    let kit = Kit::new();
    let batch = batch(vec![("c", Arc::new(UInt64Array::from(vec![u64::MAX])))]);
    let error = kit.publish(&copy("t", 1, &batch), &[batch]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::FixData);
    assert_eq!(error.to_string(), "table `t`: column `c`: a value cannot be held by the database");
    assert_eq!(kit.number("SELECT count(*) FROM sqlite_master").await, 0);
}

#[tokio::test]
async fn times_sort_as_text() {
    let micros = TimestampMicrosecondArray::from(vec![Some(1_617_625_815_000_000), Some(1_617_625_815_500_000), None]);
    let zoned = micros.clone().with_timezone("UTC");
    check(zoned, &["text 2021-04-05T12:30:15.000000Z", "text 2021-04-05T12:30:15.500000Z", "NULL"]).await;
    check(micros, &["text 2021-04-05T12:30:15.000000", "text 2021-04-05T12:30:15.500000", "NULL"]).await;
    check(TimestampNanosecondArray::from(vec![-1]), &["text 1969-12-31T23:59:59.999999999"]).await;
    check(Date32Array::from(vec![Some(0), Some(18_722), None]), &["text 1970-01-01", "text 2021-04-05", "NULL"]).await;
}

#[tokio::test]
async fn the_rest() {
    check(BooleanArray::from(vec![Some(true), Some(false), None]), &["int 1", "int 0", "NULL"]).await;
    check(StringArray::from(vec![Some(""), Some("it's \"ä\"\n"), None]), &["text ", "text it's \"ä\"\n", "NULL"]).await;
    check(BinaryArray::from(vec![&b"\x00\xff"[..]]), &["blob [0, 255]"]).await;
    check(NullArray::new(2), &["NULL", "NULL"]).await;
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a"), None, Some("\"b\"")]);
    lists.append_value([None::<&str>; 0]);
    lists.append_null();
    check(lists.finish(), &[r#"text ["a",null,"\"b\""]"#, "text []", "NULL"]).await;
    let money = Decimal128Array::from(vec![5]).with_precision_and_scale(3, 1).unwrap();
    let fields = vec![
        (Arc::new(Field::new("sum", DataType::Decimal128(3, 1), true)), Arc::new(money) as ArrayRef),
        (Arc::new(Field::new("n", DataType::Int64, true)), Arc::new(Int64Array::from(vec![1])) as ArrayRef),
    ];
    check(StructArray::from(fields), &[r#"text {"sum":"0.5","n":1}"#]).await;
}

#[tokio::test]
async fn what_sqlite_holds_in_its_own_way_is_said() {
    let (values, remarks) = held(Arc::new(StringArray::from(vec!["a\0b", "c"]))).await;
    assert_eq!(values, ["text a\0b", "text c"]);
    assert_eq!(remarks, ["column `c`: 1 text holds the character NUL; many programs show only what stands before it"]);
    let (values, remarks) = held(Arc::new(Float64Array::from(vec![f64::NAN, 1.0, f64::NAN]))).await;
    assert_eq!(values, ["NULL", "real 1.0", "NULL"]);
    assert_eq!(remarks, ["column `c`: 2 values that are no number (NaN): NULL, SQLite has no NaN"]);
}

#[tokio::test]
async fn names_may_be_anything() {
    let kit = Kit::new();
    let odd = ["select", "a \"b\"; drop table t", "ä", "count(*)", "?1"];
    let batch = batch(odd.iter().map(|name| (*name, Arc::new(Int64Array::from(vec![1])) as ArrayRef)).collect());
    let copy = copy("order", 1, &batch);
    kit.publish(&copy, &[batch]).await.unwrap();
    let names = kit.rows("SELECT name FROM pragma_table_info('order')").await;
    assert_eq!(names, odd.map(|name| vec![format!("text {name}")]));
}

#[test]
fn names_that_differ_in_case_are_one() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let error = columns(&batch(vec![("Sum", one.clone()), ("sum", one)]).schema()).unwrap_err();
    assert_eq!(error.to_string(), "columns `Sum` and `sum` are one in a database");
    assert_eq!(error.hint(), Some("give one of them another name with `as`; case does not count there"));
}
