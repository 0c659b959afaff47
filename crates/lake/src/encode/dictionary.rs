//! The different values of a column, each with a number.

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Different texts in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct TextDictionary {
    hasher: DefaultHashBuilder,
    ids: HashTable<u32>,
    hashes: Vec<u64>,
    /// As the dictionary's page has them: four bytes of length, then the text.
    page: Vec<u8>,
    starts: Vec<usize>,
    /// The text that came last: many columns are sorted, or repeat what the row before has.
    last: Option<u32>,
}

impl TextDictionary {
    pub(super) fn hash(&self, text: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    fn text(&self, id: u32) -> &[u8] {
        text(&self.page, &self.starts, id)
    }

    /// The number of a text, and whether it is new.
    pub(super) fn id(&mut self, wanted: &[u8], hash: u64) -> (u32, bool) {
        if let Some(last) = self.last
            && self.hashes[last as usize] == hash
            && self.text(last) == wanted
        {
            return (last, false);
        }
        let Self { ids, hashes, page, starts, .. } = self;
        let entry = ids.entry(hash, |id| text(page, starts, *id) == wanted, |id| hashes[*id as usize]);
        let (id, is_new) = match entry {
            Entry::Occupied(entry) => (*entry.get(), false),
            Entry::Vacant(entry) => {
                let id = u32::try_from(hashes.len()).expect("a dictionary is bounded far below 4 GB");
                entry.insert(id);
                hashes.push(hash);
                let length = u32::try_from(wanted.len()).expect("a text is bounded far below 4 GB");
                page.extend_from_slice(&length.to_le_bytes());
                starts.push(page.len());
                page.extend_from_slice(wanted);
                (id, true)
            }
        };
        self.last = Some(id);
        (id, is_new)
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Bytes of the dictionary's page.
    pub(super) fn bytes(&self) -> usize {
        self.page.len()
    }

    pub(super) fn memory(&self) -> usize {
        self.page.capacity() + self.hashes.capacity() * 21
    }

    pub(super) fn into_page(self) -> Vec<u8> {
        self.page
    }
}

fn text<'p>(page: &'p [u8], starts: &[usize], id: u32) -> &'p [u8] {
    let start = starts[id as usize];
    let end = starts.get(id as usize + 1).map_or(page.len(), |next| next - size_of::<u32>());
    &page[start..end]
}

/// Different numbers in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct NumberDictionary {
    hasher: DefaultHashBuilder,
    ids: HashTable<u32>,
    pub(super) values: Vec<i64>,
    last: Option<(i64, u32)>,
}

impl NumberDictionary {
    pub(super) fn id(&mut self, wanted: i64) -> u32 {
        if let Some((last, id)) = self.last
            && last == wanted
        {
            return id;
        }
        let Self { hasher, ids, values, .. } = self;
        let hash = hasher.hash_one(wanted);
        let entry = ids.entry(hash, |id| values[*id as usize] == wanted, |id| hasher.hash_one(values[*id as usize]));
        let id = match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let id = u32::try_from(values.len()).expect("a dictionary is bounded far below 4 GB");
                entry.insert(id);
                values.push(wanted);
                id
            }
        };
        self.last = Some((wanted, id));
        id
    }
}
