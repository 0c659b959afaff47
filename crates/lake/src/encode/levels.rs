//! Which values are null, and which belong to one list.

use arrow::buffer::NullBuffer;

use super::bits::{hybrid, repeated, width_of};

/// Definition and repetition levels of the values of a page.
#[derive(Debug)]
pub(super) struct Levels {
    max_definition: u8,
    max_repetition: u8,
    count: usize,
    /// Absent as long as every value is there.
    definitions: Option<Vec<u8>>,
    repetitions: Vec<u8>,
}

impl Levels {
    pub(super) fn new(max_definition: u8, max_repetition: u8) -> Self {
        Self { max_definition, max_repetition, count: 0, definitions: None, repetitions: Vec::new() }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn max_definition(&self) -> u8 {
        self.max_definition
    }

    /// So many values, all of them there.
    pub(super) fn push_defined(&mut self, count: usize) {
        self.count += count;
        if let Some(definitions) = &mut self.definitions {
            definitions.resize(self.count, self.max_definition);
        }
    }

    /// A value, or what stands for none.
    pub(super) fn push(&mut self, definition: u8) {
        if definition == self.max_definition {
            return self.push_defined(1);
        }
        let (count, max) = (self.count, self.max_definition);
        self.definitions.get_or_insert_with(|| vec![max; count]).push(definition);
        self.count += 1;
    }

    /// Values that are there, or not.
    pub(super) fn push_valid(&mut self, valid: &NullBuffer) {
        let (count, max) = (self.count, self.max_definition);
        let definitions = self.definitions.get_or_insert_with(|| vec![max; count]);
        definitions.extend(valid.iter().map(|is_valid| if is_valid { max } else { 0 }));
        self.count += valid.len();
    }

    /// The levels of a list's items: the first begins a row, the others go on with it.
    pub(super) fn push_row(&mut self, items: usize) {
        let before = self.repetitions.len();
        self.repetitions.resize(before + items.max(1), 1);
        self.repetitions[before] = 0;
    }

    pub(super) fn memory(&self) -> usize {
        self.repetitions.capacity() + self.definitions.as_ref().map_or(0, Vec::capacity)
    }

    /// Appends them as a page has them, and forgets them.
    pub(super) fn flush(&mut self, into: &mut Vec<u8>) {
        if self.max_repetition > 0 {
            let width = width_of(self.max_repetition.into());
            with_length(into, |into| hybrid(&self.repetitions, width, into));
        }
        if self.max_definition > 0 {
            let width = width_of(self.max_definition.into());
            with_length(into, |into| match &self.definitions {
                None => repeated(self.max_definition.into(), self.count, width, into),
                Some(definitions) => hybrid(definitions, width, into),
            });
        }
        self.count = 0;
        self.definitions = None;
        self.repetitions.clear();
    }
}

/// Four bytes of length, then what `append` appends.
fn with_length(into: &mut Vec<u8>, append: impl FnOnce(&mut Vec<u8>)) {
    let at = into.len();
    into.extend_from_slice(&[0; 4]);
    append(into);
    let length = u32::try_from(into.len() - at - 4).expect("a page is bounded far below 4 GB");
    into[at..at + 4].copy_from_slice(&length.to_le_bytes());
}
