//! What is in the columns of a table or file: counts, bounds, quantiles, frequent values. One pass, bounded memory.
//!
//! [`Profiler`] takes batches as they come and gives a [`Profile`]. The same batches in the same order always give the
//! same, with any number of threads.
//!
//! **Invariant:** memory grows with the number of columns, never with that of the rows; of long texts only the beginning is
//! kept, beside the least and the greatest.

mod bins;
mod column;
mod frequent;
mod parquet;
mod sketch;

use std::sync::{Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::DataFusionError;

use crate::error::{Error, Kind};
use crate::profile::column::ColumnProfiler;

pub use self::parquet::ParquetRows;

/// The quantiles that a profile has.
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// What is in all columns.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Rows, of which each column has a value or none.
    pub rows: u64,
    /// One for each column, in order.
    pub columns: Vec<ColumnProfile>,
}

/// What is in one column. Values are arrays of the column's own type, so that nothing is lost on the way to whoever
/// prints them.
#[derive(Debug, Clone)]
pub struct ColumnProfile {
    /// The column.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Rows without a value.
    pub nulls: u64,
    /// Rows with one.
    pub values: u64,
    /// Texts or lists with nothing in them; they are values.
    pub empty: u64,
    /// How many values there are that differ from each other.
    pub distinct: Count,
    /// The least and the greatest value, two rows; of types that have an order.
    pub bounds: Option<ArrayRef>,
    /// The mean of numbers: exact for decimals.
    pub mean: Option<ArrayRef>,
    /// Of numbers, dates and timestamps.
    pub quantiles: Option<Quantiles>,
    /// The most frequent values first.
    pub frequent: Frequent,
    /// Of numbers, dates and timestamps: values in parts of the same width from the least to the greatest.
    pub histogram: Option<Vec<u64>>,
    /// Characters of texts, items of lists.
    pub lengths: Option<Lengths>,
    /// Of lists: what is in their items.
    pub items: Option<Box<ColumnProfile>>,
}

/// A number that may be an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub count: u64,
    /// Whether it is not an estimate.
    pub exact: bool,
}

/// [`QUANTILES`] of a column.
#[derive(Debug, Clone)]
pub struct Quantiles {
    /// One row each. Estimates of numbers are `float64`.
    pub values: ArrayRef,
    /// Whether they are values of the column and not estimates.
    pub exact: bool,
}

/// The most frequent values.
#[derive(Debug, Clone)]
pub struct Frequent {
    /// The values.
    pub values: ArrayRef,
    /// How often each occurs: if the counts are not exact, at least so often.
    pub counts: Vec<u64>,
    /// Whether the counts are exact, and no value is missing that would belong here.
    pub exact: bool,
    /// Which of the values are only the beginning of a longer text.
    pub cut: Vec<bool>,
}

/// How long the values are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lengths {
    /// The shortest.
    pub min: u64,
    /// The longest.
    pub max: u64,
    /// The mean.
    pub mean: f64,
}

/// Looks at batches.
#[derive(Debug)]
pub struct Profiler {
    columns: Vec<ColumnProfiler>,
    rows: u64,
    threads: usize,
}

/// Values that are counted one by one, in all columns together; a column of a narrow table gets [`KEYS_MAX`] of them.
const KEYS_ALL: usize = 200_000;
const KEYS_MAX: usize = 4096;
const KEYS_MIN: usize = 256;

impl Profiler {
    /// For batches of these columns. `frequent` says how many frequent values of a column are wanted.
    ///
    /// # Errors
    /// DataFusion has no aggregate for a type; none is known.
    pub fn new(schema: &Schema, frequent: usize, threads: usize) -> Result<Self, Error> {
        let keys = (KEYS_ALL / schema.fields().len().max(1)).clamp(KEYS_MIN, KEYS_MAX);
        let column = |field: &arrow::datatypes::FieldRef| ColumnProfiler::new(field, frequent, keys);
        let columns = schema.fields().iter().map(column).collect::<Result<_, _>>().map_err(failed)?;
        Ok(Self { columns, rows: 0, threads: threads.max(1) })
    }

    /// Looks at the rows of a batch.
    ///
    /// # Errors
    /// An aggregate failed.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let threads = self.threads.min(self.columns.len()).max(1);
        // Whoever has time takes the next column; each has its own state, so it does not matter who does.
        let queue = Mutex::new(self.columns.iter_mut().zip(batch.columns()));
        let work = || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((column, array)) = next else { return Ok(()) };
                column.update(array)?;
            }
        };
        let done: Result<(), DataFusionError> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let own = work();
            others.into_iter().fold(own, |done, other| match other.join() {
                Ok(result) => done.and(result),
                Err(panic) => std::panic::resume_unwind(panic),
            })
        });
        done.map_err(failed)
    }

    /// What was in all batches.
    ///
    /// # Errors
    /// An aggregate failed.
    pub fn finish(self) -> Result<Profile, Error> {
        let columns = self.columns.into_iter().map(ColumnProfiler::finish).collect::<Result<_, _>>();
        Ok(Profile { rows: self.rows, columns: columns.map_err(failed)? })
    }
}

fn failed(error: DataFusionError) -> Error {
    Error::new(Kind::Bug, "a column cannot be profiled").with_source(error)
}
