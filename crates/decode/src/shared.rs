//! What several threads need to decode one object together.

use crate::api::{RowSink, SinkError};
use crate::regions::REGION_BYTES;
use crate::source::ByteSource;

/// An object whose bytes several threads read.
pub trait SharedSource: Sync {
    /// A reader for one thread.
    fn reader(&self) -> Box<dyn ByteSource + Send + '_>;
}

impl SharedSource for &[u8] {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        Box::new(*self)
    }
}

/// Takes what comes out, in parts: one thread fills a part, another one the next.
pub trait SharedSink: Sync {
    /// Consecutive rows of all tables, and rejects.
    type Part: SinkPart;

    /// An empty part.
    fn part(&self) -> Self::Part;

    /// Takes a part over. Parts come in the order of the object, from one thread at a time.
    fn append(&self, part: Self::Part) -> Result<(), SinkError>;

    /// All parts so far are void: a choice was contradicted, and the object starts again.
    fn restart(&self) -> Result<(), SinkError>;
}

/// See [`SharedSink::Part`].
pub trait SinkPart: RowSink + Send {
    /// It holds so much that it should be handed over before more comes, where one thread reads all.
    fn is_full(&self) -> bool;

    /// No more comes. The thread that filled it does what is left to do, because others wait while parts are taken over.
    fn finish(&mut self) -> Result<(), SinkError>;
}

/// How an object is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// How many read side by side.
    pub count: usize,
    /// How many bytes each of them takes at a time, and holds in memory.
    pub region_bytes: u64,
}

impl Threads {
    /// So many, with regions of the usual size.
    pub fn new(count: usize) -> Self {
        Self { count, region_bytes: REGION_BYTES }
    }
}
