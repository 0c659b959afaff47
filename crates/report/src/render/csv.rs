//! CSV: RFC 4180, exact, and safe to open in a spreadsheet.

use std::io;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::cell::{Cell, cell};
use super::json::cell_json;
use crate::view::QueryView;

/// What becomes of a text that a spreadsheet would take for a formula: one that begins with `=`, `+`, `-`, `@`, tab or a
/// line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formulas {
    /// It gets an apostrophe in front. Numbers do not.
    Guard,
    /// It stays as it is: for programs.
    Keep,
}

/// One result as CSV (RFC 4180, UTF-8, CRLF): a header, then a line for each row. Null is nothing between the commas,
/// the empty text is `""`. Lists and structs are JSON. Texts that a spreadsheet would take for a formula are guarded.
///
/// # Errors
/// Those of `out`.
pub fn csv(query: &QueryView, out: &mut dyn io::Write) -> io::Result<()> {
    let decimals = query.decimals();
    header(&query.schema, Formulas::Guard, out)?;
    for batch in &query.batches {
        rows(batch, &decimals, Formulas::Guard, out)?;
    }
    out.flush()
}

/// The line with the names of the columns.
pub(super) fn header(schema: &Schema, formulas: Formulas, out: &mut dyn io::Write) -> io::Result<()> {
    let names: Vec<String> = schema.fields().iter().map(|field| text(field.name(), formulas)).collect();
    write!(out, "{}\r\n", names.join(","))
}

/// A line for each row.
pub(super) fn rows(
    batch: &RecordBatch,
    decimals: &[Option<u8>],
    formulas: Formulas,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for row in 0..batch.num_rows() {
        for (index, column) in batch.columns().iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            out.write_all(field(cell(column, row, decimals[index]), formulas)?.as_bytes())?;
        }
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

fn field(cell: Cell, formulas: Formulas) -> io::Result<String> {
    Ok(match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(value) | Cell::Decimal(value) | Cell::Moment(value) => value,
        Cell::Text(value) if value.is_empty() => "\"\"".to_owned(),
        Cell::Text(value) => text(&value, formulas),
        nested @ (Cell::List(_) | Cell::Struct(_)) => {
            let mut json = Vec::new();
            cell_json(&nested, &mut json)?;
            text(&String::from_utf8_lossy(&json), formulas)
        }
    })
}

fn text(value: &str, formulas: Formulas) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if is_formula && formulas == Formulas::Guard { "'" } else { "" };
    if value.contains(['"', ',', '\r', '\n']) {
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    } else {
        format!("{guard}{value}")
    }
}
