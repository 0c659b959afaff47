//! The groups of numbers, as far as they are known.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{HashMap, Result};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

/// Which group a number is of.
#[derive(Debug)]
pub(super) enum Known {
    /// Each number by itself.
    Each(HashMap<i64, u32>),
    /// The key never falls where numbers rise, as the day of a moment does: what lies between two numbers of a group is of
    /// that group, too. In the order of the numbers; they do not overlap.
    Spans(Vec<Span>),
}

/// From the first to the last number that was seen of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    first: i64,
    last: i64,
    group: u32,
}

impl Span {
    /// One of a single number.
    pub(super) fn of(number: i64, group: u32) -> Self {
        Self { first: number, last: number, group }
    }

    #[inline]
    pub(super) fn has(&self, number: i64) -> bool {
        self.first <= number && number <= self.last
    }

    pub(super) fn group(&self) -> u32 {
        self.group
    }
}

impl Known {
    /// Nothing yet, for a key that is a function of one number.
    pub(super) fn new(key: &Arc<dyn PhysicalExpr>, column: &DataType) -> Self {
        if never_falls(key, column) { Self::Spans(Vec::new()) } else { Self::Each(HashMap::default()) }
    }

    /// What is known of the number, and of others beside it.
    #[inline]
    pub(super) fn find(&self, number: i64) -> Option<Span> {
        match self {
            Self::Each(groups) => groups.get(&number).map(|group| Span::of(number, *group)),
            Self::Spans(spans) => {
                let place = spans.partition_point(|span| span.first <= number).checked_sub(1)?;
                spans.get(place).filter(|span| span.has(number)).copied()
            }
        }
    }

    /// Learns of which groups these numbers are.
    pub(super) fn learn(&mut self, numbers: Vec<(i64, u32)>) {
        match self {
            Self::Each(groups) => groups.extend(numbers),
            Self::Spans(spans) => {
                spans.extend(numbers.into_iter().map(|(number, group)| Span::of(number, group)));
                // What was known is in order already.
                spans.sort_by_key(|span| span.first);
                spans.dedup_by(|next, before| {
                    let same = next.group == before.group;
                    if same {
                        before.last = before.last.max(next.last);
                    }
                    same
                });
            }
        }
    }

    /// To be called when the key makes null of a number: it may do so at both ends of what it can compute.
    pub(super) fn end_spans(&mut self) {
        if matches!(self, Self::Spans(_)) {
            *self = Self::Each(HashMap::default());
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Each(groups) => groups.len(),
            Self::Spans(spans) => spans.len(),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Each(groups) => groups.clear(),
            Self::Spans(spans) => spans.clear(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Each(groups) => groups.allocation_size(),
            Self::Spans(spans) => spans.capacity() * size_of::<Span>(),
        }
    }
}

/// Whether the key never falls where the numbers of its column rise: casts and functions of which DataFusion says so. It
/// says so of some that do: a cast to the time of a day, and days in a zone where clocks are put back over midnight.
fn never_falls(key: &Arc<dyn PhysicalExpr>, column: &DataType) -> bool {
    let schema = Schema::new(vec![Field::new("c", column.clone(), true)]);
    let order = properties(key, &schema).map(|properties| properties.sort_properties);
    matches!(order, Ok(SortProperties::Ordered(options)) if !options.descending)
}

fn properties(part: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<ExprProperties> {
    let kind = part.data_type(schema)?;
    let in_order = match &kind {
        DataType::Time32(_) | DataType::Time64(_) => false,
        DataType::Timestamp(_, Some(zone)) => matches!(zone.as_ref(), "UTC" | "Z" | "+00:00"),
        _ => true,
    };
    let known = part.is::<Literal>() || part.is::<CastExpr>() || part.is::<ScalarFunctionExpr>();
    if part.is::<Column>() && in_order {
        let order = SortOptions { descending: false, nulls_first: true };
        let range = Interval::make_unbounded(&kind)?;
        return Ok(ExprProperties::new_unknown().with_order(SortProperties::Ordered(order)).with_range(range));
    }
    if !known || !in_order {
        return Ok(ExprProperties::new_unknown().with_range(Interval::make_unbounded(&kind)?));
    }
    let children = part.children().into_iter().map(|child| properties(child, schema)).collect::<Result<Vec<_>>>()?;
    part.get_properties(&children)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(known: &Known, number: i64) -> Option<u32> {
        known.find(number).map(|span| span.group())
    }

    #[test]
    fn what_lies_between_two_numbers_of_a_group_is_of_it() {
        let mut known = Known::Spans(Vec::new());
        known.learn(vec![(30, 1), (10, 0), (12, 0)]);
        known.learn(vec![(19, 0), (20, 1)]);
        assert_eq!(known.len(), 2);
        assert_eq!([9, 10, 15, 19].map(|number| group(&known, number)), [None, Some(0), Some(0), Some(0)]);
        assert_eq!([20, 25, 30, 31].map(|number| group(&known, number)), [Some(1), Some(1), Some(1), None]);
    }

    /// The day of what is before all days, and of what is behind them, is null.
    #[test]
    fn a_key_that_makes_null_has_no_spans() {
        let mut known = Known::Spans(Vec::new());
        known.end_spans();
        known.learn(vec![(i64::MIN, 0), (i64::MAX, 0)]);
        assert_eq!([i64::MIN, 5, i64::MAX].map(|number| group(&known, number)), [Some(0), None, Some(0)]);
    }
}
