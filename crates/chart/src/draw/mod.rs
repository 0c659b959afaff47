//! Draw: from a description to SVG. This file stacks the parts of a picture; each kind of chart has a file of its own.

mod describe;
mod figures;
mod legend;
mod pie;
mod places;
mod sideways;
mod stack;
mod upright;

use crate::chart::{Chart, Kind, X};
use crate::limit::{Shown, shown};
use crate::moment::Moment;
use crate::palette::Ink;
use crate::scene::{Paint, Scene, Type};
use crate::text::{Weight, clean, wrap};

/// The width of every picture.
const WIDTH: f64 = 720.0;
/// What stays free around it.
const PAD: f64 = 16.0;

const TITLE: Type = Type { size: 17.0, weight: Weight::SemiBold, ink: Ink::Text, anchor: crate::scene::Anchor::Start };
const TITLE_LINES_MAX: usize = 3;
/// Labels of axes, legends, values.
const LABEL_SIZE: f64 = 12.0;
const NOTE_SIZE: f64 = 11.0;

/// The chart as an SVG file of its own, with fixed colours and its title.
pub fn svg(chart: &Chart) -> String {
    draw(chart, Paint::Fixed, "chart")
}

/// The chart as a part of an HTML page, without its title, which the page has above it. The page needs [`crate::CSS`], and
/// an `id` (letters, digits, `-`) that no other element of it begins with.
pub fn svg_inline(chart: &Chart, id: &str) -> String {
    draw(chart, Paint::Classes, id)
}

/// A picture under construction: what is drawn, and how far down it has got.
struct Page {
    scene: Scene,
    y: f64,
}

fn draw(chart: &Chart, paint: Paint, id: &str) -> String {
    let chart = cleaned(chart);
    let shown = shown(&chart);
    let mut page = Page { scene: Scene::new(paint), y: if paint == Paint::Fixed { PAD } else { 4.0 } };
    if paint == Paint::Fixed {
        heading(&mut page, &chart);
    }
    match obstacle(&shown.chart) {
        Some(words) => instead(&mut page, &words),
        None => body(&mut page, &shown),
    }
    for note in &shown.notes {
        page.y += 18.0;
        let look = Type::new(NOTE_SIZE, Ink::Muted);
        page.scene.text(PAD, page.y, &look.fit(note, WIDTH - 2.0 * PAD), look);
    }
    let height = (page.y + if paint == Paint::Fixed { PAD } else { 8.0 }).ceil();
    page.scene.finish((WIDTH, height), PAD, id, &describe::title(&chart), &describe::description(&shown))
}

fn heading(page: &mut Page, chart: &Chart) {
    for line in wrap(&chart.title, WIDTH - 2.0 * PAD, TITLE.size, TITLE.weight, TITLE_LINES_MAX) {
        page.y += 21.0;
        page.scene.text(PAD, page.y - 4.0, &line, TITLE);
    }
    let look = Type::new(13.0, Ink::Muted);
    for line in wrap(&chart.subtitle, WIDTH - 2.0 * PAD, look.size, look.weight, 2) {
        page.y += 18.0;
        page.scene.text(PAD, page.y - 3.0, &line, look);
    }
    page.y += 10.0;
}

/// Why there is nothing to draw.
fn obstacle(chart: &Chart) -> Option<String> {
    let values = || chart.series.iter().flat_map(|series| &series.values).flatten();
    if let Some(problem) = &chart.problem {
        return Some(problem.clone());
    }
    if chart.x.is_empty() || chart.series.is_empty() {
        return Some("no rows".to_owned());
    }
    if values().next().is_none() {
        return Some("no values".to_owned());
    }
    let is_empty_whole = chart.kind == Kind::Pie && values().all(|value| value.number() == 0.0);
    is_empty_whole.then(|| "all values are zero".to_owned())
}

fn instead(page: &mut Page, words: &str) {
    let look = Type::new(14.0, Ink::Muted);
    page.y += 30.0;
    for line in wrap(words, WIDTH - 2.0 * PAD, look.size, look.weight, 4) {
        page.scene.text(WIDTH / 2.0, page.y, &line, look.anchored(crate::scene::Anchor::Middle));
        page.y += 20.0;
    }
}

fn body(page: &mut Page, shown: &Shown) {
    match shown.chart.kind {
        Kind::Figure => figures::draw(page, shown),
        Kind::Pie => pie::draw(page, shown),
        Kind::Bar | Kind::Stacked if places::lie_down(&shown.chart) => sideways::draw(page, shown),
        _ => upright::draw(page, shown),
    }
}

/// The chart with texts of one line that cannot steer what stands around them, and days without their midnights.
fn cleaned(chart: &Chart) -> Chart {
    let mut chart = chart.clone();
    let texts = [&mut chart.title, &mut chart.subtitle, &mut chart.x_title, &mut chart.y_title, &mut chart.number.unit];
    for text in
        texts.into_iter().chain(chart.series.iter_mut().map(|series| &mut series.name)).chain(&mut chart.problem)
    {
        *text = clean(text);
    }
    match &mut chart.x {
        X::Category { values } => {
            for value in values.iter_mut().flatten() {
                *value = clean(value);
                if value.is_empty() {
                    "(empty)".clone_into(value);
                }
            }
        }
        X::Date { values } => {
            if values.iter().flatten().all(|moment| moment.is_midnight()) {
                values.iter_mut().flatten().for_each(|moment| *moment = Moment::as_day(*moment));
            }
        }
        X::Number { .. } => {}
    }
    chart
}

/// What a mark is called: `2021-04 · Chad: 1,234`.
fn mark_name(shown: &Shown, place: usize, series: usize) -> String {
    let chart = &shown.chart;
    let value = chart.series[series].values[place].as_ref().map(|value| chart.number.exact(value)).unwrap_or_default();
    let name = &chart.series[series].name;
    if name.is_empty() {
        format!("{}: {value}", chart.x.name(place))
    } else {
        format!("{} · {name}: {value}", chart.x.name(place))
    }
}

/// The colour of a series.
fn series_ink(shown: &Shown, series: usize) -> Ink {
    if shown.other_series && series + 1 == shown.chart.series.len() { Ink::Other } else { Ink::Series(series) }
}

/// The colour of a bar: that of its series, but for the place of what was put together.
fn bar_ink(shown: &Shown, place: usize, series: usize) -> Ink {
    let other = shown.other_place && place + 1 == shown.chart.x.len() && shown.chart.series.len() == 1;
    if other { Ink::Other } else { series_ink(shown, series) }
}
