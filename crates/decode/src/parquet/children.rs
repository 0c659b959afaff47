//! Tables of the items of list columns, and of nested rows: what is repeated comes as runs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, RunArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Int32Type, SchemaRef};
use arrow::error::ArrowError;

use crate::columns::position;

/// Consecutive rows that share what is repeated.
#[derive(Default)]
pub(super) struct Runs {
    /// For each run the row that has what is repeated.
    outer: Vec<u32>,
    /// Where each run ends.
    ends: Vec<i32>,
}

impl Runs {
    /// Appends a row to the last run, or to a new one; row `outer` has what is repeated.
    pub(super) fn push(&mut self, outer: u32, is_new: bool) {
        let end = self.ends.last().copied().unwrap_or(0) + 1;
        match self.ends.last_mut() {
            Some(last) if !is_new => *last = end,
            _ => {
                self.outer.push(outer);
                self.ends.push(end);
            }
        }
    }

    /// The batch of a table: copies of those rows' values, its own columns, `_record` and `_item`.
    pub(super) fn batch(
        self,
        schema: &SchemaRef,
        copied: &[ArrayRef],
        records: &ArrayRef,
        own: Vec<ArrayRef>,
        items: Vec<i64>,
    ) -> Result<RecordBatch, ArrowError> {
        let outer = UInt32Array::from(self.outer);
        let ends = Int32Array::from(self.ends);
        let records = take(records, &outer, None)?;
        let records = RunArray::<Int32Type>::try_new(&ends, &records)?;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(copied.len() + own.len() + 2);
        for values in copied {
            arrays.push(Arc::new(records.with_values(take(values, &outer, None)?)));
        }
        arrays.extend(own);
        arrays.push(Arc::new(records));
        arrays.push(Arc::new(Int64Array::from(items)));
        RecordBatch::try_new(Arc::clone(schema), arrays)
    }
}

/// The batch of a child table: a row for each item of the lists; `None` if there is none.
pub(super) fn items(
    schema: &SchemaRef,
    lists: &ArrayRef,
    copied: &[ArrayRef],
    records: &ArrayRef,
) -> Result<Option<RecordBatch>, ArrowError> {
    let lists = lists.as_list::<i32>();
    let (mut runs, mut items, mut taken) = (Runs::default(), Vec::new(), Vec::new());
    for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
        let range = lists.value_offsets()[row]..lists.value_offsets()[row + 1];
        let count = usize::try_from(range.end - range.start).unwrap_or(0);
        if count == 0 {
            continue;
        }
        let end = runs.ends.last().copied().unwrap_or(0) + position(count);
        runs.outer.push(u32::try_from(row).unwrap_or(0));
        runs.ends.push(end);
        items.extend((0_i64..).take(count));
        taken.extend(range.map(|item| u32::try_from(item).unwrap_or(0)));
    }
    if items.is_empty() {
        return Ok(None);
    }
    let own = take(lists.values(), &UInt32Array::from(taken), None)?;
    runs.batch(schema, copied, records, vec![own], items).map(Some)
}
