//! From values to places: linear scales with round ticks.

/// Maps a stretch of numbers to a stretch of pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    pub(crate) domain: (f64, f64),
    pub(crate) range: (f64, f64),
}

impl Linear {
    /// The place of a number; numbers outside are drawn at the edge.
    pub(crate) fn at(&self, number: f64) -> f64 {
        let (low, high) = self.domain;
        // Halves, because the difference of two huge numbers need not be finite.
        let share = if high > low { (number / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 };
        self.range.0 + share.clamp(0.0, 1.0) * (self.range.1 - self.range.0)
    }
}

/// Round numbers that span a stretch.
#[derive(Debug, Clone)]
pub(crate) struct Ticks {
    pub(crate) values: Vec<f64>,
    pub(crate) step: f64,
}

impl Ticks {
    /// Steps of 1, 2, 2.5 or 5 times a power of ten, the first at or below `low` and the last at or above `high`. Of the
    /// `counts` of steps the one that leaves least room is taken, and of equal ones the first.
    pub(crate) fn around(low: f64, high: f64, counts: &[f64]) -> Self {
        let (low, high) = if low < high { (low, high) } else { widened(low) };
        let span = |ticks: &Self| ticks.domain().1 / 2.0 - ticks.domain().0 / 2.0;
        let all = counts.iter().map(|count| Self::with_count(low, high, *count));
        all.reduce(|best, next| if span(&next) < span(&best) { next } else { best })
            .unwrap_or_else(|| Self::with_count(low, high, 1.0))
    }

    fn with_count(low: f64, high: f64, count: f64) -> Self {
        let step = round_step(high / count - low / count);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let mut values = Vec::new();
        let mut index = first;
        while index <= last && values.len() < TICKS_MAX {
            values.push(index * step);
            index += 1.0;
        }
        Self { values, step }
    }

    pub(crate) fn domain(&self) -> (f64, f64) {
        (self.values.first().copied().unwrap_or(0.0), self.values.last().copied().unwrap_or(1.0))
    }

    /// The largest absolute value.
    pub(crate) fn largest(&self) -> f64 {
        let (low, high) = self.domain();
        low.abs().max(high.abs())
    }
}

/// A guard against steps that rounding makes useless; a chart has about six.
const TICKS_MAX: usize = 50;

fn widened(value: f64) -> (f64, f64) {
    match value {
        0.0 => (0.0, 1.0),
        value if value > 0.0 => (0.0, value),
        value => (value, 0.0),
    }
}

fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let power = if power > 0.0 && power.is_finite() { power } else { f64::MIN_POSITIVE };
    let step = [1.0, 2.0, 2.5, 5.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999_999);
    step.unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(low: f64, high: f64) -> Vec<f64> {
        Ticks::around(low, high, &[5.0, 6.0, 4.0, 7.0]).values
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(around(0.0, 97.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(around(-3.0, 9.0), [-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(around(5.0, 5.0), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(around(0.0, 0.0), around(0.0, 1.0));
        for (low, high) in [(-1e290, 1e290), (0.0, 5e-324), (1e15, 1e15 + 1.0), (0.0, 1e-300), (-7e289, 0.0)] {
            let ticks = around(low, high);
            assert!(ticks.len() >= 2 && ticks.iter().all(|tick| tick.is_finite()), "{low} {high}: {ticks:?}");
            assert!(ticks.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }

    #[test]
    fn places_stay_inside() {
        let scale = Linear { domain: (-1e290, 1e290), range: (10.0, 110.0) };
        assert_eq!([scale.at(0.0), scale.at(1e290), scale.at(f64::MAX)], [60.0, 110.0, 110.0]);
        assert_eq!(Linear { domain: (3.0, 3.0), range: (0.0, 10.0) }.at(3.0), 5.0);
    }
}
