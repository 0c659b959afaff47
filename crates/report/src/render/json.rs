//! JSON: `{"format":1,"reports":[…],"objects":[…]}`.
//!
//! | type | JSON |
//! |---|---|
//! | string, date, timestamp, time | string; instants as ISO 8601 with `Z` |
//! | int64, uint64, float64 | number; NaN and infinities are null |
//! | decimal | string, exact |
//! | bool | true, false |
//! | list | array |
//! | struct | object; a map is an array of such |

use std::io;

use arrow::array::{ArrayRef, RecordBatch};
use serde_json::{Value, json};

use super::cell::{Cell, cell, type_name};
use crate::view::{QueryView, RunView};

/// The form of the JSON; readers refuse a higher one.
const FORMAT: u32 = 1;

/// `{"format":1,"reports":[…],"objects":[…]}` on one line; `lists` is what the caller has to say about other things, such as
/// `objects`, as JSON. Rows are written one by one, so that a large result is not held twice.
///
/// # Errors
/// Those of `out`.
pub fn json(views: &[RunView], lists: &[(&str, String)], out: &mut dyn io::Write) -> io::Result<()> {
    write!(out, "{{\"format\":{FORMAT},\"reports\":[")?;
    for (index, view) in views.iter().enumerate() {
        separate(index, out)?;
        report(view, out)?;
    }
    out.write_all(b"]")?;
    for (name, list) in lists {
        write!(out, ",{}:{list}", Value::from(*name))?;
    }
    out.write_all(b"}\n")?;
    out.flush()
}

/// One result alone: `{"columns":[{"name","type"}],"rows":[[…]]}`, and `"chart"`, a [`stillhouse_chart::Chart`], if the
/// report asks for one.
///
/// # Errors
/// Those of `out`.
pub fn json_query(query: &QueryView, out: &mut dyn io::Write) -> io::Result<()> {
    let column =
        |field: &arrow::datatypes::FieldRef| json!({"name": field.name(), "type": type_name(field.data_type())});
    let columns: Vec<Value> = query.schema.fields().iter().map(column).collect();
    out.write_all(b"{\"columns\":")?;
    serde_json::to_writer(&mut *out, &columns)?;
    out.write_all(b",\"rows\":[")?;
    let decimals = query.decimals();
    let mut rows = 0;
    for batch in &query.batches {
        for row in 0..batch.num_rows() {
            separate(rows, out)?;
            row_json(batch, row, &decimals, out)?;
            rows += 1;
        }
    }
    out.write_all(b"]")?;
    if let Some(chart) = &query.chart {
        out.write_all(b",\"chart\":")?;
        serde_json::to_writer(&mut *out, chart)?;
    }
    out.write_all(b"}")
}

/// One value, as it stands in the rows of a result.
pub fn json_value(array: &ArrayRef, row: usize) -> Value {
    let mut text = Vec::new();
    // Writing into memory does not fail, and what is written is JSON.
    let written = cell_json(&cell(array, row, None), &mut text);
    written.ok().and_then(|()| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn report(view: &RunView, out: &mut dyn io::Write) -> io::Result<()> {
    let mut head = json!({
        "report": view.report,
        "title": view.title,
        "period": view.period,
        "completeness": view.completeness,
        "reasons": view.reasons,
        "notes": view.notes,
        "run_id": view.run_id,
        "reused": view.reused,
        "inputs": view.inputs,
    });
    if !view.provenance.foreign.is_empty() {
        head["foreign"] = json!(view.provenance.foreign);
    }
    let head = serde_json::to_string(&head)?;
    out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
    out.write_all(b",\"queries\":{")?;
    for (index, query) in view.queries.iter().enumerate() {
        separate(index, out)?;
        serde_json::to_writer(&mut *out, &query.name)?;
        out.write_all(b":")?;
        json_query(query, out)?;
    }
    out.write_all(b"}}")
}

fn separate(index: usize, out: &mut dyn io::Write) -> io::Result<()> {
    if index > 0 { out.write_all(b",") } else { Ok(()) }
}

fn row_json(batch: &RecordBatch, row: usize, decimals: &[Option<u8>], out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, column) in batch.columns().iter().enumerate() {
        separate(index, out)?;
        cell_json(&cell(column, row, decimals[index]), out)?;
    }
    out.write_all(b"]")
}

/// A row as one JSON object on a line of its own.
pub(super) fn line(batch: &RecordBatch, row: usize, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(b"{")?;
    for (index, (field, column)) in batch.schema_ref().fields().iter().zip(batch.columns()).enumerate() {
        separate(index, out)?;
        serde_json::to_writer(&mut *out, field.name())?;
        out.write_all(b":")?;
        cell_json(&cell(column, row, None), out)?;
    }
    out.write_all(b"}\n")
}

pub(super) fn cell_json(cell: &Cell, out: &mut dyn io::Write) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null"),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Number(value) => out.write_all(value.as_bytes()),
        Cell::Decimal(value) | Cell::Moment(value) | Cell::Text(value) => Ok(serde_json::to_writer(out, value)?),
        Cell::List(items) => {
            out.write_all(b"[")?;
            for (index, item) in items.iter().enumerate() {
                separate(index, out)?;
                cell_json(item, out)?;
            }
            out.write_all(b"]")
        }
        Cell::Struct(fields) => {
            out.write_all(b"{")?;
            for (index, (name, value)) in fields.iter().enumerate() {
                separate(index, out)?;
                serde_json::to_writer(&mut *out, name)?;
                out.write_all(b":")?;
                cell_json(value, out)?;
            }
            out.write_all(b"}")
        }
    }
}

/// Adds the rows to a digest, unrounded, one JSON array a line: the same rows give the same digest however they are cut
/// into batches and whatever writes the Parquet file.
pub(crate) fn hash_rows(batch: &RecordBatch, hasher: &mut blake3::Hasher) -> io::Result<()> {
    let unrounded = vec![None; batch.num_columns()];
    let mut line = Vec::new();
    for row in 0..batch.num_rows() {
        line.clear();
        row_json(batch, row, &unrounded, &mut line)?;
        line.push(b'\n');
        hasher.update(&line);
    }
    Ok(())
}
