//! A histogram over a range that is not known beforehand.

/// Bins of one width, a power of two, that begin at multiples of it. When a value lies outside, the width is doubled until
/// it fits, and neighbours become one; so every count stays exact.
#[derive(Debug, Clone)]
pub(super) struct Bins {
    /// Empty before the first value.
    counts: Vec<u64>,
    /// The width is 2 to the power of this.
    exponent: i32,
    width: f64,
    /// The first bin begins at this many widths.
    first: i64,
}

/// Bins in memory, many more than are shown: what is shown is off by at most a part of one of them.
const BINS: usize = 2048;
const BINS_WIDE: i64 = 2048;
/// The first width is that of the first value's last digits, as far as 2 to the power of this is apart.
const DIGITS: i32 = 20;
/// Beyond these the width itself is no number any more.
const EXPONENTS: std::ops::RangeInclusive<i32> = -1000..=1023;
/// Places must be numbers that a float holds exactly.
const PLACE_MAX: f64 = 4_503_599_627_370_496.0;

impl Bins {
    pub(super) fn new() -> Self {
        Self { counts: Vec::new(), exponent: 0, width: 1.0, first: 0 }
    }

    /// Counts a finite number.
    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        if self.counts.is_empty() {
            self.begin(value);
        }
        if let Some(place) = place(value, self.width)
            && let Ok(index) = usize::try_from(place - self.first)
            && let Some(count) = self.counts.get_mut(index)
        {
            *count += 1;
            return;
        }
        self.widen(value);
        let place = place(value, self.width).unwrap_or(self.first);
        let index = usize::try_from((place - self.first).clamp(0, BINS_WIDE - 1)).unwrap_or(0);
        self.counts[index] += 1;
    }

    fn begin(&mut self, value: f64) {
        self.counts = vec![0; BINS];
        let magnitude = if value == 0.0 { 0.0 } else { value.abs().log2().floor() };
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a float is between -1075 and 1024")]
        let magnitude = magnitude as i32;
        self.exponent = (magnitude - DIGITS).clamp(*EXPONENTS.start(), *EXPONENTS.end());
        self.width = 2_f64.powi(self.exponent);
        self.first = place(value, self.width).unwrap_or(0) - BINS_WIDE / 2;
    }

    /// Doubles the width until `value` and all that is counted fit.
    fn widen(&mut self, value: f64) {
        let used = |count: &u64| *count > 0;
        let (Some(low), Some(high)) = (self.counts.iter().position(used), self.counts.iter().rposition(used)) else {
            self.counts.clear();
            return self.begin(value);
        };
        let at = |index: usize| self.first + i64::try_from(index).unwrap_or(0);
        let (low, high) = (at(low), at(high));
        let mut doublings = 0_i32;
        let (new_first, new_low) = loop {
            let width = 2_f64.powi(self.exponent + doublings);
            let shifted = |place: i64| place >> doublings.min(63);
            if let Some(place) = place(value, width) {
                let (first, last) = (shifted(low).min(place), shifted(high).max(place));
                if last - first < BINS_WIDE {
                    // Room on both sides, because more will come.
                    break (first - (BINS_WIDE - (last - first)) / 2, shifted(low));
                }
            }
            doublings += 1;
        };
        debug_assert!(new_low >= new_first);
        let mut counts = vec![0; BINS];
        for (index, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let place = at(index) >> doublings.min(63);
            let index = usize::try_from(place - new_first).unwrap_or(0).min(BINS - 1);
            counts[index] += count;
        }
        let exponent = self.exponent + doublings;
        *self = Self { counts, exponent, width: 2_f64.powi(exponent), first: new_first };
    }

    /// The same counts in `parts` parts of the same width from `from` to `to`, the least and the greatest value.
    pub(super) fn histogram(&self, from: f64, to: f64, parts: usize) -> Vec<u64> {
        let mut histogram = vec![0; parts];
        let whole = to - from;
        for (index, count) in (0_i64..).zip(&self.counts).filter(|(_, count)| **count > 0) {
            #[expect(clippy::cast_precision_loss, reason = "places are below 2^52")]
            let middle = ((self.first + index) as f64 + 0.5) * self.width;
            let share = if whole > 0.0 { ((middle - from) / whole).clamp(0.0, 1.0) } else { 0.0 };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a small number"
            )]
            let part = (share * parts as f64) as usize;
            histogram[part.min(parts - 1)] += count;
        }
        histogram
    }
}

/// In which bin a value lies; `None` where places are too large to be counted.
#[inline]
fn place(value: f64, width: f64) -> Option<i64> {
    let place = (value / width).floor();
    #[expect(clippy::cast_possible_truncation, reason = "below 2^52")]
    (place.abs() <= PLACE_MAX).then_some(place as i64)
}
