use stillhouse_chart::{Kind, NumberFormat, X};

use super::picture::picture;
use super::{chart, dated, with_x};

#[test]
fn heights_are_the_values() {
    let picture = picture(&chart(Kind::Bar, &["a", "b", "c"], &[("n", &[Some(10.0), Some(25.0), Some(-5.0)])]));
    let [a, b, c] = ["a", "b", "c"].map(|name| picture.mark(name).clone());
    assert_eq!([&*a.name, &*b.name, &*c.name], ["a · n: 10", "b · n: 25", "c · n: −5"]);
    assert!((b.height / a.height - 2.5).abs() < 0.01 && (a.height / c.height - 2.0).abs() < 0.01);
    // They stand on the same line, and the negative one hangs from it.
    let zero = a.y + a.height;
    assert!((b.y + b.height - zero).abs() < 0.02 && (c.y - zero).abs() < 0.02);
    assert!(a.x < b.x && b.x < c.x && a.width == b.width);
    assert!(picture.has("25") && picture.has("−5"));
}

#[test]
fn long_names_lie_down() {
    let names = [
        "Bosnia and Herzegovina, the whole of it",
        "Saint Vincent and the Grenadines",
        "United Kingdom of Great Britain",
    ];
    let picture = picture(&chart(Kind::Bar, &names, &[("events", &[Some(8.0), Some(4.0), Some(-2.0)])]));
    let marks: Vec<_> = names.iter().map(|name| picture.mark(name).clone()).collect();
    assert!(
        (marks[0].width / marks[1].width - 2.0).abs() < 0.01 && (marks[1].width / marks[2].width - 2.0).abs() < 0.01
    );
    assert!(marks[0].x == marks[1].x && (marks[2].x + marks[2].width - marks[0].x).abs() < 0.02);
    assert!(marks[0].y < marks[1].y && marks[0].height == marks[1].height);
}

#[test]
fn stacks_go_up_and_down_from_zero() {
    let series: [(&str, &[Option<f64>]); 3] =
        [("x", &[Some(10.0), Some(4.0)]), ("y", &[Some(-5.0), None]), ("z", &[Some(20.0), Some(6.0)])];
    let picture = picture(&chart(Kind::Stacked, &["a", "b"], &series));
    assert_eq!(picture.marks.len(), 5);
    let [x, y, z] = ["a · x", "a · y", "a · z"].map(|name| picture.mark(name).clone());
    assert!((z.y + z.height - x.y).abs() < 0.02, "z stands on x");
    assert!((y.y - (x.y + x.height)).abs() < 0.02, "y hangs below zero");
    assert!((z.height / x.height - 2.0).abs() < 0.01 && (x.height / y.height - 2.0).abs() < 0.01);
}

#[test]
fn bars_stand_where_their_day_is() {
    let days = ["2021-04-01", "2021-04-02", "2021-04-05"];
    let picture = picture(&dated(Kind::Bar, &days, &[("n", &[Some(1.0), Some(2.0), Some(3.0)])]));
    let [a, b, c] = ["2021-04-01", "2021-04-02", "2021-04-05"].map(|name| picture.mark(name).x);
    assert!(((c - b) / (b - a) - 3.0).abs() < 0.01, "the weekend without events has its room");
    assert!(picture.has("Apr 2021"));
    let twice = dated(Kind::Bar, &["2021-04-01", "2021-04-01"], &[("n", &[Some(1.0), Some(2.0)])]);
    assert!(super::picture::picture(&twice).has("two rows are about 2021-04-01; group them"));
}

#[test]
fn numbers_have_units_and_separators() {
    let mut chart = chart(Kind::Bar, &["a", "b"], &[("n", &[Some(1_234_567.0), Some(0.5)])]);
    chart.number = NumberFormat { unit: "EUR".to_owned(), decimals: Some(2), ..NumberFormat::default() };
    let picture = picture(&chart);
    assert!(
        picture.has("1,234,567.00 EUR") && picture.has("0.50 EUR") && picture.has("1 M EUR"),
        "{:?}",
        picture.texts
    );
}

#[test]
fn missing_and_empty_names_have_words() {
    let x = X::Category { values: vec![None, Some(" ".to_owned())] };
    let picture = picture(&with_x(Kind::Bar, x, &[("n", &[Some(1.0), Some(2.0)])]));
    assert!(picture.has("(none)") && picture.has("(empty)"));
}

/// A small one, as it is written.
#[test]
fn a_small_picture() {
    insta::assert_snapshot!(stillhouse_chart::svg(&chart(
        Kind::Bar,
        &["a", "b"],
        &[("events", &[Some(3.0), Some(-1.0)])]
    )));
}
