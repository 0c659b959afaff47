//! Shares of a whole: a ring, with names, values and shares beside it.

use std::f64::consts::TAU;

use super::{LABEL_SIZE, PAD, Page, WIDTH};
use crate::limit::Shown;
use crate::number::NumberFormat;
use crate::palette::Ink;
use crate::scene::{Anchor, Rect, Type, short};
use crate::value::Value;

const RADIUS: f64 = 104.0;
const HOLE: f64 = 64.0;
const ROW: f64 = 24.0;
/// Where the names begin.
const LIST_X: f64 = 290.0;

pub(super) fn draw(page: &mut Page, shown: &Shown) {
    let chart = &shown.chart;
    let values = &chart.series[0].values;
    let sum: f64 = values.iter().flatten().map(Value::number).sum();
    let rows: Vec<(usize, &Value)> =
        values.iter().enumerate().filter_map(|(place, value)| Some((place, value.as_ref()?))).collect();
    let list_height = ROW * super::places::count_f64(rows.len());
    let height = list_height.max(2.0 * RADIUS);
    let centre = (PAD + RADIUS + 14.0, page.y + 8.0 + height / 2.0);
    let list_top = page.y + 8.0 + (height - list_height) / 2.0;
    let mut from = 0.0;
    for (index, (place, value)) in rows.iter().enumerate() {
        let share = value.number() / sum;
        let ink = ink(shown, *place);
        let name = format!("{}: {} ({})", chart.x.name(*place), chart.number.exact(value), percent(share));
        slice(page, centre, (from, from + share), ink, &name);
        from += share;
        let y = list_top + ROW * (super::places::count_f64(index) + 0.5) + LABEL_SIZE * 0.36;
        row(page, y, &chart.x.name(*place), &chart.number.label(value), &percent(share), ink);
    }
    let total = Value::sum(rows.iter().map(|(_, value)| *value));
    let look = Type::new(20.0, Ink::Text).bold().anchored(Anchor::Middle);
    let text = chart.number.label(&total);
    let size = (look.size * (2.0 * HOLE - 16.0) / look.width(&text)).min(look.size);
    page.scene.text(centre.0, centre.1 + 2.0, &text, Type { size, ..look });
    let name = if chart.series[0].name.is_empty() { "in all" } else { &chart.series[0].name };
    let small = Type::new(LABEL_SIZE, Ink::Muted).anchored(Anchor::Middle);
    page.scene.text(centre.0, centre.1 + 20.0, &small.fit(name, 2.0 * HOLE - 24.0), small);
    page.y += 8.0 + height + 6.0;
}

fn ink(shown: &Shown, place: usize) -> Ink {
    if shown.other_place && place + 1 == shown.chart.x.len() { Ink::Other } else { Ink::Series(place) }
}

/// One slice of the ring, from and to in shares of the whole, clockwise from the top.
fn slice(page: &mut Page, centre: (f64, f64), (from, to): (f64, f64), ink: Ink, name: &str) {
    let at = |share: f64, radius: f64| {
        let angle = share * TAU;
        format!("{} {}", short(centre.0 + radius * angle.sin()), short(centre.1 - radius * angle.cos()))
    };
    let d = if to - from > 0.9999 {
        // An arc cannot end where it begins: two halves, and the hole the other way round.
        let ring = |radius: f64, sweep: u8| {
            let r = short(radius);
            format!(
                "M{}A{r} {r} 0 1 {sweep} {}A{r} {r} 0 1 {sweep} {}Z",
                at(0.0, radius),
                at(0.5, radius),
                at(0.0, radius)
            )
        };
        format!("{}{}", ring(RADIUS, 1), ring(HOLE, 0))
    } else {
        let large = u8::from(to - from > 0.5);
        let (outer, inner) = (short(RADIUS), short(HOLE));
        format!(
            "M{}A{outer} {outer} 0 {large} 1 {}L{}A{inner} {inner} 0 {large} 0 {}Z",
            at(from, RADIUS),
            at(to, RADIUS),
            at(to, HOLE),
            at(from, HOLE)
        )
    };
    page.scene.path(&d, Some((ink, 1.0)), Some((Ink::Paper, 1.5)), Some(name));
}

fn row(page: &mut Page, y: f64, name: &str, value: &str, share: &str, ink: Ink) {
    let look = Type::new(LABEL_SIZE + 0.5, Ink::Text);
    let right = WIDTH - PAD;
    page.scene.rect(Rect { x: LIST_X, y: y - 10.0, width: 11.0, height: 11.0 }, ink, 2.0, None);
    page.scene.text(right, y, share, Type { ink: Ink::Muted, ..look }.anchored(Anchor::End));
    let value_right = right - 62.0;
    page.scene.text(value_right, y, value, look.anchored(Anchor::End));
    let room = value_right - look.width(value) - 12.0 - (LIST_X + 18.0);
    page.scene.text(LIST_X + 18.0, y, &look.fit(name, room), look);
}

fn percent(share: f64) -> String {
    let format = NumberFormat { percent: true, decimals: Some(1), ..NumberFormat::default() };
    Value::from_f64(share).map(|share| format.exact(&share)).unwrap_or_default()
}
