//! Values that are ranges of others: where each begins, and where the last one ends.

use std::ops::Range;

use arrow::buffer::{OffsetBuffer, ScalarBuffer};

/// A batch is handed over long before its texts reach 2 GB, so that 32 bits hold every position.
#[inline]
pub(crate) fn position(length: usize) -> i32 {
    i32::try_from(length).expect("a batch and a record are bounded far below 2 GB")
}

#[inline]
pub(super) fn length(position: i32) -> usize {
    usize::try_from(position).expect("positions are never negative")
}

/// Where the last range ends.
#[inline]
pub(super) fn end(offsets: &[i32]) -> usize {
    offsets.last().map_or(0, |end| length(*end))
}

/// Where consecutive ranges begin and end.
#[inline]
pub(super) fn ranges(offsets: &[i32], rows: Range<usize>) -> Range<usize> {
    length(offsets[rows.start])..length(offsets[rows.end])
}

/// Appends consecutive ranges of others, which are put behind the first `behind` elements.
pub(super) fn shifted(offsets: &mut Vec<i32>, behind: usize, from: &[i32], rows: Range<usize>) {
    let shift = position(behind) - from[rows.start];
    offsets.extend(from[rows.start + 1..=rows.end].iter().map(|end| end + shift));
}

/// Removes the elements with these numbers, which ascend; the others close ranks.
pub(crate) fn remove<T: Copy>(values: &mut Vec<T>, gone: &[usize]) {
    let Some(&first) = gone.first() else { return };
    let mut into = first;
    for (at, &from) in gone.iter().enumerate() {
        let until = gone.get(at + 1).copied().unwrap_or(values.len());
        values.copy_within(from + 1..until, into);
        into += until - from - 1;
    }
    values.truncate(into);
}

/// The same for elements that are ranges of others, which `remove_others` removes.
pub(super) fn remove_ranges(offsets: &mut Vec<i32>, gone: &[usize], remove_others: impl FnOnce(&[usize])) {
    let Some(&first) = gone.first() else { return };
    let others: Vec<usize> = gone.iter().flat_map(|element| ranges(offsets, *element..element + 1)).collect();
    let mut rest = gone.iter().copied().peekable();
    let mut into = first + 1;
    let mut before = offsets[first];
    let mut shift = 0;
    for element in first..offsets.len() - 1 {
        let end = offsets[element + 1];
        if rest.next_if_eq(&element).is_some() {
            shift += end - before;
        } else {
            offsets[into] = end - shift;
            into += 1;
        }
        before = end;
    }
    offsets.truncate(into);
    remove_others(&others);
}

/// Takes the values out and leaves room for about as many.
pub(super) fn refill<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = values.len() + values.len() / 8;
    std::mem::replace(values, Vec::with_capacity(room))
}

/// Takes the ranges out: there are none then.
pub(super) fn finished(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let taken = refill(offsets);
    offsets.push(0);
    OffsetBuffer::new(ScalarBuffer::from(taken))
}
