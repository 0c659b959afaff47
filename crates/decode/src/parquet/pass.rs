//! One pass over the rows of a Parquet object.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::take;
use arrow::datatypes::{DataType as ArrowType, Date32Type, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use stillhouse_spec::{Column, Contract, Inside};

use super::children::{Runs, items};
use super::convert::{Converted, Refused, convert};
use super::file::{File, damaged};
use super::mapping::Mapping;
use super::rejects::{objects, whole};
use super::rows::{Level, at, kept, levels, mask};
use crate::api::{Request, RowSink};
use crate::error::Error;
use crate::format::Ended;
use crate::place::{Entry, Place};
use crate::plan::{Filled, From, choose_better, expected};
use crate::refusal::{Why, refuse};
use crate::rules::Rules;
use crate::runs::in_runs;
use crate::schema::{arrow_type, schemas};
use crate::tally::Tally;
use crate::values::calendar::DAY_MICROS;
use crate::window::Window;

/// The state of a pass.
pub(super) struct Pass<'a, 's> {
    request: &'a Request<'a>,
    file: &'s File,
    mapping: &'s Mapping,
    filled: Vec<Filled<'a>>,
    sink: &'s mut dyn RowSink,
    /// Of all tables; what child and nested tables repeat comes as runs.
    schemas: Vec<SchemaRef>,
    rules: Rules<'a>,
    time: Option<usize>,
    tally: Tally,
    impatient: bool,
}

/// Where a batch stands.
#[derive(Clone, Copy)]
struct Begin {
    /// The number of its first row in the object, …
    number: u64,
    /// … in the file, from 1, …
    line: u64,
    /// … and in the row group.
    row: usize,
}

impl Begin {
    /// So many rows behind.
    fn behind(self, rows: usize) -> Self {
        Self { number: self.number + rows as u64, line: self.line + rows as u64, row: self.row + rows }
    }
}

/// Why a batch is not taken.
enum Stop {
    Error(Error),
    /// The object has to start again.
    Again,
}

/// The own columns of a table in a batch.
type Arrays = Vec<ArrayRef>;

impl<'a, 's> Pass<'a, 's> {
    pub(super) fn new(
        request: &'a Request<'a>,
        file: &'s File,
        mapping: &'s Mapping,
        filled: Vec<Filled<'a>>,
        sink: &'s mut dyn RowSink,
        impatient: bool,
    ) -> Self {
        let contract = request.contract;
        let copied = contract.children.iter().map(|child| child.copied.len());
        let copied = copied.chain(contract.nested.iter().map(|nested| nested.copied.len()));
        let all = schemas(contract).into_iter().map(|(_, schema)| schema);
        let mut all = all.collect::<Vec<_>>().into_iter();
        let parent = all.next();
        let others = all.zip(copied).map(|(schema, copied)| in_runs(&schema, copied));
        // Even without a row it is a file.
        let mut tally = Tally::of_columns(0);
        tally.begun = true;
        Self {
            request,
            file,
            mapping,
            filled,
            sink,
            schemas: parent.into_iter().chain(others).collect(),
            rules: Rules::new(request),
            time: contract.parent.time_column(),
            tally,
            impatient,
        }
    }

    /// Reads these row groups, the first row having that number and line.
    pub(super) fn run(
        mut self,
        window: &mut Window<'_>,
        groups: Range<usize>,
        first: Entry,
    ) -> Result<Ended<'a>, Error> {
        let mut begin = Begin { number: first.number, line: first.start.line, row: 0 };
        for group in groups {
            match self.group(window, group, begin) {
                Ok(behind) => begin = Begin { row: 0, ..behind },
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Again) => return Ok(Ended::Again(self.filled)),
            }
        }
        Ok(Ended::Done(Box::new(self.tally), self.filled))
    }

    /// Reads a row group, and says what is behind it.
    fn group(&mut self, window: &mut Window<'_>, group: usize, begin: Begin) -> Result<Begin, Stop> {
        let what = format!("row group {group}");
        let failed = |error: &dyn std::fmt::Display| Stop::Error(damaged(&what, &error.to_string()));
        let rows_max = self.request.batch_rows.max(1);
        let mut reader = self.file.read(window, group, &self.mapping.mask, rows_max, None).map_err(Stop::Error)?;
        let (mut at, mut refused) = (begin, Vec::new());
        loop {
            let next = super::file::guarded(&what, || Ok(reader.next())).map_err(Stop::Error)?;
            let Some(batch) = next else { break };
            let batch = batch.map_err(|error| failed(&error))?;
            self.batch(&batch, at, &mut refused).map_err(|stop| match stop {
                Failed::Arrow(error) => failed(&error),
                Failed::Stop(stop) => stop,
            })?;
            at = at.behind(batch.num_rows());
            if self.impatient && choose_better(&mut self.filled, |filled| filled.is_hopeless()) {
                return Err(Stop::Again);
            }
        }
        if at.row as u64 != self.file.rows(group) {
            let (found, expected) = (at.row, self.file.rows(group));
            return Err(failed(&format!("expected {expected} rows, found {found}")));
        }
        self.refuse(window, group, begin, refused).map_err(Stop::Error)?;
        Ok(at)
    }

    /// Hands over refused rows.
    fn refuse(
        &mut self,
        window: &mut Window<'_>,
        group: usize,
        begin: Begin,
        refused: Vec<(usize, Why)>,
    ) -> Result<(), Error> {
        /// So many are made into texts at a time.
        const PIECE: usize = 10_000;
        let mut refused = refused.into_iter().peekable();
        while refused.peek().is_some() {
            let piece: Vec<(usize, Why)> = refused.by_ref().take(PIECE).collect();
            let rows: Vec<usize> = piece.iter().map(|(row, _)| *row).collect();
            let texts = whole(self.file, self.mapping, window, group, &rows)?;
            for (row, why) in piece {
                let Begin { number, line, .. } = begin.behind(row);
                let raw = texts.get(&row).map_or("{}", String::as_str);
                let place = Place { offset: 0, line, bytes: raw.len() as u64 };
                refuse(&mut self.tally, self.sink, Some(raw.as_bytes()), &place, number, why)?;
            }
        }
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, begin: Begin, refused: &mut Vec<(usize, Why)>) -> Result<(), Failed> {
        let contract = self.request.contract;
        let levels = levels(batch, contract, self.mapping)?;
        let mut gone = BTreeMap::new();
        let mut tables = Vec::new();
        let mut first = 0;
        for (level, (_, columns)) in levels.iter().zip(contract.read_tables()) {
            let end = first + columns.len();
            tables.push(self.convert(batch, level, first..end, begin, &mut gone)?);
            first = end;
        }
        let rows = batch.num_rows() as u64;
        self.tally.counts.read += rows - gone.len() as u64;
        self.tally.counts.loaded += rows - gone.len() as u64;
        let mut out = self.left_out(&levels[0], &tables[0], begin, &gone)?;
        refused.extend(gone.into_iter().map(|(row, why)| {
            out.entry(row).or_insert(());
            (begin.row + row, why)
        }));
        self.hand_over(&levels, &tables, begin, &out)
    }

    /// The columns of a table; records that are refused are noted.
    fn convert(
        &mut self,
        batch: &RecordBatch,
        level: &Level,
        columns: Range<usize>,
        begin: Begin,
        gone: &mut BTreeMap<usize, Why>,
    ) -> Result<Arrays, Failed> {
        let mut arrays = Vec::with_capacity(columns.len());
        for number in columns {
            let filled = &mut self.filled[number];
            let array = match (&filled.from, &self.mapping.ways[number]) {
                (From::Inside, Some(way)) => {
                    let values = at(&level.fields, way)?;
                    let line = |row: usize| begin.line + u64::from(level.records[row]);
                    match convert(&values, filled, line)? {
                        Converted::Array(array, refused) => {
                            for (row, refused) in refused {
                                let record = level.records[row] as usize;
                                gone.entry(record).or_insert_with(|| self.why(number, refused));
                            }
                            array
                        }
                        Converted::LeapDay => {
                            filled.assume_leap_year();
                            return Err(Failed::Stop(Stop::Again));
                        }
                    }
                }
                (From::Constant(value), _) => {
                    let value = value.clone().finish();
                    take(&value, &UInt32Array::from(vec![0; level.len()]), None)?
                }
                (From::Rest, _) => Arc::new(objects(&self.rest(batch), level.len())?),
                _ => new_null_array(&arrow_type(&filled.spec.data_type), level.len()),
            };
            arrays.push(array);
        }
        Ok(arrays)
    }

    /// The columns that the contract does not know.
    fn rest(&self, batch: &RecordBatch) -> Vec<(String, ArrayRef)> {
        let schema = self.file.schema();
        let names = self.mapping.rest.iter().map(|field| schema.field(*field).name());
        names.filter_map(|name| Some((name.clone(), Arc::clone(batch.column_by_name(name)?)))).collect()
    }

    fn why(&self, number: usize, refused: Refused) -> Why {
        let filled = &self.filled[number];
        let found = if filled.spec.pii { String::new() } else { refused.found };
        Why {
            reason: refused.reason,
            column: Some(self.request.contract.read_label(number)),
            expected: expected(filled, refused.reason),
            found,
            pii: filled.spec.pii,
        }
    }

    /// Rows that the contract does not want; those that are refused anyway are not asked about.
    fn left_out(
        &mut self,
        level: &Level,
        arrays: &Arrays,
        begin: Begin,
        gone: &BTreeMap<usize, Why>,
    ) -> Result<BTreeMap<usize, ()>, Failed> {
        if !self.rules.filters() {
            return Ok(BTreeMap::new());
        }
        let mask = mask(&level.records, gone);
        let mut arrays = kept(arrays, mask.as_ref())?;
        let rows: Vec<usize> = (0..level.len()).filter(|row| !gone.contains_key(row)).collect();
        let numbers = rows.iter().map(|row| begin.number + *row as u64);
        arrays.push(Arc::new(numbers.map(record_number).collect::<Int64Array>()));
        let batch = RecordBatch::try_new(Arc::clone(&self.schemas[0]), arrays)?;
        let out = self.rules.unwanted(&batch).map_err(|error| Failed::Stop(Stop::Error(error)))?;
        self.tally.leave_out(out.len());
        Ok(out.into_iter().map(|row| (rows[row], ())).collect())
    }

    /// Gives the rows whose records are not out.
    fn hand_over(
        &mut self,
        levels: &[Level],
        tables: &[Arrays],
        begin: Begin,
        out: &BTreeMap<usize, ()>,
    ) -> Result<(), Failed> {
        let contract = self.request.contract;
        let parent_mask = mask(&levels[0].records, out);
        let numbers: ArrayRef = Arc::new(
            levels[0].records.iter().map(|row| record_number(begin.number + u64::from(*row))).collect::<Int64Array>(),
        );
        let mut parent = kept(&tables[0], parent_mask.as_ref())?;
        let records = kept(&[Arc::clone(&numbers)], parent_mask.as_ref())?;
        parent.extend(records);
        let batch = RecordBatch::try_new(Arc::clone(&self.schemas[0]), parent)?;
        if batch.num_rows() > 0 {
            self.count_days(&batch);
            let named = |name: &str| batch.column_by_name(name).map(Arc::clone);
            for (number, child) in contract.children.iter().enumerate() {
                let copied: Vec<ArrayRef> = child.copied.iter().filter_map(|(_, of)| named(of.as_str())).collect();
                let (Some(lists), Some(records)) = (named(child.list.as_str()), batch.columns().last()) else {
                    continue;
                };
                if let Some(items) = items(&self.schemas[number + 1], &lists, &copied, records)? {
                    self.give(number + 1, items)?;
                }
            }
            let batch = self.rules.derived(batch).map_err(|error| Failed::Stop(Stop::Error(error)))?;
            self.give(0, batch)?;
        }
        let mut copies: Vec<Arrays> = Vec::new();
        for number in 0..contract.nested.len() {
            let level = &levels[number + 1];
            let copied = copied(contract, number, levels, tables, &copies)?;
            let is_kept = |row: &usize| !out.contains_key(&(level.records[*row] as usize));
            let rows: Vec<usize> = (0..level.len()).filter(is_kept).collect();
            if !rows.is_empty() {
                let numbers = take(&numbers, &UInt32Array::from(level.records.clone()), None)?;
                let table = 1 + contract.children.len() + number;
                let own = &tables[number + 1];
                let batch = nested_batch(&self.schemas[table], level, &rows, own, &copied, &numbers)?;
                self.give(table, batch)?;
            }
            copies.push(copied);
        }
        Ok(())
    }

    fn give(&mut self, table: usize, batch: RecordBatch) -> Result<(), Failed> {
        self.sink.batch(table, batch).map_err(|error| Failed::Stop(Stop::Error(Error::sink(error))))
    }

    fn count_days(&mut self, batch: &RecordBatch) {
        let Some(time) = self.time.map(|time| batch.column(time)) else { return };
        for row in 0..time.len() {
            let day = match time.data_type() {
                _ if time.is_null(row) => None,
                ArrowType::Date32 => Some(time.as_primitive::<Date32Type>().value(row)),
                _ => {
                    let micros = time.as_primitive::<TimestampMicrosecondType>().value(row);
                    i32::try_from(micros.div_euclid(DAY_MICROS)).ok()
                }
            };
            self.tally.days.add(day);
        }
    }
}

/// Why a batch is not taken.
enum Failed {
    Arrow(ArrowError),
    Stop(Stop),
}

impl std::convert::From<ArrowError> for Failed {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

fn record_number(number: u64) -> i64 {
    i64::try_from(number).expect("records are counted in 63 bits")
}

/// The copied columns of nested table `number`, a value for each of its rows. `copies`: those of the tables before it.
fn copied(
    contract: &Contract,
    number: usize,
    levels: &[Level],
    tables: &[Arrays],
    copies: &[Arrays],
) -> Result<Arrays, ArrowError> {
    let (nested, level) = (&contract.nested[number], &levels[number + 1]);
    let one = |column: usize| {
        let mut all: Option<ArrayRef> = None;
        // Which column it is depends on the place; rows that stand at another one have none here.
        for (place, of) in nested.places.iter().enumerate() {
            let stands_here = |row: &usize| level.places[*row] as usize == place;
            let Some(source) = source(contract, of.inside, of.copied[column].as_str(), tables, copies) else {
                continue;
            };
            let outer = (0..level.len()).map(|row| stands_here(&row).then(|| level.outer[row]));
            let values = take(source, &outer.collect::<UInt32Array>(), None)?;
            all = Some(match all {
                None => values,
                Some(others) => {
                    let here: BooleanArray = (0..level.len()).map(|row| Some(stands_here(&row))).collect();
                    zip(&here, &values, &others)?
                }
            });
        }
        Ok(all.unwrap_or_else(|| new_null_array(&arrow_type(&nested.copied[column].data_type), level.len())))
    };
    (0..nested.copied.len()).map(one).collect()
}

/// The column of that name in the table that a place is inside.
fn source<'t>(
    contract: &Contract,
    inside: Inside,
    name: &str,
    tables: &'t [Arrays],
    copies: &'t [Arrays],
) -> Option<&'t ArrayRef> {
    let find = |columns: &[Column]| columns.iter().position(|column| column.name.as_str() == name);
    match inside {
        Inside::Parent => find(&contract.parent.columns).map(|column| &tables[0][column]),
        Inside::Nested(nested) => match find(&contract.nested[nested].columns) {
            Some(column) => Some(&tables[nested + 1][column]),
            None => copies.get(nested)?.get(find(&contract.nested[nested].copied)?),
        },
    }
}

/// The batch of these rows of a nested table. `own` and `copied` have a value for each row, and so has `numbers`, the numbers of
/// their records.
fn nested_batch(
    schema: &SchemaRef,
    level: &Level,
    rows: &[usize],
    own: &Arrays,
    copied: &Arrays,
    numbers: &ArrayRef,
) -> Result<RecordBatch, ArrowError> {
    let (mut runs, mut items) = (Runs::default(), Vec::with_capacity(rows.len()));
    let mut taken = Vec::with_capacity(rows.len());
    let mut before: Option<usize> = None;
    for row in rows.iter().copied() {
        let same = |of: &[u32]| before.is_some_and(|before| of[before] == of[row]);
        let item = if same(&level.records) { items.last().map_or(0, |item: &i64| item + 1) } else { 0 };
        let is_new = !(same(&level.records) && same(&level.places) && same(&level.outer));
        items.push(item);
        runs.push(u32::try_from(row).unwrap_or(0), is_new);
        taken.push(u32::try_from(row).unwrap_or(0));
        before = Some(row);
    }
    let taken = UInt32Array::from(taken);
    let own = own.iter().map(|values| take(values, &taken, None)).collect::<Result<Arrays, _>>()?;
    runs.batch(schema, copied, numbers, own, items)
}
