//! The rows of child tables: one for each item of a list.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RunArray};
use arrow::datatypes::{Int32Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use stillhouse_spec::{ChildTable, Contract, DataType};

use crate::api::{BATCH_BYTES_CEILING, Request, RowSink};
use crate::columns::{Column, position};
use crate::error::Error;
use crate::runs::in_runs;

/// The child tables of a parent.
pub(crate) struct Children {
    tables: Vec<Child>,
    rows_max: usize,
    bytes_max: usize,
}

impl Children {
    /// `schemas`: those of the child tables.
    pub(crate) fn new(request: &Request<'_>, schemas: impl Iterator<Item = SchemaRef>) -> Self {
        let contract = request.contract;
        let tables = contract.children.iter().zip(schemas);
        let tables = tables.map(|(table, schema)| Child::new(contract, table, &schema)).collect();
        let bytes_max = request.batch_bytes.clamp(1, BATCH_BYTES_CEILING);
        Self { tables, rows_max: request.batch_rows.max(1), bytes_max }
    }

    /// Appends the items of rows of the parent; full batches are handed over.
    pub(crate) fn add(
        &mut self,
        parent: &[Column],
        records: &[i64],
        rows: Range<usize>,
        sink: &mut dyn RowSink,
    ) -> Result<(), Error> {
        let (rows_max, bytes_max) = (self.rows_max, self.bytes_max);
        let is_full = |child: &Child| child.rows() >= rows_max || child.bytes() >= bytes_max;
        for (table, child) in self.tables.iter_mut().enumerate() {
            let mut hand_over = |child: &mut Child| sink.batch(table + 1, child.finish()).map_err(Error::sink);
            let mut row = rows.start;
            while row < rows.end {
                // As many rows as fit go together, …
                let items_left = rows_max.saturating_sub(child.rows());
                let bytes_left = bytes_max.saturating_sub(child.bytes());
                let (end, bytes) = child.fitting(parent, row..rows.end, items_left, bytes_left);
                child.append_rows(parent, row..end, &records[row..end], bytes);
                row = end;
                if row == rows.end && !is_full(child) {
                    break;
                }
                // … and the next one item by item.
                let mut next = (row < rows.end).then_some(0);
                while let Some(from) = next {
                    next = child.append(parent, row, records[row], from, is_full);
                    if is_full(child) {
                        hand_over(child)?;
                    }
                }
                row += 1;
                if is_full(child) {
                    hand_over(child)?;
                }
            }
        }
        Ok(())
    }

    /// Hands over the last rows.
    pub(crate) fn end(&mut self, sink: &mut dyn RowSink) -> Result<(), Error> {
        for (table, child) in self.tables.iter_mut().enumerate().filter(|(_, child)| child.rows() > 0) {
            sink.batch(table + 1, child.finish()).map_err(Error::sink)?;
        }
        Ok(())
    }
}

/// A child table under construction.
struct Child {
    /// Of a batch: what is repeated comes as runs.
    schema: SchemaRef,
    /// The parent's column that holds the lists.
    list: usize,
    /// Parent columns that are repeated, and a copy of each value for each run of items.
    copied: Vec<(usize, Column)>,
    /// The record of each run.
    records: Vec<i64>,
    /// Where each run of items ends.
    run_ends: Vec<i32>,
    items: Column,
    positions: Vec<i64>,
    bytes: usize,
}

impl Child {
    /// `schema`: that of the table.
    fn new(contract: &Contract, table: &ChildTable, schema: &Schema) -> Self {
        let columns = &contract.parent.columns;
        let find = |name: &str| {
            columns.iter().position(|c| c.name.as_str() == name).expect("a valid contract names columns of the parent")
        };
        let copied = table.copied.iter().map(|(_, parent)| {
            let at = find(parent.as_str());
            (at, Column::new(&columns[at].data_type))
        });
        let copied: Vec<_> = copied.collect();
        let list = find(table.list.as_str());
        let items = match &columns[list].data_type {
            DataType::List(item) => Column::new(item),
            other => unreachable!("a valid contract makes child tables of lists, not of {other}"),
        };
        let schema = in_runs(schema, copied.len());
        Self { schema, list, copied, records: Vec::new(), run_ends: Vec::new(), items, positions: Vec::new(), bytes: 0 }
    }

    fn rows(&self) -> usize {
        self.positions.len()
    }

    /// About how much memory the rows take, runs written out.
    fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends items of the parent's row `row`, from number `from` on, until they are all there or `is_full` says so.
    /// Gives the number of the next item; `None` when none is left.
    fn append(
        &mut self,
        parent: &[Column],
        row: usize,
        record: i64,
        from: usize,
        is_full: impl Fn(&Child) -> bool,
    ) -> Option<usize> {
        let lists = &parent[self.list];
        let (items, range) = (lists.items(), lists.item_range(row..row + 1));
        let copied_bytes = self.copied_bytes(parent, row);
        let begin = self.rows();
        for (number, item) in range.enumerate().skip(from) {
            if is_full(self) {
                return Some(number);
            }
            if self.rows() == begin {
                self.begin_runs(parent, row..row + 1, &[record]);
                self.run_ends.push(position(begin));
            }
            self.items.push_range(items, item..item + 1);
            self.positions.push(i64::try_from(number).expect("items are counted in 63 bits"));
            if let Some(end) = self.run_ends.last_mut() {
                *end += 1;
            }
            self.bytes += copied_bytes + items.range_bytes(item..item + 1) + 16;
        }
        None
    }

    /// Appends what is repeated for consecutive rows of the parent; `records` are the rows' numbers.
    fn begin_runs(&mut self, parent: &[Column], rows: Range<usize>, records: &[i64]) {
        for (at, copy) in &mut self.copied {
            copy.push_range(&parent[*at], rows.clone());
        }
        self.records.extend_from_slice(records);
    }

    /// Up to which row the items of consecutive rows of the parent fit together, if there is room for so many, and how many
    /// bytes they take.
    fn fitting(&self, parent: &[Column], rows: Range<usize>, items_max: usize, bytes_max: usize) -> (usize, usize) {
        let lists = &parent[self.list];
        let end = lists.rows_of_items(rows.clone(), items_max);
        let bytes = self.items_bytes(parent, rows.start..end);
        if bytes <= bytes_max {
            return (end, bytes);
        }
        let (mut end, mut bytes) = (rows.start, 0);
        loop {
            let more = self.items_bytes(parent, end..end + 1);
            if bytes + more > bytes_max {
                return (end, bytes);
            }
            (end, bytes) = (end + 1, bytes + more);
        }
    }

    /// Bytes that the items of consecutive rows take.
    fn items_bytes(&self, parent: &[Column], rows: Range<usize>) -> usize {
        let lists = &parent[self.list];
        let copied =
            self.copied.iter().map(|(at, _)| parent[*at].repeated_bytes(rows.clone(), lists.counts(rows.clone())));
        let items = lists.item_range(rows.clone());
        copied.sum::<usize>() + 16 * items.len() + lists.items().range_bytes(items)
    }

    /// Bytes that each item of a row takes for what is repeated.
    fn copied_bytes(&self, parent: &[Column], row: usize) -> usize {
        self.copied.iter().map(|(at, _)| parent[*at].range_bytes(row..row + 1)).sum()
    }

    /// Appends all items of consecutive rows of the parent, column by column; `records` are the rows' numbers.
    fn append_rows(&mut self, parent: &[Column], rows: Range<usize>, records: &[i64], bytes: usize) {
        let lists = &parent[self.list];
        let items = lists.item_range(rows.clone());
        self.positions.reserve(items.len());
        self.items.push_range(lists.items(), items);
        // Rows without items have no run; those between them go together.
        let mut begin = 0;
        for (row, count) in lists.counts(rows.clone()).enumerate() {
            if count == 0 {
                self.begin_runs(parent, rows.start + begin..rows.start + row, &records[begin..row]);
                begin = row + 1;
            } else {
                self.positions.extend((0i64..).take(count));
                self.run_ends.push(position(self.positions.len()));
            }
        }
        self.begin_runs(parent, rows.start + begin..rows.end, &records[begin..]);
        self.bytes += bytes;
    }

    /// The rows so far as a batch; there are none then.
    fn finish(&mut self) -> RecordBatch {
        let records = Int64Array::from(std::mem::take(&mut self.records));
        let run_ends = Int32Array::from(std::mem::take(&mut self.run_ends));
        let records = RunArray::<Int32Type>::try_new(&run_ends, &records).expect("a run is longer than nothing");
        let copies = self.copied.iter_mut().map(|(_, copy)| Arc::new(records.with_values(copy.finish())) as ArrayRef);
        let mut arrays: Vec<ArrayRef> = copies.collect();
        arrays.push(self.items.finish());
        arrays.push(Arc::new(records));
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.positions))));
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).expect("columns are as long as each other and typed")
    }
}
