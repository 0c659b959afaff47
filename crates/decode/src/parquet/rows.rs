//! A batch of rows, taken apart into the tables of the contract.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, StructArray, UInt32Array, make_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, concat, filter, take};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use stillhouse_spec::Contract;

use super::mapping::{Mapping, Way};

/// The rows of one table that stand in a batch.
pub(super) struct Level {
    /// The fields of the rows.
    pub(super) fields: StructArray,
    /// For each row the row of the table that it is inside; empty for the parent.
    pub(super) outer: Vec<u32>,
    /// Which of the table's places it stands at.
    pub(super) places: Vec<u32>,
    /// For each row the row of the batch.
    pub(super) records: Vec<u32>,
}

impl Level {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}

/// The rows of every table: the parent's, then those of the nested ones.
pub(super) fn levels(batch: &RecordBatch, contract: &Contract, mapping: &Mapping) -> Result<Vec<Level>, ArrowError> {
    let count = u32::try_from(batch.num_rows()).map_err(|error| ArrowError::ComputeError(error.to_string()))?;
    let fields = match batch.num_columns() {
        0 => StructArray::new_empty_fields(batch.num_rows(), None),
        _ => StructArray::from(batch.clone()),
    };
    let mut levels = vec![Level { fields, outer: Vec::new(), places: Vec::new(), records: (0..count).collect() }];
    for (nested, ways) in contract.nested.iter().zip(&mapping.places) {
        let mut parts = Vec::new();
        for (number, (place, way)) in nested.places.iter().zip(ways).enumerate() {
            let (Some(way), Some(level)) = (way, levels.get(place.inside.table())) else { continue };
            parts.push(items(level, way, u32::try_from(number).unwrap_or(0))?);
        }
        levels.push(together(parts)?);
    }
    Ok(levels)
}

/// The items of the lists at the end of a way.
fn items(level: &Level, way: &Way, place: u32) -> Result<Level, ArrowError> {
    let lists = at(&level.fields, way)?;
    let lists = cast_list(&lists)?;
    let mut taken = Vec::new();
    let (mut outer, mut records) = (Vec::new(), Vec::new());
    for row in 0..lists.len() {
        if lists.is_null(row) {
            continue;
        }
        let range = lists.value_offsets()[row]..lists.value_offsets()[row + 1];
        for item in range {
            taken.push(u32::try_from(item).unwrap_or(0));
            outer.push(u32::try_from(row).unwrap_or(0));
            records.push(level.records[row]);
        }
    }
    let values = take(lists.values(), &UInt32Array::from(taken), None)?;
    let fields = match values.data_type() {
        DataType::Struct(_) => values.as_struct().clone(),
        other => {
            let field = Field::new("item", other.clone(), true);
            StructArray::try_new(vec![field].into(), vec![Arc::clone(&values)], None)?
        }
    };
    let places = vec![place; records.len()];
    Ok(Level { fields, outer, places, records })
}

fn cast_list(lists: &ArrayRef) -> Result<ListArray, ArrowError> {
    match lists.data_type() {
        DataType::List(_) => Ok(lists.as_list::<i32>().clone()),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Ok(cast(lists, &DataType::List(Arc::clone(item)))?.as_list::<i32>().clone())
        }
        other => Err(ArrowError::SchemaError(format!("expected a list, found {other}"))),
    }
}

/// Rows of several places as those of one table, by records.
fn together(mut parts: Vec<Level>) -> Result<Level, ArrowError> {
    let Some(last) = parts.pop() else {
        let fields = StructArray::new_empty_fields(0, None);
        return Ok(Level { fields, outer: Vec::new(), places: Vec::new(), records: Vec::new() });
    };
    if parts.is_empty() {
        return Ok(last);
    }
    parts.push(last);
    let arrays: Vec<&dyn Array> = parts.iter().map(|part| &part.fields as &dyn Array).collect();
    let fields = concat(&arrays)?;
    let flat =
        |of: fn(&Level) -> &Vec<u32>| parts.iter().flat_map(|part| of(part).iter().copied()).collect::<Vec<u32>>();
    let (outer, places, records) = (flat(|part| &part.outer), flat(|part| &part.places), flat(|part| &part.records));
    let mut order: Vec<u32> = (0..u32::try_from(records.len()).unwrap_or(0)).collect();
    order.sort_by_key(|row| records[*row as usize]);
    let sorted = |values: &[u32]| order.iter().map(|row| values[*row as usize]).collect();
    let (outer, places, records) = (sorted(&outer), sorted(&places), sorted(&records));
    let fields = take(&fields, &UInt32Array::from(order), None)?.as_struct().clone();
    Ok(Level { fields, outer, places, records })
}

/// The values at the end of a way; null where something on the way is.
pub(super) fn at(fields: &StructArray, way: &Way) -> Result<ArrayRef, ArrowError> {
    let Some((first, rest)) = way.split_first() else { return Ok(Arc::clone(fields.column(0))) };
    let mut nulls = fields.nulls().cloned();
    let mut values = Arc::clone(fields.column(*first));
    for number in rest {
        nulls = NullBuffer::union(nulls.as_ref(), values.nulls());
        let inner = Arc::clone(values.as_struct().column(*number));
        values = inner;
    }
    match nulls {
        None => Ok(values),
        Some(nulls) => {
            let all = NullBuffer::union(Some(&nulls), values.nulls());
            Ok(make_array(values.to_data().into_builder().nulls(all).build()?))
        }
    }
}

/// The rows of these numbers, of each of the arrays.
pub(super) fn kept(arrays: &[ArrayRef], mask: Option<&BooleanArray>) -> Result<Vec<ArrayRef>, ArrowError> {
    let one = |array: &ArrayRef| mask.map_or_else(|| Ok(Arc::clone(array)), |mask| filter(array, mask));
    arrays.iter().map(one).collect()
}

/// A mask of rows whose record is not among these.
pub(super) fn mask<T>(records: &[u32], gone: &BTreeMap<usize, T>) -> Option<BooleanArray> {
    let is_kept = |record: &u32| Some(!gone.contains_key(&(*record as usize)));
    (!gone.is_empty()).then(|| records.iter().map(is_kept).collect())
}
