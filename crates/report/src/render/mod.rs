//! Render: results as terminal tables, CSV, JSON and Parquet.
//!
//! Numbers are exact: decimals never pass through floats. A column with `decimals` is rounded half away from zero to
//! that many digits, here and nowhere earlier; without it a decimal prints with its scale.

mod cell;
mod csv;
mod json;
mod parquet;
mod round;
mod terminal;

pub use self::cell::type_name;
pub use self::csv::csv;
pub use self::json::{json, json_query};
pub use self::parquet::parquet;
pub use self::terminal::{RULE_UNDER_HEADER, TerminalStyle, terminal, terminal_query, terminal_records};

pub(crate) use self::json::hash_rows;
