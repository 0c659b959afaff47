//! The groups of the codes of a dictionary.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::physical_plan::aggregates::group_values::GroupValues;

/// The groups of a dictionary's codes, as far as they came up.
#[derive(Default)]
pub(super) struct Codes {
    /// What the codes stand for.
    values: Option<ArrayRef>,
    groups: Vec<u32>,
    /// How many of them have none yet.
    unseen: usize,
    null: Option<u32>,
}

/// No group yet.
pub(super) const UNSEEN: u32 = u32::MAX;

impl Codes {
    /// The groups of the rows of `key`, a dictionary, into `rows`.
    pub(super) fn groups_of(
        &mut self,
        key: &DictionaryArray<Int32Type>,
        groups: &mut dyn GroupValues,
        key_type: &DataType,
        rows: &mut Vec<usize>,
    ) -> Result<()> {
        let same = self.values.as_ref().is_some_and(|values| values.to_data().ptr_eq(&key.values().to_data()));
        if !same {
            self.values = Some(Arc::clone(key.values()));
            self.groups.clear();
            self.groups.resize(key.values().len(), UNSEEN);
            self.unseen = self.groups.len();
        }
        if self.unseen > 0 {
            self.meet(key, groups)?;
        }
        let keys = key.keys();
        if keys.null_count() > 0 && self.null.is_none() {
            let mut ids = Vec::new();
            groups.intern(&[new_null_array(key_type, 1)], &mut ids)?;
            self.null = ids.first().map(|id| group(*id)).transpose()?;
        }
        rows.clear();
        match keys.nulls() {
            None => rows.extend(keys.values().iter().map(|code| self.groups[index(*code)] as usize)),
            Some(nulls) => {
                let null = self.null.unwrap_or(UNSEEN) as usize;
                let each = keys.values().iter().zip(nulls.iter());
                rows.extend(each.map(|(code, there)| if there { self.groups[index(*code)] as usize } else { null }));
            }
        }
        Ok(())
    }

    /// Makes groups of the codes that come up for the first time.
    fn meet(&mut self, key: &DictionaryArray<Int32Type>, groups: &mut dyn GroupValues) -> Result<()> {
        let mut fresh = Vec::new();
        let mut note = |code: i32| {
            let seen = &mut self.groups[index(code)];
            if *seen == UNSEEN {
                *seen = 0; // once is enough; the group follows below
                fresh.push(code);
            }
        };
        match key.keys().nulls() {
            None => key.keys().values().iter().for_each(|code| note(*code)),
            Some(_) => key.keys().iter().flatten().for_each(&mut note),
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.unseen -= fresh.len();
        let fresh = Int32Array::from(fresh);
        let mut ids = Vec::with_capacity(fresh.len());
        groups.intern(&[take(key.values(), &fresh, None)?], &mut ids)?;
        for (code, id) in fresh.values().iter().zip(ids) {
            self.groups[index(*code)] = group(id)?;
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<u32>()
    }
}

/// Codes of a dictionary are never negative.
fn index(code: i32) -> usize {
    usize::try_from(code).unwrap_or(usize::MAX)
}

pub(super) fn group(id: usize) -> Result<u32> {
    let id = u32::try_from(id).ok().filter(|id| *id != UNSEEN);
    id.ok_or_else(|| internal_datafusion_err!("more groups than can be counted"))
}
