//! Where texts and lists begin and end in the values of an Arrow array.

use arrow::array::StringArray;

/// Bytes of the texts from number `from` on.
pub(super) fn text_bytes(array: &StringArray, from: usize, count: usize) -> usize {
    let offsets = &array.value_offsets()[from..=from + count];
    end(offsets) - begin(offsets)
}

pub(super) fn begin(offsets: &[i32]) -> usize {
    offsets.first().map_or(0, |first| first.cast_unsigned() as usize)
}

pub(super) fn end(offsets: &[i32]) -> usize {
    offsets.last().map_or(0, |last| last.cast_unsigned() as usize)
}
