//! Places along the x axis: where they are, how much room each has, and what stands below them.

use super::{LABEL_SIZE, PAD, WIDTH};
use crate::chart::{Chart, Kind, X};
use crate::moment::{Moment, Precision};
use crate::number::{NumberFormat, Thousands};
use crate::palette::Ink;
use crate::scale::{Linear, Ticks};
use crate::scene::Type;
use crate::time_axis;

/// The x axis of an upright chart.
pub(super) struct Places {
    /// The middle of each place.
    pub(super) at: Vec<f64>,
    /// The room of a bar.
    pub(super) band: f64,
    pub(super) labels: Vec<Label>,
    /// Whether a label has a second line.
    pub(super) has_context: bool,
}

/// A label of the x axis.
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) text: String,
    /// What stands below it, where it differs from that of the label before.
    pub(super) context: Option<String>,
}

/// Between two labels.
const GAP: f64 = 8.0;
/// A name of a place is cut to this below an axis.
const LABEL_WIDTH_MAX: f64 = 120.0;
/// More bars than this with names go one below the other, and so do bars with a longer name.
const UPRIGHT_NAMES_MAX: usize = 24;
const UPRIGHT_NAME_WIDTH_MAX: f64 = 96.0;

const LOOK: Type = Type {
    size: LABEL_SIZE,
    weight: crate::text::Weight::Regular,
    ink: Ink::Muted,
    anchor: crate::scene::Anchor::Middle,
};

/// Whether the bars go one below the other: when there are many names, or long ones.
pub(super) fn lie_down(chart: &Chart) -> bool {
    let X::Category { values } = &chart.x else { return false };
    let count = values.len();
    let band = (WIDTH - 2.0 * PAD - 50.0) / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX));
    let widest = (0..count).map(|place| LOOK.width(&chart.x.name(place))).fold(0.0, f64::max);
    let bars = if chart.kind == Kind::Bar { chart.series.len() } else { 1 };
    let per_bar = band / f64::from(u32::try_from(bars.max(1)).unwrap_or(u32::MAX));
    count > UPRIGHT_NAMES_MAX || widest > UPRIGHT_NAME_WIDTH_MAX || widest + GAP > band || per_bar < 12.0
}

impl Places {
    /// The places between two edges of the plot.
    pub(super) fn new(chart: &Chart, left: f64, right: f64) -> Self {
        let is_bars = matches!(chart.kind, Kind::Bar | Kind::Stacked);
        let mut places = match &chart.x {
            X::Date { values } => {
                Self::dates(&values.iter().copied().flatten().collect::<Vec<_>>(), is_bars, left, right)
            }
            X::Number { values } if !is_bars => {
                let numbers = values.iter().flatten().map(crate::value::Value::number);
                Self::numbers(&numbers.collect::<Vec<_>>(), left, right)
            }
            _ => Self::names(chart, left, right),
        };
        places.keep_apart();
        places.has_context = places.labels.iter().any(|label| label.context.is_some());
        places
    }

    fn names(chart: &Chart, left: f64, right: f64) -> Self {
        let count = chart.x.len();
        let band = (right - left) / count_f64(count.max(1));
        let at: Vec<f64> = (0..count).map(|place| left + band * (count_f64(place) + 0.5)).collect();
        let texts: Vec<String> = (0..count).map(|place| LOOK.fit(&chart.x.name(place), LABEL_WIDTH_MAX)).collect();
        let widest = texts.iter().map(|text| LOOK.width(text)).fold(0.0, f64::max);
        // Every label, or every second, or …: those that are left out are at even distances.
        let stride =
            (1..=count.max(1)).find(|stride| widest + GAP <= band * count_f64(*stride)).unwrap_or(count.max(1));
        let label = |(place, text): (usize, String)| Label { x: at[place], text, context: None };
        let labels = texts.into_iter().enumerate().step_by(stride).map(label).collect();
        Self { at, band, labels, has_context: false }
    }

    fn dates(moments: &[Moment], is_bars: bool, left: f64, right: f64) -> Self {
        let seconds: Vec<f64> = moments.iter().map(|moment| moment.seconds()).collect();
        let (low, high) = bounds(&seconds);
        let gap =
            seconds.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
        let gap = if gap.is_finite() { gap } else { 1.0 };
        // Half a bar stands out on either side.
        let margin = if is_bars { gap / 2.0 } else { 0.0 };
        let scale = Linear { domain: (low - margin, high + margin), range: (left, right) };
        let at: Vec<f64> = seconds.iter().map(|seconds| scale.at(*seconds)).collect();
        let band = (right - left) * gap / (high - low + 2.0 * margin).max(gap);
        let precision = moments.iter().map(|moment| moment.precision()).max().unwrap_or(Precision::Day);
        let room = scale.at(high) - scale.at(low);
        let ticks = time_axis::ticks(low, high, precision, room, |text| LOOK.width(text));
        let label =
            |tick: time_axis::TimeTick| Label { x: scale.at(tick.seconds), text: tick.label, context: tick.context };
        Self { at, band, labels: ticks.into_iter().map(label).collect(), has_context: false }
    }

    fn numbers(numbers: &[f64], left: f64, right: f64) -> Self {
        let (low, high) = bounds(numbers);
        let ticks = Ticks::around(low, high, &[8.0, 10.0, 6.0]);
        let scale = Linear { domain: ticks.domain(), range: (left, right) };
        let format = NumberFormat { thousands: Thousands::None, ..NumberFormat::default() };
        let text = |tick: f64| format.tick(tick, ticks.step, ticks.largest());
        let label = |tick: &f64| Label { x: scale.at(*tick), text: text(*tick), context: None };
        let at = numbers.iter().map(|number| scale.at(*number)).collect();
        Self { at, band: 0.0, labels: ticks.values.iter().map(label).collect(), has_context: false }
    }

    /// Labels at the edges move inwards, and those that then touch the one before are left out; of second lines the later
    /// one stays, because it is a change.
    fn keep_apart(&mut self) {
        let inside = |x: f64, width: f64| x.clamp(4.0 + width / 2.0, WIDTH - 4.0 - width / 2.0);
        let mut end = f64::NEG_INFINITY;
        self.labels.retain_mut(|label| {
            let width = LOOK.width(&label.text);
            label.x = inside(label.x, width);
            let fits = label.x - width / 2.0 >= end + GAP / 2.0;
            if fits {
                end = label.x + width / 2.0;
            }
            fits
        });
        let mut start = f64::INFINITY;
        for label in self.labels.iter_mut().rev() {
            let Some(context) = &label.context else { continue };
            let width = LOOK.width(context);
            let x = inside(label.x, width);
            if x + width / 2.0 + GAP / 2.0 <= start {
                start = x - width / 2.0;
            } else {
                label.context = None;
            }
        }
    }
}

impl Label {
    /// Where the second line stands: below the first, but inside the picture.
    pub(super) fn context_x(&self, context: &str) -> f64 {
        let half = LOOK.width(context) / 2.0;
        self.x.clamp(4.0 + half, WIDTH - 4.0 - half)
    }
}

/// How labels of the x axis look.
pub(super) fn look() -> Type {
    LOOK
}

fn bounds(numbers: &[f64]) -> (f64, f64) {
    let bounds = numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
        (f64::min(low, *number), f64::max(high, *number))
    });
    if bounds.0.is_finite() { bounds } else { (0.0, 1.0) }
}

/// A count as a number to reckon with.
pub(super) fn count_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
