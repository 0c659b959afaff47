//! Bars one below the other: for many names, and for long ones.

use super::places::count_f64;
use super::stack::{extent, plain, stacked};
use super::{LABEL_SIZE, PAD, Page, WIDTH, bar_ink, legend, mark_name, series_ink};
use crate::chart::{Chart, Kind};
use crate::limit::Shown;
use crate::palette::Ink;
use crate::scale::Linear;
use crate::scene::{Anchor, Rect, Type};
use crate::value::Value;

/// A longer name is cut.
const NAME_WIDTH_MAX: f64 = 250.0;
/// The room of one bar, and what is free between the bars of one place and the next.
const BAR_HEIGHT: f64 = 15.0;
const BAR_HEIGHT_BESIDE: f64 = 11.0;
const GAP: f64 = 7.0;
/// Between a bar and its value.
const VALUE_GAP: f64 = 5.0;

pub(super) fn draw(page: &mut Page, shown: &Shown) {
    let chart = &shown.chart;
    let is_stacked = chart.kind == Kind::Stacked;
    let spans = if is_stacked { stacked(chart) } else { plain(chart) };
    if chart.series.len() > 1 {
        let entries =
            chart.series.iter().enumerate().map(|(index, series)| (series.name.as_str(), series_ink(shown, index)));
        legend::draw(page, &entries.collect::<Vec<_>>());
    }
    head(page, chart);
    let names = Type::new(LABEL_SIZE, Ink::Text).anchored(Anchor::End);
    let texts: Vec<String> = (0..chart.x.len()).map(|place| names.fit(&chart.x.name(place), NAME_WIDTH_MAX)).collect();
    let name_width = texts.iter().map(|text| names.width(text)).fold(0.0, f64::max);
    let scale = scale(chart, extent(&spans), PAD + name_width + 10.0);
    let beside = if is_stacked { 1 } else { chart.series.len() };
    let height = if beside > 1 { BAR_HEIGHT_BESIDE } else { BAR_HEIGHT };
    let top = page.y + 2.0;
    for (place, name) in texts.iter().enumerate() {
        let step = height * count_f64(beside) + GAP;
        let y = top + GAP / 2.0 + count_f64(place) * step;
        let middle = y + (step - GAP) / 2.0;
        page.scene.text(PAD + name_width, middle + LABEL_SIZE * 0.36, name, names);
        for (index, spans) in spans.iter().enumerate() {
            let Some((from, to)) = spans[place] else { continue };
            let y = if is_stacked { y } else { y + count_f64(index) * height };
            let (a, b) = (scale.at(from), scale.at(to));
            let inner = if beside > 1 { height - 1.0 } else { height };
            let rect = Rect { x: a.min(b), y, width: (a - b).abs(), height: inner };
            page.scene.rect(rect, bar_ink(shown, place, index), 0.0, Some(&mark_name(shown, place, index)));
            if let (false, Some(value)) = (is_stacked, &chart.series[index].values[place]) {
                value_label(page, &scale, (to, y + inner / 2.0), &chart.number.label(value));
            }
        }
        if let Some(total) = is_stacked.then(|| total(chart, place)).flatten() {
            value_label(page, &scale, (total.number(), middle), &chart.number.label(&total));
        }
        page.y = y + step - GAP;
    }
    page.y += GAP / 2.0 + 2.0;
    let zero = scale.at(0.0);
    page.scene.line((zero, top), (zero, page.y), Ink::Line, 1.0);
}

/// What the names are, and what the bars are.
fn head(page: &mut Page, chart: &Chart) {
    let words: Vec<&str> =
        [chart.y_title.as_str(), chart.x_title.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
    if !words.is_empty() {
        page.y += 14.0;
        let look = Type::new(LABEL_SIZE, Ink::Muted);
        page.scene.text(PAD, page.y, &look.fit(&words.join(" by "), WIDTH - 2.0 * PAD), look);
        page.y += 4.0;
    }
}

/// The scale, with room for the longest values at either end.
fn scale(chart: &Chart, (low, high): (f64, f64), left: f64) -> Linear {
    let look = value_look();
    let widest = |negative: bool| {
        let values = chart.series.iter().flat_map(|series| &series.values).flatten();
        let fitting = values.filter(|value| value.is_negative() == negative);
        let widths = fitting.map(|value| look.width(&chart.number.label(value)) + VALUE_GAP);
        let totals = (0..chart.x.len()).filter_map(|place| total(chart, place).filter(|_| !negative));
        let totals = totals.map(|total| look.width(&chart.number.label(&total)) + VALUE_GAP);
        widths.chain(totals).fold(0.0, f64::max)
    };
    let high = if low == 0.0 && high == 0.0 { 1.0 } else { high };
    let before = if low < 0.0 { widest(true) } else { 0.0 };
    Linear { domain: (low, high), range: (left + before, WIDTH - PAD - widest(false)) }
}

/// The sum of a stack; there is none where values point both ways.
fn total(chart: &Chart, place: usize) -> Option<Value> {
    let values = || chart.series.iter().filter_map(|series| series.values[place].as_ref());
    let is_sum = chart.kind == Kind::Stacked && values().next().is_some() && !values().any(Value::is_negative);
    is_sum.then(|| Value::sum(values()))
}

fn value_look() -> Type {
    Type::new(11.0, Ink::Text)
}

fn value_label(page: &mut Page, scale: &Linear, (to, middle): (f64, f64), label: &str) {
    let (x, anchor) =
        if to < 0.0 { (scale.at(to) - VALUE_GAP, Anchor::End) } else { (scale.at(to) + VALUE_GAP, Anchor::Start) };
    page.scene.text(x, middle + 4.0, label, value_look().anchored(anchor));
}
