//! What kept groups may take, all together: the other queries need memory of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Groups of one grouping take at most this part of the queries' memory, …
const SHARE_OF_ONE: usize = 8;
/// … and those of all that are kept at the same time this one.
const SHARE_OF_ALL: usize = 4;

/// How many bytes groups may still take.
#[derive(Debug)]
pub(super) struct Budget {
    one: usize,
    left: AtomicUsize,
}

/// Bytes that are taken from a budget; they go back when it is dropped.
#[derive(Debug)]
pub(super) struct Booked {
    bytes: usize,
    budget: Arc<Budget>,
}

impl Budget {
    /// For queries that have so much memory.
    pub(super) fn of(memory_bytes: usize) -> Arc<Self> {
        Arc::new(Self { one: memory_bytes / SHARE_OF_ONE, left: AtomicUsize::new(memory_bytes / SHARE_OF_ALL) })
    }

    /// What the groups of one grouping may take.
    pub(super) fn of_one(&self) -> usize {
        self.one
    }

    pub(super) fn book(self: &Arc<Self>) -> Booked {
        Booked { bytes: 0, budget: Arc::clone(self) }
    }
}

impl Booked {
    /// Makes it so many bytes; false if these are too many.
    pub(super) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let take = |left: usize| left.checked_sub(more);
        let fits = bytes <= self.budget.one
            && self.budget.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if fits {
            self.bytes += more;
        }
        fits
    }
}

impl Drop for Booked {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
