//! Charts are looked at as a reader of SVG sees them: parsed, with every text laid out in the embedded font.
#![allow(clippy::unwrap_used)]

mod bars;
mod description;
mod every_kind;
mod hostile;
mod limits;
mod lines;
mod picture;
mod pixels;
mod wholes;

use stillhouse_chart::{CHART_FORMAT, Chart, Kind, NumberFormat, Rest, Series, Value, X};

/// A chart of these categories and series.
fn chart(kind: Kind, names: &[&str], series: &[(&str, &[Option<f64>])]) -> Chart {
    let values = names.iter().map(|name| Some((*name).to_owned())).collect();
    with_x(kind, X::Category { values }, series)
}

/// A chart of these dates and series.
fn dated(kind: Kind, dates: &[&str], series: &[(&str, &[Option<f64>])]) -> Chart {
    with_x(kind, X::Date { values: dates.iter().map(|date| Some(date.parse().unwrap())).collect() }, series)
}

fn with_x(kind: Kind, x: X, series: &[(&str, &[Option<f64>])]) -> Chart {
    let series = series.iter().map(|(name, values)| Series {
        name: (*name).to_owned(),
        values: values.iter().map(|value| value.and_then(Value::from_f64)).collect(),
    });
    Chart {
        format: CHART_FORMAT,
        kind,
        title: "Events".to_owned(),
        subtitle: String::new(),
        x_title: String::new(),
        y_title: String::new(),
        x,
        series: series.collect(),
        number: NumberFormat::default(),
        limit: None,
        rest: Rest::Omit,
        problem: None,
    }
}
