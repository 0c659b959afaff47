//! What the driver has to know of a format.

use std::collections::BTreeMap;

use stillhouse_spec::{Choice, Reading};

use crate::api::{Request, RowSink};
use crate::error::Error;
use crate::place::Entry;
use crate::plan::Filled;
use crate::shared::Threads;
use crate::source::ByteSource;
use crate::tally::Tally;
use crate::window::Window;

/// An object of some format, or a part of it, whose head has been looked at.
pub(crate) trait Format<'a>: Sync + Sized {
    /// How it is cut for several threads.
    type Cut: Cut;

    /// Looks at the head of an object, or of the part that tells how all of it is to be read.
    fn new(window: &mut Window<'_>, request: &'a Request<'a>) -> Result<Self, Error>;

    /// Looks at the head of another part of the object.
    fn part(&self, window: &mut Window<'_>) -> Result<Self, Error>;

    /// Whether there is so little that nothing can be told from it.
    fn is_blank(window: &mut Window<'_>) -> Result<bool, Error>;

    /// `None` where one thread does as well.
    fn regions(&self, length: u64, threads: Threads) -> Option<Self::Cut>;

    /// How the object is to be read.
    fn request(&self) -> &'a Request<'a>;

    /// The way in which all columns are filled, as far as the head can tell.
    fn plan(&self) -> Result<Vec<Filled<'a>>, Error>;

    /// The way in which a part fills the columns of the object; `filled` says how that is done so far, and nothing of the part
    /// has been surveyed.
    fn fill(&self, filled: &[Filled<'a>]) -> Result<Vec<Filled<'a>>, Error> {
        Ok(filled.to_vec())
    }

    /// What is worth a look in the head.
    fn warnings(&self) -> &[String] {
        &[]
    }

    /// The first record.
    fn first(&self) -> Entry;

    /// Reads the records from `entry` on, those that begin up to `begin_max`. A pass that is not `impatient` reads all of
    /// them, however badly a format does.
    fn pass(
        &self,
        filled: Vec<Filled<'a>>,
        sink: &mut dyn RowSink,
        impatient: bool,
        window: &mut Window<'_>,
        entry: Entry,
        begin_max: u64,
    ) -> Result<Ended<'a>, Error>;

    /// Whether a part was read as its head promised.
    fn check(&self, _: &Tally) -> Result<(), Error> {
        Ok(())
    }

    /// What was found out about an object, once all of it was read; or why it must not be loaded.
    fn told(&self, tally: &Tally) -> Result<Told, Error>;
}

/// What was found out about an object.
pub(crate) struct Told {
    pub(crate) decided: BTreeMap<String, Choice<String>>,
    pub(crate) warnings: Vec<String>,
    pub(crate) reading: Reading,
}

/// What a pass came to.
pub(crate) enum Ended<'a> {
    /// Everything was read; whether the choices are right is to be asked of all regions together.
    Done(Box<Tally>, Vec<Filled<'a>>),
    /// A format or a year was contradicted; the columns hold the better choice.
    Again(Vec<Filled<'a>>),
}

/// Cuts an object into regions that can be decoded side by side: region `i` has the bytes from `boundary(i)` up to
/// `boundary(i + 1)`, and the records that begin behind a line end in it.
pub(crate) trait Cut: Sync {
    /// What is known at the boundary in front of a region.
    type Known: Copy + Send;
    /// What was counted in a region by itself.
    type Census;

    /// How many there are.
    fn count(&self) -> usize;

    /// Where a region begins; behind the last one, where the object ends.
    fn boundary(&self, region: usize) -> u64;

    /// What is known in front of the first region.
    fn known(&self) -> Self::Known;

    /// Counts what is in a region.
    fn census(&self, bytes: &[u8]) -> Self::Census;

    /// Links a region to what is known in front of it. `source` is read where the census does not tell.
    fn link(
        &self,
        region: usize,
        bytes: &[u8],
        census: &Self::Census,
        known: Self::Known,
        source: &mut dyn ByteSource,
    ) -> Result<Linked<Self::Known>, Error>;
}

/// What linking a region came to.
pub(crate) enum Linked<K> {
    /// Its first record, if one begins in it, and what is known behind it.
    Region(Option<Entry>, K),
    /// Records lie too far across regions: the object is to be read in one go.
    Tangled,
}
