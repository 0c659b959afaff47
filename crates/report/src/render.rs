//! Render: results as terminal tables, CSV and JSON.

use std::io;

use crate::view::{QueryView, RunView};

/// How terminal tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// The width of the terminal in characters.
    pub width: u16,
    /// Whether colours are wanted.
    pub colour: bool,
    /// How many rows of a result are shown.
    pub rows_max: usize,
}

/// The run as terminal tables, with completeness, reasons and notes.
pub fn terminal(view: &RunView, style: TerminalStyle) -> String {
    let _ = style;
    view.title.clone()
}

/// One result as a terminal table.
pub fn terminal_table(query: &QueryView, style: TerminalStyle) -> String {
    let _ = style;
    query.title.clone()
}

/// One result as CSV (RFC 4180), safe to open in a spreadsheet.
///
/// # Errors
/// Those of `out`.
pub fn csv(query: &QueryView, out: &mut dyn io::Write) -> io::Result<()> {
    let _ = query;
    out.flush()
}

/// `{"format":1,"reports":[…],"objects":[…]}`; `objects` is what the caller has to say about objects.
///
/// # Errors
/// Those of `out`.
pub fn json(views: &[RunView], objects: &[serde_json::Value], out: &mut dyn io::Write) -> io::Result<()> {
    let _ = (views, objects);
    out.flush()
}

/// One result alone: `{"columns":[{"name","type"}],"rows":[[…]]}`.
///
/// # Errors
/// Those of `out`.
pub fn json_query(query: &QueryView, out: &mut dyn io::Write) -> io::Result<()> {
    let _ = query;
    out.flush()
}
