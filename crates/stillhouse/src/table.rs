//! Tables of text for the terminal.

use stillhouse_report::render::{Breaks, Grid};

use crate::surroundings;

/// A table that is filled row by row.
pub struct Table {
    inner: Grid,
}

impl Table {
    /// With these column names.
    pub fn new(names: &[&str]) -> Self {
        Self { inner: Grid::new(names.iter().map(|name| (*name).to_owned())) }
    }

    /// These columns hold numbers.
    pub fn right(&mut self, columns: &[usize]) {
        columns.iter().for_each(|column| self.inner.right(*column));
    }

    /// These columns are broken first when the terminal is too narrow: paths and sentences.
    pub fn long(&mut self, columns: &[usize]) {
        columns.iter().for_each(|column| self.inner.breaks(*column, Breaks::Anywhere));
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.inner.row(cells);
    }

    /// The text.
    pub fn render(&self) -> String {
        self.inner.render(usize::from(surroundings::terminal_columns()))
    }
}
