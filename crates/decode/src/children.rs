//! The rows of child tables: one for each item of a list.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use stillhouse_spec::{ChildTable, Contract, DataType};

use crate::columns::Column;

/// A child table under construction.
pub(crate) struct Child {
    schema: SchemaRef,
    /// The parent's column that holds the lists.
    list: usize,
    /// Parent columns that are repeated, and their copies.
    copied: Vec<(usize, Column)>,
    items: Column,
    records: Vec<i64>,
    positions: Vec<i64>,
    bytes: usize,
}

impl Child {
    pub(crate) fn new(contract: &Contract, table: &ChildTable, schema: SchemaRef) -> Self {
        let columns = &contract.parent.columns;
        let find = |name: &str| {
            columns.iter().position(|c| c.name.as_str() == name).expect("a valid contract names columns of the parent")
        };
        let copied = table.copied.iter().map(|(_, parent)| {
            let at = find(parent.as_str());
            (at, Column::new(&columns[at].data_type))
        });
        let copied = copied.collect();
        let list = find(table.list.as_str());
        let items = match &columns[list].data_type {
            DataType::List(item) => Column::new(item),
            other => unreachable!("a valid contract makes child tables of lists, not of {other}"),
        };
        Self { schema, list, copied, items, records: Vec::new(), positions: Vec::new(), bytes: 0 }
    }

    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    /// About how much memory the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends items of the parent's row `row`, from number `from` on, until they are all there or `is_full` says so.
    /// Gives the number of the next item; `None` when none is left.
    pub(crate) fn append(
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
        for (number, item) in range.enumerate().skip(from) {
            if is_full(self) {
                return Some(number);
            }
            for (at, copy) in &mut self.copied {
                copy.push_range(&parent[*at], row..row + 1);
            }
            self.items.push_range(items, item..item + 1);
            self.records.push(record);
            self.positions.push(i64::try_from(number).expect("items are counted in 63 bits"));
            self.bytes += copied_bytes + items.range_bytes(item..item + 1) + 16;
        }
        None
    }

    /// Up to which row the items of consecutive rows of the parent fit together, if there is room for so many, and how many
    /// bytes they take.
    pub(crate) fn fitting(
        &self,
        parent: &[Column],
        rows: Range<usize>,
        items_max: usize,
        bytes_max: usize,
    ) -> (usize, usize) {
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
    pub(crate) fn append_rows(&mut self, parent: &[Column], rows: Range<usize>, records: &[i64], bytes: usize) {
        let lists = &parent[self.list];
        let counts = || lists.counts(rows.clone());
        for (at, copy) in &mut self.copied {
            copy.push_repeated(&parent[*at], rows.clone(), counts());
        }
        self.items.push_range(lists.items(), lists.item_range(rows.clone()));
        let items = lists.item_range(rows.clone()).len();
        self.records.reserve(items);
        self.positions.reserve(items);
        for (record, count) in records.iter().zip(counts()) {
            self.records.extend(std::iter::repeat_n(*record, count));
            self.positions.extend((0i64..).take(count));
        }
        self.bytes += bytes;
    }

    /// The rows so far as a batch; there are none then.
    pub(crate) fn finish(&mut self) -> RecordBatch {
        let mut arrays: Vec<ArrayRef> = self.copied.iter_mut().map(|(_, copy)| copy.finish()).collect();
        arrays.push(self.items.finish());
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.records))));
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.positions))));
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).expect("columns are as long as each other and typed")
    }
}
