//! The different texts of a column, each with a number.

use std::hash::{BuildHasher as _, Hasher as _};

use arrow::array::{Array as _, StringArray};
use hashbrown::DefaultHashBuilder;

use super::recent::Recent;
use crate::stats::Bounds;
use crate::text_at::{TextAt, each_text, same};

/// Long texts that are looked up together. What they need lies far apart in memory, and the processor fetches it for all of
/// them at once, if none has to wait for the one before.
const TOGETHER: usize = 64;

/// Places of the first table.
const PLACES_MIN: usize = 1024;

/// No dictionary has so many texts.
const NOBODY: u32 = u32::MAX;

/// Different texts in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Of short texts, which have a key.
    recent: Recent,
    known: Known,
}

/// The texts, and a table in which a text has the first free place from the one on that its hash says.
#[derive(Debug, Default)]
struct Known {
    hasher: DefaultHashBuilder,
    table: Vec<Slot>,
    hashes: Vec<u64>,
    /// As the dictionary's page has them: four bytes of length, then the text.
    page: Vec<u8>,
    /// Where each text is in the page.
    starts: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The upper half of the hash, which tells nearly all texts apart.
    tag: u32,
    id: u32,
}

impl Words {
    /// Appends the number of each text that is not null; new texts widen the bounds.
    pub(super) fn ids(&mut self, texts: &StringArray, ids: &mut Vec<u32>, bounds: &mut Bounds) {
        let Self { recent, known } = self;
        ids.reserve(texts.len());
        let mut long = Vec::with_capacity(TOGETHER);
        each_text(texts, |text| match text.key() {
            Some(key) => ids.push(recent.id(key, || known.id(&text, bounds))),
            None => {
                long.push((ids.len(), text));
                ids.push(NOBODY);
                if long.len() == TOGETHER {
                    known.ids(&long, ids, bounds);
                    long.clear();
                }
            }
        });
        known.ids(&long, ids, bounds);
    }

    pub(super) fn len(&self) -> usize {
        self.known.starts.len()
    }

    /// Bytes of the dictionary's page.
    pub(super) fn bytes(&self) -> usize {
        self.known.page.len()
    }

    pub(super) fn memory(&self) -> usize {
        let Known { table, hashes, page, starts, .. } = &self.known;
        let texts = page.capacity() + size_of::<u64>() * hashes.capacity() + size_of::<u32>() * starts.capacity();
        texts + size_of::<Slot>() * table.capacity() + self.recent.memory()
    }

    pub(super) fn into_page(self) -> Vec<u8> {
        self.known.page
    }
}

impl Known {
    /// Puts the numbers of some texts where they belong.
    fn ids(&mut self, texts: &[(usize, TextAt<'_>)], ids: &mut [u32], bounds: &mut Bounds) {
        if texts.is_empty() {
            return;
        }
        self.make_room(texts.len());
        let mut hashes = [0; TOGETHER];
        for (hash, (_, text)) in hashes.iter_mut().zip(texts) {
            *hash = self.hash(text.bytes());
        }
        let slots = hashes.map(|hash| self.table[self.place(hash)]);
        let ranges = slots.map(|slot| self.range(slot.id));
        // The first bytes of all of them are on their way before the first one is compared.
        let touched = ranges.iter().fold(0, |all, range| all ^ self.page.get(range.start).copied().unwrap_or(0));
        std::hint::black_box(touched);
        for ((((at, text), hash), slot), range) in texts.iter().zip(hashes).zip(slots).zip(ranges) {
            let is_it = slot.id != NOBODY && slot.tag == tag(hash) && same(&self.page[range], text.bytes());
            ids[*at] = if is_it { slot.id } else { self.find(text, hash, bounds) };
        }
    }

    fn id(&mut self, text: &TextAt<'_>, bounds: &mut Bounds) -> u32 {
        self.make_room(1);
        let hash = self.hash(text.bytes());
        self.find(text, hash, bounds)
    }

    #[inline]
    fn hash(&self, text: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// Where the search for a hash begins.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        usize::try_from(hash & (self.table.len() as u64 - 1)).unwrap_or(0)
    }

    /// Where a text is in the page; anywhere for [`NOBODY`].
    #[inline]
    fn range(&self, id: u32) -> std::ops::Range<usize> {
        // Without a branch for nobody, whom nobody can predict.
        let at = (id as usize).min(self.starts.len().saturating_sub(1));
        let start = self.starts.get(at).map_or(0, |start| *start as usize);
        let end = self.starts.get(at + 1).map_or(self.page.len(), |next| *next as usize - size_of::<u32>());
        start..end
    }

    /// The number of a text, which is new if it is not in the table.
    fn find(&mut self, wanted: &TextAt<'_>, hash: u64, bounds: &mut Bounds) -> u32 {
        let mut at = self.place(hash);
        loop {
            let slot = self.table[at];
            if slot.id == NOBODY {
                return self.add(wanted, hash, at, bounds);
            }
            if slot.tag == tag(hash) && same(&self.page[self.range(slot.id)], wanted.bytes()) {
                return slot.id;
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    fn add(&mut self, text: &TextAt<'_>, hash: u64, at: usize, bounds: &mut Bounds) -> u32 {
        let small = |number: usize| u32::try_from(number).expect("a dictionary is bounded far below 4 GB");
        let id = small(self.starts.len());
        self.table[at] = Slot { tag: tag(hash), id };
        self.hashes.push(hash);
        self.page.extend_from_slice(&small(text.bytes().len()).to_le_bytes());
        self.starts.push(small(self.page.len()));
        self.page.extend_from_slice(text.bytes());
        bounds.add_text(text);
        id
    }

    /// At most half of the table is taken once there are so many texts more.
    fn make_room(&mut self, more: usize) {
        let wanted = 2 * (self.starts.len() + more);
        if wanted <= self.table.len() {
            return;
        }
        let places = wanted.max(PLACES_MIN).next_power_of_two();
        self.table.clear();
        self.table.resize(places, Slot { tag: 0, id: NOBODY });
        for (id, hash) in (0..).zip(&self.hashes) {
            let mut at = self.place(*hash);
            while self.table[at].id != NOBODY {
                at = (at + 1) & (places - 1);
            }
            self.table[at] = Slot { tag: tag(*hash), id };
        }
    }
}

#[inline]
fn tag(hash: u64) -> u32 {
    u32::try_from(hash >> u32::BITS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_has_one_number(
            batches in prop::collection::vec(prop::collection::vec("[ab]{0,8}|[ab]{14,22}|.{0,40}", 0..300), 1..6),
        ) {
            let (mut words, mut bounds) = (Words::default(), Bounds::of(&DataType::Utf8));
            let (mut ids, mut all) = (Vec::new(), Vec::new());
            for batch in batches {
                words.ids(&StringArray::from(batch.clone()), &mut ids, &mut bounds);
                all.extend(batch);
            }
            prop_assert_eq!(ids.len(), all.len());
            let count = words.len();
            let mut page = &words.into_page()[..];
            let mut texts = Vec::new();
            while let Some((length, rest)) = page.split_first_chunk::<4>() {
                let (text, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
                texts.push(std::str::from_utf8(text).expect("a text"));
                page = rest;
            }
            prop_assert_eq!(texts.len(), count);
            for (id, text) in ids.iter().zip(&all) {
                prop_assert_eq!(texts[*id as usize], text);
            }
            texts.sort_unstable();
            texts.dedup();
            prop_assert_eq!(texts.len(), count, "no text is there twice");
        }
    }
}
