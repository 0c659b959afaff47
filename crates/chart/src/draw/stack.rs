//! Stacks: where each value of a place begins and ends. Values below zero go down from zero, the others up.

use crate::chart::{Chart, Series};

/// From and to, by series and place; `None` where there is no value.
pub(super) type Spans = Vec<Vec<Option<(f64, f64)>>>;

/// Each value on the ones of the series before it.
pub(super) fn stacked(chart: &Chart) -> Spans {
    // Of each place where the next value begins, below zero and above.
    let mut ends = vec![(0.0, 0.0); chart.x.len()];
    let span = |(place, (down, up)): (usize, &mut (f64, f64)), series: &Series| {
        let number = series.number(place)?;
        let end = if number < 0.0 { down } else { up };
        let from = *end;
        *end += number;
        Some((from, *end))
    };
    chart.series.iter().map(|series| ends.iter_mut().enumerate().map(|place| span(place, series)).collect()).collect()
}

/// Each value from zero.
pub(super) fn plain(chart: &Chart) -> Spans {
    let span = |number| (0.0, number);
    let row = |series: &Series| (0..chart.x.len()).map(|place| series.number(place).map(span)).collect();
    chart.series.iter().map(row).collect()
}

/// The smallest and the largest end; zero is always between them.
pub(super) fn extent(spans: &Spans) -> (f64, f64) {
    let ends = spans.iter().flatten().flatten().map(|(_, to)| *to);
    ends.fold((0.0, 0.0), |(low, high), to| (f64::min(low, to), f64::max(high, to)))
}
