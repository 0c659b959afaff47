//! One thread that fills parts one after the other.

use arrow::record_batch::RecordBatch;

use crate::api::{Reject, RowSink, SinkError};
use crate::shared::{SharedSink, SinkPart};

/// Hands a part over whenever it is full.
pub(crate) struct Parts<'s, S: SharedSink> {
    sink: &'s S,
    part: Option<S::Part>,
}

impl<'s, S: SharedSink> Parts<'s, S> {
    pub(crate) fn new(sink: &'s S) -> Self {
        Self { sink, part: None }
    }

    /// Hands over what is there, full or not.
    pub(crate) fn flush(&mut self) -> Result<(), SinkError> {
        self.part.take().map_or(Ok(()), |part| hand_over(self.sink, part))
    }

    fn with(&mut self, give: impl FnOnce(&mut S::Part) -> Result<(), SinkError>) -> Result<(), SinkError> {
        let mut part = self.part.take().unwrap_or_else(|| self.sink.part());
        give(&mut part)?;
        if part.is_full() {
            return hand_over(self.sink, part);
        }
        self.part = Some(part);
        Ok(())
    }
}

fn hand_over<S: SharedSink>(sink: &S, mut part: S::Part) -> Result<(), SinkError> {
    part.finish()?;
    sink.append(part)
}

impl<S: SharedSink> RowSink for Parts<'_, S> {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        self.with(|part| part.batch(table, batch))
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        self.with(|part| part.reject(reject))
    }
}
