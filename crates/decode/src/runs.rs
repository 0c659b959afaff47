//! Values that come several times in a row, each written once: what a child table repeats for the items of a list.

use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use crate::schema::RECORD_COLUMN;

/// The schema of batches of a child table, whose first columns are copies of its parent's.
pub(crate) fn in_runs(schema: &Schema, copied: usize) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(index, field)| {
        let is_repeated = index < copied || field.name() == RECORD_COLUMN;
        if is_repeated {
            Arc::new(field.as_ref().clone().with_data_type(runs_of(field.data_type())))
        } else {
            field.clone()
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()))
}

/// The type that [`RunArray::try_new`](arrow::array::RunArray::try_new) gives to values of this one.
fn runs_of(values: &DataType) -> DataType {
    let run_ends = Field::new("run_ends", DataType::Int32, false);
    DataType::RunEndEncoded(Arc::new(run_ends), Arc::new(Field::new("values", values.clone(), true)))
}

/// The batch with a value for each row in every column, as [`schemas`](crate::schemas) describes it.
pub fn written_out(batch: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match field.data_type() {
        DataType::RunEndEncoded(_, values) => {
            let column = cast(column, values.data_type()).expect("runs have the type of their values");
            (Arc::new(field.as_ref().clone().with_data_type(values.data_type().clone())), column)
        }
        _ => (Arc::clone(field), Arc::clone(column)),
    });
    let (fields, columns): (Vec<FieldRef>, Vec<_>) = columns.unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns are as long as before")
}
