//! Columns: those of the lake's own tables, the lineage columns, and what they are called in Delta.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanArray, Int32Array, Int64Array, RecordBatch, RunArray, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use deltalake_core::kernel::StructType;
use deltalake_core::kernel::engine::arrow_conversion::{TryIntoArrow as _, TryIntoKernel as _};
use stillhouse_spec::RejectPlace;

use crate::error::Error;

/// Microseconds, UTC: the only instant that every Delta reader knows.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn fields(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> = columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

/// The columns of `_receipts`.
pub fn receipts_schema() -> SchemaRef {
    use DataType::{Int64, Utf8};
    fields(&[
        ("kind", Utf8),
        ("source", Utf8),
        ("key", Utf8),
        ("member", Utf8),
        ("etag", Utf8),
        ("size", Int64),
        ("digest", Utf8),
        ("key_number", Int64),
        ("generation", Int64),
        ("revision", Int64),
        ("seq", Int64),
        ("epoch", Int64),
        ("ledger_id", Utf8),
        ("batch", Utf8),
        ("vector", Utf8),
        ("read", Int64),
        ("loaded", Int64),
        ("quarantined", Int64),
        ("filtered", Int64),
        ("blank", Int64),
        ("committed_at", timestamp()),
        ("receipt", Utf8),
    ])
}

/// The columns of `_runs`.
pub fn runs_schema() -> SchemaRef {
    use DataType::{Int64, Utf8};
    fields(&[
        ("run_id", Utf8),
        ("report", Utf8),
        ("period", Utf8),
        ("completeness", Utf8),
        ("fingerprint", Utf8),
        ("snapshot_seq", Int64),
        ("tables", Utf8),
        ("inputs", Utf8),
        ("result_path", Utf8),
        ("result_digest", Utf8),
        ("started_at", timestamp()),
        ("finished_at", timestamp()),
        ("detail", Utf8),
    ])
}

/// The columns of `_quarantine`.
pub fn quarantine_schema() -> SchemaRef {
    use DataType::{Binary, Boolean, Int64, Utf8};
    fields(&[
        ("source", Utf8),
        ("key", Utf8),
        ("member", Utf8),
        ("_object", Int64),
        ("_record", Int64),
        ("line", Int64),
        ("offset", Int64),
        ("bytes", Int64),
        ("column", Utf8),
        ("reason", Utf8),
        ("expected", Utf8),
        ("found", Utf8),
        ("pii", Boolean),
        ("raw", Binary),
        ("_ingested_at", timestamp()),
        ("part", Utf8),
    ])
}

/// One refused record.
#[derive(Debug, Clone)]
pub struct QuarantineRow {
    /// Where it stands and why it was refused.
    pub place: RejectPlace,
    /// Its bytes; `None` above the limit of a record.
    pub raw: Option<Vec<u8>>,
    /// Whether its column (or, without one, any column) holds personal data.
    pub pii: bool,
}

/// Refused records of one object as rows of `_quarantine`.
pub fn quarantine_batch(
    (source, key, member): (&str, &str, &str),
    object: i64,
    ingested_at: i64,
    rows: &[QuarantineRow],
) -> Result<RecordBatch, Error> {
    let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(|_| text))) };
    let text = |of: fn(&RejectPlace) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(&row.place)).collect::<StringArray>())
    };
    let number = |of: fn(&RejectPlace) -> u64| -> ArrayRef {
        let value = |row: &QuarantineRow| i64::try_from(of(&row.place)).unwrap_or(i64::MAX);
        Arc::new(rows.iter().map(value).collect::<Int64Array>())
    };
    let mut raw = BinaryBuilder::new();
    for row in rows {
        raw.append_option(row.raw.as_deref());
    }
    let columns: Vec<ArrayRef> = vec![
        same(source),
        same(key),
        same(member),
        Arc::new(Int64Array::from_value(object, rows.len())),
        number(|place| place.record),
        number(|place| place.line),
        number(|place| place.offset),
        number(|place| place.bytes),
        text(|place| place.column.as_deref()),
        text(|place| Some(&place.reason)),
        text(|place| Some(&place.expected)),
        text(|place| Some(&place.found)),
        Arc::new(rows.iter().map(|row| Some(row.pii)).collect::<BooleanArray>()),
        Arc::new(raw.finish()),
        instants(ingested_at, rows.len()),
        text(|place| Some(place.part.as_str()).filter(|part| !part.is_empty())),
    ];
    RecordBatch::try_new(quarantine_schema(), columns).map_err(|e| Error::bug("rows of `_quarantine`").caused_by(e))
}

fn instants(at: i64, rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_value(at, rows).with_timezone("UTC"))
}

/// The columns of a contract table in the lake: those that the decoder gives (contract columns, `_record`, on child
/// tables `_item`), with `_object` before `_record` and `_ingested_at` at the end.
pub fn with_lineage_schema(decoded: &Schema) -> SchemaRef {
    let mut fields: Vec<Field> =
        decoded.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let place = object_place(decoded);
    fields.insert(place, Field::new("_object", DataType::Int64, true));
    fields.push(Field::new("_ingested_at", timestamp(), true));
    Arc::new(Schema::new(fields))
}

/// Rows of one object with their lineage columns, which come as one run; `schema` is what [`with_lineage_schema`] made, and
/// columns of the rows may come as runs of its types.
pub fn with_lineage(
    schema: &SchemaRef,
    batch: &RecordBatch,
    object: i64,
    ingested_at: i64,
) -> Result<RecordBatch, Error> {
    let mut columns = batch.columns().to_vec();
    let place = object_place(batch.schema_ref());
    columns.insert(place, one_run(&Int64Array::from_value(object, 1), batch.num_rows())?);
    columns.push(one_run(&instants(ingested_at, 1), batch.num_rows())?);
    let fields = schema.fields().iter().zip(&columns);
    let fields = fields.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
        .map_err(|e| Error::bug("decoded rows do not have the columns of their table").caused_by(e))
}

/// One value for all rows.
fn one_run(value: &dyn Array, rows: usize) -> Result<ArrayRef, Error> {
    let end = i32::try_from(rows).map_err(|_| Error::bug("more rows in a batch than a run can have"))?;
    let (ends, value) = if end == 0 { (Vec::new(), value.slice(0, 0)) } else { (vec![end], value.slice(0, 1)) };
    let run = RunArray::<Int32Type>::try_new(&Int32Array::from(ends), &value);
    Ok(Arc::new(run.map_err(|e| Error::bug("one value for all rows").caused_by(e))?))
}

fn object_place(decoded: &Schema) -> usize {
    decoded.index_of("_record").unwrap_or(decoded.fields().len())
}

/// The Delta schema (JSON text) of these columns. All of them are nullable: that a column is required is the
/// contract's matter, and a column that is added later has no values in older files.
pub fn delta_schema(schema: &Schema) -> Result<String, Error> {
    let fields: Vec<Field> = schema.fields().iter().map(|field| in_delta(field)).collect();
    for (index, field) in fields.iter().enumerate() {
        let name = field.name();
        if let Some(twice) = fields[..index].iter().find(|known| known.name().eq_ignore_ascii_case(name)) {
            let message = format!("expected columns with different names, found `{}` and `{name}`", twice.name());
            return Err(Error::fix_data(message)
                .hint("names that differ only in case are one column to Delta; rename one of them"));
        }
    }
    let kernel: StructType = (&Schema::new(fields))
        .try_into_kernel()
        .map_err(|e| Error::bug(format!("columns that Delta does not know: {e}")).caused_by(e))?;
    serde_json::to_string(&kernel).map_err(|e| Error::bug("Delta schema: not writable").caused_by(e))
}

/// The field as the table has it: nullable all through, texts of one kind, items called as Delta calls them.
fn in_delta(field: &Field) -> Field {
    let kind = match field.data_type() {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::List(item) => DataType::List(Arc::new(in_delta(item).with_name("element"))),
        other => other.clone(),
    };
    Field::new(field.name(), kind, true)
}

/// The columns of a Delta schema.
pub fn arrow_schema(delta: &str) -> Result<SchemaRef, Error> {
    let kernel: StructType = serde_json::from_str(delta)
        .map_err(|e| Error::fix_data(format!("Delta schema: not readable: {e}")).caused_by(e))?;
    let schema: Schema = (&kernel)
        .try_into_arrow()
        .map_err(|e| Error::fix_data(format!("Delta schema: a type that is not known here: {e}")).caused_by(e))?;
    let fields: Vec<Field> = schema.fields().iter().map(|field| in_delta(field)).collect();
    Ok(Arc::new(Schema::new(fields)))
}
