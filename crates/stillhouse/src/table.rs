//! Tables of text for the terminal.

use comfy_table::{CellAlignment, ContentArrangement};
use stillhouse_report::render::RULE_UNDER_HEADER;

use crate::surroundings;

/// A table that is filled row by row.
pub struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// With these column names.
    pub fn new(names: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_preset(RULE_UNDER_HEADER);
        inner.set_content_arrangement(ContentArrangement::Dynamic);
        inner.set_width(surroundings::terminal_columns());
        inner.set_header(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        Self { inner }
    }

    /// These columns hold numbers.
    pub fn right(&mut self, columns: &[usize]) {
        for column in columns {
            if let Some(column) = self.inner.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.inner.add_row(cells);
    }

    /// The text.
    pub fn render(&self) -> String {
        format!("{}\n", self.inner.trim_fmt())
    }
}
