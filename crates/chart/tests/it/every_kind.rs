//! Every kind of chart, with few and many places, and with values of every sort.

use jiff::ToSpan;
use jiff::civil::date;
use stillhouse_chart::{CATEGORIES_MAX, Chart, FIGURES_MAX, Kind, Moment, SERIES_MAX, Value, X};

use super::picture::{Picture, picture};
use super::with_x;

const KINDS: [Kind; 6] = [Kind::Line, Kind::Bar, Kind::Stacked, Kind::Area, Kind::Pie, Kind::Figure];
const COUNTS: [usize; 3] = [2, 20, 500];

/// Values of one sort, the same each time, `round` of them for each of so many places.
fn values(sort: &str, count: usize, round: usize) -> Vec<Option<f64>> {
    let wave = |index: usize| ((index * 37 + round * 11) % 101) as f64;
    let value = |index: usize| match sort {
        "plain" => Some(wave(index) + 1.0),
        "negative" => Some(wave(index) - 50.0),
        "null" => (index % 3 != 1).then(|| wave(index) + 1.0),
        "huge" => Some((wave(index) - if round == 0 { 0.0 } else { 50.0 }) * 1e287),
        "tiny" => Some((wave(index) + 1.0) * 1e-9),
        "zero" => Some(0.0),
        _ => panic!("{sort}"),
    };
    (0..count).map(value).collect()
}

fn places(sort: &str, count: usize) -> X {
    match sort {
        "short" => X::Category { values: (0..count).map(|index| Some(format!("c{index}"))).collect() },
        "long" => X::Category {
            values: (0..count)
                .map(|index| Some(format!("a rather long name of a category, the number {index}")))
                .collect(),
        },
        "days" => {
            let day = |index: usize| (date(2020, 12, 29) + (index as i64).days()).to_string().parse::<Moment>().ok();
            X::Date { values: (0..count).map(day).collect() }
        }
        "months" => {
            let month = |index: usize| (date(1990, 1, 1) + (index as i64).months()).strftime("%Y-%m").to_string();
            X::Date { values: (0..count).map(|index| month(index).parse().ok()).collect() }
        }
        "minutes" => {
            let minute = |index: usize| date(2021, 4, 5).at(23, 30, 0, 0) + (index as i64 * 7).minutes();
            X::Date { values: (0..count).map(|index| minute(index).to_string().parse().ok()).collect() }
        }
        "numbers" => X::Number { values: (0..count).map(|index| Value::from_f64(index as f64 * 2.5)).collect() },
        _ => panic!("{sort}"),
    }
}

fn each(mut look: impl FnMut(&Chart, &Picture, (usize, usize, &str))) {
    for kind in KINDS {
        for count in COUNTS {
            for sort in ["plain", "negative", "null", "huge", "tiny", "zero"] {
                for x in ["short", "long", "days", "months", "minutes", "numbers"] {
                    for rounds in [1, 3] {
                        let names = ["north", "south, which has a longer name", "west"];
                        let series: Vec<_> = (0..rounds).map(|round| values(sort, count, round)).collect();
                        let series: Vec<_> = names.into_iter().zip(series.iter().map(Vec::as_slice)).collect();
                        let chart = with_x(kind, places(x, count), &series);
                        let picture = picture(&chart);
                        look(&chart, &picture, (count, rounds, sort));
                    }
                }
            }
        }
    }
}

/// [`picture`] looks at what holds for all of them; here it is the marks.
#[test]
fn every_value_has_its_mark() {
    each(|chart, picture, (count, rounds, sort)| {
        let is_named = matches!(chart.x, X::Category { .. });
        let known =
            |count: usize| if sort == "null" { (0..count).filter(|index| index % 3 != 1).count() } else { count };
        let expected = match chart.kind {
            Kind::Bar | Kind::Stacked if is_named && count > CATEGORIES_MAX => CATEGORIES_MAX * rounds,
            Kind::Bar | Kind::Stacked => known(count) * rounds,
            Kind::Line | Kind::Area if count <= 60 => known(count) * rounds,
            // A pie of several series, of nothing, or of values below zero says that it is none.
            Kind::Pie if rounds > 1 || sort == "negative" || sort == "zero" => {
                assert!(
                    picture.texts.iter().any(|text| text.contains("pie") || text.contains("zero")),
                    "{:?}",
                    picture.texts
                );
                0
            }
            Kind::Pie if count == 500 => SERIES_MAX + 1,
            Kind::Pie if count == 20 => SERIES_MAX + 1,
            Kind::Pie => known(count),
            Kind::Figure => {
                let large = picture.texts.len();
                assert!(large >= 2 * count.min(FIGURES_MAX) * rounds, "{:?}", picture.texts);
                0
            }
            Kind::Line | Kind::Area => {
                assert!(!picture.paths.is_empty() || sort == "null");
                return;
            }
        };
        if chart.kind == Kind::Figure || sort == "null" && chart.kind == Kind::Bar && count == 500 {
            return;
        }
        assert_eq!(picture.marks.len(), expected, "{:?} {count} {rounds} {sort}", chart.kind);
        assert!(picture.height < 1400.0, "{:?} {count}: {}", chart.kind, picture.height);
    });
}
