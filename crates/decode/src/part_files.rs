//! The files that an object is made of.

use std::sync::Arc;

use crate::shared::SharedSource;
use crate::source::SourceError;

/// An object that is made of several files, its parts, which are read one behind the other. A record never goes on in the next
/// part.
pub trait PartFiles: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// What a part is called in messages and places; empty where it is the whole object.
    fn name(&self, part: usize) -> &str;

    /// The bytes of a part. Called once for each part in each pass, in order, and for some parts before that, to look at their
    /// heads.
    fn open(&self, part: usize) -> Result<Arc<dyn SharedSource + '_>, SourceError>;
}

/// An object that is one file.
pub(crate) struct OneFile<'s>(pub(crate) &'s dyn SharedSource);

impl PartFiles for OneFile<'_> {
    fn count(&self) -> usize {
        1
    }

    fn name(&self, _: usize) -> &str {
        ""
    }

    fn open(&self, _: usize) -> Result<Arc<dyn SharedSource + '_>, SourceError> {
        Ok(Arc::new(Borrowed(self.0)))
    }
}

struct Borrowed<'s>(&'s dyn SharedSource);

impl SharedSource for Borrowed<'_> {
    fn reader(&self) -> Box<dyn crate::source::ByteSource + Send + '_> {
        self.0.reader()
    }
}
