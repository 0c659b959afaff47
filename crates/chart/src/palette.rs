//! Colours: by name, so that a page decides by light and dark what they are, and as fixed values for files.

/// What a mark or a text is coloured as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Titles and values.
    Text,
    /// Labels of axes, notes.
    Muted,
    /// Lines of the grid.
    Grid,
    /// The line at zero.
    Line,
    /// What is behind everything.
    Paper,
    /// A series, counted from 0.
    Series(usize),
    /// What was put together.
    Other,
}

/// The colours of series: told apart with every common kind of colour blindness (after Okabe and Ito, with a darker orange
/// and sky, and violet in the place of yellow, which a white ground swallows).
const SERIES: [&str; 7] = ["#0072b2", "#d98200", "#009e73", "#cc5f9b", "#3d9bd6", "#b84300", "#7a5fc0"];

impl Ink {
    /// The name of its CSS class and variable.
    pub(crate) fn name(self) -> &'static str {
        const NAMES: [&str; 7] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6"];
        match self {
            Ink::Text => "text",
            Ink::Muted => "muted",
            Ink::Grid => "grid",
            Ink::Line => "line",
            Ink::Paper => "paper",
            Ink::Series(index) => NAMES[index % NAMES.len()],
            Ink::Other => "other",
        }
    }

    /// Its colour on white.
    pub(crate) fn fixed(self) -> &'static str {
        match self {
            Ink::Text => "#1b1f24",
            Ink::Muted => "#5b6570",
            Ink::Grid => "#e3e6ea",
            Ink::Line => "#8b949e",
            Ink::Paper => "#ffffff",
            Ink::Series(index) => SERIES[index % SERIES.len()],
            Ink::Other => "#98a1ab",
        }
    }
}

/// What a page with charts of [`crate::svg_inline`] needs: the colours in light and dark, and in print always light. A
/// page may set the variables to colours of its own.
pub const CSS: &str = "\
.chart{--chart-text:#1b1f24;--chart-muted:#5b6570;--chart-grid:#e3e6ea;--chart-line:#8b949e;--chart-paper:#ffffff;\
--chart-s0:#0072b2;--chart-s1:#d98200;--chart-s2:#009e73;--chart-s3:#cc5f9b;--chart-s4:#3d9bd6;--chart-s5:#b84300;\
--chart-s6:#7a5fc0;--chart-other:#98a1ab}
@media screen and (prefers-color-scheme:dark){.chart{--chart-text:#e6e9ed;--chart-muted:#a2abb5;--chart-grid:#2c323a;\
--chart-line:#79828d;--chart-paper:#15181c;--chart-s0:#4ba3e3;--chart-s1:#f0a83c;--chart-s2:#2fc298;--chart-s3:#e58abd;\
--chart-s4:#8fd0f5;--chart-s5:#f0794a;--chart-s6:#ab97e6;--chart-other:#7d8792}}
.chart .f-text{fill:var(--chart-text)}.chart .f-muted{fill:var(--chart-muted)}.chart .f-grid{fill:var(--chart-grid)}
.chart .f-line{fill:var(--chart-line)}.chart .f-paper{fill:var(--chart-paper)}.chart .f-other{fill:var(--chart-other)}
.chart .f-s0{fill:var(--chart-s0)}.chart .f-s1{fill:var(--chart-s1)}.chart .f-s2{fill:var(--chart-s2)}
.chart .f-s3{fill:var(--chart-s3)}.chart .f-s4{fill:var(--chart-s4)}.chart .f-s5{fill:var(--chart-s5)}
.chart .f-s6{fill:var(--chart-s6)}
.chart .l-grid{stroke:var(--chart-grid)}.chart .l-line{stroke:var(--chart-line)}.chart .l-paper{stroke:var(--chart-paper)}
.chart .l-other{stroke:var(--chart-other)}.chart .l-text{stroke:var(--chart-text)}.chart .l-muted{stroke:var(--chart-muted)}
.chart .l-s0{stroke:var(--chart-s0)}.chart .l-s1{stroke:var(--chart-s1)}.chart .l-s2{stroke:var(--chart-s2)}
.chart .l-s3{stroke:var(--chart-s3)}.chart .l-s4{stroke:var(--chart-s4)}.chart .l-s5{stroke:var(--chart-s5)}
.chart .l-s6{stroke:var(--chart-s6)}
";

#[cfg(test)]
mod tests {
    use super::*;

    /// The style sheet says the same colours on paper as the files have.
    #[test]
    fn the_style_sheet_knows_every_ink() {
        let inks = [Ink::Text, Ink::Muted, Ink::Grid, Ink::Line, Ink::Paper, Ink::Other];
        for ink in inks.into_iter().chain((0..SERIES.len()).map(Ink::Series)) {
            let name = ink.name();
            assert!(CSS.contains(&format!("--chart-{name}:{}", ink.fixed())), "{name}");
            assert!(CSS.contains(&format!(".f-{name}{{fill:var(--chart-{name})}}")), "{name}");
        }
    }

    /// As people see the colours who lack one of the three kinds of cones (Viénot 1999, for red and green), neighbours
    /// still differ.
    #[test]
    fn neighbours_differ_without_red_or_green() {
        let channel = |text: &str, at: usize| f64::from(u8::from_str_radix(&text[at..at + 2], 16).unwrap());
        let seen = |colour: &str| {
            let linear = [1, 3, 5].map(|at| (channel(colour, at) / 255.0).powf(2.2));
            let grey = 0.29 * linear[0] + 0.71 * linear[1];
            [grey.powf(1.0 / 2.2), linear[2].powf(1.0 / 2.2)]
        };
        for pair in SERIES.windows(2) {
            let (a, b) = (seen(pair[0]), seen(pair[1]));
            let distance = ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
            assert!(distance > 0.15, "{pair:?}: {distance}");
        }
    }
}
