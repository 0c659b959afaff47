//! The different texts of a column, each with a number.

use std::hash::{BuildHasher as _, Hasher as _};

use arrow::array::{Array as _, StringArray};
use hashbrown::DefaultHashBuilder;

use super::recent::Recent;
use crate::stats::Bounds;
use crate::text_at::{TextAt, each_text, same};

/// Texts that are looked up together. What they need lies far apart in memory, and the processor fetches it for all of
/// them at once, if none has to wait for the one before.
const TOGETHER: usize = 64;

/// Places of the first table.
const PLACES_MIN: usize = 1024;

/// No dictionary has so many texts.
const NOBODY: u32 = u32::MAX;

/// A text that is looked up with others.
struct Wanted<'t> {
    /// Where its number belongs.
    at: usize,
    text: TextAt<'t>,
    /// That of a short one.
    key: Option<u128>,
}

/// Different texts of a row group, in the order in which they came. They stay known when it ends: the next one has most of them
/// as well.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Numbers of short texts, which have a key.
    recent: Recent,
    known: Known,
    group: Group,
}

/// The texts of the row group.
#[derive(Debug, Default)]
struct Group {
    /// Their places among those that are known.
    words: Vec<u32>,
    /// Bytes of its dictionary's page.
    bytes: usize,
}

/// All texts that came up, and a table in which a text has the first free place from the one on that its hash says.
#[derive(Debug, Default)]
struct Known {
    hasher: DefaultHashBuilder,
    table: Vec<Slot>,
    hashes: Vec<u64>,
    /// As a dictionary's page has them: four bytes of length, then the text.
    page: Vec<u8>,
    words: Vec<Word>,
}

#[derive(Debug, Clone, Copy)]
struct Word {
    /// Where the text is in the page.
    start: u32,
    /// Its number in the row group; [`NOBODY`] if it has not come up there.
    number: u32,
}

/// A text that is known, or none: eight bits of its hash, which tell most texts apart, and its place among those known.
/// Small, because what is looked up anywhere in the table is in a near cache then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot(u32);

impl Slot {
    const ID_BITS: u32 = 24;
    const FREE: Self = Self(u32::MAX);

    #[inline]
    fn new(hash: u64, id: u32) -> Self {
        debug_assert!(id < Self::FREE.id(), "a dictionary has far fewer texts");
        Self(Self::tag(hash) << Self::ID_BITS | id)
    }

    /// The upper bits of the hash; the lower ones say where it is in the table.
    #[inline]
    fn tag(hash: u64) -> u32 {
        u32::try_from(hash >> (u64::BITS - 8)).unwrap_or(0)
    }

    #[inline]
    const fn id(self) -> u32 {
        self.0 & ((1 << Self::ID_BITS) - 1)
    }

    /// Whether a text of that hash may be there.
    #[inline]
    fn may_be(self, hash: u64) -> bool {
        self.0 >> Self::ID_BITS == Self::tag(hash) && self != Self::FREE
    }
}

impl Words {
    /// Appends the number of each text that is not null; texts that are new in the row group widen the bounds.
    pub(super) fn ids(&mut self, texts: &StringArray, ids: &mut Vec<u32>, bounds: &mut Bounds) {
        let Self { recent, known, group } = self;
        ids.reserve(texts.len());
        let mut wanted = Vec::with_capacity(TOGETHER);
        each_text(texts, |text| {
            let key = text.key();
            if let Some(id) = key.and_then(|key| recent.get(key)) {
                return ids.push(id);
            }
            wanted.push(Wanted { at: ids.len(), text, key });
            ids.push(NOBODY);
            if wanted.len() == TOGETHER {
                known.ids(&wanted, ids, recent, group, bounds);
                wanted.clear();
            }
        });
        known.ids(&wanted, ids, recent, group, bounds);
    }

    /// How many the row group has.
    pub(super) fn len(&self) -> usize {
        self.group.words.len()
    }

    /// Bytes of the dictionary's page.
    pub(super) fn bytes(&self) -> usize {
        self.group.bytes
    }

    /// About how much memory the texts of the row group take; others may be known, of no more bytes than
    /// [`next_group`](Self::next_group) leaves.
    pub(super) fn memory(&self) -> usize {
        let each = size_of::<u64>() + size_of::<Word>() + 6 * size_of::<Slot>() + size_of::<u32>();
        self.group.bytes + each * self.group.words.capacity() + self.recent.memory()
    }

    /// The dictionary's page.
    pub(super) fn page(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(self.group.bytes);
        for id in &self.group.words {
            let range = self.known.range(*id);
            page.extend_from_slice(&self.known.page[range.start - size_of::<u32>()..range.end]);
        }
        page
    }

    /// Begins another row group. If the texts have more than so many bytes, they are forgotten.
    pub(super) fn next_group(&mut self, bytes_max: usize) {
        let Group { words, .. } = std::mem::take(&mut self.group);
        self.recent = Recent::default();
        if self.known.page.len() > bytes_max {
            self.known = Known::default();
        } else {
            words.iter().for_each(|id| self.known.words[*id as usize].number = NOBODY);
        }
    }
}

impl Known {
    /// Puts the numbers of some texts where they belong.
    fn ids(
        &mut self,
        texts: &[Wanted<'_>],
        ids: &mut [u32],
        recent: &mut Recent,
        group: &mut Group,
        bounds: &mut Bounds,
    ) {
        if texts.is_empty() {
            return;
        }
        self.make_room(texts.len());
        let mut hashes = [0; TOGETHER];
        for (hash, wanted) in hashes.iter_mut().zip(texts) {
            *hash = self.hash(wanted.text.bytes());
        }
        let slots = hashes.map(|hash| self.table[self.place(hash)]);
        let ranges = slots.map(|slot| self.range(slot.id()));
        // The first bytes of all of them are on their way before the first one is compared.
        let touched = ranges.iter().fold(0, |all, range| all ^ self.page.get(range.start).copied().unwrap_or(0));
        std::hint::black_box(touched);
        for (((wanted, hash), slot), range) in texts.iter().zip(hashes).zip(slots).zip(ranges) {
            let is_it = slot.may_be(hash) && same(&self.page[range], wanted.text.bytes());
            let id = if is_it { slot.id() } else { self.find(&wanted.text, hash) };
            let number = self.number(id, &wanted.text, group, bounds);
            ids[wanted.at] = number;
            if let Some(key) = wanted.key {
                recent.put(key, number);
            }
        }
    }

    /// The number in the row group of a text that is known.
    #[inline]
    fn number(&mut self, id: u32, text: &TextAt<'_>, group: &mut Group, bounds: &mut Bounds) -> u32 {
        let word = &mut self.words[id as usize];
        if word.number == NOBODY {
            word.number = small(group.words.len());
            group.words.push(id);
            group.bytes += size_of::<u32>() + text.bytes().len();
            bounds.add_text(text);
        }
        word.number
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

    /// Where a text is in the page; anywhere for one that nobody has.
    #[inline]
    fn range(&self, id: u32) -> std::ops::Range<usize> {
        // Without a branch for nobody, whom nobody can predict.
        let at = (id as usize).min(self.words.len().saturating_sub(1));
        let start = self.words.get(at).map_or(0, |word| word.start as usize);
        let end = self.words.get(at + 1).map_or(self.page.len(), |next| next.start as usize - size_of::<u32>());
        start..end
    }

    /// The place of a text, which is new if it is not in the table.
    fn find(&mut self, wanted: &TextAt<'_>, hash: u64) -> u32 {
        let mut at = self.place(hash);
        loop {
            let slot = self.table[at];
            if slot == Slot::FREE {
                return self.add(wanted, hash, at);
            }
            if slot.may_be(hash) && same(&self.page[self.range(slot.id())], wanted.bytes()) {
                return slot.id();
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    fn add(&mut self, text: &TextAt<'_>, hash: u64, at: usize) -> u32 {
        let id = small(self.words.len());
        self.table[at] = Slot::new(hash, id);
        self.hashes.push(hash);
        self.page.extend_from_slice(&small(text.bytes().len()).to_le_bytes());
        self.words.push(Word { start: small(self.page.len()), number: NOBODY });
        self.page.extend_from_slice(text.bytes());
        id
    }

    /// At most a quarter of the table is taken once there are so many texts more: nearly all are at the first place.
    fn make_room(&mut self, more: usize) {
        let wanted = 4 * (self.words.len() + more);
        if wanted <= self.table.len() {
            return;
        }
        let places = wanted.max(PLACES_MIN).next_power_of_two();
        self.table.clear();
        self.table.resize(places, Slot::FREE);
        for (id, hash) in (0..).zip(&self.hashes) {
            let mut at = self.place(*hash);
            while self.table[at] != Slot::FREE {
                at = (at + 1) & (places - 1);
            }
            self.table[at] = Slot::new(*hash, id);
        }
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("a dictionary is bounded far below 4 GB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType;
    use proptest::prelude::*;

    /// The texts of a page.
    fn texts(mut page: &[u8]) -> Vec<&str> {
        let mut texts = Vec::new();
        while let Some((length, rest)) = page.split_first_chunk::<4>() {
            let (text, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
            texts.push(std::str::from_utf8(text).expect("a text"));
            page = rest;
        }
        texts
    }

    proptest! {
        #[test]
        fn a_text_has_one_number_in_each_row_group(
            groups in prop::collection::vec(
                prop::collection::vec(prop::collection::vec("[ab]{0,8}|[ab]{14,22}|.{0,40}", 0..300), 0..4),
                1..4,
            ),
            bytes_max in 0..4000_usize,
        ) {
            let mut words = Words::default();
            for batches in groups {
                let mut bounds = Bounds::of(&DataType::Utf8);
                let (mut ids, mut all) = (Vec::new(), Vec::new());
                for batch in batches {
                    words.ids(&StringArray::from(batch.clone()), &mut ids, &mut bounds);
                    all.extend(batch);
                }
                let page = words.page();
                prop_assert_eq!(page.len(), words.bytes());
                let mut texts = texts(&page);
                prop_assert_eq!(texts.len(), words.len());
                prop_assert_eq!(ids.len(), all.len());
                for (id, text) in ids.iter().zip(&all) {
                    prop_assert_eq!(texts[*id as usize], text);
                }
                texts.sort_unstable();
                texts.dedup();
                prop_assert_eq!(texts.len(), words.len(), "no text is there twice");
                all.sort_unstable();
                all.dedup();
                prop_assert_eq!(texts, all, "and none of another row group");
                words.next_group(bytes_max);
            }
        }
    }
}
