//! One column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, PrimitiveArray, TimestampMicrosecondArray};
use arrow::compute::{cast, concat, filter, is_not_null};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::{Accumulator, AggregateUDF};

use super::bins::Bins;
use super::frequent::{Counted, Counters};
use super::sketch::{Digest, aggregate};
use super::{ColumnProfile, Count, Frequent, Lengths, QUANTILES, Quantiles};

/// What a column's values can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// Numbers.
    Number,
    /// Numbers that are exact.
    Decimal,
    /// Dates and timestamps: numbers without a mean that anybody wants.
    Moment,
    Text,
    List,
    /// Anything else that has an order.
    Other,
    /// Nothing but nulls can be counted.
    Opaque,
}

impl Nature {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 => Nature::Text,
            DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, _) => Nature::Moment,
            DataType::Decimal128(..) => Nature::Decimal,
            DataType::List(_) => Nature::List,
            DataType::Boolean | DataType::Binary => Nature::Other,
            number if number.is_integer() || number.is_floating() => Nature::Number,
            _ => Nature::Opaque,
        }
    }

    /// Whether it has a place on a line.
    fn is_measured(self) -> bool {
        matches!(self, Nature::Number | Nature::Decimal | Nature::Moment)
    }
}

/// Looks at the values of a column.
pub(super) struct ColumnProfiler {
    name: String,
    data_type: DataType,
    nature: Nature,
    frequent_count: usize,
    nulls: u64,
    values: u64,
    empty: u64,
    distinct: Option<Box<dyn Accumulator>>,
    min: Option<Box<dyn Accumulator>>,
    max: Option<Box<dyn Accumulator>>,
    mean: Option<Box<dyn Accumulator>>,
    counters: Option<Counters>,
    digest: Digest,
    bins: Bins,
    lengths: Option<LengthSums>,
    items: Option<Box<ColumnProfiler>>,
}

impl std::fmt::Debug for ColumnProfiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnProfiler").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
struct LengthSums {
    min: u64,
    max: u64,
    sum: u64,
}

impl LengthSums {
    const NONE: Self = Self { min: u64::MAX, max: 0, sum: 0 };

    #[inline]
    fn add(&mut self, length: usize) {
        let length = length as u64;
        self.min = self.min.min(length);
        self.max = self.max.max(length);
        self.sum += length;
    }
}

impl ColumnProfiler {
    pub(super) fn new(field: &Field, frequent: usize, keys: usize) -> Result<Self> {
        let data_type = plain(field.data_type());
        let nature = Nature::of(&data_type);
        let has_values = !matches!(nature, Nature::List | Nature::Opaque);
        let some = |wanted: bool, function: fn() -> Arc<AggregateUDF>, data_type: &DataType| {
            wanted.then(|| aggregate(function(), data_type)).transpose()
        };
        let items = match &data_type {
            DataType::List(item) => {
                Some(Box::new(Self::new(&item.as_ref().clone().with_name("items"), frequent, keys)?))
            }
            _ => None,
        };
        let mean_of = if nature == Nature::Decimal { data_type.clone() } else { DataType::Float64 };
        Ok(Self {
            name: field.name().clone(),
            nature,
            frequent_count: frequent,
            nulls: 0,
            values: 0,
            empty: 0,
            distinct: some(has_values, approx_distinct_udaf, &hashed(&data_type))?,
            min: some(has_values, min_udaf, &data_type)?,
            max: some(has_values, max_udaf, &data_type)?,
            mean: some(matches!(nature, Nature::Number | Nature::Decimal), avg_udaf, &mean_of)?,
            counters: has_values.then(|| Counters::new(&data_type, keys)).transpose()?,
            digest: Digest::new(),
            bins: Bins::new(),
            lengths: matches!(nature, Nature::Text | Nature::List).then_some(LengthSums::NONE),
            items,
            data_type,
        })
    }

    pub(super) fn update(&mut self, array: &ArrayRef) -> Result<()> {
        let array =
            if array.data_type() == &self.data_type { Arc::clone(array) } else { cast(array, &self.data_type)? };
        let nulls = array.logical_null_count() as u64;
        self.nulls += nulls;
        self.values += array.len() as u64 - nulls;
        match self.nature {
            Nature::Opaque => return Ok(()),
            Nature::List => return self.update_list(&array),
            Nature::Text => self.update_text(&array),
            Nature::Number | Nature::Decimal | Nature::Moment => self.update_measure(&array)?,
            Nature::Other => {}
        }
        if let Some(distinct) = &mut self.distinct {
            let hashed = match array.as_primitive_opt::<Float64Type>() {
                Some(floats) => {
                    Arc::new(floats.unary::<_, Int64Type>(|float| i64::from_ne_bytes(float.to_ne_bytes()))) as ArrayRef
                }
                None => Arc::clone(&array),
            };
            distinct.update_batch(&[hashed])?;
        }
        for bound in [&mut self.min, &mut self.max].into_iter().flatten() {
            bound.update_batch(std::slice::from_ref(&array))?;
        }
        if let Some(counters) = &mut self.counters {
            counters.update(&array)?;
        }
        Ok(())
    }

    fn update_text(&mut self, array: &ArrayRef) {
        for text in array.as_string::<i32>().iter().flatten() {
            self.empty += u64::from(text.is_empty());
            if let Some(lengths) = &mut self.lengths {
                lengths.add(text.chars().count());
            }
        }
    }

    fn update_list(&mut self, array: &ArrayRef) -> Result<()> {
        let lists = array.as_list::<i32>();
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            let length = usize::try_from(lists.value_length(row)).unwrap_or(0);
            self.empty += u64::from(length == 0);
            if let Some(lengths) = &mut self.lengths {
                lengths.add(length);
            }
        }
        // What lies behind a null list is nobody's item.
        let lists = filter(lists, &is_not_null(lists)?)?;
        let lists = lists.as_list::<i32>();
        let (Some(first), Some(last)) = (lists.offsets().first(), lists.offsets().last()) else { return Ok(()) };
        let (first, last) = (usize::try_from(*first).unwrap_or(0), usize::try_from(*last).unwrap_or(0));
        match &mut self.items {
            Some(items) => items.update(&lists.values().slice(first, last - first)),
            None => Ok(()),
        }
    }

    /// What has a place on a line goes into digest, bins and mean.
    fn update_measure(&mut self, array: &ArrayRef) -> Result<()> {
        let numbers = self.as_floats(array)?;
        if let Some(mean) = &mut self.mean {
            let exact = self.nature == Nature::Decimal;
            mean.update_batch(&[if exact { Arc::clone(array) } else { Arc::new(numbers.clone()) as ArrayRef }])?;
        }
        let finite: Float64Array = numbers.iter().flatten().filter(|number| number.is_finite()).map(Some).collect();
        finite.values().iter().for_each(|number| self.bins.add(*number));
        self.digest.update(&finite)
    }

    fn as_floats(&self, array: &ArrayRef) -> Result<Float64Array> {
        let numbers = match self.data_type {
            DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Float64)?,
            DataType::Timestamp(..) => cast(&cast(array, &DataType::Int64)?, &DataType::Float64)?,
            _ => cast(array, &DataType::Float64)?,
        };
        Ok(numbers.as_primitive::<Float64Type>().clone())
    }

    pub(super) fn finish(mut self) -> Result<ColumnProfile> {
        let counted = self.counters.take().map(Counters::finish);
        let bounds = self.bounds()?;
        let quantiles = self.quantiles(counted.as_ref())?;
        let histogram = match &bounds {
            Some(bounds) if self.nature.is_measured() => self.histogram(bounds)?,
            _ => None,
        };
        let nothing = || Frequent {
            values: arrow::array::new_empty_array(&self.data_type),
            counts: Vec::new(),
            exact: true,
            cut: Vec::new(),
        };
        let frequent = match &counted {
            Some(counted) => counted.frequent(self.frequent_count)?,
            None => nothing(),
        };
        let mean = match &mut self.mean {
            Some(mean) => {
                Some(mean.evaluate()?).filter(|mean| !mean.is_null()).map(|mean| mean.to_array()).transpose()?
            }
            None => None,
        };
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let lengths = self.lengths.filter(|_| self.values > 0).map(|LengthSums { min, max, sum }| Lengths {
            min,
            max,
            mean: sum as f64 / self.values as f64,
        });
        Ok(ColumnProfile {
            distinct: self.distinct(counted.as_ref())?,
            name: self.name,
            data_type: self.data_type,
            nulls: self.nulls,
            values: self.values,
            empty: self.empty,
            bounds,
            mean,
            quantiles,
            frequent,
            histogram,
            lengths,
            items: self.items.map(|items| items.finish().map(Box::new)).transpose()?,
        })
    }

    fn distinct(&mut self, counted: Option<&Counted>) -> Result<Count> {
        if let Some(count) = counted.and_then(Counted::distinct) {
            return Ok(Count { count, exact: true });
        }
        let estimate = match &mut self.distinct {
            Some(distinct) => distinct.evaluate()?,
            None => return Ok(Count { count: 0, exact: false }),
        };
        // An estimate may be a little above what can be.
        let count = if let ScalarValue::UInt64(Some(count)) = estimate { count.min(self.values) } else { 0 };
        Ok(Count { count, exact: false })
    }

    fn bounds(&mut self) -> Result<Option<ArrayRef>> {
        let (Some(min), Some(max)) = (&mut self.min, &mut self.max) else { return Ok(None) };
        let (min, max) = (min.evaluate()?, max.evaluate()?);
        if min.is_null() {
            return Ok(None);
        }
        let both = [min.to_array()?, max.to_array()?];
        Ok(Some(concat(&[both[0].as_ref(), both[1].as_ref()])?))
    }

    fn quantiles(&mut self, counted: Option<&Counted>) -> Result<Option<Quantiles>> {
        if !self.nature.is_measured() {
            return Ok(None);
        }
        if let Some(values) = counted.map(|counted| counted.quantiles(&QUANTILES)).transpose()?.flatten() {
            return Ok(Some(Quantiles { values, exact: true }));
        }
        let digest = std::mem::replace(&mut self.digest, Digest::new());
        let Some(numbers) = digest.quantiles()? else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "between values of the column")]
        let whole = || numbers.map(|number| number.round() as i64);
        let values: ArrayRef = match &self.data_type {
            DataType::Date32 => {
                Arc::new(Date32Array::from(whole().map(|day| i32::try_from(day).unwrap_or_default()).to_vec()))
            }
            DataType::Timestamp(_, zone) => {
                let micros: TimestampMicrosecondArray = PrimitiveArray::from_iter_values(whole());
                Arc::new(micros.with_timezone_opt(zone.clone()))
            }
            _ => Arc::new(Float64Array::from(numbers.to_vec())),
        };
        Ok(Some(Quantiles { values, exact: false }))
    }

    /// Parts of the same width, with whole numbers in the middle of theirs if there are few.
    fn histogram(&self, bounds: &ArrayRef) -> Result<Option<Vec<u64>>> {
        let ends = self.as_floats(bounds)?;
        let (from, to) = (ends.value(0), ends.value(1));
        if !(from.is_finite() && to.is_finite()) {
            return Ok(None);
        }
        let is_whole = self.data_type.is_integer() || self.data_type == DataType::Date32;
        if is_whole && to - from < PARTS_WIDE {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fewer than the parts")]
            let parts = (to - from) as usize + 1;
            return Ok(Some(self.bins.histogram(from - 0.5, to + 0.5, parts)));
        }
        Ok(Some(self.bins.histogram(from, to, PARTS)))
    }
}

/// Parts of a histogram.
const PARTS: usize = 32;
const PARTS_WIDE: f64 = 32.0;

/// The type that a column is looked at in: one for all texts, one for all moments of a kind.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, value) => plain(value),
        DataType::LargeList(item) => DataType::List(Arc::clone(item)),
        other => other.clone(),
    }
}

/// DataFusion estimates the number of floats by their bits.
fn hashed(data_type: &DataType) -> DataType {
    if data_type == &DataType::Float64 { DataType::Int64 } else { data_type.clone() }
}
