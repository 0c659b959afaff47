//! The picture as pixels.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::chart::Chart;
use crate::draw::svg;
use crate::error::{Error, ErrorKind};
use crate::text::{REGULAR, SEMI_BOLD, is_drawn};

/// Pixels for each unit of the drawing: fine on screens of double density, and in print.
const SCALE: u8 = 2;

/// The chart as a PNG, with the embedded font and no other.
///
/// # Errors
/// When the picture that was drawn cannot be turned into pixels, which would be a mistake of ours.
pub fn png(chart: &Chart) -> Result<Vec<u8>, Error> {
    let options = Options { fontdb: fonts(), font_family: "Inter".to_owned(), ..Options::default() };
    let bug = |message: &str| Error::new(ErrorKind::Bug, message.to_owned());
    let tree = Tree::from_str(&with_boxes(&svg(chart)), &options)
        .map_err(|error| bug("the drawn picture cannot be read").with_source(error))?;
    let scale = f32::from(SCALE);
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| bug("the drawn picture has no size"))?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).ok_or_else(|| bug("the drawn picture is too large for pixels"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| bug("the picture cannot be written as PNG").with_source(error))
}

/// The drawing with a box for each character that the font lacks: nothing in its place would look like an empty name.
fn with_boxes(svg: &str) -> String {
    let shown = |c: char| match is_drawn(c) {
        _ if c.is_ascii() => Some(c),
        Some(true) => Some(c),
        Some(false) => Some('□'),
        None => None,
    };
    svg.chars().filter_map(shown).collect()
}

fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(SEMI_BOLD.to_vec());
        fonts.set_sans_serif_family("Inter");
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}
