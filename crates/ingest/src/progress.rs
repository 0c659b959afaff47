//! What a person or a log hears while objects load.

use stillhouse_spec::{Counts, ObjectVersion};

/// Something that happened. Events of different objects mix; those of one object come in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A source was listed: objects found, and how many of them are new or changed.
    Listed {
        /// The source.
        source: &'a str,
        /// Objects found.
        found: usize,
        /// Of these: not loaded yet.
        fresh: usize,
    },
    /// Waiting for files that are still being written, or for another process.
    Waiting {
        /// For what.
        reason: &'a str,
    },
    /// Decoding began.
    Started {
        /// The object.
        object: &'a ObjectVersion,
    },
    /// Bytes of an object were read.
    Read {
        /// The object.
        object: &'a ObjectVersion,
        /// How many more.
        bytes: u64,
    },
    /// The object is decoded and its batch staged; or it is held, or failed.
    Decoded {
        /// The object.
        object: &'a ObjectVersion,
        /// Its counts, where it is going to be loaded.
        counts: Option<Counts>,
    },
    /// A batch is in the lake.
    Published {
        /// Its place in the queue.
        seq: i64,
        /// Objects in it.
        objects: usize,
    },
}

/// Hears of events, from any thread.
pub trait Progress: Send + Sync {
    /// Called for each event; must not block.
    fn event(&self, event: &Event<'_>);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _event: &Event<'_>) {}
}
