//! Terminal tables: for people, within the width of their terminal.

use arrow::array::ArrayRef;
use comfy_table::{Cell as TableCell, CellAlignment, ContentArrangement, Table};
use stillhouse_spec::Completeness;

use super::cell::{Cell, cell};
use super::json::cell_json;
use crate::view::{QueryView, RunView};

/// How terminal tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// The width of the terminal in characters.
    pub width: u16,
    /// Whether colours are wanted; they never carry meaning alone.
    pub colour: bool,
    /// How many rows of a result are shown.
    pub rows_max: usize,
}

impl Default for TerminalStyle {
    fn default() -> Self {
        Self { width: 80, colour: false, rows_max: 50 }
    }
}

/// The run: title, period, completeness with reasons, notes, and a table for each query.
pub fn terminal(view: &RunView, style: TerminalStyle) -> String {
    let mut text = format!("{} · {} · {}\n", bold(&plain(&view.title), style), view.period, state(view, style));
    for reason in &view.reasons {
        text.push_str(&format!("  {}\n", plain(reason)));
    }
    for note in &view.notes {
        text.push_str(&format!("  note: {}\n", plain(note)));
    }
    for query in &view.queries {
        text.push('\n');
        text.push_str(&terminal_query(query, style));
    }
    let origin = if view.reused { "unchanged, shown from run" } else { "run" };
    text.push_str(&format!("\n{origin} {} · {}\n", view.run_id, counted(view.inputs.len(), "input", "inputs")));
    text
}

/// One result: its title, if it has one, and a table. Numbers stand right.
pub fn terminal_query(query: &QueryView, style: TerminalStyle) -> String {
    let title = if query.title.is_empty() { String::new() } else { format!("{}\n", bold(&plain(&query.title), style)) };
    let rows: usize = query.batches.iter().map(|batch| batch.num_rows()).sum();
    if rows == 0 {
        return format!("{title}(no rows)\n");
    }
    let names: usize = query.schema.fields().iter().map(|field| field.name().chars().count() + 3).sum();
    if rows == 1 && names > usize::from(style.width) {
        return format!("{title}{}", terminal_records(query, style));
    }
    let mut table = Table::new();
    table.load_preset(RULE_UNDER_HEADER);
    table.set_width(style.width.max(WIDTH_MIN)).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(query.schema.fields().iter().map(|field| {
        let alignment = if field.data_type().is_numeric() { CellAlignment::Right } else { CellAlignment::Left };
        TableCell::new(plain(field.name())).set_alignment(alignment)
    }));
    fill(&mut table, query, style.rows_max);
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let body = lines.join("\n");
    let more = rows.saturating_sub(style.rows_max);
    let rest = if more > 0 { format!("… and {}\n", counted(more, "more row", "more rows")) } else { String::new() };
    format!("{title}{body}\n{rest}")
}

/// One result as a block for each row, name beside value, for rows too wide for a table. Long values are left to the
/// terminal to wrap, so that they can be copied whole.
pub fn terminal_records(query: &QueryView, style: TerminalStyle) -> String {
    let names: Vec<String> = query.schema.fields().iter().map(|field| plain(field.name())).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let decimals = query.decimals();
    let rows = query.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let blocks = rows.take(style.rows_max).map(|(batch, row)| {
        let cells = batch.columns().iter().enumerate().map(|(index, column)| shown(cell(column, row, decimals[index])));
        names.iter().zip(cells).map(|(name, cell)| format!("{name:width$}  {cell}\n")).collect::<String>()
    });
    blocks.collect::<Vec<_>>().join("\n")
}

const WIDTH_MIN: u16 = 20;

/// Of the 19 places of a comfy-table preset only the rule under the header and its crossings: quiet, and easy to copy.
pub const RULE_UNDER_HEADER: &str = "     ──            ";

fn fill(table: &mut Table, query: &QueryView, rows_max: usize) {
    let decimals = query.decimals();
    let rows = query.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    for (batch, row) in rows.take(rows_max) {
        table.add_row(batch.columns().iter().enumerate().map(|(index, column)| {
            let cell = cell(column, row, decimals[index]);
            let right = matches!(cell, Cell::Number(_) | Cell::Decimal(_)) || column.data_type().is_numeric();
            let alignment = if right { CellAlignment::Right } else { CellAlignment::Left };
            TableCell::new(shown(cell)).set_alignment(alignment)
        }));
    }
}

/// One value as a table shows it.
pub fn shown_value(array: &ArrayRef, row: usize) -> String {
    shown(cell(array, row, None))
}

pub(crate) fn shown(cell: Cell) -> String {
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(value) | Cell::Decimal(value) => value,
        Cell::Moment(value) => value,
        Cell::Text(value) => plain(&value),
        nested @ (Cell::List(_) | Cell::Struct(_)) => {
            let mut json = Vec::new();
            // Writing into memory does not fail.
            cell_json(&nested, &mut json).map_or_else(|_| String::new(), |()| plain(&String::from_utf8_lossy(&json)))
        }
    }
}

/// Text from data must not steer the terminal: control characters and those that turn the direction of writing show as
/// escapes.
pub(super) fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    plain
}

fn state(view: &RunView, style: TerminalStyle) -> String {
    let code = match view.completeness {
        Completeness::Complete => "32",
        Completeness::Partial => "33",
        Completeness::Empty => "31",
    };
    paint(&view.completeness.to_string(), code, style)
}

fn bold(text: &str, style: TerminalStyle) -> String {
    paint(text, "1", style)
}

fn paint(text: &str, code: &str, style: TerminalStyle) -> String {
    if style.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
