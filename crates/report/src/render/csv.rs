//! CSV: RFC 4180, exact, and safe to open in a spreadsheet.

use std::io;

use super::cell::{Cell, cell};
use super::json::cell_json;
use crate::view::QueryView;

/// One result as CSV (RFC 4180, UTF-8, CRLF): a header, then a line for each row. Null is nothing between the commas,
/// the empty text is `""`. Lists and structs are JSON. A text that a spreadsheet would take for a formula (it begins
/// with `=`, `+`, `-`, `@`, tab or a line end) gets an apostrophe in front; numbers do not.
///
/// # Errors
/// Those of `out`.
pub fn csv(query: &QueryView, out: &mut dyn io::Write) -> io::Result<()> {
    let names: Vec<String> = query.schema.fields().iter().map(|field| text(field.name())).collect();
    write!(out, "{}\r\n", names.join(","))?;
    let decimals = query.decimals();
    for batch in &query.batches {
        for row in 0..batch.num_rows() {
            for (index, column) in batch.columns().iter().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                out.write_all(field(cell(column, row, decimals[index]))?.as_bytes())?;
            }
            out.write_all(b"\r\n")?;
        }
    }
    out.flush()
}

fn field(cell: Cell) -> io::Result<String> {
    Ok(match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(value) | Cell::Decimal(value) | Cell::Moment(value) => value,
        Cell::Text(value) if value.is_empty() => "\"\"".to_owned(),
        Cell::Text(value) => text(&value),
        nested @ (Cell::List(_) | Cell::Struct(_)) => {
            let mut json = Vec::new();
            cell_json(&nested, &mut json)?;
            text(&String::from_utf8_lossy(&json))
        }
    })
}

fn text(value: &str) -> String {
    let guard = if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    if value.contains(['"', ',', '\r', '\n']) {
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    } else {
        format!("{guard}{value}")
    }
}
