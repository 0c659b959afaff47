//! The legend: a line of colours with their names, above the marks.

use super::{LABEL_SIZE, PAD, Page, WIDTH};
use crate::palette::Ink;
use crate::scene::{Rect, Type};

const SWATCH: f64 = 10.0;
/// A longer name is cut.
const NAME_WIDTH_MAX: f64 = 220.0;

pub(super) fn draw(page: &mut Page, entries: &[(&str, Ink)]) {
    let look = Type::new(LABEL_SIZE, Ink::Text);
    let mut x = PAD;
    page.y += 16.0;
    for (name, ink) in entries {
        let name = look.fit(name, NAME_WIDTH_MAX);
        let width = SWATCH + 6.0 + look.width(&name);
        if x > PAD && x + width > WIDTH - PAD {
            x = PAD;
            page.y += 19.0;
        }
        page.scene.rect(Rect { x, y: page.y - SWATCH, width: SWATCH, height: SWATCH }, *ink, 2.0, None);
        page.scene.text(x + SWATCH + 6.0, page.y, &name, look);
        x += width + 18.0;
    }
    page.y += 8.0;
}
