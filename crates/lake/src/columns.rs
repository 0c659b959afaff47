//! What the columns of a batch do to those of its table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::manifest::{Manifest, ManifestKind, TableChange};
use crate::replace::{Gone, Touch};
use crate::schema::arrow_schema;
use crate::state::TableState;

/// A column that gets another type; types in the words of contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeChange {
    /// Its name.
    pub column: String,
    /// What it was.
    pub from: String,
    /// What it becomes.
    pub to: String,
}

/// What becomes of the rows that a table has when a batch comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OldRows {
    /// Some stay, so their columns keep their types.
    Stay,
    /// None stays.
    Go,
}

/// What a batch does to the columns of a table: `None`, nothing; else the table's new Delta schema. New columns come at the
/// end, columns that the batch lacks stay empty. A type may change only when no row of before stays, because a column of
/// a Delta table has one type.
pub(crate) async fn columns(
    store: &Arc<dyn ObjectStore>,
    state: &TableState,
    manifest: &Manifest,
    change: &TableChange,
) -> Result<Option<String>, Error> {
    match state.columns_with(&change.schema, OldRows::Stay) {
        Err(_) if empties(store, state, manifest).await? => state.columns_with(&change.schema, OldRows::Go),
        columns => columns,
    }
}

/// Whether a batch takes every row out that the table has now.
async fn empties(store: &Arc<dyn ObjectStore>, state: &TableState, manifest: &Manifest) -> Result<bool, Error> {
    if manifest.kind != ManifestKind::Load {
        return Ok(false);
    }
    let gone = Gone::of_members(manifest);
    for file in state.files.values() {
        if gone.touch(store, &state.table, file).await? != Touch::All {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The columns that both have, in different types.
pub(crate) fn type_changes(existing: &Schema, new: &Schema) -> Vec<TypeChange> {
    let changes = new.fields().iter().filter_map(|field| {
        let known = existing.fields().iter().find(|known| known.name() == field.name())?;
        let (from, to) = (type_name(known.data_type()), type_name(field.data_type()));
        (known.data_type() != field.data_type()).then(|| TypeChange { column: field.name().clone(), from, to })
    });
    changes.collect()
}

/// See [`columns`].
pub(crate) fn merge_schema(
    table: &str,
    existing: &Schema,
    existing_delta: &str,
    change_delta: &str,
    old_rows: OldRows,
) -> Result<Option<String>, Error> {
    let change = arrow_schema(change_delta)?;
    let retyped = type_changes(existing, &change);
    if let Some(TypeChange { column, from, to }) = retyped.first().filter(|_| old_rows == OldRows::Stay) {
        let message = format!("table `{table}`, column `{column}`: expected {from}, found {to}");
        return Err(Error::fix_data(message).hint(
            "rows of the old type are in the table; change the type back, give the column a new name, or load all files of \
             the source again, together",
        ));
    }
    let mut new: Vec<String> = retyped.into_iter().map(|change| change.column).collect();
    for field in change.fields() {
        let name = field.name();
        match existing.fields().iter().find(|known| known.name().eq_ignore_ascii_case(name)) {
            None => new.push(name.clone()),
            Some(known) if known.name() != name => {
                let message = format!("table `{table}`, column `{name}`: expected `{}`, found `{name}`", known.name());
                return Err(Error::fix_data(message)
                    .hint("names that differ only in case are one column to Delta; use the first one"));
            }
            Some(_) => {}
        }
    }
    if new.is_empty() {
        return Ok(None);
    }
    put_fields(existing_delta, change_delta, &new).map(Some)
}

/// Puts these columns of `change` into `existing`: in the place of those of the same name, else at the end. Works on the
/// JSON, so that what others wrote beside the columns we know stays as it is.
fn put_fields(existing: &str, change: &str, names: &[String]) -> Result<String, Error> {
    let unreadable = |e: serde_json::Error| Error::fix_data(format!("Delta schema: not readable: {e}")).caused_by(e);
    let mut schema: Value = serde_json::from_str(existing).map_err(unreadable)?;
    let change: Value = serde_json::from_str(change).map_err(unreadable)?;
    let new = change["fields"].as_array().into_iter().flatten();
    let fields = schema["fields"].as_array_mut().ok_or_else(|| Error::fix_data("Delta schema: expected `fields`"))?;
    for field in new.filter(|field| names.iter().any(|name| field["name"] == name.as_str())) {
        match fields.iter_mut().find(|known| known["name"] == field["name"]) {
            Some(known) => *known = field.clone(),
            None => fields.push(field.clone()),
        }
    }
    Ok(schema.to_string())
}

/// A type in the words of contracts.
fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 => "string".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp".to_owned(),
        DataType::List(item) => format!("list<{}>", type_name(item.data_type())),
        other => other.to_string(),
    }
}
