use stillhouse_chart::Kind;

use super::dated;
use super::picture::picture;

const DAYS: [&str; 5] = ["2021-04-01", "2021-04-02", "2021-04-03", "2021-04-04", "2021-04-05"];

#[test]
fn a_missing_value_is_a_gap() {
    let values = [Some(1.0), Some(2.0), None, Some(4.0), Some(5.0)];
    let picture = picture(&dated(Kind::Line, &DAYS, &[("n", &values)]));
    assert_eq!(picture.paths.len(), 2, "{:?}", picture.paths);
    assert_eq!(picture.marks.len(), 4);
    let points: Vec<f64> = picture.marks.iter().map(|mark| mark.y).collect();
    assert!(((points[0] - points[1]) - (points[2] - points[3])).abs() < 0.02, "one is as high as one");
    assert!(((picture.marks[2].x - picture.marks[1].x) / (picture.marks[1].x - picture.marks[0].x) - 2.0).abs() < 0.01);
}

#[test]
fn a_lonely_value_is_a_dot() {
    let values = [Some(1.0), None, Some(3.0), None, None];
    let picture = picture(&dated(Kind::Line, &DAYS, &[("n", &values)]));
    assert_eq!((picture.paths.len(), picture.marks.len()), (0, 2));
}

#[test]
fn time_runs_to_the_right() {
    let days = ["2021-04-03", "2021-04-01", "2021-04-02"];
    let picture = picture(&dated(Kind::Line, &days, &[("n", &[Some(3.0), Some(1.0), Some(2.0)])]));
    let names: Vec<&str> = picture.marks.iter().map(|mark| mark.name.as_str()).collect();
    assert_eq!(names, ["2021-04-01 · n: 1", "2021-04-02 · n: 2", "2021-04-03 · n: 3"]);
}

#[test]
fn several_lines_have_their_names_at_their_ends() {
    let series: Vec<(String, Vec<Option<f64>>)> =
        (0..7).map(|index| (format!("series {index}"), vec![Some(1.0), Some(1.0 + f64::from(index) / 50.0)])).collect();
    let series: Vec<(&str, &[Option<f64>])> = series.iter().map(|(name, values)| (&**name, &**values)).collect();
    // They end at almost the same height: the names are moved apart, which `picture` checks.
    let picture = picture(&dated(Kind::Line, &DAYS[..2], &series));
    assert!((0..7).all(|index| picture.has(&format!("series {index}"))));
}

#[test]
fn lines_far_from_zero_show_their_changes() {
    let far = picture(&dated(Kind::Line, &DAYS[..2], &[("n", &[Some(1000.0), Some(1010.0)])]));
    assert!(!far.has("0") && far.has("1,000"), "{:?}", far.texts);
    let near = picture(&dated(Kind::Line, &DAYS[..2], &[("n", &[Some(10.0), Some(1010.0)])]));
    assert!(near.has("0"), "{:?}", near.texts);
}

#[test]
fn areas_stand_on_each_other() {
    let series: [(&str, &[Option<f64>]); 2] = [("a", &[Some(1.0), Some(1.0)]), ("b", &[Some(2.0), Some(2.0)])];
    let picture = picture(&dated(Kind::Area, &DAYS[..2], &series));
    let (a, b) = (picture.mark("2021-04-01 · a").y, picture.mark("2021-04-01 · b").y);
    let zero = a + (a - b) / 2.0;
    assert!((zero - b) / (zero - a) > 2.99 && (zero - b) / (zero - a) < 3.01, "b ends at three");
    assert!(picture.has("a") && picture.has("b"), "a legend");
}
