//! Texts that try to be something else.

use stillhouse_chart::{Chart, Kind, svg, svg_inline};

use super::chart;
use super::picture::picture;

const TEXTS: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "]]>&amp;<![CDATA[",
    "שלום עולם مرحبا",
    "\u{202e}desrever\u{2066}",
    "🎉🏳️‍🌈 👨‍👩‍👧‍👦",
    "line\nbreak\ttab\u{0}\u{8}\u{b}",
    "漢字かな交じり文",
    "",
];

#[test]
fn texts_stay_texts() {
    let long = "x".repeat(300);
    let words = "words and words ".repeat(20);
    for kind in [Kind::Line, Kind::Bar, Kind::Stacked, Kind::Area, Kind::Pie, Kind::Figure] {
        for text in TEXTS.into_iter().chain([&*long, &*words]) {
            let (a, b): (&[_], &[_]) = (&[Some(1.0), Some(2.0)], &[Some(3.0), Some(4.0)]);
            let both = [(text, a), ("other", b)];
            let series = if kind == Kind::Pie { &both[..1] } else { &both[..] };
            let mut chart = chart(kind, &[text, "b"], series);
            let parts = [&mut chart.title, &mut chart.subtitle, &mut chart.x_title, &mut chart.y_title];
            parts.into_iter().for_each(|part| text.clone_into(part));
            // `picture` parses it, and looks where everything is.
            picture(&chart);
            for drawn in [svg(&chart), svg_inline(&chart, "c")] {
                assert!(!drawn.contains("<script") && !drawn.contains("<svg onload") && !drawn.contains('\u{202e}'));
            }
            let unit = Chart { number: unit(text), ..chart };
            let drawn = svg(&unit);
            assert!(resvg::usvg::roxmltree::Document::parse(&drawn).is_ok() && !drawn.contains("<script"));
        }
    }
}

fn unit(text: &str) -> stillhouse_chart::NumberFormat {
    stillhouse_chart::NumberFormat { unit: text.to_owned(), ..Default::default() }
}

#[test]
fn long_names_are_cut_and_whole_where_they_are_read_aloud() {
    let long = "a name of three hundred characters ".repeat(9);
    let picture = picture(&chart(Kind::Bar, &[&long, "b"], &[("n", &[Some(1.0), Some(2.0)])]));
    assert!(picture.texts.iter().any(|text| text.starts_with("a name of") && text.ends_with('…')));
    assert!(picture.marks[0].name.starts_with(long.trim()));
}
