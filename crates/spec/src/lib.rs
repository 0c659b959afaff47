//! The words as types: project files, contracts, reports, periods, receipts.
//!
//! Everything here is parsed once and valid from then on. Start at [`Project`].
//!
//! **Invariant:** this crate does no I/O and reads no clock; texts and dates come in, values and errors go out.

mod choice;
mod contract;
mod format;
mod load;
mod name;
mod period;
mod problem;
mod project;
mod receipt;
mod report;
mod secret;
mod source;
mod template;
mod types;

pub use choice::{Choice, Origin};
pub use contract::*;
pub use format::{FormatError, TimeFormat, TimeItem};
pub use load::PROJECT_FORMAT;
pub use name::{ColumnName, NAME_BYTES_MAX, NameError, QueryName, ReportName, SourceName, TableName};
pub use period::{Grain, Period, PeriodChoice, PeriodError, ZoneError, day_start_micros, zone};
pub use problem::{Problem, Problems};
pub use project::*;
pub use receipt::*;
pub use report::*;
pub use secret::{Filled, Secret};
pub use source::*;
pub use template::{PathTemplate, TemplateError};
pub use types::{DataType, TYPE_NAMES, TypeError};
