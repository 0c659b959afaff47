//! Upright charts: values from the bottom to the top. Lines, areas, and bars that have room beside each other.

use std::fmt::Write as _;

use super::places::{Places, count_f64, look};
use super::stack::{Spans, extent, plain, stacked};
use super::{LABEL_SIZE, PAD, Page, WIDTH, bar_ink, legend, mark_name, series_ink};
use crate::chart::{Chart, Kind, Series};
use crate::limit::Shown;
use crate::palette::Ink;
use crate::scale::{Linear, Ticks};
use crate::scene::{Anchor, Rect, Type, short};

/// From the highest tick to the lowest.
const PLOT_HEIGHT: f64 = 250.0;
/// Above the highest tick, and below a lowest one that is negative, for the label of a bar that reaches it.
const HEADROOM: f64 = 14.0;
/// A single bar is no wider.
const BAR_WIDTH_MAX: f64 = 64.0;
/// Points get a dot each up to this many.
const DOTS_MAX: usize = 60;
/// Names at the ends of lines are cut to this.
const END_WIDTH_MAX: f64 = 150.0;
/// Between two of them.
const END_STEP: f64 = 15.0;

/// What every part of the plot needs.
struct Plot<'a> {
    shown: &'a Shown,
    places: Places,
    values: Linear,
    spans: Spans,
    left: f64,
    right: f64,
}

pub(super) fn draw(page: &mut Page, shown: &Shown) {
    let chart = &shown.chart;
    let spans = if is_stacked(chart) { stacked(chart) } else { plain(chart) };
    let names_at_ends = chart.kind == Kind::Line && chart.series.len() > 1;
    if chart.series.len() > 1 && !names_at_ends {
        let entries =
            chart.series.iter().enumerate().map(|(index, series)| (series.name.as_str(), series_ink(shown, index)));
        legend::draw(page, &entries.collect::<Vec<_>>());
    }
    axis_title(page, chart);
    let ticks = ticks(chart, &spans);
    let (top, bottom) = (page.y + HEADROOM, page.y + HEADROOM + PLOT_HEIGHT);
    let values = Linear { domain: ticks.domain(), range: (bottom, top) };
    let labels: Vec<String> =
        ticks.values.iter().map(|tick| chart.number.tick(*tick, ticks.step, ticks.largest())).collect();
    let widest = labels.iter().map(|label| look().width(label)).fold(0.0, f64::max);
    let right = if names_at_ends { WIDTH - PAD - end_width(chart) - 10.0 } else { WIDTH - PAD };
    let left = PAD + widest + 8.0;
    let plot = Plot { shown, places: Places::new(chart, left, right), values, spans, left, right };
    for (tick, label) in ticks.values.iter().zip(&labels) {
        let y = plot.values.at(*tick);
        page.scene.line((left, y), (right, y), Ink::Grid, 1.0);
        page.scene.text(left - 8.0, y + LABEL_SIZE * 0.36, label, look().anchored(Anchor::End));
    }
    match chart.kind {
        Kind::Line => lines(page, &plot),
        Kind::Area => areas(page, &plot),
        _ => bars(page, &plot),
    }
    let zero = plot.values.at(0.0_f64.clamp(plot.values.domain.0, plot.values.domain.1));
    page.scene.line((left, zero), (right, zero), Ink::Line, 1.0);
    if names_at_ends {
        line_names(page, &plot);
    }
    let hangs = matches!(chart.kind, Kind::Bar | Kind::Stacked) && plot.values.domain.0 < 0.0;
    page.y = if hangs { bottom + HEADROOM } else { bottom };
    below(page, &plot);
}

fn is_stacked(chart: &Chart) -> bool {
    let negative = || chart.series.iter().flat_map(|series| &series.values).flatten().any(|value| value.is_negative());
    chart.kind == Kind::Stacked || (chart.kind == Kind::Area && chart.series.len() > 1 && !negative())
}

/// What the values are, above the axis.
fn axis_title(page: &mut Page, chart: &Chart) {
    if !chart.y_title.is_empty() {
        page.y += 14.0;
        let look = Type::new(LABEL_SIZE, Ink::Muted);
        page.scene.text(PAD, page.y, &look.fit(&chart.y_title, WIDTH - 2.0 * PAD), look);
        page.y += 2.0;
    }
}

/// Zero is on the axis, but for lines that are far from it.
fn ticks(chart: &Chart, spans: &Spans) -> Ticks {
    let (mut low, mut high) = extent(spans);
    if chart.kind == Kind::Line {
        let numbers = || spans.iter().flatten().flatten().map(|(_, to)| *to);
        let least = numbers().fold(f64::INFINITY, f64::min);
        let most = numbers().fold(f64::NEG_INFINITY, f64::max);
        let far = |near: f64, far: f64| near / 2.0 > (far - near) && far > near;
        if far(least, most) {
            low = least;
        } else if far(-most, -least) {
            high = most;
        }
    }
    Ticks::around(low, high, &[5.0, 6.0, 4.0, 7.0])
}

fn bars(page: &mut Page, plot: &Plot<'_>) {
    let chart = &plot.shown.chart;
    let beside = if chart.kind == Kind::Stacked { 1 } else { chart.series.len() };
    let room = (plot.places.band * if beside == 1 { 0.74 } else { 0.82 }).min(BAR_WIDTH_MAX * count_f64(beside));
    let width = room / count_f64(beside);
    for (place, middle) in plot.places.at.iter().enumerate() {
        for (index, spans) in plot.spans.iter().enumerate() {
            let Some((from, to)) = spans[place] else { continue };
            let column = if beside == 1 { 0.0 } else { count_f64(index) };
            let (a, b) = (plot.values.at(from), plot.values.at(to));
            let x = middle - room / 2.0 + column * width;
            let inner = if beside > 1 && width > 4.0 { width - 1.0 } else { width };
            let rect = Rect { x, y: a.min(b), width: inner, height: (a - b).abs() };
            page.scene.rect(rect, bar_ink(plot.shown, place, index), 0.0, Some(&mark_name(plot.shown, place, index)));
        }
    }
    bar_labels(page, plot);
}

/// The values at the bars, where all of them have room.
fn bar_labels(page: &mut Page, plot: &Plot<'_>) {
    let chart = &plot.shown.chart;
    if chart.series.len() > 1 {
        return;
    }
    let look = Type::new(11.0, Ink::Text).anchored(Anchor::Middle);
    let labels: Vec<Option<String>> =
        chart.series[0].values.iter().map(|value| value.as_ref().map(|value| chart.number.label(value))).collect();
    let widest = labels.iter().flatten().map(|label| look.width(label)).fold(0.0, f64::max);
    if widest + 3.0 > plot.places.band {
        return;
    }
    for (place, label) in labels.iter().enumerate() {
        let (Some(label), Some((_, to))) = (label, plot.spans[0][place]) else { continue };
        let end = plot.values.at(to);
        let y = if to < 0.0 { end + 13.0 } else { end - 4.0 };
        page.scene.text(plot.places.at[place], y, label, look);
    }
}

fn lines(page: &mut Page, plot: &Plot<'_>) {
    for index in 0..plot.shown.chart.series.len() {
        line(page, plot, index);
    }
}

/// A line with a gap where a value is missing; a point between two gaps is a dot.
fn line(page: &mut Page, plot: &Plot<'_>, index: usize) {
    let ink = series_ink(plot.shown, index);
    let stretches = stretches(&plot.spans[index]);
    for stretch in stretches.iter().filter(|stretch| stretch.len() > 1) {
        let ends = stretch.iter().map(|place| (*place, plot.spans[index][*place].map_or(0.0, |(_, to)| to)));
        page.scene.path(&through(plot, ends), None, Some((ink, 2.0)), None);
    }
    let all = plot.places.at.len() <= DOTS_MAX;
    for stretch in stretches.iter().filter(|stretch| all || stretch.len() == 1) {
        for place in stretch {
            let to = plot.spans[index][*place].map_or(0.0, |(_, to)| to);
            let centre = (plot.places.at[*place], plot.values.at(to));
            page.scene.circle(centre, 3.0, ink, Some(&mark_name(plot.shown, *place, index)));
        }
    }
}

/// Areas from the last to the first, so that lines end on top.
fn areas(page: &mut Page, plot: &Plot<'_>) {
    let chart = &plot.shown.chart;
    let opacity = if is_stacked(chart) { 0.8 } else { 0.18 };
    for index in 0..chart.series.len() {
        let spans = &plot.spans[index];
        for stretch in stretches(spans).iter().filter(|stretch| stretch.len() > 1) {
            let span = |place: &usize| spans[*place].unwrap_or((0.0, 0.0));
            let top = through(plot, stretch.iter().map(|place| (*place, span(place).1)));
            let back = through(plot, stretch.iter().rev().map(|place| (*place, span(place).0)));
            let outline = format!("{top}L{}Z", back.trim_start_matches('M'));
            page.scene.path(&outline, Some((series_ink(plot.shown, index), opacity)), None, None);
        }
    }
    lines(page, plot);
}

/// The places with values, cut where one is missing.
fn stretches(spans: &[Option<(f64, f64)>]) -> Vec<Vec<usize>> {
    let mut stretches: Vec<Vec<usize>> = vec![Vec::new()];
    for (place, span) in spans.iter().enumerate() {
        match (span, stretches.last_mut()) {
            (Some(_), Some(stretch)) => stretch.push(place),
            _ => stretches.push(Vec::new()),
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

fn through(plot: &Plot<'_>, points: impl Iterator<Item = (usize, f64)>) -> String {
    let mut d = String::new();
    for (place, value) in points {
        let command = if d.is_empty() { 'M' } else { 'L' };
        let _ = write!(d, "{command}{} {}", short(plot.places.at[place]), short(plot.values.at(value)));
    }
    d
}

fn last_value(series: &Series) -> Option<f64> {
    (0..series.values.len()).rev().find_map(|place| series.number(place))
}

fn end_look() -> Type {
    Type::new(LABEL_SIZE, Ink::Text)
}

fn end_width(chart: &Chart) -> f64 {
    let widths = chart.series.iter().map(|series| end_look().width(&series.name));
    widths.fold(0.0, f64::max).min(END_WIDTH_MAX) + SWATCH + 4.0
}

const SWATCH: f64 = 8.0;

/// The names of lines where they end, moved apart, with their colour in front.
fn line_names(page: &mut Page, plot: &Plot<'_>) {
    let series = plot.shown.chart.series.iter().enumerate();
    let mut ends: Vec<(usize, f64)> =
        series.filter_map(|(index, series)| Some((index, plot.values.at(last_value(series)?)))).collect();
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (top, bottom) = (plot.values.range.1, plot.values.range.0);
    // Down from the top, then up from the bottom: there is room for all of them, so neither pass undoes the other.
    let mut next = top;
    for (_, y) in &mut ends {
        *y = y.max(next);
        next = *y + END_STEP;
    }
    let mut next = bottom;
    for (_, y) in ends.iter_mut().rev() {
        *y = y.min(next);
        next = *y - END_STEP;
    }
    for (index, y) in ends {
        let x = plot.right + 10.0;
        let ink = series_ink(plot.shown, index);
        page.scene.rect(Rect { x, y: y - 1.5, width: SWATCH, height: 3.0 }, ink, 1.0, None);
        let name = end_look().fit(&plot.shown.chart.series[index].name, END_WIDTH_MAX);
        page.scene.text(x + SWATCH + 4.0, y + LABEL_SIZE * 0.36, &name, end_look());
    }
}

/// What stands below the plot: labels, their second line, and the title of the axis.
fn below(page: &mut Page, plot: &Plot<'_>) {
    let chart = &plot.shown.chart;
    page.y += 18.0;
    for label in &plot.places.labels {
        page.scene.text(label.x, page.y, &label.text, look());
        if let Some(context) = &label.context {
            page.scene.text(label.context_x(context), page.y + 15.0, context, look());
        }
    }
    if plot.places.has_context {
        page.y += 15.0;
    }
    if !chart.x_title.is_empty() {
        page.y += 18.0;
        let title = look().fit(&chart.x_title, plot.right - plot.left);
        page.scene.text((plot.left + plot.right) / 2.0, page.y, &title, look());
    }
}
