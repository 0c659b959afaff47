//! What is counted while rows are made.

use std::ops::AddAssign;

use crate::people::People;
use crate::row::{Draft, Fault};
use crate::words::{ACTIONS, COUNTRIES, TAGS};

/// The loaded rows of one month, or those that one file or thread has of it.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    /// By day of the month; 0 is unused.
    pub(crate) days: Vec<u64>,
    /// By user.
    pub(crate) users: Vec<u64>,
    /// The latest day of the month on which a user was seen; 0: never.
    pub(crate) last_days: Vec<u8>,
    pub(crate) countries: Vec<u64>,
    pub(crate) actions: Vec<u64>,
    pub(crate) tags: Vec<u64>,
}

/// Which month the day of a row is in, seen from its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    Own,
    After,
}

/// What one file holds.
#[derive(Debug, Clone)]
pub(crate) struct FileTally {
    pub(crate) before: Counts,
    pub(crate) own: Counts,
    pub(crate) after: Counts,
    pub(crate) rows: u64,
    pub(crate) blank: u64,
    pub(crate) ids_repeated: u64,
    /// In the order of [`Fault::ALL`].
    pub(crate) faults: [u64; Fault::ALL.len()],
}

impl Counts {
    pub(crate) fn new(people: &People) -> Self {
        Self {
            events: 0,
            days: vec![0; 32],
            users: vec![0; people.users.len()],
            last_days: vec![0; people.users.len()],
            countries: vec![0; COUNTRIES.len()],
            actions: vec![0; ACTIONS.len()],
            tags: vec![0; TAGS.len()],
        }
    }

    #[inline]
    fn add_row(&mut self, draft: &Draft) {
        self.events += 1;
        self.days[usize::from(draft.day)] += 1;
        if let Some(user) = draft.user {
            self.users[user as usize] += 1;
            let last = &mut self.last_days[user as usize];
            *last = draft.day.max(*last);
        }
        if let Some(country) = draft.country {
            self.countries[country as usize] += 1;
        }
        self.actions[draft.action as usize] += 1;
        for tag in draft.tags() {
            self.tags[usize::from(*tag)] += 1;
        }
    }
}

impl AddAssign<&Counts> for Counts {
    fn add_assign(&mut self, other: &Counts) {
        self.events += other.events;
        add_all(&mut self.days, &other.days);
        add_all(&mut self.users, &other.users);
        add_all(&mut self.countries, &other.countries);
        add_all(&mut self.actions, &other.actions);
        add_all(&mut self.tags, &other.tags);
        for (last, other) in self.last_days.iter_mut().zip(&other.last_days) {
            *last = (*last).max(*other);
        }
    }
}

impl FileTally {
    pub(crate) fn new(people: &People) -> Self {
        let counts = Counts::new(people);
        Self {
            before: counts.clone(),
            own: counts.clone(),
            after: counts,
            rows: 0,
            blank: 0,
            ids_repeated: 0,
            faults: [0; Fault::ALL.len()],
        }
    }

    /// Counts a row that loads.
    #[inline]
    pub(crate) fn add_row(&mut self, draft: &Draft) {
        self.rows += 1;
        let counts = match draft.side {
            Side::Before => &mut self.before,
            Side::Own => &mut self.own,
            Side::After => &mut self.after,
        };
        counts.add_row(draft);
    }
}

impl AddAssign<&FileTally> for FileTally {
    fn add_assign(&mut self, other: &FileTally) {
        self.before += &other.before;
        self.own += &other.own;
        self.after += &other.after;
        self.rows += other.rows;
        self.blank += other.blank;
        self.ids_repeated += other.ids_repeated;
        add_all(&mut self.faults, &other.faults);
    }
}

fn add_all(sums: &mut [u64], others: &[u64]) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}
