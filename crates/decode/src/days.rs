//! Rows for each day.

use std::collections::BTreeMap;

use crate::values::calendar::iso_day;

/// Counts rows by day. Most files hold a few days in runs or at random, so the last day's count is at hand and the
/// others are in a small table.
#[derive(Debug, Default)]
pub(crate) struct Days {
    counts: BTreeMap<Option<i32>, u64>,
    last: Option<i32>,
    run: u64,
}

impl Days {
    #[inline]
    pub(crate) fn add(&mut self, day: Option<i32>) {
        if day != self.last {
            self.close_run();
            self.last = day;
        }
        self.run += 1;
    }

    fn close_run(&mut self) {
        if self.run > 0 {
            *self.counts.entry(self.last).or_default() += self.run;
            self.run = 0;
        }
    }

    /// ISO day to rows; the empty text counts rows without a time.
    pub(crate) fn finish(mut self) -> BTreeMap<String, u64> {
        self.close_run();
        self.counts.into_iter().map(|(day, count)| (day.map(iso_day).unwrap_or_default(), count)).collect()
    }
}
