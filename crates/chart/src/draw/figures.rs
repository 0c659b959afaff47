//! Single figures, written large, with their names above them.

use super::places::count_f64;
use super::{LABEL_SIZE, PAD, Page, WIDTH};
use crate::chart::X;
use crate::limit::Shown;
use crate::palette::Ink;
use crate::scene::{Rect, Type};

const FIGURE_SIZE: f64 = 30.0;
/// A figure that would have to be smaller is shortened.
const FIGURE_SIZE_MIN: f64 = 17.0;
const COLUMNS_MAX: usize = 4;

/// One figure: its name, its value at full length and shortened, and what stands below.
struct Tile {
    name: String,
    exact: String,
    short: String,
    below: String,
}

pub(super) fn draw(page: &mut Page, shown: &Shown) {
    let tiles = tiles(shown);
    let columns = match tiles.len() {
        count @ 0..=COLUMNS_MAX => count.max(1),
        5 | 6 | 9 => 3,
        _ => COLUMNS_MAX,
    };
    let width = (WIDTH - 2.0 * PAD) / count_f64(columns);
    let has_below = tiles.iter().any(|tile| !tile.below.is_empty());
    let height = if has_below { 82.0 } else { 64.0 };
    let top = page.y + 4.0;
    for (index, tile) in tiles.iter().enumerate() {
        let x = PAD + width * count_f64(index % columns);
        let y = top + height * count_f64(index / columns);
        let room = width - 26.0;
        page.scene.rect(Rect { x, y, width: 3.0, height: height - 14.0 }, Ink::Series(0), 1.5, None);
        let small = Type::new(LABEL_SIZE + 0.5, Ink::Muted);
        page.scene.text(x + 13.0, y + 11.0, &small.fit(&tile.name, room), small);
        figure(page, (x + 13.0, y + 44.0), tile, room);
        page.scene.text(x + 13.0, y + 64.0, &small.fit(&tile.below, room), small);
    }
    page.y = top + height * count_f64(tiles.len().div_ceil(columns)) - 8.0;
}

fn figure(page: &mut Page, at: (f64, f64), tile: &Tile, room: f64) {
    let look = Type::new(FIGURE_SIZE, Ink::Text).bold();
    let size = |text: &str| (FIGURE_SIZE * room / look.width(text)).min(FIGURE_SIZE);
    let text = if size(&tile.exact) >= FIGURE_SIZE_MIN { &tile.exact } else { &tile.short };
    page.scene.text(at.0, at.1, text, Type { size: size(text), ..look });
}

fn tiles(shown: &Shown) -> Vec<Tile> {
    let chart = &shown.chart;
    let (places, series) = (chart.x.len(), chart.series.len());
    let is_named = |place: usize| !matches!(&chart.x, X::Category { values } if values[place].is_none());
    let mut tiles = Vec::with_capacity(places * series);
    for place in 0..places {
        for series in &chart.series {
            let place_name = if is_named(place) { chart.x.name(place) } else { String::new() };
            // Several rows of one figure are told apart by their place, several figures by their names.
            let (name, below) = if places > 1 && chart.series.len() == 1 {
                (place_name, String::new())
            } else {
                (series.name.clone(), place_name)
            };
            let value = series.values[place].as_ref();
            let exact = value.map_or_else(|| "–".to_owned(), |value| chart.number.exact(value));
            let short = value.map_or_else(|| "–".to_owned(), |value| chart.number.label(value));
            tiles.push(Tile { name, exact, short, below });
        }
    }
    tiles
}
