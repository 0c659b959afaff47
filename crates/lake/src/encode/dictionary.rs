//! The different numbers of a column, each with a number of its own, and dictionaries that are given up.

use std::hash::BuildHasher as _;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::recent::Recent;
use crate::stats::Bounds;

/// The dictionary of a column, as long as it pays.
#[derive(Debug)]
pub(super) struct Growing<D> {
    /// The pages to come refer to it, …
    open: Option<D>,
    /// … or only those so far do.
    full: Option<D>,
}

impl<D> Growing<D> {
    pub(super) fn new(dictionary: Option<D>) -> Self {
        Self { open: dictionary, full: None }
    }

    pub(super) fn open(&self) -> Option<&D> {
        self.open.as_ref()
    }

    pub(super) fn open_mut(&mut self) -> Option<&mut D> {
        self.open.as_mut()
    }

    /// The pages to come do without, if that is what `is_full` says.
    pub(super) fn end_if(&mut self, is_full: impl FnOnce(&D) -> bool) {
        if self.open.as_ref().is_some_and(is_full) {
            self.full = self.open.take();
        }
    }

    /// What some page refers to.
    pub(super) fn any(&self) -> Option<&D> {
        self.open.as_ref().or(self.full.as_ref())
    }

    pub(super) fn into_any(self) -> Option<D> {
        self.open.or(self.full)
    }
}

/// Different numbers in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct NumberDictionary {
    recent: Recent,
    hasher: DefaultHashBuilder,
    ids: HashTable<u32>,
    values: Vec<i64>,
}

impl NumberDictionary {
    /// The number of a value; a new one widens the bounds.
    #[inline]
    pub(super) fn id(&mut self, wanted: i64, bounds: &mut Bounds) -> u32 {
        let Self { recent, hasher, ids, values } = self;
        recent.id(u128::from(wanted.cast_unsigned()), || {
            let hash = hasher.hash_one(wanted);
            let is_it = |id: &u32| values[*id as usize] == wanted;
            match ids.entry(hash, is_it, |id| hasher.hash_one(values[*id as usize])) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    let id = u32::try_from(values.len()).expect("a dictionary is bounded far below 4 GB");
                    entry.insert(id);
                    values.push(wanted);
                    bounds.add_number(wanted);
                    id
                }
            }
        })
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn memory(&self) -> usize {
        8 * self.values.capacity() + 5 * self.ids.capacity() + self.recent.memory()
    }

    pub(super) fn into_page(self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}
