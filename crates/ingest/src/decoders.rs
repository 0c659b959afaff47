//! How many threads decode at the moment, so that large objects share the processors among them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts threads.
#[derive(Debug, Default)]
pub struct Decoders(AtomicUsize);

impl Decoders {
    /// As many threads as are free of so many, and one in any case.
    pub(crate) fn take(&self, all: usize) -> Taken<'_> {
        let free = |busy: usize| all.saturating_sub(busy).max(1);
        let busy = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |busy| Some(busy + free(busy)));
        let (Ok(busy) | Err(busy)) = busy;
        Taken { decoders: self, count: free(busy) }
    }
}

/// Threads that decode until this is dropped.
pub(crate) struct Taken<'d> {
    decoders: &'d Decoders,
    count: usize,
}

impl Taken<'_> {
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.decoders.0.fetch_sub(self.count, Ordering::Relaxed);
    }
}
