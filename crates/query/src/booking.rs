//! Rows that stay in memory are booked in the memory pool of the queries.

use arrow::array::{Array as _, RecordBatch};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

/// Books the rows of `batch`, which may be a part of larger buffers, in the memory pool.
pub(crate) fn book(reservation: &MemoryReservation, batch: &RecordBatch) -> Result<()> {
    let mut bytes = 0;
    for column in batch.columns() {
        bytes += column.to_data().get_slice_memory_size()?;
    }
    reservation.try_grow(bytes)
}
