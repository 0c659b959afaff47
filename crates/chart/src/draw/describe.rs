//! The picture in words, for those who do not see it.

use crate::chart::{Chart, Kind};
use crate::limit::Shown;
use crate::value::Value;

pub(super) fn title(chart: &Chart) -> String {
    match (chart.title.as_str(), chart.subtitle.as_str()) {
        (title, "") => title.to_owned(),
        (title, subtitle) => format!("{title}: {subtitle}"),
    }
}

/// `Bar chart of events by day: 30 values from 12 to 95 (largest: 2021-04-05).`
pub(super) fn description(shown: &Shown) -> String {
    let chart = &shown.chart;
    let kind = match chart.kind {
        Kind::Line => "Line chart",
        Kind::Bar => "Bar chart",
        Kind::Stacked => "Stacked bar chart",
        Kind::Area => "Area chart",
        Kind::Pie => "Pie chart",
        Kind::Figure => "Figures",
    };
    if let Some(problem) = &chart.problem {
        return format!("{kind}, not drawn: {problem}.");
    }
    let names: Vec<&str> =
        chart.series.iter().map(|series| series.name.as_str()).filter(|name| !name.is_empty()).collect();
    let of = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
    let by = if chart.x_title.is_empty() { String::new() } else { format!(" by {}", chart.x_title) };
    let values = || {
        let series = chart.series.iter();
        series
            .flat_map(|series| series.values.iter().enumerate())
            .filter_map(|(place, value)| Some((place, value.as_ref()?)))
    };
    let smaller = |a: &(usize, &Value), b: &(usize, &Value)| a.1.number().total_cmp(&b.1.number());
    let (Some(least), Some(most)) = (values().min_by(smaller), values().max_by(smaller)) else {
        return format!("{kind}{of}{by}: no rows.");
    };
    let (low, high) = (chart.number.exact(least.1), chart.number.exact(most.1));
    match values().count() {
        1 => format!("{kind}{of}{by}: {high} ({}).", chart.x.name(most.0)),
        count => format!("{kind}{of}{by}: {count} values from {low} to {high} (largest: {}).", chart.x.name(most.0)),
    }
}
