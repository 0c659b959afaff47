//! Rows for each day.

use std::collections::BTreeMap;

use crate::values::calendar::iso_day;

/// How many days are at hand; a power of two. Files hold a month or so.
const SLOTS: usize = 64;

/// Counts rows by day. The days of a file are few and come in any order, so each day has a slot that it shares with
/// others far away from it; whoever is in the slot is counted there, and moves out when another day comes.
#[derive(Debug)]
pub(crate) struct Days {
    slots: [(i32, u64); SLOTS],
    without: u64,
    counts: BTreeMap<i32, u64>,
}

impl Default for Days {
    fn default() -> Self {
        Self { slots: [(0, 0); SLOTS], without: 0, counts: BTreeMap::new() }
    }
}

impl Days {
    #[inline]
    pub(crate) fn add(&mut self, day: Option<i32>) {
        let Some(day) = day else {
            self.without += 1;
            return;
        };
        let slot = &mut self.slots[day.unsigned_abs() as usize % SLOTS];
        if slot.0 != day {
            if slot.1 > 0 {
                *self.counts.entry(slot.0).or_default() += slot.1;
            }
            *slot = (day, 0);
        }
        slot.1 += 1;
    }

    /// Adds what others counted.
    pub(crate) fn add_all(&mut self, others: Self) {
        self.without += others.without;
        let slots = others.slots.into_iter().filter(|(_, count)| *count > 0);
        for (day, count) in slots.chain(others.counts) {
            *self.counts.entry(day).or_default() += count;
        }
    }

    /// ISO day to rows; the empty text counts rows without a time.
    pub(crate) fn finish(mut self) -> BTreeMap<String, u64> {
        for (day, count) in self.slots.into_iter().filter(|(_, count)| *count > 0) {
            *self.counts.entry(day).or_default() += count;
        }
        let mut days: BTreeMap<String, u64> = self.counts.into_iter().map(|(day, n)| (iso_day(day), n)).collect();
        if self.without > 0 {
            days.insert(String::new(), self.without);
        }
        days
    }
}
