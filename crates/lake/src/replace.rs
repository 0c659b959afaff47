//! Rows that leave a table: those of replaced generations, and records by name. Files are pruned by their statistics,
//! and rewritten where some of their rows stay.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use futures::StreamExt as _;
use object_store::ObjectStore;

use crate::error::Error;
use crate::manifest::{DataFile, Manifest, Member, RecordsOut};
use crate::read;
use crate::writer::TableWriter;

/// What taking rows out would do to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// None of its rows goes.
    None,
    /// All of its rows go.
    All,
    /// Some go: it has to be rewritten.
    Some,
}

/// The rows that go.
#[derive(Debug, Default)]
pub(crate) struct Gone {
    /// `_object`, first and last: in order, apart from one another.
    objects: Vec<(i64, i64)>,
    /// By `_object`: `_record`, first and last, in order and apart from one another.
    records: BTreeMap<i64, Vec<(i64, i64)>>,
}

impl Gone {
    /// The rows that the members of a load replace.
    pub fn of_members(manifest: &Manifest) -> Self {
        Self::objects(manifest.members.iter().filter_map(Member::replaced))
    }

    /// All rows of these objects.
    fn objects(ranges: impl Iterator<Item = RangeInclusive<i64>>) -> Self {
        let objects = apart(ranges.map(|range| (*range.start(), *range.end())).collect());
        Self { objects, records: BTreeMap::new() }
    }

    /// Only these records.
    pub fn records(out: &[RecordsOut]) -> Self {
        let place = |ordinal: u64| i64::try_from(ordinal).unwrap_or(i64::MAX);
        let mut records: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
        for out in out {
            let ranges = out.records.iter().map(|(first, last)| (place(*first), place(*last)));
            records.entry(out.object).or_default().extend(ranges);
        }
        Self { objects: Vec::new(), records: records.into_iter().map(|(object, of)| (object, apart(of))).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.records.is_empty()
    }

    /// Whether any row of the file may go, as far as its statistics tell.
    fn may_touch(&self, file: &DataFile) -> bool {
        let (min, max) = (file.object_min, file.object_max);
        if min > max {
            return false;
        }
        let after = self.objects.partition_point(|(_, last)| *last < min);
        if self.objects.get(after).is_some_and(|(first, _)| *first <= max) {
            return true;
        }
        let of_file =
            self.records.range(min..=max).filter_map(|(_, ranges)| Some((ranges.first()?.0, ranges.last()?.1)));
        let bounds = of_file.reduce(|(low, high), (first, last)| (low.min(first), high.max(last)));
        bounds.is_some_and(|(first, last)| read::may_hold_int(file, "_record", first, last))
    }

    /// Whether the statistics alone say that all rows go.
    fn takes_all(&self, file: &DataFile) -> bool {
        let (min, max) = (file.object_min, file.object_max);
        let of_objects = holds(&self.objects, min);
        if of_objects.is_some() && of_objects == holds(&self.objects, max) {
            return true;
        }
        let Some(ranges) = self.records.get(&min).filter(|_| min == max) else { return false };
        read::int_bounds(file, "_record").is_some_and(|(first, last)| {
            let of_first = holds(ranges, first);
            of_first.is_some() && of_first == holds(ranges, last)
        })
    }

    fn takes(&self, object: i64, record: Option<i64>) -> bool {
        holds(&self.objects, object).is_some()
            || record
                .is_some_and(|record| self.records.get(&object).is_some_and(|ranges| holds(ranges, record).is_some()))
    }

    /// By statistics where they decide, else by reading `_object` and, where records go by name, `_record`.
    pub async fn touch(&self, store: &Arc<dyn ObjectStore>, table: &str, file: &DataFile) -> Result<Touch, Error> {
        if !self.may_touch(file) {
            return Ok(Touch::None);
        }
        if self.takes_all(file) {
            return Ok(Touch::All);
        }
        let columns: &[&str] = if self.records.is_empty() { &["_object"] } else { &["_object", "_record"] };
        let mut rows = read::open(store, table, file, Some(columns)).await?;
        let (mut kept, mut gone) = (false, false);
        while let Some(batch) = rows.batches.next().await {
            let keep = self.keep_mask(table, file, &batch?)?;
            kept |= keep.true_count() > 0;
            gone |= keep.false_count() > 0;
            if kept && gone {
                return Ok(Touch::Some);
            }
        }
        Ok(if gone { Touch::All } else { Touch::None })
    }

    /// The rows that stay.
    fn without(&self, table: &str, file: &DataFile, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let keep = self.keep_mask(table, file, batch)?;
        filter_record_batch(batch, &keep).map_err(|e| Error::bug("filtering rows by `_object`").caused_by(e))
    }

    fn keep_mask(&self, table: &str, file: &DataFile, batch: &RecordBatch) -> Result<BooleanArray, Error> {
        let objects = int_column(table, file, batch, "_object")?;
        if self.records.is_empty() {
            let keep = |object: Option<i64>| object.is_none_or(|object| !self.takes(object, None));
            return Ok(objects.iter().map(|object| Some(keep(object))).collect());
        }
        let records = int_column(table, file, batch, "_record")?;
        let keep = |object: Option<i64>, record| object.is_none_or(|object| !self.takes(object, record));
        Ok(objects.iter().zip(records).map(|(object, record)| Some(keep(object, record))).collect())
    }

    /// The file without the rows that go, streamed; `None` when none stay.
    pub async fn rewrite(
        &self,
        store: &Arc<dyn ObjectStore>,
        table: &str,
        file: &DataFile,
        file_stem: &str,
        now: i64,
    ) -> Result<Option<DataFile>, Error> {
        let mut rows = read::open(store, table, file, None).await?;
        let mut writer = TableWriter::new(Arc::clone(store), table, Arc::clone(&rows.schema), file_stem);
        while let Some(batch) = rows.batches.next().await {
            let written = match batch.and_then(|batch| self.without(table, file, &batch)) {
                Ok(batch) => writer.write(&batch).await,
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                writer.abort().await;
                return Err(error);
            }
        }
        writer.finish(now).await
    }
}

fn int_column<'a>(table: &str, file: &DataFile, batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array, Error> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.ok_or_else(|| {
        let place = format!("table `{table}`, file `{}`", file.path);
        Error::fix_data(format!("{place}: expected a column `{name}` of int64, found none"))
    })
}

/// Ranges in order and apart from one another, from ranges in any order that may overlap.
fn apart(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// Which of the ranges (in order, apart from one another) has the value.
fn holds(ranges: &[(i64, i64)], value: i64) -> Option<usize> {
    let index = ranges.partition_point(|(_, last)| *last < value);
    ranges.get(index).is_some_and(|(first, _)| *first <= value).then_some(index)
}
