//! A drawn chart, taken apart and checked.

use std::sync::{Arc, OnceLock};

use resvg::usvg::{self, fontdb, roxmltree};
use stillhouse_chart::{Chart, svg, svg_inline};

/// Something with a name: a bar, a point, a slice.
#[derive(Debug, Clone)]
pub struct Mark {
    pub name: String,
    pub fill: String,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// What a drawn chart holds.
#[derive(Debug)]
pub struct Picture {
    pub marks: Vec<Mark>,
    pub texts: Vec<String>,
    /// The commands of paths without a name: lines and areas.
    pub paths: Vec<String>,
    pub description: String,
    pub height: f64,
}

impl Picture {
    pub fn has(&self, text: &str) -> bool {
        self.texts.iter().any(|own| own.replace('\u{a0}', " ") == text)
    }

    pub fn mark(&self, beginning: &str) -> &Mark {
        let found = self.marks.iter().find(|mark| mark.name.starts_with(beginning));
        found.unwrap_or_else(|| panic!("no mark {beginning}: {:?}", self.marks))
    }
}

/// Draws the chart, and checks what holds for every picture: it is XML, the same each time, everything is inside the view
/// box, and no text covers another one.
pub fn picture(chart: &Chart) -> Picture {
    let text = svg(chart);
    assert_eq!(text, svg(chart), "the same each time");
    assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
    check_inline(chart);
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let root = document.root_element();
    let size: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
    let [left, top, width, height] = size[..] else { panic!("{size:?}") };
    assert_eq!((left, top, width), (0.0, 0.0, 720.0));
    for node in root.descendants().filter(|node| node.is_element()) {
        inside(&node, width, height);
    }
    check_texts(&text, width, height);
    let own = |node: &roxmltree::Node<'_, '_>, tag: &str| {
        node.children().find(|child| child.has_tag_name(tag)).and_then(|child| child.text()).map(str::to_owned)
    };
    let number = |node: &roxmltree::Node<'_, '_>, name: &str| node.attribute(name).and_then(|text| text.parse().ok());
    let mark = |node: roxmltree::Node<'_, '_>| {
        Some(Mark {
            name: own(&node, "title")?.replace('\u{a0}', " "),
            fill: node.attribute("fill").unwrap_or_default().to_owned(),
            x: number(&node, "x").or(number(&node, "cx")).unwrap_or(0.0),
            y: number(&node, "y").or(number(&node, "cy")).unwrap_or(0.0),
            width: number(&node, "width").unwrap_or(0.0),
            height: number(&node, "height").unwrap_or(0.0),
        })
    };
    let elements = || root.children().filter(|node| node.is_element());
    Picture {
        marks: elements().filter_map(mark).collect(),
        texts: elements()
            .filter(|node| node.has_tag_name("text"))
            .filter_map(|node| Some(node.text()?.to_owned()))
            .collect(),
        paths: elements()
            .filter(|node| node.has_tag_name("path") && own(node, "title").is_none())
            .filter_map(|node| Some(node.attribute("d")?.to_owned()))
            .collect(),
        description: own(&root, "desc").unwrap(),
        height,
    }
}

/// In a page nothing has a fixed colour, and every class is one of the style sheet.
fn check_inline(chart: &Chart) {
    let text = svg_inline(chart, "c1");
    assert!(!text.contains("=\"#"), "{text}");
    let document = roxmltree::Document::parse(&text).unwrap();
    for node in document.root_element().descendants().filter(|node| node.has_attribute("class")).skip(1) {
        for class in node.attribute("class").unwrap().split(' ') {
            assert!(stillhouse_chart::CSS.contains(&format!(".chart .{class}{{")), "{class}");
        }
    }
}

fn inside(node: &roxmltree::Node<'_, '_>, width: f64, height: f64) {
    let number = |name: &str| node.attribute(name).map_or(0.0, |text| text.parse::<f64>().unwrap());
    let radius = number("r");
    let spans = [
        (number("x"), number("x") + number("width"), width),
        (number("x1"), number("x2"), width),
        (number("cx") - radius.min(number("cx")), number("cx") + radius, width),
        (number("y"), number("y") + number("height"), height),
        (number("y1"), number("y2"), height),
        (number("cy") - radius.min(number("cy")), number("cy") + radius, height),
    ];
    if node.has_tag_name("svg") {
        return;
    }
    for (from, to, end) in spans {
        let within = |at: f64| (-0.011..=end + 0.011).contains(&at);
        assert!(within(from) && within(to), "{from} to {to} of {end}: {node:?}");
    }
    if let Some(d) = node.attribute("d") {
        for pair in d.split(['M', 'L', 'Z', 'A']).filter(|part| !part.is_empty()) {
            let numbers: Vec<f64> = pair.split(' ').map(|part| part.parse().unwrap()).collect();
            let [.., x, y] = numbers[..] else { panic!("{d}") };
            assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y), "{x} {y}: {d}");
        }
    }
}

fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        for name in ["Inter-Regular.otf", "Inter-SemiBold.otf"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fonts").join(name);
            fonts.load_font_data(std::fs::read(path).unwrap());
        }
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// Every text, shaped by another program than the one that measured it, is inside the picture and on no other one.
fn check_texts(text: &str, width: f64, height: f64) {
    let options = usvg::Options { fontdb: fonts(), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(text, &options).unwrap();
    let mut boxes: Vec<(String, usvg::Rect)> = Vec::new();
    collect(tree.root(), &mut boxes);
    for (index, (words, one)) in boxes.iter().enumerate() {
        let whole = f64::from(one.left()) >= -0.5 && f64::from(one.right()) <= width + 0.5;
        assert!(
            whole && one.top() >= -0.5 && f64::from(one.bottom()) <= height + 0.5,
            "`{words}` leaves the picture: {one:?}"
        );
        for (others, other) in &boxes[..index] {
            let apart = one.right() <= other.left() + 0.3
                || other.right() <= one.left() + 0.3
                || one.bottom() <= other.top() + 0.3
                || other.bottom() <= one.top() + 0.3;
            assert!(apart, "`{words}` covers `{others}`: {one:?} {other:?}\n{text}");
        }
    }
}

fn collect(group: &usvg::Group, boxes: &mut Vec<(String, usvg::Rect)>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => collect(group, boxes),
            usvg::Node::Text(text) => {
                let words = text.chunks().iter().map(|chunk| chunk.text()).collect::<String>();
                // A text that the font lacks altogether has no outline.
                if !text.flattened().children().is_empty() {
                    boxes.push((words, text.flattened().abs_bounding_box()));
                }
            }
            _ => {}
        }
    }
}
