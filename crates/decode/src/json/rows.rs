//! The tables under construction: the parent and the nested ones.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RunArray};
use arrow::datatypes::{Int32Type, SchemaRef};
use arrow::record_batch::RecordBatch;
use stillhouse_spec::{Contract, Inside};

use crate::columns::{Column, position, remove};
use crate::runs::in_runs;

/// A table under construction.
pub(super) struct Rows {
    schema: SchemaRef,
    /// The number of its first column among all columns that are read.
    pub(super) first: usize,
    pub(super) columns: Vec<Column>,
    /// For each row its record; for nested tables the number among the rows of the record.
    pub(super) records: Vec<i64>,
    items: Vec<i64>,
    /// Consecutive rows inside the same row of another table, or of this one.
    runs: Vec<Run>,
    /// A row is being made, …
    pub(super) open: bool,
    /// … and so many columns have their value for it.
    pub(super) given: usize,
    /// Rows when the record began.
    mark: usize,
    runs_mark: usize,
}

/// See [`Rows::runs`].
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Which place of the table.
    place: usize,
    /// The row that it is inside.
    outer: usize,
    /// The row behind its last one.
    end: usize,
}

/// Where a copied column is found.
#[derive(Debug, Clone, Copy)]
enum Copied {
    /// A column of the table.
    Own { table: usize, column: usize },
    /// A column that is a copy there, too.
    Copy { table: usize, column: usize },
}

/// All of them; the parent is the first.
pub(super) struct Tables {
    pub(super) all: Vec<Rows>,
    /// For each nested table, for each place, for each copied column.
    copied: Vec<Vec<Vec<Copied>>>,
    /// Empty copied columns of each nested table.
    copies: Vec<Vec<Column>>,
    /// Bytes of records in it.
    pub(super) bytes: usize,
}

impl Rows {
    fn new(schema: SchemaRef, first: usize, columns: Vec<Column>) -> Self {
        let (records, items, runs) = (Vec::new(), Vec::new(), Vec::new());
        Self { schema, first, columns, records, items, runs, open: false, given: 0, mark: 0, runs_mark: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Notes that a row is complete that stands inside row `outer` of the table that the place says.
    pub(super) fn add_nested(&mut self, record: i64, place: usize, outer: usize) {
        let item = self.len() - self.mark;
        self.records.push(record);
        self.items.push(i64::try_from(item).expect("rows are counted in 63 bits"));
        let end = self.len();
        match self.runs[self.runs_mark..].last_mut() {
            Some(run) if run.place == place && run.outer == outer => run.end = end,
            _ => self.runs.push(Run { place, outer, end }),
        }
    }

    fn begin(&mut self) {
        (self.mark, self.runs_mark) = (self.len(), self.runs.len());
    }

    /// Forgets what the record has given.
    fn undo(&mut self) {
        self.columns.iter_mut().for_each(|column| column.truncate(self.mark));
        self.records.truncate(self.mark);
        self.items.truncate(self.mark.min(self.items.len()));
        self.runs.truncate(self.runs_mark);
        (self.open, self.given) = (false, 0);
    }

    /// Removes the rows of these records, which ascend. All rows of a run are of one record.
    fn remove_records(&mut self, records: &[i64], copies: &mut [Column]) {
        let (mut runs, mut gone_runs, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let mut begin = 0;
        for (number, run) in self.runs.iter().enumerate() {
            if records.binary_search(&self.records[begin]).is_ok() {
                gone_runs.push(number);
                gone.extend(begin..run.end);
            } else {
                runs.push(Run { end: run.end - gone.len(), ..*run });
            }
            begin = run.end;
        }
        self.columns.iter_mut().for_each(|column| column.remove(&gone));
        copies.iter_mut().for_each(|copy| copy.remove(&gone_runs));
        remove(&mut self.records, &gone);
        remove(&mut self.items, &gone);
        self.runs = runs;
    }
}

impl Tables {
    /// `schemas`: of the parent, then of the nested tables.
    pub(super) fn new(contract: &Contract, mut schemas: impl Iterator<Item = SchemaRef>) -> Self {
        let mut next = || schemas.next().expect("every table has a schema");
        let columns =
            |specs: &[stillhouse_spec::Column]| specs.iter().map(|spec| Column::new(&spec.data_type)).collect();
        let mut all = vec![Rows::new(next(), 0, columns(&contract.parent.columns))];
        let mut first = contract.parent.columns.len();
        for nested in &contract.nested {
            all.push(Rows::new(in_runs(&next(), nested.copied.len()), first, columns(&nested.columns)));
            first += nested.columns.len();
        }
        let copied = contract.nested.iter().map(|nested| {
            let places = nested.places.iter();
            let of = |place: &stillhouse_spec::NestedPlace| {
                place.copied.iter().map(|name| find(contract, place.inside, name.as_str())).collect()
            };
            places.map(of).collect()
        });
        let copies = contract.nested.iter().map(|nested| columns(&nested.copied));
        Self { copied: copied.collect(), copies: copies.collect(), all, bytes: 0 }
    }

    /// The schema of the parent.
    pub(super) fn parent_schema(&self) -> SchemaRef {
        Arc::clone(&self.all[0].schema)
    }

    /// A record begins.
    pub(super) fn begin(&mut self) {
        self.all.iter_mut().for_each(Rows::begin);
    }

    /// The record that has begun is refused.
    pub(super) fn undo(&mut self) {
        self.all.iter_mut().for_each(Rows::undo);
    }

    /// The largest number of rows in a table.
    pub(super) fn rows(&self) -> usize {
        self.all.iter().map(Rows::len).max().unwrap_or(0)
    }

    /// Removes rows of the parent, which ascend, and what is nested in them. `copies`: what [`copy`](Self::copy) gave.
    pub(super) fn remove(&mut self, gone: &[usize], copies: &mut [Vec<Column>]) {
        if gone.is_empty() {
            return;
        }
        let records: Vec<i64> = gone.iter().map(|row| self.all[0].records[*row]).collect();
        self.all[0].columns.iter_mut().for_each(|column| column.remove(gone));
        remove(&mut self.all[0].records, gone);
        for (rows, copies) in self.all[1..].iter_mut().zip(copies) {
            rows.remove_records(&records, copies);
        }
    }

    /// The rows of the parent so far as a batch.
    pub(super) fn finish_parent(&mut self) -> RecordBatch {
        let rows = &mut self.all[0];
        let mut arrays: Vec<ArrayRef> = rows.columns.iter_mut().map(Column::finish).collect();
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut rows.records))));
        RecordBatch::try_new(Arc::clone(&rows.schema), arrays).expect("columns are as long as each other and typed")
    }

    /// Copies what nested tables repeat; to be called before any table is finished, and before rows are removed from it.
    pub(super) fn copy(&self) -> Vec<Vec<Column>> {
        let mut done: Vec<Vec<Column>> = Vec::new();
        for nested in 0..self.copied.len() {
            let mut copies: Vec<Column> = self.copies[nested].iter().map(|column| column.copied(0..0)).collect();
            for (number, copy) in copies.iter_mut().enumerate() {
                for run in &self.all[nested + 1].runs {
                    let (column, row) = self.origin(nested, number, *run, &done);
                    copy.push_range(column, row..row + 1);
                }
            }
            done.push(copies);
        }
        done
    }

    /// Where the value of a copied column stands that a run of nested table `nested` has: in which column, and in which row of
    /// it. `done`: the copies of the tables before.
    fn origin<'c>(&'c self, nested: usize, column: usize, run: Run, done: &'c [Vec<Column>]) -> (&'c Column, usize) {
        match self.copied[nested][run.place][column] {
            Copied::Own { table, column } => (&self.all[table].columns[column], run.outer),
            Copied::Copy { table, column } => {
                let runs = &self.all[table].runs;
                let of = runs.partition_point(|other| other.end <= run.outer);
                // Copies of the table itself are being made: its runs lead outwards.
                match done.get(table - 1) {
                    Some(copies) => (&copies[column], of),
                    None => self.origin(nested, column, runs[of], done),
                }
            }
        }
    }

    /// The rows of nested table `nested` (from 0) so far as a batch, with what [`copy`](Self::copy) gave for it; `None` if
    /// there are none.
    pub(super) fn finish_nested(&mut self, nested: usize, mut copies: Vec<Column>) -> Option<RecordBatch> {
        let rows = &mut self.all[nested + 1];
        let runs = std::mem::take(&mut rows.runs);
        let records = std::mem::take(&mut rows.records);
        if records.is_empty() {
            rows.columns.iter_mut().for_each(|column| column.truncate(0));
            rows.items.clear();
            return None;
        }
        let ends: Int32Array = runs.iter().map(|run| Some(position(run.end))).collect();
        let of_runs: Int64Array = runs.iter().map(|run| Some(records[run.end - 1])).collect();
        let of_runs = RunArray::<Int32Type>::try_new(&ends, &of_runs).expect("a run is longer than nothing");
        let copies = copies.iter_mut().map(|copy| Arc::new(of_runs.with_values(copy.finish())) as ArrayRef);
        let mut arrays: Vec<ArrayRef> = copies.collect();
        arrays.extend(rows.columns.iter_mut().map(Column::finish));
        arrays.push(Arc::new(of_runs));
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut rows.items))));
        Some(
            RecordBatch::try_new(Arc::clone(&rows.schema), arrays)
                .expect("columns are as long as each other and typed"),
        )
    }
}

/// The column of that name in the table that a place is inside.
fn find(contract: &Contract, inside: Inside, name: &str) -> Copied {
    let at = |columns: &[stillhouse_spec::Column]| columns.iter().position(|column| column.name.as_str() == name);
    match inside {
        Inside::Parent => {
            let column = at(&contract.parent.columns).expect("a valid contract copies columns that there are");
            Copied::Own { table: 0, column }
        }
        Inside::Nested(nested) => {
            let table = &contract.nested[nested];
            match at(&table.columns) {
                Some(column) => Copied::Own { table: nested + 1, column },
                None => {
                    let column = at(&table.copied).expect("a valid contract copies columns that there are");
                    Copied::Copy { table: nested + 1, column }
                }
            }
        }
    }
}
