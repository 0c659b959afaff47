//! DataFusion's aggregates, fed by hand.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::approx_percentile_cont::ApproxPercentileAccumulator;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::Column;

use super::QUANTILES;

/// `function` over one column of that type.
pub(super) fn aggregate(function: Arc<AggregateUDF>, data_type: &DataType) -> Result<Box<dyn Accumulator>> {
    let schema = Arc::new(Schema::new(vec![Field::new("value", data_type.clone(), true)]));
    let value = Arc::new(Column::new("value", 0));
    let built = AggregateExprBuilder::new(function, vec![value]).schema(schema).alias("value").build()?;
    built.create_accumulator()
}

/// Centroids of a digest: twice DataFusion's default, for quantiles that are some hundredths of a percent off.
const CENTROIDS: usize = 200;

/// All quantiles from one digest: DataFusion's own aggregate has a digest for each.
#[derive(Debug)]
pub(super) struct Digest {
    inner: ApproxPercentileAccumulator,
    is_empty: bool,
}

impl Digest {
    pub(super) fn new() -> Self {
        Self { inner: digest(0.5), is_empty: true }
    }

    /// Adds numbers that are neither null nor NaN.
    pub(super) fn update(&mut self, values: &Float64Array) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        self.is_empty = false;
        self.inner.update_batch(&[Arc::new(values.clone()) as ArrayRef])
    }

    /// [`QUANTILES`], if there was any value.
    pub(super) fn quantiles(mut self) -> Result<Option<[f64; QUANTILES.len()]>> {
        if self.is_empty {
            return Ok(None);
        }
        let state = self.inner.state()?;
        let state: Vec<ArrayRef> = state.iter().map(ScalarValue::to_array).collect::<Result<_>>()?;
        let mut found = [0.0; QUANTILES.len()];
        for (value, quantile) in found.iter_mut().zip(QUANTILES) {
            let mut one = digest(quantile);
            one.merge_batch(&state)?;
            *value = one.evaluate()?.to_array()?.as_primitive::<Float64Type>().value(0);
        }
        Ok(Some(found))
    }
}

fn digest(quantile: f64) -> ApproxPercentileAccumulator {
    ApproxPercentileAccumulator::new_with_max_size(quantile, DataType::Float64, CENTROIDS)
}
