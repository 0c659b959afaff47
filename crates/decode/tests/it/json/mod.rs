//! JSON.

mod alike;
mod layouts;
mod look;
mod nested;
mod odd;
mod suite;
mod together;
mod values;

use crate::common::Case;

/// A case with these settings behind `[source]`.
pub fn json(settings: &str) -> Case {
    Case::of_source("json", settings)
}

/// A table `t` with these columns, as `id = "int64"`.
pub fn table(columns: &str) -> Case {
    json(&format!("[table]\nname = 't'\nmax_rejected = '100%'\n[table.columns]\n{columns}"))
}
