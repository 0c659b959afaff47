//! The groups of numbers and moments of which there are few different ones.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::common::{HashMap, Result, internal_datafusion_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::group_values::GroupValues;

use super::codes::{UNSEEN, group};

/// Numbers that came up, with the groups of what the key makes of them: the day of a moment is computed once for each
/// different moment, which pays where they are days already.
#[derive(Default)]
pub(super) struct Numbers {
    groups: HashMap<i64, u32>,
    null: Option<u32>,
    /// There are too many different ones: the key is computed for each row.
    too_many: bool,
}

/// More different numbers are not kept.
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
        if self.too_many {
            return groups.intern(&[evaluate(key, column)?], rows);
        }
        let numbers = cast(column, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        self.meet(numbers.iter(), column, key, groups)?;
        rows.clear();
        let null = self.null.unwrap_or(UNSEEN) as usize;
        match numbers.nulls() {
            None => {
                let mut last = (0, UNSEEN);
                rows.extend(numbers.values().iter().map(|number| {
                    if last.1 == UNSEEN || last.0 != *number {
                        last = (*number, self.groups[number]);
                    }
                    last.1 as usize
                }));
            }
            Some(_) => {
                let group = |number: Option<i64>| number.map_or(null, |number| self.groups[&number] as usize);
                rows.extend(numbers.iter().map(group));
            }
        }
        if self.groups.len() > KEPT_MAX {
            self.forget();
            self.too_many = true;
        }
        Ok(())
    }

    /// Makes groups of the numbers that come up for the first time.
    fn meet(
        &mut self,
        numbers: impl Iterator<Item = Option<i64>>,
        column: &ArrayRef,
        key: &Arc<dyn PhysicalExpr>,
        groups: &mut dyn GroupValues,
    ) -> Result<()> {
        let mut fresh: Vec<(Option<i64>, u32)> = Vec::new();
        for (number, row) in numbers.zip(0_u32..) {
            match number {
                Some(number) => {
                    self.groups.entry(number).or_insert_with(|| {
                        fresh.push((Some(number), row));
                        UNSEEN
                    });
                }
                None if self.null.is_none() => {
                    fresh.push((None, row));
                    self.null = Some(UNSEEN);
                }
                None => {}
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let places = UInt32Array::from_iter_values(fresh.iter().map(|(_, row)| *row));
        let mut ids = Vec::with_capacity(fresh.len());
        groups.intern(&[evaluate(key, &take(column, &places, None)?)?], &mut ids)?;
        for ((number, _), id) in fresh.into_iter().zip(ids) {
            match number {
                Some(number) => _ = self.groups.insert(number, group(id)?),
                None => self.null = Some(group(id)?),
            }
        }
        Ok(())
    }

    /// Forgets all groups, which are not valid any more.
    pub(super) fn forget(&mut self) {
        self.groups.clear();
        self.null = None;
    }

    pub(super) fn bytes(&self) -> usize {
        self.groups.allocation_size()
    }
}

/// What the key makes of a column.
fn evaluate(key: &Arc<dyn PhysicalExpr>, column: &ArrayRef) -> Result<ArrayRef> {
    let schema = Schema::new(vec![Field::new("c", column.data_type().clone(), true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(column)])
        .map_err(|error| internal_datafusion_err!("{error}"))?;
    key.evaluate(&batch)?.into_array(batch.num_rows())
}
