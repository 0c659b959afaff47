//! Columns that come as runs: each value once, with how often it stands there in a row.

use arrow::array::{Array as _, ArrayRef, AsArray as _, RunArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use parquet::errors::ParquetError;

/// What a column's values are, whether it comes as runs or not.
pub(super) fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::RunEndEncoded(_, values) => values.data_type(),
        plain => plain,
    }
}

/// The column with a value for each row.
pub(super) fn written_out(array: &ArrayRef) -> Result<ArrayRef, ParquetError> {
    match array.data_type() {
        DataType::RunEndEncoded(_, values) => Ok(cast(array, values.data_type())?),
        _ => Ok(ArrayRef::clone(array)),
    }
}

/// Runs of numbers or texts that are all there, which are encoded as such.
pub(super) fn simple_runs(array: &ArrayRef) -> Option<&RunArray<Int32Type>> {
    let runs = array.as_run_opt::<Int32Type>()?;
    let is_simple = !runs.values().data_type().is_nested() && runs.values().null_count() == 0;
    is_simple.then_some(runs)
}

/// How long each run is.
pub(super) fn lengths(runs: &RunArray<Int32Type>) -> Vec<usize> {
    let mut begin = 0;
    let lengths = runs.run_ends().sliced_values().map(|end| {
        let length = (end - begin).cast_unsigned() as usize;
        begin = end;
        length
    });
    lengths.collect()
}

/// Values that are written at once, however short the run is: most runs are shorter, and need no loop then.
const SHORT: usize = 8;

/// Writes out the values from number `from` on, which are runs of these lengths.
pub(super) fn repeat<T: Copy + Default>(values: &mut Vec<T>, from: usize, lengths: &[usize]) {
    let runs = values.split_off(from);
    values.resize(from + lengths.iter().sum::<usize>() + SHORT, T::default());
    let mut at = from;
    for (value, length) in runs.into_iter().zip(lengths) {
        match values[at..].first_chunk_mut::<SHORT>() {
            // What stands behind the end of the run then is overwritten by the next one.
            Some(into) if *length <= SHORT => *into = [value; SHORT],
            _ => values[at..at + length].fill(value),
        }
        at += length;
    }
    values.truncate(at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_value_stands_there_as_often_as_its_run_is_long(
            before in prop::collection::vec(0..9u32, 0..5),
            runs in prop::collection::vec((0..9u32, 1..5usize), 0..20),
        ) {
            let (values, lengths): (Vec<u32>, Vec<usize>) = runs.iter().copied().unzip();
            let mut repeated = [&before[..], &values].concat();
            repeat(&mut repeated, before.len(), &lengths);
            let behind = runs.iter().flat_map(|(value, length)| std::iter::repeat_n(*value, *length));
            prop_assert_eq!(repeated, before.iter().copied().chain(behind).collect::<Vec<u32>>());
        }
    }
}
