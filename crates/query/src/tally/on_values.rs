//! Expressions over the values of a dictionary.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, DictionaryArray, RecordBatch, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

/// What an expression over one text column gives, evaluated once for each value of the dictionary that the column is.
///
/// The expression sees every value of the dictionary, also those of rows that a filter has left out. If it fails on one
/// of them, it is evaluated for the rows that are there, as it would have been without the dictionary.
#[derive(Debug)]
pub(super) struct OnValues {
    inner: Arc<dyn PhysicalExpr>,
    /// The one column that `inner` sees.
    schema: SchemaRef,
    /// The place of the column in the batches.
    position: usize,
    form: Form,
    results: Mutex<VecDeque<Known>>,
    null_stays_null: OnceLock<bool>,
    /// How many dictionaries are in use at a time.
    kept: usize,
}

/// In which form results are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A value for each row.
    Rows,
    /// A dictionary, or a value for each row where that is not possible.
    Dictionary,
}

/// The result for a dictionary; `None` if the expression fails on one of its values.
#[derive(Debug)]
struct Known {
    values: ArrayData,
    result: Option<ArrayRef>,
}

impl OnValues {
    /// `inner` sees one column, of that name, at place 0; in the batches it stands at `position`. As many as `readers`
    /// read different dictionaries at a time.
    pub(super) fn new(inner: Arc<dyn PhysicalExpr>, column: &str, position: usize, form: Form, readers: usize) -> Self {
        let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Utf8, true)]));
        // The last batch of a row group and the first of the next one may be of two dictionaries.
        let kept = readers * 2;
        Self { inner, schema, position, form, results: Mutex::default(), null_stays_null: OnceLock::new(), kept }
    }

    /// The results for all values, if they can be had.
    fn on_values(&self, values: &ArrayRef) -> Option<ArrayRef> {
        let data = values.to_data();
        let known = |results: &VecDeque<Known>| {
            let found = results.iter().find(|known| known.values.ptr_eq(&data))?;
            Some(found.result.clone())
        };
        if let Some(result) = known(&self.results.lock().unwrap_or_else(PoisonError::into_inner)) {
            return result;
        }
        let result = self.evaluate_inner(values).ok();
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = known(&results) {
            return result; // another reader of the same row group was faster; its result is in use
        }
        while results.len() >= self.kept {
            results.pop_front();
        }
        results.push_back(Known { values: data, result: result.clone() });
        result
    }

    fn evaluate_inner(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::clone(values)])?;
        self.inner.evaluate(&batch)?.into_array(values.len())
    }

    fn null_stays_null(&self) -> bool {
        *self.null_stays_null.get_or_init(|| {
            let result = self.evaluate_inner(&new_null_array(&DataType::Utf8, 1));
            result.is_ok_and(|result| result.is_null(0))
        })
    }
}

impl PhysicalExpr for OnValues {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        let plain = self.inner.data_type(&self.schema)?;
        Ok(match self.form {
            Form::Rows => plain,
            Form::Dictionary => DataType::Dictionary(Box::new(DataType::Int32), Box::new(plain)),
        })
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        self.inner.nullable(&self.schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let column = batch.column(self.position).as_dictionary_opt::<Int32Type>();
        let column = column.ok_or_else(|| internal_datafusion_err!("{self} was given no dictionary"))?;
        let keys = column.keys();
        let nulls_fit = keys.null_count() == 0 || self.null_stays_null();
        let array = match self.on_values(column.values()).filter(|_| nulls_fit) {
            Some(results) if self.form == Form::Dictionary => {
                Arc::new(DictionaryArray::try_new(keys.clone(), results)?) as ArrayRef
            }
            Some(results) => take(&results, keys, None)?,
            None => self.evaluate_inner(&take(column.values(), keys, None)?)?,
        };
        Ok(ColumnarValue::Array(array))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(self)
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

impl fmt::Display for OnValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on_values({})", self.inner)
    }
}

impl PartialEq for OnValues {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position && self.form == other.form && self.inner.eq(&other.inner)
    }
}

impl Eq for OnValues {}

impl Hash for OnValues {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.position.hash(state);
        self.form.hash(state);
        self.inner.hash(state);
    }
}
