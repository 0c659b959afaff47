//! The picture as it grows: elements of SVG, with escaped texts and short numbers.

use std::fmt::Write as _;

use crate::palette::Ink;
use crate::text::Weight;

/// How colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// As values, for a file of its own.
    Fixed,
    /// As classes of [`crate::CSS`], for a part of a page.
    Classes,
}

/// The elements of a picture.
pub(crate) struct Scene {
    body: String,
    paint: Paint,
}

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) ink: Ink,
    pub(crate) anchor: Anchor,
}

impl Type {
    pub(crate) fn new(size: f64, ink: Ink) -> Self {
        Self { size, weight: Weight::Regular, ink, anchor: Anchor::Start }
    }

    pub(crate) fn bold(self) -> Self {
        Self { weight: Weight::SemiBold, ..self }
    }

    pub(crate) fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(crate) fn width(self, text: &str) -> f64 {
        crate::text::width(text, self.size, self.weight)
    }

    pub(crate) fn fit(self, text: &str, room: f64) -> String {
        crate::text::fit(text, room, self.size, self.weight)
    }
}

/// The families for whoever has not ours; none of them is wider, so that measured texts fit.
pub(crate) const FONT_FAMILY: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

impl Scene {
    pub(crate) fn new(paint: Paint) -> Self {
        Self { body: String::new(), paint }
    }

    /// A filled rectangle. With a `name` it is a mark: the name is read aloud, and shown under the pointer.
    pub(crate) fn rect(&mut self, rect: Rect, fill: Ink, radius: f64, name: Option<&str>) {
        let (x, y, width, height) = (short(rect.x), short(rect.y), short(rect.width), short(rect.height));
        let radius = if radius > 0.0 { format!(" rx=\"{}\"", short(radius)) } else { String::new() };
        let paint = self.brush(Some(fill), None);
        self.element(
            "rect",
            &format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{radius}{paint}"),
            name,
        );
    }

    pub(crate) fn circle(&mut self, centre: (f64, f64), radius: f64, fill: Ink, name: Option<&str>) {
        let paint = self.brush(Some(fill), Some((Ink::Paper, 1.0)));
        let (x, y, radius) = (short(centre.0), short(centre.1), short(radius));
        self.element("circle", &format!("cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{paint}"), name);
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) {
        let paint = self.brush(None, Some((ink, width)));
        let (x1, y1, x2, y2) = (short(from.0), short(from.1), short(to.0), short(to.1));
        self.element("line", &format!("x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"{paint}"), None);
    }

    /// A path of the drawn commands `d`.
    pub(crate) fn path(&mut self, d: &str, fill: Option<(Ink, f64)>, stroke: Option<(Ink, f64)>, name: Option<&str>) {
        let paint = self.brush(fill.map(|(ink, _)| ink), stroke);
        let opacity = match fill {
            Some((_, opacity)) if opacity < 1.0 => format!(" fill-opacity=\"{}\"", short(opacity)),
            _ => String::new(),
        };
        let round = if fill.is_none() { " stroke-linejoin=\"round\" stroke-linecap=\"round\"" } else { "" };
        self.element("path", &format!("d=\"{d}\"{paint}{opacity}{round}"), name);
    }

    /// A text on the base line `y`.
    pub(crate) fn text(&mut self, x: f64, y: f64, text: &str, look: Type) {
        if text.is_empty() {
            return;
        }
        let anchor = match look.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if look.weight == Weight::SemiBold { " font-weight=\"600\"" } else { "" };
        let paint = self.brush(Some(look.ink), None);
        let (x, y, size, text) = (short(x), short(y), short(look.size), escaped(text));
        let _ =
            writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight}{anchor}{paint}>{text}</text>");
    }

    fn element(&mut self, element: &str, attributes: &str, name: Option<&str>) {
        let _ = match name {
            Some(name) => writeln!(self.body, "<{element} {attributes}><title>{}</title></{element}>", escaped(name)),
            None => writeln!(self.body, "<{element} {attributes}/>"),
        };
    }

    fn brush(&self, fill: Option<Ink>, stroke: Option<(Ink, f64)>) -> String {
        let width = stroke.map(|(_, width)| format!(" stroke-width=\"{}\"", short(width))).unwrap_or_default();
        let none = if fill.is_none() { " fill=\"none\"" } else { "" };
        match self.paint {
            Paint::Fixed => {
                let fill = fill.map(|ink| format!(" fill=\"{}\"", ink.fixed())).unwrap_or_default();
                let stroke = stroke.map(|(ink, _)| format!(" stroke=\"{}\"", ink.fixed())).unwrap_or_default();
                format!("{fill}{none}{stroke}{width}")
            }
            Paint::Classes => {
                let fill = fill.map(|ink| format!("f-{}", ink.name()));
                let stroke = stroke.map(|(ink, _)| format!("l-{}", ink.name()));
                let classes: Vec<String> = fill.into_iter().chain(stroke).collect();
                format!(" class=\"{}\"{none}{width}", classes.join(" "))
            }
        }
    }

    /// The whole document: `title` and `description` are for those who do not see it, `id` begins the ids in it. `margin`
    /// is what a page does not need on either side.
    pub(crate) fn finish(self, size: (f64, f64), margin: f64, id: &str, title: &str, description: &str) -> String {
        let (width, height, id) = (short(size.0), short(size.1), escaped(id));
        // In a page the picture begins where its text does, and what stands out at the edges still shows.
        let (class, paper) = match self.paint {
            Paint::Fixed => {
                let paper = Ink::Paper.fixed();
                ("", format!("<rect width=\"{width}\" height=\"{height}\" fill=\"{paper}\"/>\n"))
            }
            Paint::Classes => (" class=\"chart\" overflow=\"visible\"", String::new()),
        };
        let (left, seen) = match self.paint {
            Paint::Fixed => ("0".to_owned(), width.clone()),
            Paint::Classes => (short(margin), short(size.0 - 2.0 * margin)),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"{class} width=\"{seen}\" height=\"{height}\" \
             viewBox=\"{left} 0 {seen} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             font-family=\"{FONT_FAMILY}\">\n<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n\
             {paper}{}</svg>\n",
            escaped(title),
            escaped(description),
            self.body
        )
    }
}

/// A text that is no markup, in an element and in an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A coordinate with at most two digits behind the point.
pub(crate) fn short(number: f64) -> String {
    debug_assert!(number.is_finite(), "a coordinate is a number");
    let text = format!("{:.2}", if number.is_finite() { number } else { 0.0 });
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
