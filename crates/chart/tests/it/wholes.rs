//! Pies and figures.

use stillhouse_chart::{Kind, NumberFormat, Value, X};

use super::picture::picture;
use super::{chart, with_x};

#[test]
fn slices_say_their_shares() {
    let picture = picture(&chart(Kind::Pie, &["a", "b", "c"], &[("n", &[Some(1.0), Some(3.0), None])]));
    let names: Vec<&str> = picture.marks.iter().map(|mark| mark.name.as_str()).collect();
    assert_eq!(names, ["a: 1 (25.0 %)", "b: 3 (75.0 %)"]);
    assert!(picture.has("25.0 %") && picture.has("4"), "{:?}", picture.texts);
}

#[test]
fn one_slice_is_a_ring() {
    let picture = picture(&chart(Kind::Pie, &["a"], &[("n", &[Some(2.0)])]));
    assert_eq!(picture.marks[0].name, "a: 2 (100.0 %)");
}

#[test]
fn what_makes_no_pie_says_why() {
    let below = chart(Kind::Pie, &["a", "b"], &[("n", &[Some(2.0), Some(-1.0)])]);
    assert!(picture(&below).has("a pie cannot show values below zero (-1); use bars"));
    assert!(picture(&chart(Kind::Pie, &["a"], &[("n", &[Some(0.0)])])).has("all values are zero"));
}

#[test]
fn figures_are_exact() {
    let mut chart = chart(Kind::Figure, &["2021-04-05"], &[("events", &[Some(1986.0)]), ("balance", &[None])]);
    chart.series[1].values[0] = Some("1234567890123456.785".parse::<Value>().unwrap());
    let all = picture(&chart);
    assert!(all.has("1,986") && all.has("events") && all.has("2021-04-05"), "{:?}", all.texts);
    assert!(all.has("1,234,567,890,123,456.79"), "{:?}", all.texts);
    chart.number = NumberFormat { decimals: Some(3), ..NumberFormat::default() };
    assert!(picture(&chart).has("1,234,567,890,123,456.785"));
    let missing = with_x(Kind::Figure, X::Category { values: vec![None] }, &[("a", &[None]), ("b", &[Some(1.0)])]);
    assert!(picture(&missing).has("–"));
}

#[test]
fn nothing_says_so() {
    for kind in [Kind::Line, Kind::Bar, Kind::Stacked, Kind::Area, Kind::Pie, Kind::Figure] {
        assert!(picture(&chart(kind, &[], &[("n", &[])])).has("no rows"));
        assert!(picture(&chart(kind, &["a"], &[("n", &[None])])).has("no values"));
        let mut problem = chart(kind, &[], &[]);
        problem.problem = Some("30000 rows are too many".to_owned());
        assert!(picture(&problem).has("30000 rows are too many"));
    }
}
