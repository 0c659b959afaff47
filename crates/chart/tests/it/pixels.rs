use resvg::tiny_skia::Pixmap;
use stillhouse_chart::{Kind, png};

use super::{chart, dated};

#[test]
fn a_png_has_the_picture_in_it() {
    let chart = dated(Kind::Line, &["2021-04-01", "2021-04-02"], &[("a", &[Some(1.0), Some(2.0)])]);
    let bytes = png(&chart).unwrap();
    assert_eq!(bytes, png(&chart).unwrap(), "the same each time");
    let pixels = Pixmap::decode_png(&bytes).unwrap();
    assert_eq!(pixels.width(), 1440);
    let has = |red, green, blue| {
        pixels.pixels().iter().any(|pixel| (pixel.red(), pixel.green(), pixel.blue()) == (red, green, blue))
    };
    assert!(has(255, 255, 255) && has(0x00, 0x72, 0xb2), "paper and line");
    // The title is there: something dark in the first lines.
    let top = &pixels.pixels()[..1440 * 80];
    assert!(top.iter().any(|pixel| pixel.red() < 60 && pixel.green() < 60 && pixel.blue() < 60));
}

#[test]
fn every_kind_has_pixels() {
    for kind in [Kind::Line, Kind::Bar, Kind::Stacked, Kind::Area, Kind::Pie, Kind::Figure] {
        let pixels =
            Pixmap::decode_png(&png(&chart(kind, &["a", "b"], &[("n", &[Some(1.0), Some(2.0)])])).unwrap()).unwrap();
        let coloured = pixels.pixels().iter().filter(|pixel| pixel.blue() > pixel.red().saturating_add(90)).count();
        assert!(coloured > 200, "{kind:?}: {coloured}");
    }
}

/// A name that the font lacks shows as boxes, not as nothing.
#[test]
fn other_scripts_are_boxes() {
    let dark = |name: &str| {
        let pixels =
            Pixmap::decode_png(&png(&chart(Kind::Bar, &[name, "b"], &[("n", &[Some(1.0), Some(2.0)])])).unwrap())
                .unwrap();
        pixels.pixels().iter().filter(|pixel| pixel.red() < 140 && pixel.blue() < 150).count()
    };
    let boxes = dark("\u{25a1}\u{25a1}");
    assert_eq!((dark("漢字"), dark("🎉\u{200d}👩")), (boxes, boxes));
}
