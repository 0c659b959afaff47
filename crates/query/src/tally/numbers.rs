//! The groups of what is made of numbers and moments.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::group_values::GroupValues;

use super::codes::{UNSEEN, group};
use super::spans::{Known, Span};

/// Numbers that came up, with the groups of what the key makes of them: the day of a moment is not computed for each row.
#[derive(Default)]
pub(super) struct Numbers {
    /// None before the first row.
    known: Option<Known>,
    null: Option<u32>,
    /// Most numbers are new: the key is computed for each row.
    all_new: bool,
}

/// More numbers, or spans of them, are not kept.
const KEPT_MAX: usize = 1 << 14;

impl Numbers {
    /// The groups of the rows of `column` into `rows`; `key` sees that column alone.
    pub(super) fn groups_of(
        &mut self,
        column: &ArrayRef,
        key: &Arc<dyn PhysicalExpr>,
        groups: &mut dyn GroupValues,
        rows: &mut Vec<usize>,
    ) -> Result<()> {
        if self.all_new {
            return groups.intern(&[evaluate(key, column)?], rows);
        }
        let numbers = cast(column, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        if numbers.null_count() > 0 && self.null.is_none() {
            let mut ids = Vec::new();
            groups.intern(&[evaluate(key, &new_null_array(column.data_type(), 1))?], &mut ids)?;
            self.null = ids.first().map(|id| group(*id)).transpose()?;
        }
        let null = self.null.unwrap_or(UNSEEN) as usize;
        let known = self.known.get_or_insert_with(|| Known::new(key, column.data_type()));
        rows.clear();
        let mut fresh = Vec::new();
        let mut last: Option<Span> = None;
        let mut recent = Recent::default();
        let mut find = |number: i64| match last {
            Some(span) if span.has(number) => span.group(),
            _ => recent.group(number, || {
                last = known.find(number);
                last.map_or(UNSEEN, |span| span.group())
            }),
        };
        let mut note = |row: u32, found: u32| {
            if found == UNSEEN {
                fresh.push(row);
            }
            found as usize
        };
        match numbers.nulls() {
            None => rows.extend(numbers.values().iter().zip(0..).map(|(number, row)| note(row, find(*number)))),
            Some(_) => rows.extend(numbers.iter().zip(0..).map(|(number, row)| match number {
                Some(number) => note(row, find(number)),
                None => null,
            })),
        }
        if !fresh.is_empty() {
            self.meet(fresh, column, key, groups, rows)?;
        }
        Ok(())
    }

    /// Finds the groups of those rows, whose numbers are new.
    fn meet(
        &mut self,
        fresh: Vec<u32>,
        column: &ArrayRef,
        key: &Arc<dyn PhysicalExpr>,
        groups: &mut dyn GroupValues,
        rows: &mut [usize],
    ) -> Result<()> {
        let places = UInt32Array::from(fresh);
        let new = take(column, &places, None)?;
        let numbers = cast(&new, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>().values();
        let Some(known) = self.known.as_mut() else { return Ok(()) };
        if let (Known::Spans(_), Some(ends)) = (&*known, ends(numbers))
            && let Some(id) = one_group(&take(&new, &UInt32Array::from(ends.to_vec()), None)?, key, groups)?
        {
            // Moments that rise lie behind all that is known, and most are of the same day.
            places.values().iter().for_each(|row| rows[*row as usize] = id);
            let ends = ends.map(|end| numbers[end as usize]);
            known.learn(ends.into_iter().map(|number| Ok((number, group(id)?))).collect::<Result<_>>()?);
            return Ok(());
        }
        let made = evaluate(key, &new)?;
        if made.null_count() > 0 {
            known.end_spans();
        }
        let mut ids = Vec::with_capacity(places.len());
        groups.intern(&[made], &mut ids)?;
        let mut met = Vec::with_capacity(places.len());
        for ((row, number), id) in places.values().iter().zip(numbers).zip(ids) {
            rows[*row as usize] = id;
            met.push((*number, group(id)?));
        }
        if known.len() < KEPT_MAX {
            known.learn(met);
        } else if 2 * met.len() > rows.len() {
            self.forget();
            self.all_new = true;
        }
        Ok(())
    }

    /// Forgets all groups, which are not valid any more.
    pub(super) fn forget(&mut self) {
        if let Some(known) = &mut self.known {
            known.clear();
        }
        self.null = None;
    }

    pub(super) fn bytes(&self) -> usize {
        self.known.as_ref().map_or(0, Known::bytes)
    }
}

/// Groups of numbers that came up lately: days without a time repeat, in any order. A number drives out the one that was at
/// its place.
struct Recent([(i64, u32); Recent::PLACES]);

impl Default for Recent {
    fn default() -> Self {
        Self([(0, UNSEEN); Self::PLACES])
    }
}

impl Recent {
    const PLACES: usize = 256;

    /// The group of a number, or what `find` gives.
    #[inline]
    fn group(&mut self, number: i64, find: impl FnOnce() -> u32) -> u32 {
        // By the golden ratio: numbers that differ a little lie far apart.
        let mixed = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - Self::PLACES.ilog2());
        let place = &mut self.0[usize::try_from(mixed).unwrap_or(0)];
        if place.0 != number || place.1 == UNSEEN {
            *place = (number, find());
        }
        place.1
    }
}

/// The places of the smallest and of the greatest number, if there are more than these.
fn ends(numbers: &[i64]) -> Option<[u32; 2]> {
    let place = |found: Option<(usize, &i64)>| u32::try_from(found?.0).ok();
    let each = || numbers.iter().enumerate();
    let ends = [place(each().min_by_key(|(_, number)| **number))?, place(each().max_by_key(|(_, number)| **number))?];
    (numbers.len() > ends.len()).then_some(ends)
}

/// The group of all numbers of a column, if they have one and the same and it is not that of null.
fn one_group(column: &ArrayRef, key: &Arc<dyn PhysicalExpr>, groups: &mut dyn GroupValues) -> Result<Option<usize>> {
    let made = evaluate(key, column)?;
    if made.null_count() > 0 {
        return Ok(None);
    }
    let mut ids = Vec::with_capacity(column.len());
    groups.intern(&[made], &mut ids)?;
    Ok(ids.first().copied().filter(|first| ids.iter().all(|id| id == first)))
}

/// What the key makes of a column.
fn evaluate(key: &Arc<dyn PhysicalExpr>, column: &ArrayRef) -> Result<ArrayRef> {
    let schema = Schema::new(vec![Field::new("c", column.data_type().clone(), true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(column)])
        .map_err(|error| internal_datafusion_err!("{error}"))?;
    key.evaluate(&batch)?.into_array(batch.num_rows())
}
