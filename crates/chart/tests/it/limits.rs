use stillhouse_chart::{CATEGORIES_MAX, Chart, Kind, Rest, SERIES_MAX, X};

use super::picture::picture;
use super::with_x;

fn many(kind: Kind, count: usize) -> Chart {
    let names = (0..count).map(|index| Some(format!("name {index}"))).collect();
    let values: Vec<Option<f64>> = (0..count).map(|index| Some(index as f64 + 0.5)).collect();
    with_x(kind, X::Category { values: names }, &[("n", &values)])
}

#[test]
fn the_rest_is_added_up_where_that_makes_sense() {
    let chart = Chart { rest: Rest::Other, ..many(Kind::Bar, 100) };
    let picture = picture(&chart);
    assert_eq!(picture.marks.len(), CATEGORIES_MAX + 1);
    // 0.5 + 1.5 + … + 69.5, exactly.
    assert_eq!(picture.mark("other").name, "other · n: 2,450");
    assert_eq!(picture.mark("name 99").name, "name 99 · n: 99.5");
    assert!(picture.has("“other” is the sum of the 70 smaller ones"), "{:?}", picture.texts);
}

#[test]
fn or_left_out_and_said_so() {
    let left_out = picture(&many(Kind::Bar, 100));
    assert_eq!(left_out.marks.len(), CATEGORIES_MAX);
    assert!(left_out.has("the 30 largest of 100"));
    let five = picture(&Chart { limit: Some(5), ..many(Kind::Stacked, 100) });
    assert!(five.has("the 5 largest of 100") && five.marks.len() == 5);
}

#[test]
fn a_pie_always_shows_the_whole() {
    let picture = picture(&many(Kind::Pie, 100));
    assert_eq!(picture.marks.len(), SERIES_MAX + 1);
    assert!(picture.mark("other").name.contains("(86.5 %)"), "{:?}", picture.marks);
    assert_ne!(picture.mark("other").fill, picture.mark("name 93").fill);
}

#[test]
fn series_have_a_limit_too() {
    let series: Vec<(String, Vec<Option<f64>>)> =
        (0..20).map(|index| (format!("s{index}"), vec![Some(f64::from(index)), None])).collect();
    let series: Vec<(&str, &[Option<f64>])> = series.iter().map(|(name, values)| (&**name, &**values)).collect();
    let x = || X::Category { values: vec![Some("a".to_owned()), Some("b".to_owned())] };
    let lines = picture(&with_x(Kind::Line, x(), &series));
    assert!(lines.has("the 7 largest of 20 series") && lines.has("s19") && !lines.has("s12"));
    let bars = picture(&Chart { rest: Rest::Other, ..with_x(Kind::Stacked, x(), &series) });
    assert_eq!(bars.mark("a · other").name, "a · other: 78");
    assert_eq!(bars.marks.len(), SERIES_MAX + 1, "nothing where nothing is");
}

#[test]
fn too_many_points_are_no_picture() {
    let chart = many(Kind::Line, 20_001);
    assert!(picture(&chart).has("20001 values are too many for a picture (at most 20000); group them"));
    assert_eq!(picture(&many(Kind::Line, 20_000)).paths.len(), 1);
}
