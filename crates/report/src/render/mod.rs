//! Render: results as terminal tables, HTML, pictures, CSV, JSON and Parquet. [`RowsWriter`] writes them as they come.
//!
//! Numbers are exact: decimals never pass through floats. A column with `decimals` is rounded half away from zero to
//! that many digits, here and nowhere earlier; without it a decimal prints with its scale.

mod cell;
mod csv;
mod grid;
mod html;
mod json;
mod parquet;
mod picture;
mod round;
mod rows;
mod terminal;
mod width;

pub use self::cell::type_name;
pub use self::csv::{Formulas, csv};
pub use self::grid::{Breaks, Grid};
pub use self::html::html;
pub use self::json::{json, json_query, json_value};
pub use self::parquet::parquet;
pub use self::picture::{png, svg};
pub use self::rows::{RowsForm, RowsWriter};
pub use self::terminal::{
    TerminalStyle, WideLines, shown_value, terminal, terminal_query, terminal_records, terminal_table,
};
pub use self::width::wrapped;

pub(crate) use self::cell::{Cell, cell};
pub(crate) use self::json::hash_rows;
pub(crate) use self::terminal::shown;
