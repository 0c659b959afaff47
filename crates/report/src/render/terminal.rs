//! Terminal tables: for people, within the width of their terminal.

use arrow::array::ArrayRef;
use stillhouse_spec::Completeness;

use super::cell::{Cell, cell};
use super::grid::{Breaks, Grid};
use super::json::cell_json;
use super::width::{pieces, wrapped};
use crate::view::{QueryView, RunView};

/// How terminal tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// The width of the terminal in characters.
    pub width: u16,
    /// What becomes of titles, reasons and long values that are wider.
    pub lines: WideLines,
    /// Whether colours are wanted; they never carry meaning alone.
    pub colour: bool,
    /// How many rows of a result are shown.
    pub rows_max: usize,
    /// How to see those that are not shown.
    pub rest: &'static str,
}

/// What becomes of lines that are wider than the terminal. Tables always keep to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WideLines {
    /// They are broken.
    Broken,
    /// They stay whole, for files and other programs.
    Whole,
}

impl Default for TerminalStyle {
    fn default() -> Self {
        Self { width: 80, lines: WideLines::Broken, colour: false, rows_max: 50, rest: "" }
    }
}

impl TerminalStyle {
    /// Text within the width, if that is wanted.
    fn text(self, text: &str) -> String {
        if self.lines == WideLines::Broken { wrapped(text, self.columns()) } else { text.to_owned() }
    }

    fn columns(self) -> usize {
        usize::from(self.width.max(WIDTH_MIN))
    }
}

const WIDTH_MIN: u16 = 20;

/// The run: title, period, completeness with reasons, notes, and a table for each query.
pub fn terminal(view: &RunView, style: TerminalStyle) -> String {
    let mut head = format!("{} · {} · {}\n", bold(&plain(&view.title), style), view.period, state(view, style));
    for reason in &view.reasons {
        head.push_str(&format!("  {}\n", plain(reason)));
    }
    for note in &view.notes {
        head.push_str(&format!("  note: {}\n", plain(note)));
    }
    let mut text = style.text(&head);
    for query in &view.queries {
        text.push('\n');
        text.push_str(&terminal_query(query, style));
    }
    let origin = if view.reused { "unchanged, shown from run" } else { "run" };
    text.push_str(&format!("\n{origin} {} · {}\n", view.run_id, counted(view.inputs.len(), "input", "inputs")));
    text
}

/// One result: its title, if it has one, and a table, in which numbers stand right. Where many words would have to be broken
/// to make the table fit, each row is a block.
pub fn terminal_query(query: &QueryView, style: TerminalStyle) -> String {
    titled(query, style, |rows| {
        grid(query, rows, Breaks::Words).fitting(style.columns()).unwrap_or_else(|| records(query, rows, style))
    })
}

/// The same as a table in any case: texts are broken where they have to be.
pub fn terminal_table(query: &QueryView, style: TerminalStyle) -> String {
    titled(query, style, |rows| grid(query, rows, Breaks::Anywhere).render(style.columns()))
}

/// What the first rows give, between the title and the number of the others.
fn titled(query: &QueryView, style: TerminalStyle, body: impl FnOnce(&[Vec<String>]) -> String) -> String {
    let title = if query.title.is_empty() { String::new() } else { format!("{}\n", bold(&plain(&query.title), style)) };
    let title = style.text(&title);
    let rows: usize = query.batches.iter().map(|batch| batch.num_rows()).sum();
    if rows == 0 {
        return format!("{title}(no rows)\n");
    }
    let body = body(&shown_rows(query, style.rows_max));
    let more = rows.saturating_sub(style.rows_max);
    let how = if style.rest.is_empty() { String::new() } else { format!(": {}", style.rest) };
    let rest =
        if more > 0 { format!("… and {}{how}\n", counted(more, "more row", "more rows")) } else { String::new() };
    format!("{title}{body}{}", style.text(&rest))
}

/// One result as a block for each row, name beside value, for rows too wide for a table.
pub fn terminal_records(query: &QueryView, style: TerminalStyle) -> String {
    records(query, &shown_rows(query, style.rows_max), style)
}

fn grid(query: &QueryView, rows: &[Vec<String>], breaks: Breaks) -> Grid {
    let mut grid = Grid::new(query.schema.fields().iter().map(|field| plain(field.name())));
    for (number, field) in query.schema.fields().iter().enumerate() {
        if field.data_type().is_numeric() {
            grid.right(number);
        } else {
            grid.breaks(number, breaks);
        }
    }
    rows.iter().for_each(|row| grid.row(row.clone()));
    grid
}

fn records(query: &QueryView, rows: &[Vec<String>], style: TerminalStyle) -> String {
    let names: Vec<String> = query.schema.fields().iter().map(|field| plain(field.name())).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let room = style.columns().saturating_sub(width + 2).max(usize::from(WIDTH_MIN) / 2);
    let field = |(name, value): (&String, &String)| {
        let lines = if style.lines == WideLines::Broken { pieces(value, room) } else { vec![value.clone()] };
        let line = |(number, line): (usize, &String)| {
            let name = if number == 0 { name.as_str() } else { "" };
            format!("{}\n", format!("{name:width$}  {line}").trim_end())
        };
        lines.iter().enumerate().map(line).collect::<String>()
    };
    let blocks = rows.iter().map(|row| names.iter().zip(row).map(field).collect::<String>());
    blocks.collect::<Vec<_>>().join("\n")
}

/// The first rows as text.
fn shown_rows(query: &QueryView, rows_max: usize) -> Vec<Vec<String>> {
    let decimals = query.decimals();
    let rows = query.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let row = |(batch, row): (&arrow::array::RecordBatch, usize)| {
        let columns = batch.columns().iter().enumerate();
        columns.map(|(index, column)| shown(cell(column, row, decimals[index]))).collect()
    };
    rows.take(rows_max).map(row).collect()
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
