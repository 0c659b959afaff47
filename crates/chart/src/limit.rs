//! What is shown of a chart: without places that nothing is known of, in order, and within the limits.

use crate::chart::{Chart, Kind, Rest, Series, X};
use crate::value::Value;
use crate::{CATEGORIES_MAX, FIGURES_MAX, LIMIT_MAX, SERIES_MAX};

/// What those that were put together are called.
pub(crate) const OTHER: &str = "other";

/// A chart as it is drawn, with what the picture has to say about it.
pub(crate) struct Shown {
    pub(crate) chart: Chart,
    /// Whether the last place (of bars and slices) holds what was put together.
    pub(crate) other_place: bool,
    /// Whether the last series holds what was put together.
    pub(crate) other_series: bool,
    pub(crate) notes: Vec<String>,
}

/// Brings the chart into the form that is drawn.
pub(crate) fn shown(chart: &Chart) -> Shown {
    let mut shown = Shown { chart: chart.clone(), other_place: false, other_series: false, notes: Vec::new() };
    if let Err(problem) = chart.check() {
        shown.chart.problem.get_or_insert(problem);
    }
    if shown.chart.problem.is_none() {
        drop_nowhere(&mut shown);
        sort(&mut shown.chart);
        limit_series(&mut shown);
        limit_places(&mut shown);
    }
    shown
}

/// Values at a missing date or number have no place on the axis.
fn drop_nowhere(shown: &mut Shown) {
    let known: Vec<usize> = match &shown.chart.x {
        X::Date { values } => known(values),
        X::Number { values } => known(values),
        X::Category { .. } => return,
    };
    let missing = shown.chart.x.len() - known.len();
    if missing > 0 && shown.chart.kind != Kind::Figure {
        pick(&mut shown.chart, &known);
        let rows = if missing == 1 { "1 row has".to_owned() } else { format!("{missing} rows have") };
        shown.notes.push(format!("{rows} no place on the axis"));
    }
}

fn known<T>(values: &[Option<T>]) -> Vec<usize> {
    (0..values.len()).filter(|index| values[*index].is_some()).collect()
}

/// Time runs to the right, and so do the numbers of a line.
fn sort(chart: &mut Chart) {
    let mut order: Vec<usize> = (0..chart.x.len()).collect();
    match &chart.x {
        X::Date { values } if !matches!(chart.kind, Kind::Figure | Kind::Pie) => {
            order.sort_by_key(|index| values[*index])
        }
        X::Number { values } if matches!(chart.kind, Kind::Line | Kind::Area) => {
            let number = |index: &usize| values[*index].as_ref().map_or(0.0, Value::number);
            order.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        _ => return,
    }
    pick(chart, &order);
}

fn pick(chart: &mut Chart, indexes: &[usize]) {
    chart.x = chart.x.pick(indexes);
    for series in &mut chart.series {
        series.values = indexes.iter().map(|index| series.values[*index].clone()).collect();
    }
}

fn limit_series(shown: &mut Shown) {
    let chart = &mut shown.chart;
    let count = chart.series.len();
    if count <= SERIES_MAX || chart.kind == Kind::Figure {
        return;
    }
    let kept = largest(count, SERIES_MAX, |index| size(chart.series[index].values.iter().flatten()));
    let (mut series, rest) = split(std::mem::take(&mut chart.series), &kept);
    // Lines that are added up would be a line that nobody asked for.
    if chart.rest == Rest::Other && chart.kind != Kind::Line {
        let at = |place: usize| rest.iter().filter_map(move |series| series.values[place].as_ref());
        let sum = |place: usize| at(place).next().is_some().then(|| Value::sum(at(place)));
        series.push(Series { name: OTHER.to_owned(), values: (0..chart.x.len()).map(sum).collect() });
        shown.other_series = true;
        shown.notes.push(format!("“{OTHER}” is the sum of the {} smaller series", rest.len()));
    } else {
        shown.notes.push(format!("the {} largest of {count} series", series.len()));
    }
    chart.series = series;
}

fn limit_places(shown: &mut Shown) {
    let chart = &mut shown.chart;
    let (default, most) = match (chart.kind, &chart.x) {
        (Kind::Pie, _) => (SERIES_MAX, SERIES_MAX),
        (Kind::Figure, _) => (FIGURES_MAX, LIMIT_MAX),
        (Kind::Bar | Kind::Stacked, X::Category { .. }) => (CATEGORIES_MAX, LIMIT_MAX),
        _ => return,
    };
    let (count, limit) = (chart.x.len(), chart.limit.unwrap_or(default).clamp(1, most));
    if count <= limit {
        return;
    }
    if chart.kind == Kind::Figure {
        pick(chart, &(0..limit).collect::<Vec<_>>());
        shown.notes.push(format!("the first {limit} of {count}"));
        return;
    }
    let kept =
        largest(count, limit, |index| size(chart.series.iter().filter_map(|series| series.values[index].as_ref())));
    let rest: Vec<usize> = (0..count).filter(|index| !kept.contains(index)).collect();
    let sums: Vec<Option<Value>> = chart.series.iter().map(|series| sum_at(series, &rest)).collect();
    let names: Vec<Option<String>> = kept.iter().map(|index| Some(chart.x.name(*index))).collect();
    pick(chart, &kept);
    if chart.rest == Rest::Other || chart.kind == Kind::Pie {
        chart.x = X::Category { values: names.into_iter().chain([Some(OTHER.to_owned())]).collect() };
        for (series, sum) in chart.series.iter_mut().zip(sums) {
            series.values.push(sum);
        }
        shown.other_place = true;
        shown.notes.push(format!("“{OTHER}” is the sum of the {} smaller ones", rest.len()));
    } else {
        shown.notes.push(format!("the {limit} largest of {count}"));
    }
}

fn sum_at(series: &Series, places: &[usize]) -> Option<Value> {
    let values = || places.iter().filter_map(|place| series.values[*place].as_ref());
    values().next()?;
    Some(Value::sum(values()))
}

fn size<'a>(values: impl Iterator<Item = &'a Value>) -> f64 {
    values.map(|value| value.number().abs()).sum()
}

/// The indexes of the `limit` largest, in their order; of equal ones the earlier.
fn largest(count: usize, limit: usize, size: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = (0..count).map(|index| (index, size(index))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut kept: Vec<usize> = order.into_iter().take(limit).map(|(index, _)| index).collect();
    kept.sort_unstable();
    kept
}

fn split(series: Vec<Series>, kept: &[usize]) -> (Vec<Series>, Vec<Series>) {
    let (kept, rest): (Vec<_>, Vec<_>) = series.into_iter().enumerate().partition(|(index, _)| kept.contains(index));
    let plain = |list: Vec<(usize, Series)>| list.into_iter().map(|(_, series)| series).collect();
    (plain(kept), plain(rest))
}
